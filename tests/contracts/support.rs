//! Adapters to ask, and things to put into them.

use std::{
    env,
    io::{self, Write as _},
    path::PathBuf,
    sync::{Arc, Once},
    thread,
};

use jiff::{SignedDuration, Timestamp};
use portico::{
    config::PostgresUrl,
    domain::{
        access_role::{AccessRole, RoleTable},
        account::Account,
        audit_event::{Actor, AuditEvent},
        connector::{
            ClientAuthentication, Connector, ConnectorKind, LinkByUserName, RoleSource,
            ScimCredential, ScimCredentials,
        },
        group::Group,
        id::{AccountId, ConnectorId, GroupId, MemberId, OrganizationId, Reference},
        login_transaction::LoginTransaction,
        master_key::MasterKey,
        organization::{Edition, EmailDomain, Organization, Slug},
        provisioning_policy::{ProvisioningPolicy, Requirements},
        return_to::ReturnTo,
        secret::{Secret, SecretDigest},
        session::{Identity, Session, SignOutHints},
        subject_link::{LinkBasis, LinkRequest, Subject, SubjectLink},
    },
    ports::{
        logins::Logins,
        query::{Page, Query, Start},
        sessions::Sessions,
        store::{SessionRecords, Store},
        trail::Trail,
    },
    sessions::{
        embedded::EmbeddedSessions,
        redis::{Redis, RedisLogins, RedisSessions},
    },
    storage::{
        postgres::{OpenError, PostgresServer, PostgresStore},
        sqlite::SqliteStore,
    },
};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime;
use tokio_postgres::{Client, Config, NoTls};

/// A database, and where it lies.
pub struct Backend<S: ?Sized = dyn WholeStore, P = Place> {
    pub store: Arc<S>,
    pub folder: P,
}

/// Where a database lies; it is gone with this.
pub enum Place {
    Folder(TempDir),
    Schema(Schema),
}

impl Place {
    /// What lies there, opened once more.
    async fn open(&self) -> Arc<dyn WholeStore> {
        match self {
            Self::Folder(folder) => Arc::new(open(folder)),
            Self::Schema(schema) => Arc::new(schema.open().await),
        }
    }
}

/// All that a database adapter offers.
pub trait WholeStore: Store + Logins + SessionRecords {}

impl<T: Store + Logins + SessionRecords> WholeStore for T {}

/// An empty database of every adapter.
pub async fn stores() -> Vec<Backend> {
    let folder = tempfile::tempdir().unwrap();
    let mut places = vec![Place::Folder(folder)];
    places.extend(Schema::if_there_is_one().await.map(Place::Schema));
    let mut stores = Vec::new();
    for folder in places {
        stores.push(Backend { store: folder.open().await, folder });
    }
    stores
}

/// An empty embedded database.
pub fn sqlite() -> Backend<SqliteStore, TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder));
    Backend { store, folder }
}

pub fn open(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(&file(folder), master_key(7)).unwrap()
}

pub fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("portico.db")
}

pub fn master_key(byte: u8) -> Arc<MasterKey> {
    Arc::new(MasterKey::new(&[byte; 32]))
}

const WITHOUT_POSTGRES: &[u8] =
    b"PORTICO_TEST_POSTGRES is not set: PostgreSQL is left out; tests/run has it\n";

/// A schema of a PostgreSQL database that a test has to itself.
pub struct Schema {
    server: Box<Config>,
    name: String,
}

impl Schema {
    /// Of the database that `PORTICO_TEST_POSTGRES` names.
    pub async fn new() -> Self {
        let url = env::var("PORTICO_TEST_POSTGRES");
        let url = url.expect("PORTICO_TEST_POSTGRES names a PostgreSQL database");
        let server = url.parse::<PostgresUrl>().unwrap().server();
        let name = format!("test_{}", OrganizationId::generate()).replace('-', "");
        raw(&server).await.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
        Self { server: Box::new(server), name }
    }

