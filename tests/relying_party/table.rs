//! Every fault of the simulator, and how the sign-in that meets it ends.

use portico::{
    domain::decision::Outcome,
    simulator::{Ending, Fault},
};

mod answer;
mod discovery;
mod id_token;
mod keys;
mod mistakes;
mod signature;
mod token_endpoint;

/// A fault, and how the sign-in that meets it ends.
pub struct Forgery {
    pub fault: Fault,
    /// The module of the conformance suite that has it too, or the rule where the suite has none.
    pub source: &'static str,
    /// How far the sign-in gets.
    pub stage: Stage,
    pub end: End,
}

/// How far a sign-in gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody is sent to the authority.
    Discovery,
    /// No code is redeemed.
    Answer,
    /// The code is redeemed, no key is needed.
    Code,
    /// The keys are fetched once.
    Token,
    /// The keys are fetched once more, since none of them may have signed the token.
    KeysAgain,
    /// The keys are fetched once more, since the token names one that they don't have, and then
    /// those of the application alone.
    OwnKeys,
}

/// What comes of a sign-in.
pub enum End {
    /// A session with this role.
    SignedIn(&'static str),
    /// This page, for a reason that the log has.
    Refused(Page, &'static str),
    /// The page that tells Entra's number and what to do about it.
    SaidNo(u32),
    /// Entra's own page, with this number.
    Stopped(u32),
}

/// A refusal, as the person and the decision log have it.
#[derive(Clone, Copy)]
pub struct Page {
    pub status: u16,
    pub heading: &'static str,
    /// `None` where too little is known of the sign-in, or where nobody decided anything.
    pub outcome: Option<Outcome>,
    /// What the simulator promises of it.
    pub ending: Ending,
}

const UNREACHABLE: Page = Page {
    status: 502,
    heading: "Your organization’s sign-in can’t be reached",
    outcome: None,
    ending: Ending::Unreachable,
};
const NO_ANSWER: Page = Page { outcome: Some(Outcome::NotAuthenticated), ..UNREACHABLE };
const STALE: Page = Page {
    status: 400,
    heading: "This sign-in is no longer open",
    outcome: None,
    ending: Ending::NotUnderWay,
};
const UNREADABLE: Page = Page {
    status: 400,
    heading: "We couldn’t trust the answer we got",
    outcome: None,
    ending: Ending::NotBelieved,
};
const BAD_ANSWER: Page = Page { outcome: Some(Outcome::NotAuthenticated), ..UNREADABLE };
pub const SAID_NO: Page = Page {
    status: 403,
    heading: "Your organization’s sign-in said no",
    outcome: Some(Outcome::NotAuthenticated),
    ending: Ending::SaidNo,
};
const BUSY: Page = Page {
    status: 503,
    heading: "Your organization’s sign-in is busy",
    ending: Ending::Busy,
    ..SAID_NO
};
const CIRCLE: Page = Page {
    status: 409,
    heading: "You were signed in, but the application doesn’t see it",
    ending: Ending::Circle,
    ..SAID_NO
};
const CANCELLED: Page =
    Page { heading: "The sign-in was cancelled", ending: Ending::Cancelled, ..SAID_NO };
const BAD_TOKEN: Page = Page { status: 403, ..BAD_ANSWER };
const WRONG_TENANT: Page = Page {
    status: 403,
    heading: "That is not your work account here",
    outcome: Some(Outcome::WrongTenant),
    ending: Ending::OtherTenant,
};
const NO_ROLE: Page = Page {
    status: 403,
    heading: "Your account is for the mobile app only",
    outcome: Some(Outcome::NoRole),
    ending: Ending::NoRole,
};

impl Stage {
    /// The requests that the discovery document, the keys and the token endpoint receive.
    pub const fn requests(self) -> [usize; 3] {
        match self {
            Self::Discovery | Self::Answer => [1, 0, 0],
            Self::Code => [1, 0, 1],
            Self::Token => [1, 1, 1],
            Self::KeysAgain => [1, 2, 1],
            Self::OwnKeys => [1, 3, 1],
        }
    }
}

impl End {
    /// What the simulator promises of it.
    pub const fn ending(&self) -> Ending {
        match self {
            Self::SignedIn(_) => Ending::SignedIn,
            Self::Refused(page, _) => page.ending,
            Self::SaidNo(_) => Ending::SaidNo,
            Self::Stopped(_) => Ending::Stopped,
        }
    }
}

impl Forgery {
    /// Whether the authority takes half a minute.
    pub const fn is_slow(&self) -> bool {
        matches!(
            self.fault,
            Fault::SlowDiscovery
                | Fault::DiscoveryDrips
                | Fault::KeysDrip
                | Fault::Slow
                | Fault::TokenEndpointStalls
        )
    }

    /// Whether what the discovery document said of itself hinders until that is fetched anew.
    pub const fn is_remembered(&self) -> bool {
        matches!(self.fault, Fault::MissingResponseIss)
    }
}

const fn refused(
    fault: Fault,
    source: &'static str,
    stage: Stage,
    page: Page,
    because: &'static str,
) -> Forgery {
    Forgery { fault, source, stage, end: End::Refused(page, because) }
}

/// A fault of the discovery document.
const fn of_discovery(fault: Fault, source: &'static str, because: &'static str) -> Forgery {
    refused(fault, source, Stage::Discovery, UNREACHABLE, because)
}

/// A fault of the keys, so that there are none.
const fn of_keys(fault: Fault, source: &'static str, because: &'static str) -> Forgery {
    refused(fault, source, Stage::Token, NO_ANSWER, because)
}

/// A fault in place of a token response.
const fn of_token_endpoint(fault: Fault, source: &'static str, because: &'static str) -> Forgery {
    refused(fault, source, Stage::Code, NO_ANSWER, because)
}

/// A fault of an ID token whose key is known.
const fn of_token(fault: Fault, source: &'static str, because: &'static str) -> Forgery {
    refused(fault, source, Stage::Token, BAD_TOKEN, because)
}

const fn harmless(fault: Fault, source: &'static str) -> Forgery {
    Forgery { fault, source, stage: Stage::Token, end: End::SignedIn("Admin") }
}

/// Every fault of the simulator, once.
pub const TABLE: &[&[Forgery]] = &[
    discovery::ROWS,
    mistakes::ON_ENTRAS_PAGE,
    mistakes::AT_THE_APPLICATION,
    mistakes::AT_THE_TOKEN_ENDPOINT,
    keys::ROWS,
    answer::ROWS,
    token_endpoint::ROWS,
    signature::ROWS,
    id_token::ROWS,
    id_token::OF_ENTRA,
    id_token::LOGOUT,
];
