//! The switch for the faults, and the stations that ask it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::HttpResponse;
use serde_json::Value;

use super::fault::{FalseSigner, Fault, Lie, Members, Station};

/// The fault that is on, shared with the running simulator.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Option<Fault>>>);

impl Faults {
    /// The fault that is on.
    pub fn current(&self) -> Option<Fault> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns `fault` on in place of the last one, or all faults off.
    pub fn set(&self, fault: Option<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    fn lies(&self) -> &'static [Lie] {
        self.current().map_or(&[], Fault::lies)
    }

    /// How long `station` waits, and what it then says instead of the truth.
    pub(super) async fn intercept(&self, station: Station) -> Option<HttpResponse> {
        for lie in self.lies() {
            match lie {
                Lie::Delay(at) if *at == station => {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
                Lie::Answer(at, answer) if *at == station => return Some(answer()),
                _ => {}
            }
        }
        None
    }

    /// Whether a client must prove itself in the `Authorization` header.
    pub(super) fn takes_basic_only(&self) -> bool {
        self.lies().iter().any(|lie| matches!(lie, Lie::BasicOnly))
    }

    /// Who signs instead of the current key.
    pub(super) fn signer(&self) -> Option<FalseSigner> {
        self.lies().iter().find_map(|lie| match lie {
            Lie::Signer(signer) => Some(*signer),
            _ => None,
        })
    }

    /// Whether the keys change just before the next token is signed.
    pub(super) fn rotates_keys(&self) -> bool {
        self.lies().iter().any(|lie| matches!(lie, Lie::RotateKeys))
    }

    /// Whether the header brings along the key that signed.
    pub(super) fn brings_key(&self) -> bool {
        self.lies().iter().any(|lie| matches!(lie, Lie::BringKey))
    }

    /// The payload as it is signed.
    pub(super) fn payload(&self, payload: String) -> String {
        self.lies().iter().fold(payload, |payload, lie| match lie {
            Lie::Payload(change) => change(&payload),
            _ => payload,
        })
    }
}

/// Stations at which a fault changes a value in its place.
macro_rules! stations {
    ($($(#[$doc:meta])+ $station:ident $lie:ident $value:ty;)+) => {
        impl Faults {$(
            $(#[$doc])+
            pub(super) fn $station(&self, value: &mut $value) {
                for lie in self.lies() {
                    if let Lie::$lie(change) = lie {
                        change(value);
                    }
                }
            }
        )+}
    };
}

stations! {
    /// Before the discovery document leaves.
    discovery Discovery Members;
    /// Before the JWKS leaves.
    keys Keys Vec<Value>;
    /// Before the browser is sent back to the application.
    authorization_response AuthorizationResponse Vec<(&'static str, String)>;
    /// Before the claims are signed.
    claims Claims Members;
    /// Before the token's header is signed.
    header Header Members;
    /// After signing.
    signature Signature Vec<u8>;
    /// Before the token response leaves.
    token_response TokenResponse Members;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_fault_nothing_is_changed() {
        let faults = Faults::default();
        let mut claims = Members::new();

        faults.claims(&mut claims);

        assert!(claims.is_empty());
        assert_eq!(faults.payload("{}".into()), "{}");
    }
}
