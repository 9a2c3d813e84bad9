//! Sessions at rest.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{
    SqliteStore,
    columns::{Columns, Count, Moment, Span, place},
};
use crate::{
    domain::{
        access_role::AccessRole,
        master_key::MasterKey,
        secret::SecretDigest,
        session::{Identity, Session, SignOutHints},
    },
    ports::{FORGOTTEN_AT_ONCE, Unavailable, store::SessionRecords},
};

const COLUMNS: &str = "digest, organization_id, account_id, connector_id, access_epoch, \
     token_role, role, sid, id_token, logout_hint, created_at, last_seen_at, idle, expires_at, \
     user_agent, address";

#[async_trait]
impl SessionRecords for SqliteStore {
    /// A session of an account that was deleted meanwhile is not kept; sign-in's last look at the
    /// epoch refuses it.
    async fn insert_session(
        &self,
        session: &Session,
        hints: &SignOutHints,
    ) -> Result<(), Unavailable> {
        let (session, logout_hint) = (session.clone(), hints.logout_hint.clone());
        let id_token = hints.id_token.expose().as_bytes();
        let id_token = self.master_key.seal(&place_of(&session.digest), id_token);
        self.write("keeping a session", move |connection| {
            insert(connection, &session, &id_token, logout_hint.as_deref())
        })
        .await
    }

    /// `false` also where the session has a later epoch already: of two changes, the later wins.
    async fn update_session_role(
        &self,
        digest: &SecretDigest,
        role: AccessRole,
        access_epoch: u64,
    ) -> Result<bool, Unavailable> {
        let digest = *digest;
        self.write("changing a session's role", move |connection| {
            let sql = "UPDATE session SET role = ?1, access_epoch = ?2
                       WHERE digest = ?3 AND access_epoch <= ?2";
            let key = params![role, Count(access_epoch), digest];
            Ok(connection.prepare_cached(sql)?.execute(key)? > 0)
        })
        .await
    }

    async fn take_session(
        &self,
        digest: &SecretDigest,
    ) -> Result<Option<SignOutHints>, Unavailable> {
        let (digest, master_key) = (*digest, self.master_key.clone());
        self.write("ending a session", move |connection| {
            let sql = "DELETE FROM session WHERE digest = ? RETURNING id_token, logout_hint";
            let mut statement = connection.prepare_cached(sql)?;
            let read = |row: &Row<'_>| Ok(read_hints(row, &master_key, &digest));
            Ok(statement.query_row([digest], read).optional()?.flatten())
        })
        .await
    }

    async fn delete_sessions(&self, digests: &[SecretDigest]) -> Result<(), Unavailable> {
        let digests = digests.to_vec();
        self.write("ending sessions", move |connection| {
            let mut statement =
                connection.prepare_cached("DELETE FROM session WHERE digest = ?")?;
            digests.iter().try_for_each(|digest| statement.execute([digest]).map(drop))
        })
        .await
    }

    async fn update_last_seen(
        &self,
        seen: &[(SecretDigest, Timestamp)],
    ) -> Result<(), Unavailable> {
        let seen = seen.to_vec();
        self.write("noting when sessions were used", move |connection| {
            let sql = "UPDATE session SET last_seen_at = ?1
                       WHERE digest = ?2 AND last_seen_at < ?1";
            let mut statement = connection.prepare_cached(sql)?;
            seen.iter().try_for_each(|(digest, at)| {
                statement.execute(params![Moment(*at), digest]).map(drop)
            })
        })
        .await
    }

    async fn list_live_sessions(
        &self,
        now: Timestamp,
        after: Option<SecretDigest>,
        limit: u64,
    ) -> Result<Vec<(Session, Identity)>, Unavailable> {
        self.read("loading the sessions", |connection| {
            let after = after.map_or(Vec::new(), |digest| digest.as_bytes().to_vec());
            // CROSS JOIN: in the order of digests, and the rest looked up for each.
            let sql = "SELECT s.digest, s.organization_id, s.account_id, s.connector_id,
                              s.access_epoch, s.token_role, s.role, s.sid, s.created_at,
                              s.last_seen_at, s.idle, s.expires_at, s.user_agent, s.address,
                              a.email, a.display_name, o.slug
                       FROM session s
                       CROSS JOIN account a
                           ON a.organization_id = s.organization_id AND a.id = s.account_id
                       CROSS JOIN organization o ON o.id = s.organization_id
                       WHERE s.digest > ?1 AND s.access_epoch = a.access_epoch
                           AND min(s.expires_at, s.last_seen_at + s.idle) > ?2
                       ORDER BY s.digest LIMIT ?3";
            let mut statement = connection.prepare_cached(sql)?;
            let key = params![after, Moment(now), Count(limit)];
            let rows = statement.query_map(key, read)?;
            rows.collect()
        })
    }

    /// A session of an older epoch may be given a role again, so only its limits end it here.
    async fn delete_dead_sessions(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.write("forgetting dead sessions", move |connection| {
            let sql = "DELETE FROM session WHERE rowid IN
                           (SELECT rowid FROM session
                            WHERE min(expires_at, last_seen_at + idle) <= ? LIMIT ?)";
            let bounds = params![Moment(now), Count(FORGOTTEN_AT_ONCE)];
            Ok(connection.prepare_cached(sql)?.execute(bounds)? as u64)
        })
        .await
    }
}

fn insert(
    connection: &Connection,
    session: &Session,
    id_token: &[u8],
    logout_hint: Option<&str>,
) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO session ({COLUMNS})
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16
         WHERE EXISTS (SELECT 1 FROM account WHERE organization_id = ?2 AND id = ?3)"
    );
    let inserted = connection.prepare_cached(&sql)?.execute(params![
        session.digest,
        session.organization_id,
        session.account_id,
        session.connector_id,
        Count(session.access_epoch),
        session.token_role,
        session.role,
        session.sid,
        id_token,
        logout_hint,
        Moment(session.created_at),
        Moment(session.last_seen_at),
        Span(session.idle),
        Moment(session.expires_at),
        session.user_agent,
        session.address,
    ]);
    inserted.map(drop)
}

fn place_of(digest: &SecretDigest) -> String {
    place("session/id_token", digest.as_bytes())
}

/// Nothing where they don't open: a session ends also without its hints.
fn read_hints(
    row: &Row<'_>,
    master_key: &MasterKey,
    digest: &SecretDigest,
) -> Option<SignOutHints> {
    let mut columns = Columns::of(row);
    let id_token = columns.open(master_key, &place_of(digest)).ok()?;
    Some(SignOutHints { id_token, logout_hint: columns.read().ok()? })
}

fn read(row: &Row<'_>) -> rusqlite::Result<(Session, Identity)> {
    let mut columns = Columns::of(row);
    let session = read_session(&mut columns)?;
    let (email, name): (String, String) = (columns.read()?, columns.read()?);
    let identity = Identity::new(session.account_id, &email, &name, &columns.read()?);
    Ok((session, identity))
}

fn read_session(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Session> {
    Ok(Session {
        digest: columns.read()?,
        organization_id: columns.read()?,
        account_id: columns.read()?,
        connector_id: columns.read()?,
        access_epoch: columns.read::<Count>()?.0,
        token_role: columns.read()?,
        role: columns.read()?,
        sid: columns.read()?,
        created_at: columns.read::<Moment>()?.0,
        last_seen_at: columns.read::<Moment>()?.0,
        idle: columns.read::<Span>()?.0,
        expires_at: columns.read::<Moment>()?.0,
        user_agent: columns.read()?,
        address: columns.read()?,
    })
}
