//! Access is taken away in the moment between a sign-in's last check and its session.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use portico::{
    domain::{
        access_role::AccessRole,
        audit_event::{Actor, AuditEvent},
        connector::Connector,
        decision::Outcome,
        id::{AccountId, ConnectorId, OrganizationId},
        secret::{Secret, SecretDigest},
        session::{Identity, Session, SignOutHints},
    },
    oidc::authorization_response::AuthorizationResponse,
    ports::{
        Ports, Unavailable,
        sessions::{EndedSession, LiveSession, Sessions},
        store::Store,
    },
    service::login::{self, Callback, LoginError, Why},
};
use serde_json::json;
use tokio::sync::Mutex;

use crate::support::{Browser, LOGIN, Organization, Service};

/// What happens in that moment.
type Meanwhile = Box<dyn Future<Output = ()> + Send>;

/// The service's sessions, before the next of which begins something else happens.
struct Interrupted {
    sessions: Arc<dyn Sessions>,
    meanwhile: Mutex<Option<Meanwhile>>,
}

#[async_trait]
impl Sessions for Interrupted {
    async fn create(
        &self,
        session: Session,
        hints: SignOutHints,
        identity: Identity,
    ) -> Result<(), Unavailable> {
        if let Some(meanwhile) = self.meanwhile.lock().await.take() {
            Box::into_pin(meanwhile).await;
        }
        self.sessions.create(session, hints, identity).await
    }

    async fn find(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Arc<LiveSession>>, Unavailable> {
        self.sessions.find(digest, now).await
    }

    async fn list_of_account(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        now: Timestamp,
    ) -> Result<Vec<Session>, Unavailable> {
        self.sessions.list_of_account(organization_id, account_id, now).await
    }

    async fn revoke_before(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        access_epoch: u64,
    ) -> Result<Vec<Session>, Unavailable> {
        self.sessions.revoke_before(organization_id, account_id, access_epoch).await
    }

    async fn end_of_account(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
    ) -> Result<(), Unavailable> {
        self.sessions.end_of_account(organization_id, account_id).await
    }

    async fn with_sessions(
        &self,
        accounts: Vec<(OrganizationId, AccountId)>,
    ) -> Result<Vec<(OrganizationId, AccountId)>, Unavailable> {
        self.sessions.with_sessions(accounts).await
    }

    fn warning(&self) -> Option<&'static str> {
        self.sessions.warning()
    }

    async fn change_role(
        &self,
        session: &Session,
        role: AccessRole,
        access_epoch: u64,
    ) -> Result<bool, Unavailable> {
        self.sessions.change_role(session, role, access_epoch).await
    }

    async fn change_identity(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        identity: Identity,
    ) -> Result<(), Unavailable> {
        self.sessions.change_identity(organization_id, account_id, identity).await
    }

    async fn end(&self, digest: &SecretDigest) -> Result<Option<EndedSession>, Unavailable> {
        self.sessions.end(digest).await
    }

    async fn end_of_sid(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        sid: &str,
    ) -> Result<Vec<Session>, Unavailable> {
        self.sessions.end_of_sid(organization_id, connector_id, sid).await
    }

    async fn end_of_connector(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        begun_until: Timestamp,
    ) -> Result<(), Unavailable> {
        self.sessions.end_of_connector(organization_id, connector_id, begun_until).await
    }

    async fn ping(&self) -> Result<(), Unavailable> {
        self.sessions.ping().await
    }
}

/// Brings the browser's answer, while `meanwhile` happens.
async fn complete(
    service: &Service,
    browser: &Browser,
    organization: &Organization,
    answer: &str,
    meanwhile: impl Future<Output = ()> + Send + 'static,
) -> Result<(), LoginError> {
    let (_, query) = answer.split_once('?').unwrap();
    let login_cookie = Secret::new(browser.cookie(LOGIN).unwrap());
    let sessions = Interrupted {
        sessions: service.ports().sessions.clone(),
        meanwhile: Mutex::new(Some(Box::new(meanwhile))),
    };
    let ports = Ports { sessions: Arc::new(sessions), ..service.ports().clone() };
    let callback = Callback {
        connector_id: organization.connector_id(),
        response: AuthorizationResponse::parse(query).unwrap(),
        browser: vec![login_cookie.digest()],
        previous_session: None,
        user_agent: String::new(),
        address: String::new(),
    };
    login::complete(&ports, callback).await.map(drop)
}

fn is_access_lost(ended: &Result<(), LoginError>) -> bool {
    let Err(LoginError::Refused(refused)) = ended else { return false };
    matches!(refused.why, Why::Decided(Outcome::AccessLost))
}

async fn live_sessions(service: &Service, organization: &Organization, account: &str) -> usize {
    let (id, now) = (account.parse().unwrap(), service.clock.now());
    let sessions = &service.ports().sessions;
    sessions.list_of_account(organization.stored.id, id, now).await.unwrap().len()
}

async fn replace(store: Arc<dyn Store>, connector: Connector) {
    let (organization_id, at) = (connector.organization_id, connector.created_at);
    let action = "connector.changed";
    let audit = AuditEvent::new(organization_id, at, Actor::Operator, action, &connector.id);
    assert!(store.replace_connector(&connector, &audit).await.unwrap());
}

#[tokio::test]
async fn whoever_is_deactivated_in_the_last_moment_is_not_signed_in() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let account = acme.scim_id(&ada).await;
    let mut browser = service.browser();
    let answer = browser.sign_in_until_callback(&acme, &ada).await.url();
    let (directory, id) = (acme.scim(), account.clone());
    let deactivated = async move {
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        assert_eq!(directory.patch(&id, off).await.status, 200);
    };

    let ended = complete(&service, &browser, &acme, answer.as_str(), deactivated).await;

    assert!(is_access_lost(&ended), "{ended:?}");
    assert_eq!(live_sessions(&service, &acme, &account).await, 0);
}

#[tokio::test]
async fn whoever_signs_in_while_the_connector_moves_or_is_switched_off_is_not_signed_in() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let account = acme.scim_id(&ada).await;
    let store = service.ports().store.clone();
    let before = store.find_connector(acme.connector_id()).await.unwrap().unwrap();
    let elsewhere =
        Connector { authority: before.authority.replace("/v2.0", ""), ..before.clone() };
    let off = Connector { enabled: false, ..before.clone() };

    for changed in [elsewhere, off] {
        let mut browser = service.browser();
        let answer = browser.sign_in_until_callback(&acme, &ada).await.url();
        let meanwhile = replace(store.clone(), changed);
        let ended = complete(&service, &browser, &acme, answer.as_str(), meanwhile).await;
        replace(store.clone(), before.clone()).await;

        assert!(is_access_lost(&ended), "{ended:?}");
        assert_eq!(live_sessions(&service, &acme, &account).await, 0);
    }
}
