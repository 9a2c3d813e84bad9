//! Browsers that are sent in a circle.
//!
//! # Why they are recognized so
//!
//! An application that doesn't get the session's cookie sends its browser here; the authority, which
//! knows the person, sends it back without a word; the application sends it here again. Thirty tabs
//! that open at once begin as many sign-ins, so beginnings alone say nothing. But in a circle each
//! sign-in has ended before the next begins: some arrived of late, and none is open.

use jiff::Timestamp;
use url::Url;

use crate::{
    domain::{
        id::Reference, organization::Organization, return_to::ReturnTo, secret::SecretDigest,
    },
    oidc::authorization_request::Prompt,
    ports::{
        Ports,
        logins::{ARRIVAL_REMEMBERED, Arrival, RecentLogins},
    },
    service::login::{BeginLogin, LoginError, Refused, Why},
};

/// Arrivals that may have needed no person; the sign-in after them is one too many.
const MOST_BY_THEMSELVES: u64 = 2;

/// Arrivals within a minute that nobody makes by hand.
const MOST_BY_HAND: u64 = 10;

/// Arrivals within a minute that are more than anybody's tabs.
const MOST_IN_TABS: u64 = 40;

/// Whether a sign-in that would begin now is one more round.
///
/// Where the authority was told to ask the person something, rounds don't make themselves; but an
/// authority may ignore what it was told. Rounds follow one another: where sign-ins were under way
/// side by side, those were tabs, and the last of them may begin when all others have arrived.
const fn goes_round(recent: RecentLogins, prompt: Option<Prompt>) -> bool {
    let most = match prompt {
        _ if recent.side_by_side => MOST_IN_TABS,
        Some(Prompt::Login | Prompt::SelectAccount | Prompt::Consent) => MOST_BY_HAND,
        Some(Prompt::None) | None => MOST_BY_THEMSELVES,
    };
    recent.open == 0 && recent.arrived >= most
}

/// Refuses a sign-in that would be one more round of a circle.
pub async fn refuse_another_round(
    ports: &Ports,
    asked: &BeginLogin<'_>,
    organization: &Organization,
    return_to: &ReturnTo,
) -> Result<(), LoginError> {
    if asked.try_again {
        return Ok(ports.logins.forget_arrivals(&asked.browser).await?);
    }
    let since = ports.clock.now() - ARRIVAL_REMEMBERED;
    let recent = ports.logins.count_recent(&asked.browser, return_to, since).await?;
    if goes_round(recent, asked.prompt) {
        return Err(refuse(ports, organization, return_to));
    }
    Ok(())
}

fn refuse(ports: &Ports, organization: &Organization, return_to: &ReturnTo) -> LoginError {
    let (reference, application) = (Reference::generate(), origin(ports, return_to));
    tracing::warn!(
        %reference,
        organization = %organization.slug,
        application,
        "a browser was signed in and sent back to sign-in, again and again: the application does \
         not see its session; docs/forward-auth says which headers its proxy must pass on"
    );
    LoginError::Refused(Box::new(Refused {
        why: Why::Circle { application },
        reference,
        organization: Some(organization.clone()),
        return_to: None,
        at: ports.clock.now(),
    }))
}

/// Whose page somebody wanted; the rest of its address is nobody else's business.
fn origin(ports: &Ports, return_to: &ReturnTo) -> String {
    let base = Url::parse(&ports.settings.public_url).expect("a public URL was parsed from a URL");
    let place = base.join(return_to.as_str()).unwrap_or(base);
    place.origin().ascii_serialization()
}

/// Remembers where a sign-in ended; one that can't be remembered has succeeded all the same.
pub async fn remember_arrival(
    ports: &Ports,
    browser: &SecretDigest,
    return_to: &ReturnTo,
    begun_at: Timestamp,
) {
    let arrival = Arrival { browser, return_to, begun_at, at: ports.clock.now() };
    let remembered = ports.logins.insert_arrival(&arrival).await;
    if let Err(unavailable) = remembered {
        tracing::error!(%unavailable, "an arrival is not remembered");
    }
}

/// Forgets where this browser's sign-ins ended: its person signed out, so whatever comes next is
/// no circle. Nothing depends on it.
pub async fn forget_arrivals(ports: &Ports, browser: &SecretDigest) {
    if let Err(unavailable) = ports.logins.forget_arrivals(browser).await {
        tracing::error!(%unavailable, "a browser's arrivals are not forgotten");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_arrivals_with_nothing_open() {
        let by_hand = [Prompt::Login, Prompt::SelectAccount, Prompt::Consent].map(Some);
        for (open, arrived, prompt, is_circle) in [
            (0, 0, None, false),
            (0, 1, None, false),
            (0, 2, None, true),
            (0, 9, None, true),
            (1, 2, None, false),
            (28, 29, None, false),
            (0, 1, Some(Prompt::None), false),
            (0, 2, Some(Prompt::None), true),
        ]
        .into_iter()
        .chain(by_hand.map(|prompt| (0, 9, prompt, false)))
        .chain(by_hand.map(|prompt| (0, 10, prompt, true)))
        .chain(by_hand.map(|prompt| (1, 10, prompt, false)))
        {
            let recent = RecentLogins { open, arrived, side_by_side: false };

            assert_eq!(goes_round(recent, prompt), is_circle, "{recent:?} {prompt:?}");
        }
    }

    #[test]
    fn the_last_of_many_tabs_begins_no_round() {
        for (arrived, is_circle) in [(2, false), (29, false), (40, true)] {
            let recent = RecentLogins { open: 0, arrived, side_by_side: true };

            assert_eq!(goes_round(recent, None), is_circle, "{arrived}");
        }
    }
}
