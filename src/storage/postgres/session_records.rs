//! Sessions at rest.

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore, Values,
    columns::{Columns, Count, Moment, Span, place},
    failure::Failure,
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

const INSERT: &str = "INSERT INTO session
         (digest, organization_id, account_id, connector_id, access_epoch, token_role, role, sid,
          id_token, logout_hint, created_at, last_seen_at, idle, expires_at, user_agent, address,
          ends_at)
     SELECT $1::bytea, $2::uuid, $3::uuid, $4::uuid, $5::bigint, $6::text, $7::text, $8::text,
            $9::bytea, $10::text, $11::timestamptz, $12::timestamptz, $13::bigint,
            $14::timestamptz, $15::text, $16::text,
            least($14, $12 + $13::bigint * interval '1 microsecond')
     WHERE EXISTS (SELECT FROM account WHERE organization_id = $2 AND id = $3)";

#[async_trait]
impl SessionRecords for PostgresStore {
    /// A session of an account that was deleted meanwhile is not kept; sign-in's last look at the
    /// epoch refuses it.
    async fn insert_session(
        &self,
        session: &Session,
        hints: &SignOutHints,
    ) -> Result<(), Unavailable> {
        let id_token = hints.id_token.expose().as_bytes();
        let id_token = self.master_key.seal(&place_of(&session.digest), id_token);
        let values: &Values<'_> = &[
            &session.digest,
            &session.organization_id,
            &session.account_id,
            &session.connector_id,
            &Count(session.access_epoch),
            &session.token_role,
            &session.role,
            &session.sid,
            &id_token,
            &hints.logout_hint,
            &Moment(session.created_at),
            &Moment(session.last_seen_at),
            &Span(session.idle),
            &Moment(session.expires_at),
            &session.user_agent,
            &session.address,
        ];
        self.write("keeping a session", INSERT, values).await.map(drop)
    }

    /// `false` also where the session has a later epoch already: of two changes, the later wins.
    async fn update_session_role(
        &self,
        digest: &SecretDigest,
        role: AccessRole,
        access_epoch: u64,
    ) -> Result<bool, Unavailable> {
        let sql = "UPDATE session SET role = $1, access_epoch = $2
                   WHERE digest = $3 AND access_epoch <= $2";
        let values: &Values<'_> = &[&role, &Count(access_epoch), digest];
        Ok(self.write("changing a session's role", sql, values).await? > 0)
    }

    async fn take_session(
        &self,
        digest: &SecretDigest,
    ) -> Result<Option<SignOutHints>, Unavailable> {
        let sql = "DELETE FROM session WHERE digest = $1 RETURNING id_token, logout_hint";
        let read = |columns: &mut Columns<'_>| Ok(read_hints(columns, &self.master_key, digest));
        Ok(self.first("ending a session", sql, &[digest], read).await?.flatten())
    }

    async fn delete_sessions(&self, digests: &[SecretDigest]) -> Result<(), Unavailable> {
        let sql = "DELETE FROM session WHERE digest = ANY ($1)";
        self.write("ending sessions", sql, &[&digests]).await.map(drop)
    }

    async fn update_last_seen(
        &self,
        seen: &[(SecretDigest, Timestamp)],
    ) -> Result<(), Unavailable> {
        let sql = "UPDATE session SET
                       last_seen_at = seen.at,
                       ends_at = least(expires_at, seen.at + idle * interval '1 microsecond')
                   FROM (SELECT digest, max(at) AS at
                         FROM unnest($1::bytea[], $2::timestamptz[]) AS each (digest, at)
                         GROUP BY digest) AS seen
                   WHERE session.digest = seen.digest AND last_seen_at < seen.at";
        let digests: Vec<SecretDigest> = seen.iter().map(|(digest, _)| *digest).collect();
        let moments: Vec<Moment> = seen.iter().map(|(_, at)| Moment(*at)).collect();
        let values: &Values<'_> = &[&digests, &moments];
        self.write("noting when sessions were used", sql, values).await.map(drop)
    }

    async fn list_live_sessions(
        &self,
        now: Timestamp,
        after: Option<SecretDigest>,
        limit: u64,
    ) -> Result<Vec<(Session, Identity)>, Unavailable> {
        let sql = "SELECT s.digest, s.organization_id, s.account_id, s.connector_id,
                          s.access_epoch, s.token_role, s.role, s.sid, s.created_at,
                          s.last_seen_at, s.idle, s.expires_at, s.user_agent, s.address,
                          a.email, a.display_name, o.slug
                   FROM session s
                   JOIN account a ON a.organization_id = s.organization_id AND a.id = s.account_id
                   JOIN organization o ON o.id = s.organization_id
                   WHERE s.digest > $1 AND s.access_epoch = a.access_epoch AND s.ends_at > $2
                   ORDER BY s.digest LIMIT $3";
        let after = after.map_or(Vec::new(), |digest| digest.as_bytes().to_vec());
        let values: &Values<'_> = &[&after, &Moment(now), &Count(limit)];
        self.all("loading the sessions", sql, values, read).await
    }

    /// A session of an older epoch may be given a role again, so only its limits end it here.
    async fn delete_dead_sessions(&self, now: Timestamp) -> Result<u64, Unavailable> {
        let sql = "DELETE FROM session WHERE digest IN
                       (SELECT digest FROM session WHERE ends_at <= $1
                        LIMIT $2 FOR UPDATE SKIP LOCKED)";
        let bounds: [&(dyn ToSql + Sync); 2] = [&Moment(now), &Count(FORGOTTEN_AT_ONCE)];
        self.write("forgetting dead sessions", sql, &bounds).await
    }
}

fn place_of(digest: &SecretDigest) -> String {
    place("session/id_token", digest.as_bytes())
}

/// Nothing where they don't open: a session ends also without its hints.
fn read_hints(
    columns: &mut Columns<'_>,
    master_key: &MasterKey,
    digest: &SecretDigest,
) -> Option<SignOutHints> {
    let id_token = columns.open(master_key, &place_of(digest)).ok()?;
    Some(SignOutHints { id_token, logout_hint: columns.read().ok()? })
}

fn read(columns: &mut Columns<'_>) -> Result<(Session, Identity), Failure> {
    let session = read_session(columns)?;
    let (email, name): (&str, &str) = (columns.read()?, columns.read()?);
    let identity = Identity::new(session.account_id, email, name, &columns.read()?);
    Ok((session, identity))
}

fn read_session(columns: &mut Columns<'_>) -> Result<Session, Failure> {
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
