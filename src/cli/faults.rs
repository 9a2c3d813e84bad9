//! What the command line says about the faults of the simulated tenant.

use crate::{
    cli::say,
    http::pages::refusal::Refusal,
    simulator::{Ending, Fault},
};

/// Prints every fault with what it does, those that end alike together.
pub fn list() {
    for ending in Ending::ALL {
        say(&format!("{}:", expected(ending)));
        for fault in Fault::ALL.iter().filter(|fault| fault.ending() == ending) {
            say(&format!("  {:<34} {}", fault.name(), fault.description()));
        }
        say("");
    }
}

/// What a person sees who signs in at Portico under a fault that ends so; no full stop.
pub fn expected(ending: Ending) -> String {
    let page = match ending {
        Ending::SignedIn => return "The sign-in succeeds as if nothing were wrong".to_owned(),
        Ending::Stopped => return "The sign-in stops on the tenant’s own page".to_owned(),
        Ending::Unreachable => Refusal::AuthorityUnreachable,
        Ending::NotBelieved => Refusal::TokenNotValid,
        Ending::NotUnderWay => Refusal::UnknownState,
        Ending::SaidNo => Refusal::AuthorityRefused { remedy: None },
        Ending::Busy => Refusal::Busy,
        Ending::Circle => Refusal::CircleAtAuthority,
        Ending::Cancelled => Refusal::Cancelled,
        Ending::OtherTenant => Refusal::WrongTenant,
        Ending::NoRole => Refusal::NoRole,
    };
    format!("The sign-in ends on Portico’s page “{}”", page.heading())
}
