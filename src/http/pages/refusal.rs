//! Why a sign-in was refused, in words for the person who wanted to sign in, and for whoever can
//! do something about it.

use crate::oidc::entra_error::{Remedy, Who};

/// Why a sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// No account here is tied to the person.
    NotProvisioned,
    /// The account is deactivated.
    Inactive,
    /// The person signed in at another tenant than the connector's.
    WrongTenant,
    /// More than one account, or one that is tied to somebody else, matches.
    Ambiguous,
    /// An account matches by user name and waits for an admin's approval.
    AwaitsApproval,
    /// The account has no role for the portal.
    NoRole,
    /// Access was taken away while the person signed in.
    AccessLost,
    /// The person, or somebody at the authority, pressed Cancel.
    Cancelled,
    /// The authority would have to ask the person something, and was told not to.
    NotSilent,
    /// The authority has no time now.
    Busy,
    /// The authority answered with another error.
    AuthorityRefused {
        /// Who can do something about it and what, where it is known.
        remedy: Option<&'a Remedy>,
    },
    /// The authority's answer or token did not pass the checks.
    TokenNotValid,
    /// No sign-in of that `state` is under way: too late, used already, or begun elsewhere.
    UnknownState,
    /// The browser that came back did not bring the cookie of the sign-in.
    CookiesOff,
    /// The browser was signed in and sent here again at once, more than once.
    Circle,
    /// The authority noticed such a circle.
    CircleAtAuthority,
    /// The authority could not be reached, or did not answer in time.
    AuthorityUnreachable,
    /// The organization has no connector, or a disabled one.
    NoConnector,
    /// No organization has that name.
    UnknownOrganization,
}

