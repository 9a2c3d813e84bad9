//! A customer's administrator sets sign-in and provisioning up, through a link.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

use jiff::SignedDuration;
use portico::{
    domain::{
        access_role::{AccessRole, RoleTable},
        audit_event::Actor,
        organization::{Edition, EmailDomain, Organization as Stored, Slug},
        secret::Secret,
    },
    service::{
        organizations::{self, NewOrganization},
        setup_links,
    },
    simulator::{
        Application, ApplicationSeed, Mapping, PersonSeed, Platform, ProvisioningJob,
        ScimCredential, ScimTarget, SimulatedTenant, TenantSeed,
    },
};
use serde_json::json;

use crate::support::{Answer, Ask, Browser, Credential, Directory, Service, Terms};

const FORM: &str = "External User Authentication & Provisioning";
const DONE: &str = "Sign-in is set up";
const GONE: &str = "This setup link does not work";
const GUID: &str = "11112222-bbbb-3333-cccc-4444dddd5555";

/// An organization that the operator has just created, its tenant, and the link it was sent.
struct Newcomer {
    stored: Stored,
    tenant: SimulatedTenant,
    application: Application,
    link: String,
}

impl Newcomer {
    async fn invited(service: &Service, slug: &str) -> Self {
        let tenant = tenant(service, slug);
        let new = NewOrganization {
            slug: Slug::parse(slug).unwrap(),
            display_name: slug.to_uppercase(),
            edition: Edition::Enterprise,
            domains: vec![EmailDomain::parse(&tenant.domain()).unwrap()],
        };
        let stored = organizations::create(service.ports(), new, Actor::Operator).await.unwrap();
        let application = tenant.applications().remove(0);
        let link = link(service, &stored).await;
        Self { stored, tenant, application, link }
    }

    /// The three values from the Azure portal.
    fn pasted(&self) -> [String; 3] {
        let secret = self.application.secrets[0].expose().to_owned();
        [self.tenant.authority(), self.application.client_id.to_string(), secret]
    }

    async fn connectors(&self, service: &Service) -> usize {
        service.ports().store.list_connectors(self.stored.id).await.unwrap().len()
    }
}

fn tenant(service: &Service, name: &str) -> SimulatedTenant {
    service.entra().add_tenant(TenantSeed {
        id: None,
        domain: format!("{name}.example"),
        display_name: name.to_owned(),
        people: Vec::new(),
        groups: Vec::new(),
        applications: vec![ApplicationSeed::new("Portico")],
    })
}

async fn link(service: &Service, organization: &Stored) -> String {
    let issued = setup_links::issue(service.ports(), organization, Actor::Operator).await.unwrap();
    issued.url.expose().to_owned()
}

/// Opens a link, types the three values and sends them.
async fn complete(browser: &mut Browser, link: &str, typed: &[String; 3]) -> Answer {
    let page = browser.open(link).await;
    assert_eq!((page.status, page.heading().as_str()), (200, FORM), "{}", page.body);
    browser.submit(&page, &page.forms()[0], &fields(typed)).await
}

fn fields(typed: &[String; 3]) -> [(&str, &str); 3] {
    let [authority, client_id, client_secret] = typed.each_ref().map(String::as_str);
    [("authority", authority), ("client_id", client_id), ("client_secret", client_secret)]
}

/// The value that a page shows to be copied.
fn shown(page: &Answer, name: &str) -> String {
    let (_, after) = page.body.split_once(&format!("<dt>{name}</dt><dd><code>")).expect(&page.body);
    after.split('<').next().unwrap().to_owned()
}

fn kept(page: &Answer, field: &str) -> String {
    let forms = page.forms();
    let (_, value) = forms[0].fields.iter().find(|(name, _)| name == field).unwrap();
    value.clone()
}

fn directory(page: &Answer) -> Directory {
    let credential = Credential::Bearer(shown(page, "Password"));
    Directory { url: shown(page, "Tenant URL"), credential }
}

