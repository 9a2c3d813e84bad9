//! Why a sign-in was refused, in words for the person who wanted to sign in.

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
    /// The authority answered with another error.
    AuthorityRefused {
        /// What to do about it, in whole sentences, where it is known.
        remedy: Option<&'a str>,
    },
    /// The authority's answer or token did not pass the checks.
    TokenNotValid,
    /// No sign-in of that `state` is under way: too late, used already, or begun elsewhere.
    UnknownState,
    /// The browser that came back did not bring the cookie of the sign-in.
    CookiesOff,
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
            Self::AuthorityRefused { .. } => "Your organization’s sign-in said no",
            Self::TokenNotValid => "We couldn’t trust the answer we got",
            Self::UnknownState => "This sign-in is no longer open",
            Self::CookiesOff => "Your browser didn’t bring our cookie back",
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
            Self::AuthorityRefused { .. } => format!(
                "The sign-in page of {organization} sent you back with an error instead of a confirmation."
            ),
            Self::TokenNotValid => format!(
                "The sign-in page of {organization} sent you back with a confirmation that did not pass our checks, so we did not accept it."
            ),
            Self::UnknownState => "A sign-in can be finished once, within ten minutes, in the browser where it began. This one came too late, was finished already, or began somewhere else.".to_owned(),
            Self::CookiesOff => "To finish a sign-in safely, your browser must keep one small cookie of ours while you are away. It came back without it.".to_owned(),
            Self::AuthorityUnreachable => format!(
                "We asked the sign-in service of {organization} and got no answer. Your account is not affected, and whoever is signed in stays so."
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
            Self::AuthorityRefused { remedy: Some(remedy) } => (*remedy).to_owned(),
            Self::AuthorityRefused { remedy: None } => format!(
                "Please try again. If it says no once more, ask {support}: by the number below they find what it said."
            ),
            Self::TokenNotValid => format!(
                "Please try again. If it happens once more, tell {support}: the log says which check failed."
            ),
            Self::UnknownState => "Please start again from here. If you came by a bookmark, remember this site instead of the sign-in page.".to_owned(),
            Self::CookiesOff => "Allow cookies for this site, then try again in the same window. Some private windows and blockers refuse them.".to_owned(),
            Self::AuthorityUnreachable => format!(
                "Please wait a minute, then try again. If it lasts, tell {support}."
            ),
            Self::NoConnector => format!("Please ask {support} how to sign in."),
            Self::UnknownOrganization => {
                format!("Start with your work e-mail: we find your organization by it. Or ask {support} for the right address.")
            }
        }
    }

    /// Whether the same organization's sign-in may go better another time.
    pub(super) const fn can_try_again(&self) -> bool {
        !matches!(self, Self::NoConnector | Self::UnknownOrganization)
    }

    /// Whether another account is more promising than another try.
    pub(super) const fn wants_another_account(&self) -> bool {
        matches!(self, Self::WrongTenant | Self::NotProvisioned | Self::Inactive)
    }
}

#[cfg(test)]
impl Refusal<'static> {
    /// One of each.
    pub(super) const ALL: [Self; 16] = [
        Self::NotProvisioned,
        Self::Inactive,
        Self::WrongTenant,
        Self::Ambiguous,
        Self::AwaitsApproval,
        Self::NoRole,
        Self::AccessLost,
        Self::Cancelled,
        Self::AuthorityRefused { remedy: None },
        Self::AuthorityRefused { remedy: Some("Ask for “<b>Assign users</b>”.") },
        Self::TokenNotValid,
        Self::UnknownState,
        Self::CookiesOff,
        Self::AuthorityUnreachable,
        Self::NoConnector,
        Self::UnknownOrganization,
    ];
}