impl Refusal<'_> {
    /// The page's title and heading.
    pub const fn heading(&self) -> &'static str {
        match self {
            Self::NotProvisioned => "You don’t have an account here yet",
            Self::Inactive => "Your account is switched off",
            Self::WrongTenant => "That is not your work account here",
            Self::Ambiguous => "We can’t tell which account is yours",
            Self::AwaitsApproval => "Your account waits for approval",
            Self::NoRole => "Your account is for the mobile app only",
            Self::AccessLost => "Your access changed just now",
            Self::Cancelled => "The sign-in was cancelled",
            Self::NotSilent => "You have to sign in yourself",
            Self::Busy => "Your organization’s sign-in is busy",
            Self::AuthorityRefused { .. } => "Your organization’s sign-in said no",
            Self::TokenNotValid => "We couldn’t trust the answer we got",
            Self::UnknownState => "This sign-in is no longer open",
            Self::CookiesOff => "Your browser didn’t bring our cookie back",
            Self::Circle | Self::CircleAtAuthority => {
                "You were signed in, but the application doesn’t see it"
            }
            Self::AuthorityUnreachable => "Your organization’s sign-in can’t be reached",
            Self::NoConnector => "Sign-in is not switched on",
            Self::UnknownOrganization => "We don’t know that organization",
        }
    }

    /// What happened, in one or two sentences.
    pub fn happened(&self, organization: &str) -> String {
        match self {
            Self::NotProvisioned => format!(
                "You signed in at {organization}, but no account for you has been set up here."
            ),
            Self::Inactive => format!(
                "You signed in at {organization}, but your account here is deactivated, so we can’t let you in."
            ),
            Self::WrongTenant => format!(
                "You signed in with an account that {organization} doesn’t manage: another organization’s, or a personal one."
            ),
            Self::Ambiguous => "More than one account here could be yours, or the one that looks like yours already belongs to somebody else. To be safe, we opened none of them.".to_owned(),
            Self::AwaitsApproval => format!(
                "You signed in this way for the first time, and an admin of {organization} has yet to confirm that the account here is really yours."
            ),
            Self::NoRole => format!(
                "You are known here, and the mobile app works for you. For this portal, {organization} has not given you a role."
            ),
            Self::AccessLost => format!(
                "While you were signing in, {organization} changed what you may do here, so we stopped."
            ),
            Self::Cancelled => "Somebody pressed Cancel, or closed a question, before the sign-in was complete. Nothing has changed.".to_owned(),
            Self::NotSilent => format!(
                "An application asked whether you are signed in at {organization} already, and {organization} first has to ask you something."
            ),
            Self::Busy => format!(
                "The sign-in page of {organization} has too much to do at the moment, and sent you back. Your account is not affected."
            ),
            Self::AuthorityRefused { .. } => format!(
                "The sign-in page of {organization} sent you back with an error instead of a confirmation."
            ),
            Self::TokenNotValid => format!(
                "The sign-in page of {organization} sent you back with a confirmation that did not pass our checks, so we did not accept it."
            ),
            Self::UnknownState => "A sign-in can be finished once, within ten minutes, in the browser where it began. This one came too late, was finished already, or began somewhere else.".to_owned(),
            Self::CookiesOff => "To finish a sign-in safely, your browser must keep one small cookie of ours while you are away. It came back without it.".to_owned(),
            Self::Circle => format!(
                "You signed in at {organization}, the application sent you here to sign in, and that more than once within a minute. We stopped, so that you don’t go round in a circle."
            ),
            Self::CircleAtAuthority => format!(
                "The sign-in page of {organization} noticed that you were sent there again and again, and stopped, so that you don’t go round in a circle."
            ),
            Self::AuthorityUnreachable => format!(
                "We asked the sign-in service of {organization} and got no answer that we can use. Your account is not affected, and whoever is signed in stays so."
            ),
            Self::NoConnector => format!(
                "Signing in to {organization} through its own directory is not set up here, or has been switched off."
            ),
            Self::UnknownOrganization => "The address that you followed names an organization that is not here. It may have been mistyped, or be out of date.".to_owned(),
        }
    }

    /// What the person can do about it, and whom to ask.
    pub fn what_to_do(&self, organization: &str, support: &str) -> String {
        match self {
            Self::NotProvisioned => format!(
                "Please ask {support} to give you access. If that has been done just now, allow it up to 40 minutes to arrive, then try again."
            ),
            Self::Inactive => {
                format!("If that surprises you, please ask {support} to switch it on again.")
            }
            Self::WrongTenant => format!(
                "Sign in with another account, and choose the work account that {organization} gave you."
            ),
            Self::Ambiguous => format!("Please ask {support} to settle which account is yours."),
            Self::AwaitsApproval => {
                format!("Please ask {support} to approve it, then try again. It is needed only once.")
            }
            Self::NoRole => format!(
                "If you need the portal too, please ask {support} for a role, then try again."
            ),
            Self::AccessLost => {
                format!("Please try again. If you end up here once more, ask {support}.")
            }
            Self::Cancelled => "Try again whenever you like.".to_owned(),
            Self::NotSilent => "Sign in from here; you come back to where you wanted to go.".to_owned(),
            Self::Busy => "Please wait half a minute, then try again.".to_owned(),
            Self::AuthorityRefused { remedy: Some(remedy) } => refused(remedy, organization, support),
            Self::AuthorityRefused { remedy: None } => format!(
                "Please try again. If it says no once more, ask {support}: by the number below they find what it said."
            ),
            Self::TokenNotValid => format!(
                "Please try again. If it happens once more, tell {support}: the log says which check failed."
            ),
            Self::UnknownState => "Please start again from here. If you came by a bookmark, remember this site instead of the sign-in page.".to_owned(),
            Self::CookiesOff => "Allow cookies for this site, then try again in the same window. Some private windows and blockers refuse them.".to_owned(),
            Self::Circle | Self::CircleAtAuthority => format!(
                "Allow cookies for this site and for the application, then try again. If you end up here once more, the application has to be mended: please tell {support}."
            ),
            Self::AuthorityUnreachable => format!(
                "Please wait a minute, then try again. If it lasts, tell {support}."
            ),
            Self::NoConnector => format!("Please ask {support} how to sign in."),
            Self::UnknownOrganization => {
                format!("Start with your work e-mail: we find your organization by it. Or ask {support} for the right address.")
            }
        }
    }

    /// Who can do something about it.
    pub fn who(&self) -> Who {
        match self {
            Self::NotProvisioned
            | Self::Inactive
            | Self::Ambiguous
            | Self::AwaitsApproval
            | Self::NoRole
            | Self::NoConnector => Who::Admin,
            Self::TokenNotValid
            | Self::Circle
            | Self::CircleAtAuthority
            | Self::AuthorityUnreachable
            | Self::AuthorityRefused { remedy: None } => Who::Operator,
            Self::AuthorityRefused { remedy: Some(remedy) } => remedy.who,
            Self::WrongTenant
            | Self::AccessLost
            | Self::Cancelled
            | Self::NotSilent
            | Self::Busy
            | Self::UnknownState
            | Self::CookiesOff
            | Self::UnknownOrganization => Who::User,
        }
    }

    /// What whoever can do something about it has to do; nothing where that is the person.
    pub fn remedy(&self) -> Option<&str> {
        Some(match self {
            Self::NotProvisioned => {
                "Assign the person to the application under Enterprise applications, Users and groups, and wait for the next provisioning cycle or provision them on demand. Check that externalId is mapped from objectId."
            }
            Self::Inactive => {
                "The directory sent active: false. Enable the person, and assign them to the application again."
            }
            Self::Ambiguous => {
                "Two accounts here carry the same name or identifier, often an old one of somebody who left. Delete that one in the directory."
            }
            Self::AwaitsApproval => {
                "Have the link approved: portico organization links --approve, with the number below. Map externalId from objectId, so that nobody else has to wait."
            }
            Self::NoRole => {
                "Assign the person an app role of the application in the tenant: ReadOnly, User, Admin or EnterpriseAdmin."
            }
            Self::NoConnector => {
                "Open Organization Setup and connect the directory, or switch its connector on."
            }
            Self::TokenNotValid => {
                "Find the number below in the log: it names the check that failed. Compare authority and client ID with the app registration."
            }
            Self::AuthorityUnreachable => {
                "Find the number below in the log: it names the address that failed, and how. Check this server’s way out to it."
            }
            Self::Circle | Self::CircleAtAuthority => {
                "The application’s proxy must pass the browser’s Cookie header on to /auth/check, and X-Forwarded-Host, X-Forwarded-Proto and X-Forwarded-Uri as the browser asked; the application must be reached under the host name that the cookie belongs to, by https."
            }
            Self::AuthorityRefused { remedy } => {
                let somebody_elses = remedy.filter(|remedy| remedy.who != Who::User);
                return somebody_elses.map(|remedy| remedy.text);
            }
            Self::WrongTenant
            | Self::AccessLost
            | Self::Cancelled
            | Self::NotSilent
            | Self::Busy
            | Self::UnknownState
            | Self::CookiesOff
            | Self::UnknownOrganization => return None,
        })
    }

    /// Whether the same organization's sign-in may go better another time.
    pub(super) const fn can_try_again(&self) -> bool {
        !matches!(self, Self::NoConnector | Self::UnknownOrganization)
    }

    /// Whether another account may do better.
    pub(super) fn may_depend_on_account(&self) -> bool {
        match self {
            Self::AuthorityRefused { remedy: Some(remedy) } => remedy.who != Who::Operator,
            other => !matches!(
                other,
                Self::Busy
                    | Self::NotSilent
                    | Self::UnknownState
                    | Self::CookiesOff
                    | Self::Circle
                    | Self::CircleAtAuthority
                    | Self::AuthorityUnreachable
            ),
        }
    }

    /// Whether another account is more promising than another try.
    pub(super) const fn wants_another_account(&self) -> bool {
        matches!(self, Self::WrongTenant | Self::NotProvisioned | Self::Inactive)
    }
}