#[tokio::test]
async fn an_administrator_with_nothing_but_the_link_gets_people_provisioned_and_signed_in() {
    let service = Service::start().await;
    let acme = Newcomer::invited(&service, "acme").await;
    let (mut browser, client_id) = (service.browser(), acme.application.client_id);

    let page = browser.open(&acme.link).await;
    for uri in ["Redirect URI", "Second redirect URI"] {
        acme.tenant.register_redirect_uri(client_id, &shown(&page, uri), Platform::Web).unwrap();
    }
    let done = complete(&mut browser, &acme.link, &acme.pasted()).await;
    let seed = PersonSeed {
        password: Some(Secret::generate()),
        ..PersonSeed::new("Ada Example", "ada@acme.example")
    };
    let ada = acme.tenant.add_person(seed);
    acme.tenant.set_roles(client_id, ada.oid, &["Admin"]);
    let target = ScimTarget {
        url: shown(&done, "Tenant URL"),
        credential: ScimCredential::Bearer(Secret::new(shown(&done, "Password"))),
        feature_flag: false,
    };
    let mut job = ProvisioningJob::new(target, Mapping::default());
    job.test_connection().await.unwrap();
    let log = job.cycle(&acme.tenant.directory(client_id)).await;
    let portal = browser.sign_in_from(&shown(&done, "Address"), &ada).await;

    assert_eq!((done.status, done.heading().as_str()), (200, DONE));
    assert_eq!(log.failures().count(), 0);
    assert!(portal.text().contains("Welcome, Ada Example"), "{}", portal.body);
    let user_name = shown(&done, "User Name");
    let basic = Credential::Basic(user_name, shown(&done, "Password"));
    assert_eq!(directory(&done).with(basic).get("/Users").await.status, 200);
    let audited = service.ports().store.list_audit_events(acme.stored.id, 100).await.unwrap();
    let lines: Vec<_> =
        audited.iter().rev().map(|event| (event.action.as_str(), event.actor.as_str())).collect();
    let expected = [
        ("organization.created", "operator"),
        ("setup_link.created", "operator"),
        ("connector.created", "setup_link"),
    ];
    assert_eq!(lines[..3], expected);
    let secret = acme.application.secrets[0].expose();
    assert!(!format!("{audited:?}").contains(secret) && !done.body.contains(secret));
}

#[tokio::test]
async fn a_link_is_opened_as_often_as_one_likes_and_completed_once() {
    let service = Service::start().await;
    let acme = Newcomer::invited(&service, "acme").await;

    let mut redirect_uris = Vec::new();
    for _ in 0..3 {
        redirect_uris.push(shown(&service.browser().open(&acme.link).await, "Redirect URI"));
    }
    let first = complete(&mut service.browser(), &acme.link, &acme.pasted()).await;
    let reloaded = Ask::post(&acme.link).form(&[]);
    let again = [service.ask(Ask::get(&acme.link)).await, service.ask(reloaded).await];

    assert_eq!(first.heading(), DONE);
    assert!(redirect_uris.iter().all(|uri| *uri == redirect_uris[0]));
    for page in again {
        assert_eq!((page.status, page.heading().as_str()), (404, GONE));
    }
    assert_eq!(acme.connectors(&service).await, 1);
}

#[tokio::test]
async fn of_two_people_who_complete_at_once_one_gets_a_password() {
    let service = Service::start().await;
    let acme = Newcomer::invited(&service, "acme").await;
    let [mut one, mut other] = [service.browser(), service.browser()];
    let pasted = acme.pasted();
    let typed = fields(&pasted);
    let page = one.open(&acme.link).await;
    let form = page.forms().remove(0);

    let (first, second) =
        tokio::join!(one.submit(&page, &form, &typed), other.submit(&page, &form, &typed),);

    let mut headings = [first.heading(), second.heading()];
    headings.sort();
    assert_eq!(headings, [DONE, GONE]);
}

#[tokio::test]
async fn a_link_dies_after_72_hours_and_what_is_no_link_never_lived() {
    let service = Service::start().await;
    let acme = Newcomer::invited(&service, "acme").await;
    service.advance(SignedDuration::from_secs(72 * 3_600 - 1));
    let last = service.ask(Ask::get(&acme.link)).await;
    service.advance(SignedDuration::from_secs(1));
    let base = format!("{}/setup", service.origin);

    assert_eq!(last.heading(), FORM);
    for address in [
        acme.link.clone(),
        acme.link
            .to_uppercase()
            .replacen("HTTP://LOCALHOST", "http://localhost", 1)
            .replace("/SETUP/", "/setup/"),
        format!("{base}/x"),
        format!("{base}/%00"),
        format!("{base}/%FF%FE"),
        format!("{base}/..%2F..%2Fetc"),
        format!("{base}/%3Cscript%3E"),
        format!("{base}/{}", "x".repeat(4_000)),
    ] {
        for ask in [Ask::get(&address), Ask::post(&address).form(&[])] {
            let page = service.ask(ask).await;

            assert_eq!((page.status, page.heading().as_str()), (404, GONE), "{address}");
        }
    }
    assert_eq!(acme.connectors(&service).await, 0);
}

#[tokio::test]
async fn a_fresh_link_ends_the_earlier_one_and_keeps_the_redirect_uri() {
    let service = Service::start().await;
    let acme = Newcomer::invited(&service, "acme").await;
    let globex = Newcomer::invited(&service, "globex").await;
    let before = service.ask(Ask::get(&acme.link)).await;
    service.advance(SignedDuration::from_hours(100));

    let fresh = link(&service, &acme.stored).await;
    let after = service.ask(Ask::get(&fresh)).await;

    assert_eq!(service.ask(Ask::get(&acme.link)).await.status, 404);
    assert_eq!(shown(&after, "Redirect URI"), shown(&before, "Redirect URI"));
    let others = link(&service, &globex.stored).await;
    let theirs = service.ask(Ask::get(&others)).await;
    assert_ne!(shown(&theirs, "Redirect URI"), shown(&before, "Redirect URI"));
}

