//! Signs people in through their organization's Microsoft Entra ID tenant (OpenID Connect), keeps
//! their accounts in step with its directory (SCIM 2.0), and tells the platform behind it who is
//! signed in and what they may do.
//!
//! # Floors
//!
//! Each may name only those below it; `tests/architecture.rs` reads every file for that.
//!
//! | floor | modules | knows |
//! |---|---|---|
//! | 4 | [`http`], [`cli`], [`simulator`] | URLs, status codes, pages; commands, exit codes; a simulated tenant |
//! | 3 | [`storage`], [`sessions`], [`outbound`], [`config`], [`telemetry`] | SQL, memory, Redis, the network, files, the log |
//! | 2 | [`service`], [`ports`] | what happens, and what that needs from outside |
//! | 1 | [`oidc`], [`oauth`], [`scim`] | the protocols, as values and checks |
//! | 0 | [`domain`] | our own nouns |
//!
//! [`app`] alone knows every adapter and wires them. A feature has one name on each floor:
//! `http/login.rs` unpacks a request, `service/login.rs` is the story, `templates/login/` are its
//! pages, `tests/stories/log_in.rs` tells it from outside.
//!
//! # A login, file by file
//!
//! 1. `GET /login/acme` → [`http::login`] → [`service::login::begin`]: the organization's connector,
//!    its authority's metadata (cached by [`outbound`]), `state`, `nonce` and PKCE verifier
//!    ([`oidc::authorization_request`]), all kept as a transaction that is bound to the browser by a
//!    cookie; then a redirect to the authority.
//! 2. `GET|POST /oidc/{connector}/callback` → [`service::login::complete`]: the transaction is
//!    taken, once; browser, connector and the authority's answer must be those that it was made for.
//! 3. [`outbound`] redeems the code; [`oidc::id_token`] verifies signature and claims. What comes
//!    out can't be made in any other way.
//! 4. [`service::linking`] finds the account that the identity is tied to, or a named refusal;
//!    [`service::role`] says which role, and why. Both become a stored
//!    [`Decision`](domain::decision::Decision).
//! 5. The session is made, then the account is looked at once more; the cookie leaves, and the
//!    browser goes where its person wanted to go.
//!
//! # A SCIM PATCH, file by file
//!
//! [`http::extract::scim_caller`] (credential → connector) → [`http::scim`] → [`scim::patch`] reads
//! the operations in the dialect that the client speaks ([`scim::dialect`]) →
//! [`service::provisioning`]: find, apply, and replace if nobody was faster → [`service::access`]:
//! where access fell, the account's epoch rose in the same commit, and its sessions are dead.
//!
//! # A check of access
//!
//! [`http::forward_auth`] verifies the cookie's signature and looks its digest up in memory
//! ([`sessions::embedded`]): no database, no JSON, no lock. Everything slow happened at the sign-in
//! or at the change. With sessions in Redis ([`sessions::redis`]) it is one round trip there.
//!
//! # A change that must reach the sessions
//!
//! Whoever loses access does so by a number in the account, its epoch; the commit that raises it
//! also notes a [`Revocation`](ports::store::Revocation). The sessions are told right afterwards.
//! Where that fails, or the process ends in between, [`service::access::catch_up`] tells them before
//! any is accepted again.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod http;
pub mod oauth;
pub mod oidc;
pub mod outbound;
pub mod ports;
pub mod scim;
pub mod service;
pub mod sessions;
pub mod simulator;
pub mod storage;
pub mod telemetry;