    /// None where `PORTICO_TEST_POSTGRES` names no database, which is said once.
    async fn if_there_is_one() -> Option<Self> {
        static SAY: Once = Once::new();
        if env::var_os("PORTICO_TEST_POSTGRES").is_none() {
            SAY.call_once(|| io::stderr().write_all(WITHOUT_POSTGRES).unwrap());
            return None;
        }
        Some(Self::new().await)
    }

    /// The server, where nothing but this schema is seen.
    pub fn server(&self) -> Config {
        let mut server = Config::clone(&self.server);
        server.options(format!("-c search_path={}", self.name));
        server
    }

    pub async fn open(&self) -> PostgresStore {
        self.open_with(master_key(7)).await.unwrap()
    }

    pub async fn open_with(&self, key: Arc<MasterKey>) -> Result<PostgresStore, OpenError> {
        PostgresServer::reach(self.server(), 16).await?.open(key).await
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (server, sql) = (self.server.clone(), format!("DROP SCHEMA {} CASCADE", self.name));
        let dropped = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { raw(&server).await.batch_execute(&sql).await.unwrap() });
        });
        dropped.join().ok();
    }
}

/// A connection of one's own to a PostgreSQL server.
pub async fn raw(server: &Config) -> Client {
    let (client, connection) = server.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

const WITHOUT_REDIS: &[u8] =
    b"PORTICO_TEST_REDIS is not set: what is kept in Redis is left out; tests/run has it\n";

/// A part of a Redis that a test has to itself.
pub struct RedisPart {
    pub redis: Arc<Redis>,
    pub url: String,
    pub prefix: String,
}

impl RedisPart {
    /// Of the Redis that `PORTICO_TEST_REDIS` names.
    pub async fn new() -> Self {
        let url = env::var("PORTICO_TEST_REDIS").expect("PORTICO_TEST_REDIS names a Redis");
        let prefix = format!("test:{}:", Secret::generate().expose());
        let redis = Arc::new(Redis::new(&url, prefix.clone()).unwrap());
        redis.resume(redis.reconnect().await.unwrap());
        Self { redis, url, prefix }
    }

    /// None where `PORTICO_TEST_REDIS` names no Redis, which is said once.
    async fn if_there_is_one() -> Option<Self> {
        static SAY: Once = Once::new();
        if env::var_os("PORTICO_TEST_REDIS").is_none() {
            // Not by `eprintln`, which is kept back where the test passes.
            SAY.call_once(|| io::stderr().write_all(WITHOUT_REDIS).unwrap());
            return None;
        }
        Some(Self::new().await)
    }
}

/// Sign-ins under way of every adapter, with connectors to begin them through.
pub async fn login_desks() -> Vec<LoginDesk> {
    let mut desks = database_login_desks().await;
    if let Some(RedisPart { redis, .. }) = RedisPart::if_there_is_one().await {
        let logins = Arc::new(RedisLogins::new(redis, master_key(7)));
        let desk = database_login_desks().await.remove(0);
        desks.push(LoginDesk { logins, ..desk });
    }
    desks
}

/// Sign-ins under way in the database, of every adapter.
pub async fn database_login_desks() -> Vec<LoginDesk> {
    let mut desks = Vec::new();
    for Backend { store, folder } in stores().await {
        let (_, connector) = person(&*store).await;
        let another = connector_in(&*store, organization_in(&*store, "globex").await).await;
        desks.push(LoginDesk { logins: store, connector, another, _folder: folder });
    }
    desks
}

/// Where sign-ins begin.
pub struct LoginDesk {
    pub logins: Arc<dyn Logins>,
    pub connector: Connector,
    /// Another organization's.
    pub another: Connector,
    _folder: Place,
}

/// Sessions of every adapter, over a database with one account.
pub async fn sign_in_desks() -> Vec<Desk> {
    let mut desks: Vec<_> = embedded_desks().await.into_iter().map(Desk::of).collect();
    if let Some(RedisPart { redis, .. }) = RedisPart::if_there_is_one().await {
        desks.push(Desk::of(redis_desk(redis).await));
    }
    desks
}

/// Where one person of one organization signs in.
pub struct Desk<S: ?Sized = dyn Sessions> {
    pub store: Arc<dyn WholeStore>,
    pub sessions: Arc<S>,
    pub account: Account,
    pub connector: Connector,
    pub folder: Place,
}

impl Desk {
    fn of(desk: Desk<impl Sessions + 'static>) -> Self {
        let Desk { store, sessions, account, connector, folder } = desk;
        Self { store, sessions, account, connector, folder }
    }
}

/// Desks whose sessions are known to be the embedded ones, over every database adapter.
pub async fn embedded_desks() -> Vec<Desk<EmbeddedSessions>> {
    let mut desks = Vec::new();
    for Backend { store, folder } in stores().await {
        let (account, connector) = person(&*store).await;
        let sessions = EmbeddedSessions::open(store.clone(), now()).await.unwrap();
        desks.push(Desk { store, sessions: Arc::new(sessions), account, connector, folder });
    }
    desks
}

/// The first of them, over the embedded database.
pub async fn embedded_desk() -> Desk<EmbeddedSessions> {
    embedded_desks().await.remove(0)
}

/// A desk whose sessions are known to be in Redis.
pub async fn redis_desk(redis: Arc<Redis>) -> Desk<RedisSessions> {
    let Desk { store, account, connector, folder, .. } = embedded_desk().await;
    let sessions = Arc::new(RedisSessions::new(redis, master_key(7)));
    Desk { store, sessions, account, connector, folder }
}

impl Desk<EmbeddedSessions> {
    /// The same desk after the process has ended and begun again.
    pub async fn reopened(self, now: Timestamp) -> Self {
        let Self { store, sessions, account, connector, folder } = self;
        drop(sessions);
        assert_eq!(Arc::strong_count(&store), 1, "nobody else holds the database");
        drop(store);
        let store = folder.open().await;
        let sessions = Arc::new(EmbeddedSessions::open(store.clone(), now).await.unwrap());
        Self { store, sessions, account, connector, folder }
    }
}

impl<S: Sessions + ?Sized> Desk<S> {
    /// A session that begins now.
    pub async fn sign_in(&self) -> Session {
        let session = session(&self.account, &self.connector);
        self.begin(session.clone()).await;
        session
    }

    /// This session begins, in Alice's name.
    pub async fn begin(&self, session: Session) {
        self.sessions.create(session, hints(), self.identity("Alice")).await.unwrap();
    }

    pub fn identity(&self, name: &str) -> Identity {
        identity(&self.account, name)
    }

    pub async fn is_alive(&self, session: &Session, now: Timestamp) -> bool {
        self.sessions.find(&session.digest, now).await.unwrap().is_some()
    }

    /// The account loses access, in the database.
    pub async fn raise_epoch(&self) -> u64 {
        let found = self.present_account().await;
        let raised = Account {
            access_epoch: found.access_epoch + 1,
            version: found.version + 1,
            ..found.clone()
        };
        let event = trail(found.organization_id, "account.changed");
        self.store.replace_account(&raised, found.version, &event).await.unwrap();
        raised.access_epoch
    }

    async fn present_account(&self) -> Account {
        let Account { organization_id, id, .. } = self.account;
        self.store.find_account(organization_id, id).await.unwrap().unwrap()
    }

    pub async fn revoke_before(&self, epoch: u64) -> Vec<Session> {
        let Account { organization_id, id, .. } = self.account;
        self.sessions.revoke_before(organization_id, id, epoch).await.unwrap()
    }
}

/// Noon of a day in 2026.
pub fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

pub fn audit(organization_id: OrganizationId, action: &'static str) -> AuditEvent {
    AuditEvent::new(organization_id, now(), Actor::Operator, action, &"target").with("n", 1)
}

/// The trail of a change that no directory asked for.
pub fn trail(organization_id: OrganizationId, action: &'static str) -> Trail {
    audit(organization_id, action).into()
}

pub fn organization(slug: &str) -> Organization {
    Organization {
        id: OrganizationId::generate(),
        slug: Slug::parse(slug).unwrap(),
        display_name: slug.to_uppercase(),
        edition: Edition::Enterprise,
        domains: vec![EmailDomain::parse(&format!("{slug}.example")).unwrap()],
        created_at: now(),
    }
}

/// An organization that is in the store.
pub async fn organization_in(store: &(impl Store + ?Sized), slug: &str) -> OrganizationId {
    let organization = organization(slug);
    let event = audit(organization.id, "organization.created");
    store.insert_organization(&organization, &event).await.unwrap();
    organization.id
}

pub fn connector(organization_id: OrganizationId) -> Connector {
    Connector {
        organization_id,
        id: ConnectorId::generate(),
        kind: ConnectorKind::AzureAd,
        enabled: true,
        authority: "https://login.microsoftonline.com/contoso.example/v2.0".into(),
        client_id: "client".into(),
        client_authentication: ClientAuthentication::SecretPost(Secret::new(CLIENT_SECRET)),
        role_source: RoleSource::Highest,
        role_claim: "roles".into(),
        role_table: RoleTable(vec![("Chef".into(), AccessRole::Admin)]),
        link_by_user_name: LinkByUserName::Ask,
        scim: ScimCredentials {
            user_name: "directory".into(),
            credentials: ["one", "two"]
                .map(|word| ScimCredential::password(&Secret::new(word), word, now()))
                .into(),
        },
        provisioning: ProvisioningPolicy {
            profile: "okta".into(),
            requires: Requirements { department: true, ..Requirements::default() },
            ..ProvisioningPolicy::default()
        },
        created_at: now(),
    }
}

/// What must not stand in any file.
pub const CLIENT_SECRET: &str = "a-client-secret-that-nobody-may-read";

/// A connector that is in the store.
pub async fn connector_in(store: &(impl Store + ?Sized), of: OrganizationId) -> Connector {
    let connector = connector(of);
    store.insert_connector(&connector, &audit(of, "connector.created")).await.unwrap();
    connector
}

/// An account that was made by hand.
pub fn account(organization_id: OrganizationId, name: &str) -> Account {
    let attributes = json!({ "userName": name, "nickName": "Lis", "x": [1, { "y": null }] });
    Account {
        organization_id,
        connector_id: None,
        id: AccountId::generate(),
        user_name: name.into(),
        external_id: Some(format!("external-{name}")),
        email: format!("{name}@acme.example"),
        display_name: "Alice Liddell".into(),
        active: true,
        scim_roles: vec!["User".into()],
        access_epoch: 1,
        version: 1,
        created_at: now(),
        last_modified_at: now(),
        attributes: attributes.as_object().unwrap().clone(),
    }
}

/// An account that is in the store, made by hand.
pub async fn account_in(store: &(impl Store + ?Sized), of: OrganizationId, name: &str) -> Account {
    keep(store, account(of, name)).await
}

/// An account of a connector.
pub fn account_of(connector: &Connector, name: &str) -> Account {
    Account { connector_id: Some(connector.id), ..account(connector.organization_id, name) }
}

/// An account of a connector that is in the store.
pub async fn account_of_in(store: &(impl Store + ?Sized), of: &Connector, name: &str) -> Account {
    keep(store, account_of(of, name)).await
}

async fn keep(store: &(impl Store + ?Sized), account: Account) -> Account {
    let trail = trail(account.organization_id, "account.created");
    store.insert_account(&account, &trail).await.unwrap();
    account
}

/// An account of a new organization with a connector.
pub async fn person(store: &(impl Store + ?Sized)) -> (Account, Connector) {
    let connector = directory_in(store, "acme").await;
    (account_of_in(store, &connector, "alice").await, connector)
}

/// The connector of a new organization.
pub async fn directory_in(store: &(impl Store + ?Sized), slug: &str) -> Connector {
    let organization = organization_in(store, slug).await;
    connector_in(store, organization).await
}

pub fn group(connector: &Connector, name: &str) -> Group {
    let attributes = json!({ "displayName": name, "urn:contoso:team": { "Size": 7 } });
    Group {
        organization_id: connector.organization_id,
        connector_id: connector.id,
        id: GroupId::generate(),
        display_name: name.into(),
        external_id: Some(format!("external-{name}")),
        version: 1,
        created_at: now(),
        last_modified_at: now(),
        attributes: attributes.as_object().unwrap().clone(),
    }
}

/// A group that is in the store, with these members.
pub async fn group_in(
    store: &(impl Store + ?Sized),
    of: &Connector,
    name: &str,
    members: &[MemberId],
) -> Group {
    let group = group(of, name);
    let trail = trail(of.organization_id, "group.created");
    store.insert_group(&group, members, &trail).await.unwrap();
    group
}

/// What names an account as a member.
pub fn person_in_group(account: &Account) -> MemberId {
    MemberId::from_bytes(*account.id.as_bytes())
}

/// What names a group as a member.
pub fn group_in_group(group: &Group) -> MemberId {
    MemberId::from_bytes(*group.id.as_bytes())
}

/// Everything, so many at once, from a place on.
pub const fn from(start: Start, limit: u64) -> Query {
    Query { filter: None, sort: None, start, limit }
}

/// The names and the numbers of a page of accounts.
pub fn user_names(page: &Page<Account>) -> Vec<&str> {
    page.items.iter().map(|account| account.user_name.as_str()).collect()
}

pub fn subject(identifier: &str) -> Subject {
    Subject { authority: "tenant".into(), identifier: identifier.into() }
}

pub fn link(account: &Account, connector: &Connector, identifier: &str) -> SubjectLink {
    SubjectLink {
        organization_id: account.organization_id,
        connector_id: connector.id,
        account_id: account.id,
        subject: subject(identifier),
        sub: "pairwise".into(),
        basis: LinkBasis::ExternalId,
        linked_at: now(),
    }
}

pub fn link_request(account: &Account, connector: &Connector, identifier: &str) -> LinkRequest {
    LinkRequest {
        organization_id: account.organization_id,
        connector_id: connector.id,
        account_id: account.id,
        subject: subject(identifier),
        sub: "pairwise".into(),
        user_name: account.user_name.clone(),
        reference: Reference::generate(),
        requested_at: now(),
    }
}

pub fn login(connector: &Connector, browser: &[u8]) -> LoginTransaction {
    LoginTransaction {
        organization_id: connector.organization_id,
        connector_id: connector.id,
        state: Secret::generate().digest(),
        browser: SecretDigest::of(browser),
        nonce: Secret::new("a-nonce-that-nobody-may-read"),
        code_verifier: Secret::new("a-verifier-that-nobody-may-read"),
        redirect_uri: "https://portico.example/callback".into(),
        max_age: Some(3_600),
        return_to: ReturnTo::portal(),
        created_at: now(),
        expires_at: after(600),
    }
}

pub fn session(account: &Account, connector: &Connector) -> Session {
    Session {
        digest: Secret::generate().digest(),
        organization_id: account.organization_id,
        account_id: account.id,
        connector_id: connector.id,
        access_epoch: account.access_epoch,
        token_role: Some(AccessRole::ReadOnly),
        role: AccessRole::Admin,
        sid: Some("sid".into()),
        created_at: now(),
        last_seen_at: now(),
        idle: SignedDuration::from_mins(30),
        expires_at: after(8 * 3_600),
        user_agent: "Browser/1.0".into(),
        address: "192.0.2.7".into(),
    }
}

pub fn hints() -> SignOutHints {
    SignOutHints {
        id_token: Secret::new("an-id-token-that-nobody-may-read"),
        logout_hint: Some("alice".into()),
    }
}

pub fn identity(account: &Account, name: &str) -> Identity {
    Identity::new(account.id, &account.email, name, &Slug::parse("acme").unwrap())
}