#[tokio::test]
async fn what_needs_correction_is_said_at_its_field_and_everything_but_the_secret_is_kept() {
    let service = Service::start().await;
    let acme = Newcomer::invited(&service, "acme").await;
    let [authority, client_id, secret] = acme.pasted();
    let origin = service.entra().origin().to_owned();
    let (common, nobody) = (format!("{origin}/common"), format!("{origin}/{GUID}"));
    let long = "x".repeat(5_000);
    let mut browser = service.browser();

    for (field, pasted, said) in [
        (0, "", "paste the authority"),
        (0, common.as_str(), "use your own tenant ID, not 'common'"),
        (0, "https://login.microsoftonline.com/organizations", "use your own tenant ID"),
        (0, "https://evil.example/contoso.example", "is not a Microsoft sign-in address"),
        (0, "http://login.microsoftonline.com/contoso.example", "begins with https://"),
        (0, "https://login.microsoftonline.com@evil.example/x", "leave the user name out"),
        (0, "javascript:alert(1)", "begins with https://"),
        (0, "<b onclick=x>\"&'.", "a character that does not belong in it"),
        (0, "https://login.microsoftonline.com/a\u{202e}b", "a character that does not belong"),
        (0, &long, "at most 500 characters"),
        (0, &nobody, "does not answer as one (the server answered 400 Bad Request)"),
        (1, "", "Paste the Application (client) ID"),
        (1, &authority, "This is an address."),
        (1, "</p><script>alert(1)</script>", "A client ID is a GUID"),
        (1, "11112222-bbbb-3333-cccc-4444dddd555\u{1}", "A client ID is a GUID"),
        (1, &long, "A client ID is a GUID"),
        (2, "", "Paste the client secret’s Value."),
        (2, GUID, "This is the Secret ID, not the Value."),
        (2, "<script>a b</script>", "no client secret has"),
        (2, "a\u{0}b", "no client secret has"),
        (2, &long, "too long for a client secret"),
    ] {
        let mut typed = [authority.clone(), client_id.clone(), secret.clone()];
        typed[field] = pasted.to_owned();

        let page = complete(&mut browser, &acme.link, &typed).await;

        let name = ["authority", "client_id", "client_secret"][field];
        let (_, problem) = page
            .body
            .split_once(&format!("id=\"{name}-problem\" role=\"alert\">"))
            .expect(&page.body);
        let problem =
            Answer { body: problem.split("</p>").next().unwrap().to_owned(), ..page.clone() };
        assert_eq!(page.status, 422, "{pasted}");
        assert!(problem.text().contains(said), "{pasted}: {}", problem.text());
        assert_eq!(page.body.matches("-problem\" role").count(), 1, "{pasted}");
        assert_eq!([kept(&page, "authority"), kept(&page, "client_id")], typed[..2], "{pasted}");
        assert_eq!(kept(&page, "client_secret"), "");
        assert!(pasted.len() < 3 || field < 2 || !page.body.contains(pasted), "{pasted}");
        assert!(!page.body.contains(&secret) && !page.body.contains("<script"), "{pasted}");
    }
    assert_eq!(acme.connectors(&service).await, 0);
    assert_eq!(complete(&mut browser, &acme.link, &acme.pasted()).await.heading(), DONE);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let service = Service::start().await;
    let acme = Newcomer::invited(&service, "acme").await;

    let page = service.ask(Ask::post(&acme.link).form(&[])).await;

    assert_eq!(page.status, 422);
    assert_eq!(page.body.matches("role=\"alert\"").count(), 3);
}

#[tokio::test]
async fn a_form_that_is_no_form_of_ours_changes_nothing() {
    let service = Service::start().await;
    let acme = Newcomer::invited(&service, "acme").await;
    let pasted = acme.pasted();
    let pairs = fields(&pasted);
    let whole = serde_urlencoded::to_string(pairs).unwrap();
    let huge = format!("{whole}&padding={}", "x".repeat(16 * 1024));

    for (body, status) in [
        (format!("{whole}&authority=https%3A%2F%2Fevil.example"), 400),
        (format!("{whole}&client_id="), 400),
        (format!("client_secret=first&{whole}"), 400),
        (huge, 413),
        (json!(pairs).to_string(), 422),
        ("%FF%FE&=&&;".to_owned(), 422),
    ] {
        let page = service.ask(Ask::post(&acme.link).body(body.clone())).await;

        assert_eq!(page.status, status, "{body:.80}");
    }
    assert_eq!(acme.connectors(&service).await, 0);
    assert_eq!(service.ask(Ask::post(&acme.link).body(whole)).await.heading(), DONE);
}

