//! The faults, each a list of lies: a lie changes one thing at one station.

use std::{fmt, str::FromStr};

use actix_web::HttpResponse;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{aadsts::Aadsts, authorization_request::ResponseMode};

/// The claims, header members or fields of a JSON object.
pub(super) type Members = Map<String, Value>;
/// What travels in a query or a form.
pub(super) type Pairs = Vec<(&'static str, String)>;

/// An address that the relying party itself calls; its answer can be late or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Station {
    /// The discovery document.
    Discovery,
    /// The JWKS.
    Keys,
    /// The token endpoint.
    Token,
    /// The userinfo endpoint, which a relying party of Entra has no use for.
    Userinfo,
}

/// Who signs instead of the current key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FalseSigner {
    Nobody,
    ClientSecret,
    PublicKeyAsSecret,
    UnpublishedKey,
    Rs512,
    Ps256,
    Es256,
}

/// Where Entra says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counter {
    /// On a page of its own, before anybody signs in: it cannot trust the way back.
    OwnPage,
    /// At the application, once the person has signed in.
    Application,
    /// At the token endpoint.
    Token,
}

/// The sign-in that is refused.
pub(super) struct Case<'a> {
    pub(super) client_id: Uuid,
    pub(super) tenant: Uuid,
    pub(super) redirect_uri: &'a str,
    /// The name of who signs in, where that is known.
    pub(super) person: &'a str,
}

/// One change at one station.
pub(super) enum Lie {
    Answer(Station, fn() -> HttpResponse),
    /// The second argument is the issuer.
    AuthorizationResponse(fn(&mut Pairs, &str)),
    BasicOnly,
    BringKey,
    Claims(fn(&mut Members)),
    Delay(Station),
    Discovery(fn(&mut Members)),
    Encrypt,
    /// What the hidden frames of a logout carry; the second argument is the issuer.
    FrontChannel(fn(&mut Pairs, &str)),
    Header(fn(&mut Members)),
    Keys(fn(&mut Vec<Value>)),
    Payload(fn(&str) -> String),
    Refuse(Counter, fn(&Case<'_>) -> Aadsts),
    ResponseMode(ResponseMode),
    RotateKeys,
    Signature(fn(&mut Vec<u8>)),
    Signer(FalseSigner),
    TokenResponse(fn(&mut Members)),
}

/// How a sign-in ends into which a fault is told, if the relying party is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As if nothing were wrong.
    SignedIn,
    /// The tenant cannot be asked, or says of itself what cannot be.
    Unreachable,
    /// Its answer or its token is not believed.
    NotBelieved,
    /// The answer belongs to no sign-in that is under way.
    NotUnderWay,
    /// The tenant says no, and the relying party says why.
    SaidNo,
    /// The tenant has no time now.
    Busy,
    /// The tenant noticed that the browser goes in a circle.
    Circle,
    /// The person pressed Cancel, or is said to have.
    Cancelled,
    /// The person signed in at another tenant.
    OtherTenant,
    /// Who signed in is known, and what may be done is not.
    NoRole,
    /// On a page of the tenant's own: the relying party hears nothing.
    Stopped,
}

impl Ending {
    /// All endings, the quiet ones last.
    pub const ALL: [Self; 11] = [
        Self::SaidNo,
        Self::Stopped,
        Self::Busy,
        Self::Circle,
        Self::Cancelled,
        Self::OtherTenant,
        Self::NoRole,
        Self::NotBelieved,
        Self::NotUnderWay,
        Self::Unreachable,
        Self::SignedIn,
    ];

    /// What the person sees, in one sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SignedIn => "The sign-in succeeds as if nothing were wrong.",
            Self::Unreachable => "The application says that the tenant can’t be reached.",
            Self::NotBelieved => "The application does not believe the answer.",
            Self::NotUnderWay => "The application says that the sign-in is no longer open.",
            Self::SaidNo => "The tenant says no, and the application says what to do about it.",
            Self::Busy => "The application says that the tenant is busy.",
            Self::Circle => "The application says that the browser goes in a circle.",
            Self::Cancelled => "The application says that the sign-in was cancelled.",
            Self::OtherTenant => "The application says that the account is another tenant’s.",
            Self::NoRole => "The application says that the person has no role.",
            Self::Stopped => "The sign-in stops on the tenant’s own page.",
        }
    }
}

macro_rules! faults {
    ($($variant:ident $name:literal $ending:ident $description:literal [$($lie:expr),+ $(,)?])+) => {
        /// A way in which the simulator departs from what a well-kept tenant of Entra's does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Fault {
            $(#[doc = $description] $variant,)+
        }

        impl Fault {
            /// All faults, in the order of the stations of a sign-in.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name on the command line and at the control address.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What the simulator does, in one line.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)+ }
            }

            /// How a sign-in ends into which it is told, if the relying party is sound.
            pub const fn ending(self) -> Ending {
                match self { $(Self::$variant => Ending::$ending,)+ }
            }

            pub(in crate::simulator) fn lies(self) -> &'static [Lie] {
                match self {
                    $(Self::$variant => {
                        const LIES: &[Lie] = &[$($lie,)+];
                        LIES
                    })+
                }
            }
        }
    };
}

mod answers;
mod changes;
mod list;

pub use self::list::Fault;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text is not the name of a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFault {
    /// The one whose name is most like it, if one is.
    pub nearest: Option<Fault>,
}

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no fault of that name")?;
        self.nearest.map_or(Ok(()), |nearest| write!(f, "; the nearest is {nearest}"))
    }
}

impl std::error::Error for UnknownFault {}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|fault| fault.name() == name);
        found.ok_or_else(|| UnknownFault { nearest: nearest(name) })
    }
}

/// The fault whose name is most like `name`, if any is like it at all.
fn nearest(name: &str) -> Option<Fault> {
    const ALIKE: f64 = 0.6;
    let name: String = name.chars().take(64).collect();
    let likeness = |fault: &Fault| strsim::normalized_damerau_levenshtein(fault.name(), &name);
    let scored = Fault::ALL.iter().map(|fault| (likeness(fault), *fault));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(likeness, _)| *likeness >= ALIKE).map(|(_, fault)| fault)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name_in_kebab_case() {
        for fault in Fault::ALL {
            let name = fault.name();

            assert_eq!(name.parse(), Ok(*fault));
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        }
    }

    #[test]
    fn no_two_faults_share_a_name_or_a_description() {
        let names: HashSet<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        let descriptions: HashSet<_> = Fault::ALL.iter().map(|fault| fault.description()).collect();

        assert_eq!((names.len(), descriptions.len()), (Fault::ALL.len(), Fault::ALL.len()));
    }

    #[test]
    fn a_mistyped_name_is_answered_with_the_nearest() {
        let cases = [
            ("wrong-nonc", Some(Fault::WrongNonce)),
            ("expired_secret", Some(Fault::ExpiredSecret)),
            ("Unsigned", Some(Fault::Unsigned)),
            ("zzzzzzzz", None),
            ("", None),
        ];

        for (typed, nearest) in cases {
            assert_eq!(typed.parse::<Fault>(), Err(UnknownFault { nearest }), "{typed}");
        }
    }
}