fn refused(remedy: &Remedy, organization: &str, support: &str) -> String {
    match remedy.who {
        Who::User => format!("{} If that doesn’t help, ask {support}.", remedy.text),
        Who::Admin => format!(
            "Nothing is wrong with your password: an administrator of {organization} has to change something first. Until then, trying again leads here."
        ),
        Who::Operator => format!(
            "Nothing is wrong with your account. Please try again; if it says no once more, tell {support}."
        ),
        Who::Nobody => remedy.text.to_owned(),
    }
}

#[cfg(test)]
impl Refusal<'static> {
    /// One of each.
    pub(super) const ALL: [Self; 23] = [
        Self::NotProvisioned,
        Self::Inactive,
        Self::WrongTenant,
        Self::Ambiguous,
        Self::AwaitsApproval,
        Self::NoRole,
        Self::AccessLost,
        Self::Cancelled,
        Self::NotSilent,
        Self::Busy,
        Self::AuthorityRefused { remedy: None },
        Self::AuthorityRefused { remedy: Some(&known(Who::User)) },
        Self::AuthorityRefused { remedy: Some(&known(Who::Admin)) },
        Self::AuthorityRefused { remedy: Some(&known(Who::Operator)) },
        Self::AuthorityRefused { remedy: Some(&known(Who::Nobody)) },
        Self::TokenNotValid,
        Self::UnknownState,
        Self::CookiesOff,
        Self::Circle,
        Self::CircleAtAuthority,
        Self::AuthorityUnreachable,
        Self::NoConnector,
        Self::UnknownOrganization,
    ];
}

#[cfg(test)]
const fn known(who: Who) -> Remedy {
    Remedy { who, text: "Ask for “<b>Assign users</b>”." }
}