#[tokio::test]
async fn an_authority_that_is_away_costs_neither_the_link_nor_what_was_typed() {
    let mut service = Service::start().await;
    let acme = Newcomer::invited(&service, "acme").await;
    service.stop_entra().await;

    let page = complete(&mut service.browser(), &acme.link, &acme.pasted()).await;

    assert_eq!(page.status, 422);
    assert!(page.text().contains("The authority does not answer"), "{}", page.text());
    assert_eq!(kept(&page, "authority"), acme.tenant.authority());
    assert_eq!(service.ask(Ask::get(&acme.link)).await.heading(), FORM);
}

#[tokio::test]
async fn no_page_gives_the_token_away() {
    let service = Service::start().await;
    let acme = Newcomer::invited(&service, "acme").await;
    let token = acme.link.rsplit('/').next().unwrap();
    let mut browser = service.browser();

    let form = browser.open(&acme.link).await;
    let problem = service.ask(Ask::post(&acme.link).form(&[])).await;
    let done = complete(&mut browser, &acme.link, &acme.pasted()).await;
    let gone = browser.open(&acme.link).await;

    let policies = ["same-origin", "same-origin", "no-referrer", "no-referrer"];
    for (page, policy) in [form, problem, done, gone].iter().zip(policies) {
        assert_eq!(page.header("referrer-policy"), Some(policy), "{}", page.heading());
        assert_eq!(page.header("cache-control"), Some("no-store"), "{}", page.heading());
        assert!(page.header("set-cookie").is_none() && page.header("location").is_none());
        assert!(!page.body.contains(token), "{}", page.heading());
    }
}

#[tokio::test]
async fn the_standard_edition_is_told_that_connectors_need_the_other() {
    let service = Service::start().await;
    let terms = Terms { edition: Edition::Standard, ..Terms::default() };
    let acme = service.organization_under("acme", terms).await;
    let link = link(&service, &acme.stored).await;
    let before = service.ports().store.list_connectors(acme.stored.id).await.unwrap();

    for ask in [Ask::get(&link), Ask::post(&link).form(&[])] {
        let page = service.ask(ask).await;

        assert_eq!(
            (page.status, page.heading().as_str()),
            (403, "This needs the enterprise edition")
        );
        assert!(page.text().contains("Acme has the standard edition"), "{}", page.text());
    }
    let after = service.ports().store.list_connectors(acme.stored.id).await.unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_new_client_secret_keeps_addresses_roles_and_provisioning_as_they_are() {
    let service = Service::start().await;
    let table = RoleTable(vec![("Chef".to_owned(), AccessRole::Admin)]);
    let terms = Terms { role_table: table, ..Terms::default() };
    let acme = service.organization_under("acme", terms).await;
    let chef = acme.has_person("ada", &["Chef"]);
    acme.provision().await;
    let fresh = Secret::new("fresh~secret.of-the-tenant");
    acme.tenant.set_secret(acme.client_id, fresh.clone());
    let link = link(&service, &acme.stored).await;
    let mut browser = service.browser();
    let page = browser.open(&link).await;
    let form = page.forms().remove(0);

    let done = browser.submit(&page, &form, &[("client_secret", fresh.expose())]).await;

    assert_eq!(done.heading(), DONE, "{}", done.text());
    assert!(shown(&page, "Redirect URI").ends_with(&acme.callback_path()));
    assert!(done.text().contains("The Password that you used before is still valid"));
    for directory in [acme.scim(), directory(&done)] {
        assert_eq!(directory.get("/Users").await.status, 200);
    }
    browser.sign_in(&acme, &chef).await;
    assert_eq!(browser.ask(Ask::get("/session")).await.json()["role"], "Admin");
    let audited = service.audit(&acme).await;
    assert!(audited.iter().any(|event| event.action == "connector.replaced"));
}

#[tokio::test]
async fn after_a_change_of_tenant_the_former_tenants_directory_writes_no_more() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let other = tenant(&service, "other");
    let application = other.applications().remove(0);
    let secret = application.secrets[0].expose().to_owned();
    let typed = [other.authority(), application.client_id.to_string(), secret];
    let link = link(&service, &acme.stored).await;

    let done = complete(&mut service.browser(), &link, &typed).await;

    assert_eq!(done.heading(), DONE, "{}", done.text());
    assert!(!done.text().contains("used before"), "{}", done.text());
    assert_eq!(acme.scim().get("/Users").await.status, 401);
    assert_eq!(directory(&done).get("/Users").await.status, 200);
}
