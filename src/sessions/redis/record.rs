//! How sessions, identities and sign-ins stand in Redis: compact, versioned, read without JSON.

use bytes::{Buf as _, Bytes};
use jiff::{SignedDuration, Timestamp};
use redis::Value;

use crate::domain::{
    access_role::AccessRole,
    id::{AccountId, ConnectorId, OrganizationId},
    login_transaction::LoginTransaction,
    return_to::ReturnTo,
    secret::{Secret, SecretDigest, hexadecimal},
    session::{Identity, Session, SignOutHints},
};

/// The first byte of everything written here; what begins otherwise is not read.
const VERSION: u8 = 1;

/// The fields of a session's record that a look at it needs, in the order in which they are read.
pub(super) const FIELDS: [&str; 6] =
    ["session", "identity", "role", "epoch", "killed_before", "last_seen"];

/// A session as it stands in Redis.
pub(super) struct Record {
    /// The session, with its present role, epoch and last use.
    pub(super) session: Session,
    /// Who it speaks for.
    pub(super) identity: Identity,
    /// Dead if its epoch is below this.
    pub(super) killed_before: u64,
}

impl Record {
    /// The record in the values of [`FIELDS`]; `None` where there is none, or none that we wrote.
    pub(super) fn read(digest: &SecretDigest, values: Value) -> Option<Self> {
        let Value::Array(values) = values else { return None };
        let mut fields = values.into_iter().take(FIELDS.len()).map(bulk);
        let (whole, identity) = (fields.next()??, fields.next()??);
        let (role, epoch) = (fields.next()??, fields.next()??);
        let (killed_before, last_seen) = (fields.next()??, fields.next()??);
        let mut session = session(*digest, &whole)?;
        session.role = text(&role)?.parse().ok()?;
        session.access_epoch = number(&epoch)?;
        session.last_seen_at = Timestamp::from_microsecond(number(&last_seen)?).ok()?;
        Some(Self {
            session,
            identity: read_identity(identity)?,
            killed_before: number(&killed_before)?,
        })
    }

    /// Whether it lets anybody in at `now`.
    pub(super) fn is_alive(&self, now: Timestamp) -> bool {
        self.session.access_epoch >= self.killed_before
            && self.session.is_within_limits(self.session.last_seen_at, now)
    }
}

/// Whether Redis holds anything at all under a session's key.
pub(super) fn is_empty(values: &Value) -> bool {
    match values {
        Value::Array(values) => values.iter().all(|value| *value == Value::Nil),
        other => *other == Value::Nil,
    }
}

/// What of a session never changes.
pub(super) fn write_session(session: &Session) -> Vec<u8> {
    let mut out = Writer::new();
    out.bytes(session.organization_id.as_bytes());
    out.bytes(session.account_id.as_bytes());
    out.bytes(session.connector_id.as_bytes());
    out.moment(session.created_at);
    out.number(i64::try_from(session.idle.as_micros()).unwrap_or(i64::MAX));
    out.moment(session.expires_at);
    out.optional(session.token_role.map(AccessRole::as_str));
    out.optional(session.sid.as_deref());
    out.text(&session.user_agent);
    out.text(&session.address);
    out.0
}

/// What changes is filled in by the caller.
fn session(digest: SecretDigest, written: &[u8]) -> Option<Session> {
    let mut written = Reader::new(written)?;
    let organization_id = OrganizationId::from_bytes(written.bytes()?);
    let account_id = AccountId::from_bytes(written.bytes()?);
    let connector_id = ConnectorId::from_bytes(written.bytes()?);
    let created_at = written.moment()?;
    let idle = SignedDuration::from_micros(written.number()?);
    let expires_at = written.moment()?;
    let token_role = match written.optional().ok()? {
        Some(role) => Some(role.parse().ok()?),
        None => None,
    };
    Some(Session {
        digest,
        organization_id,
        account_id,
        connector_id,
        access_epoch: 0,
        token_role,
        role: AccessRole::ReadOnly,
        sid: written.optional().ok()?,
        created_at,
        last_seen_at: created_at,
        idle,
        expires_at,
        user_agent: written.text()?,
        address: written.text()?,
    })
}

/// Who a session speaks for.
pub(super) fn write_identity(identity: &Identity) -> Vec<u8> {
    let mut out = Writer::new();
    for field in identity.fields() {
        out.slice(field);
    }
    out.0
}

