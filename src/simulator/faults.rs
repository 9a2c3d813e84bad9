//! The switch for the faults, and the stations that ask it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::HttpResponse;
use serde_json::Value;

use super::{
    aadsts::Aadsts,
    authorization_request::ResponseMode,
    fault::{Case, Counter, FalseSigner, Fault, Lie, Members, Pairs, Station},
};

/// The faults that are on, shared with the running simulator.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// The faults that are on.
    pub fn current(&self) -> Vec<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Turns these on in place of the last ones; none turns all off.
    pub fn set(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults.into_iter().collect();
    }

    fn lies(&self) -> impl Iterator<Item = &'static Lie> {
        self.current().into_iter().flat_map(Fault::lies)
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

    /// What Entra says at `counter` in place of going on.
    pub(super) fn refusal(&self, counter: Counter, case: &Case<'_>) -> Option<Aadsts> {
        self.lies().find_map(|lie| match lie {
            Lie::Refuse(at, refuse) if *at == counter => Some(refuse(case)),
            _ => None,
        })
    }

    /// How every authorization response travels, whatever was asked.
    pub(super) fn response_mode(&self) -> Option<ResponseMode> {
        self.lies().find_map(|lie| match lie {
            Lie::ResponseMode(mode) => Some(*mode),
            _ => None,
        })
    }

    /// Whether the signed token is encrypted for the client.
    pub(super) fn encrypts(&self) -> bool {
        self.lies().any(|lie| matches!(lie, Lie::Encrypt))
    }

    /// Before the browser is sent back to the application.
    pub(super) fn authorization_response(&self, parameters: &mut Pairs, issuer: &str) {
        for lie in self.lies() {
            if let Lie::AuthorizationResponse(change) = lie {
                change(parameters, issuer);
            }
        }
    }

    /// Before a hidden frame tells an application that a session ended.
    pub(super) fn front_channel(&self, parameters: &mut Pairs, issuer: &str) {
        for lie in self.lies() {
            if let Lie::FrontChannel(change) = lie {
                change(parameters, issuer);
            }
        }
    }

    /// Whether a client must prove itself in the `Authorization` header.
    pub(super) fn takes_basic_only(&self) -> bool {
        self.lies().any(|lie| matches!(lie, Lie::BasicOnly))
    }

    /// Who signs instead of the current key.
    pub(super) fn signer(&self) -> Option<FalseSigner> {
        self.lies().find_map(|lie| match lie {
            Lie::Signer(signer) => Some(*signer),
            _ => None,
        })
    }

    /// Whether the keys change just before the next token is signed.
    pub(super) fn rotates_keys(&self) -> bool {
        self.lies().any(|lie| matches!(lie, Lie::RotateKeys))
    }

    /// Whether the header brings along the key that signed.
    pub(super) fn brings_key(&self) -> bool {
        self.lies().any(|lie| matches!(lie, Lie::BringKey))
    }

    /// The payload as it is signed.
    pub(super) fn payload(&self, payload: String) -> String {
        self.lies().fold(payload, |payload, lie| match lie {
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