/// Its fields share the bytes that came.
fn read_identity(written: Vec<u8>) -> Option<Identity> {
    let mut written = Bytes::from(written);
    if written.try_get_u8().ok()? != VERSION {
        return None;
    }
    let mut field = || {
        let length = usize::try_from(written.try_get_u32().ok()?).ok()?;
        (length <= written.len()).then(|| written.split_to(length))
    };
    Identity::from_stored([field()?, field()?, field()?, field()?])
}

/// The place that hints are sealed for.
pub(super) const HINTS: &str = "session/hints";

/// The place that sign-ins under way are sealed for.
pub(super) const LOGIN: &str = "login";

/// The place that the content of one key is sealed for, so that it opens under no other.
pub(super) fn place(kind: &str, digest: &SecretDigest) -> String {
    format!("{kind}/{}", hexadecimal(digest.as_bytes()))
}

/// The hints of a session, to be sealed.
pub(super) fn write_hints(hints: &SignOutHints) -> Vec<u8> {
    let mut out = Writer::new();
    out.text(hints.id_token.expose());
    out.optional(hints.logout_hint.as_deref());
    out.0
}

/// What [`write_hints`] wrote.
pub(super) fn read_hints(written: &[u8]) -> Option<SignOutHints> {
    let mut written = Reader::new(written)?;
    let id_token = Secret::new(written.text()?);
    Some(SignOutHints { id_token, logout_hint: written.optional().ok()? })
}

/// A sign-in under way, to be sealed.
pub(super) fn write_login(login: &LoginTransaction) -> Vec<u8> {
    let mut out = Writer::new();
    out.bytes(login.organization_id.as_bytes());
    out.bytes(login.connector_id.as_bytes());
    out.bytes(login.browser.as_bytes());
    out.text(login.nonce.expose());
    out.text(login.code_verifier.expose());
    out.text(&login.redirect_uri);
    out.number(login.max_age.map_or(-1, i64::from));
    out.text(login.return_to.as_str());
    out.moment(login.created_at);
    out.moment(login.expires_at);
    out.0
}

/// What [`write_login`] wrote.
pub(super) fn read_login(state: SecretDigest, written: &[u8]) -> Option<LoginTransaction> {
    let mut written = Reader::new(written)?;
    Some(LoginTransaction {
        organization_id: OrganizationId::from_bytes(written.bytes()?),
        connector_id: ConnectorId::from_bytes(written.bytes()?),
        state,
        browser: SecretDigest::from_bytes(written.bytes()?),
        nonce: Secret::new(written.text()?),
        code_verifier: Secret::new(written.text()?),
        redirect_uri: written.text()?,
        max_age: u32::try_from(written.number()?).ok(),
        return_to: ReturnTo::from_stored(written.text()?),
        created_at: written.moment()?,
        expires_at: written.moment()?,
    })
}

/// The bytes of an answer; nothing of a nil, or of what is no string.
pub(super) fn bulk(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    text(bytes)?.parse().ok()
}

/// Writes one part after the other; a text has its length before it, in four bytes.
struct Writer(Vec<u8>);

impl Writer {
    fn new() -> Self {
        Self(vec![VERSION])
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, number: i64) {
        self.bytes(&number.to_be_bytes());
    }

    fn moment(&mut self, moment: Timestamp) {
        self.number(moment.as_microsecond());
    }

    fn slice(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("no request is four gigabytes long");
        self.bytes(&length.to_be_bytes());
        self.bytes(bytes);
    }

    fn text(&mut self, text: &str) {
        self.slice(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        self.bytes(&[u8::from(text.is_some())]);
        self.text(text.unwrap_or_default());
    }
}

/// There is less than was to be read.
struct EndsEarly;

/// Reads what [`Writer`] wrote; nothing where it ends too early.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn new(written: &'b [u8]) -> Option<Self> {
        let (version, rest) = written.split_first()?;
        (*version == VERSION).then_some(Self(rest))
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn number(&mut self) -> Option<i64> {
        self.bytes().map(i64::from_be_bytes)
    }

    fn moment(&mut self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.number()?).ok()
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(u32::from_be_bytes(self.bytes()?)).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        text(bytes).map(str::to_owned)
    }

    fn optional(&mut self) -> Result<Option<String>, EndsEarly> {
        let [is_there] = self.bytes().ok_or(EndsEarly)?;
        let text = self.text().ok_or(EndsEarly)?;
        Ok((is_there == 1).then_some(text))
    }
}
