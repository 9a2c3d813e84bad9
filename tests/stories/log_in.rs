//! A person signs in.

use jiff::SignedDuration;
use portico::{
    domain::{
        access_role::{AccessRole, RoleTable},
        audit_event::Actor,
        connector::LinkByUserName,
        decision::Outcome,
        id::Reference,
        organization::Edition,
    },
    service::linking,
    simulator::{Fault, PersonSeed},
};
use serde_json::{Value, json};

use crate::support::{
    Ask, Browser, Callback, Directory, LOGIN, Options, SESSION, Service, Terms, assert_refused,
};

async fn role_of(browser: &mut Browser) -> Value {
    browser.ask(Ask::get("/session")).await.json()["role"].clone()
}

#[tokio::test]
async fn a_provisioned_person_lands_on_the_portal_with_name_organization_and_role() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;

    let page = service.browser().sign_in(&acme, &ada).await;

    assert_eq!((page.status, page.url.clone()), (200, format!("{}/", service.origin)));
    for shown in ["Ada Example", "ada@acme.example", "Acme", "Admin", "Firefox on Linux"] {
        assert!(page.text().contains(shown), "{shown} is missing: {}", page.body);
    }
}

#[tokio::test]
async fn a_person_comes_back_to_the_page_that_was_wanted() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let address = "/login/acme?return_to=%2Fsession%3Fview%3Dall";

    let page = service.browser().sign_in_from(address, &ada).await;

    assert_eq!(page.url, format!("{}/session?view=all", service.origin));
    assert_eq!(page.json()["email"], "ada@acme.example");
}

#[tokio::test]
async fn a_person_comes_back_to_an_origin_that_the_operator_allows() {
    let options = Options { return_origins: vec!["https://app.example.com"], ..Options::default() };
    let service = Service::start_with(options).await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let address = "/login/acme?return_to=https%3A%2F%2Fapp.example.com%2Freports";

    let last = service.browser().sign_in_from(address, &ada).await;

    let end = (last.status, last.header("location"));
    assert_eq!(end, (303, Some("https://app.example.com/reports")));
}

#[tokio::test]
async fn a_place_elsewhere_is_refused_before_anything_begins() {
    let service = Service::start().await;
    service.organization("acme").await;

    for place in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "http://localhost.evil.example/",
        "javascript:alert(1)",
        "reports",
        "",
    ] {
        let mut browser = service.browser();
        let query = serde_urlencoded::to_string([("return_to", place)]).unwrap();

        let page = browser.ask(Ask::get(format!("/login/acme?{query}"))).await;

        assert_eq!((page.status, page.header("location")), (400, None), "{place}");
        assert_eq!(browser.cookie(LOGIN), None, "{place}");
    }
}

#[tokio::test]
async fn the_e_mail_box_finds_the_organization_by_domain() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let box_page = browser.open("/login?return_to=%2Fsession").await;

    let form = box_page.forms().remove(0);
    let asked = browser.submit(&box_page, &form, &[("login_hint", "Ada@ACME.example")]).await;
    let form = asked.forms().into_iter().find(|form| form.has("passwd")).unwrap();
    let page = browser.submit(&asked, &form, &[("passwd", ada.password.expose())]).await;

    assert!(asked.text().contains("ada@acme.example"), "{}", asked.body);
    assert_eq!(page.url, format!("{}/session", service.origin));
}

#[tokio::test]
async fn an_address_that_leads_nowhere_stays_in_the_box() {
    let service = Service::start().await;
    service.organization("acme").await;

    for (typed, said) in [
        ("who@nowhere.example", "No organization here uses that domain"),
        ("a@evil.example@acme.example", "No organization here uses that domain"),
        ("who", "Please type a whole e-mail address"),
        (r#"<b>"x"@nowhere.example"#, "No organization here uses that domain"),
    ] {
        let query =
            serde_urlencoded::to_string([("login_hint", typed), ("return_to", "/x")]).unwrap();
        let page = service.browser().open(&format!("/login?{query}")).await;

        let kept = page.forms()[0].fields.clone();
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(page.status, 422, "{typed}");
        assert_eq!(kept, [field("return_to", "/x"), field("login_hint", typed)]);
        assert!(page.text().contains(said), "{typed}: {}", page.body);
    }
}

#[tokio::test]
async fn an_organization_that_is_not_here_has_a_page_that_says_so() {
    let service = Service::start().await;

    for slug in ["nobody", "No%20Slug", "%00", "..%2F"] {
        let page = service.browser().open(&format!("/login/{slug}")).await;

        assert_eq!(page.status, 404, "{slug}");
        assert_eq!(page.heading(), "We don’t know that organization", "{slug}");
    }
}

#[tokio::test]
async fn an_organization_of_the_standard_edition_has_no_sign_in_and_says_so() {
    let service = Service::start().await;
    let terms = Terms { edition: Edition::Standard, ..Terms::default() };
    service.organization_under("acme", terms).await;

    let page = service.browser().open("/login/acme").await;

    assert_eq!((page.status, page.heading().as_str()), (404, "Sign-in is not switched on"));
}

#[tokio::test]
async fn somebody_without_an_account_is_refused_and_the_log_says_who_it_was() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "You don’t have an account here yet").await;
    let decision = service.decision(&acme, &page).await;
    assert_eq!(decision.outcome, Outcome::NotProvisioned);
    assert_eq!(decision.grounds.identifier, Some(ada.oid.to_string()));
    assert_eq!(decision.grounds.preferred_username.as_deref(), Some("ada@acme.example"));
}

#[tokio::test]
async fn somebody_whose_account_is_deactivated_is_refused() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let id = acme.scim_id(&ada).await;
    acme.scim().patch(&id, json!([{ "op": "replace", "path": "active", "value": false }])).await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "Your account is switched off").await;
    let decision = service.decision(&acme, &page).await;
    assert_eq!(decision.outcome, Outcome::Inactive);
    assert_eq!(decision.account_id.map(|found| found.to_string()), Some(id));
}

#[tokio::test]
async fn somebody_deactivated_while_at_the_authority_is_refused() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let callback = browser.sign_in_until_callback(&acme, &ada).await;
    let id = acme.scim_id(&ada).await;
    acme.scim().patch(&id, json!([{ "op": "replace", "path": "active", "value": false }])).await;

    let page = browser.bring(callback).await;

    assert_refused(&mut browser, &page, 403, "Your account is switched off").await;
}

#[tokio::test]
async fn somebody_of_another_tenant_is_refused() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    service.entra().faults().set(Some(Fault::WrongTid));
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "That is not your work account here").await;
    assert_eq!(service.decision(&acme, &page).await.outcome, Outcome::WrongTenant);
}

#[tokio::test]
async fn a_user_name_that_belongs_to_another_object_opens_nothing() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Allow)).await;
    let ada = acme.has_person("ada", &["Admin"]);
    let mut former = Directory::user("ada@acme.example");
    former["externalId"] = json!("7e3f1c52-0000-4000-8000-000000000001");
    let id = acme.scim().create(&former).await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "We can’t tell which account is yours").await;
    let decision = service.decision(&acme, &page).await;
    assert_eq!(decision.outcome, Outcome::Ambiguous);
    assert_eq!(decision.account_id.map(|found| found.to_string()), Some(id));
}

#[tokio::test]
async fn a_user_name_that_passed_to_somebody_else_does_not_open_its_former_owners_account() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Allow)).await;
    let former = acme.has_person("ada", &["User"]);
    acme.provision().await;
    service.browser().sign_in(&acme, &former).await;
    acme.tenant.delete_person(former.oid);
    let namesake = acme.has_person("ada", &["User"]);
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &namesake).await;

    assert_refused(&mut browser, &page, 403, "We can’t tell which account is yours").await;
    assert_eq!(service.decision(&acme, &page).await.outcome, Outcome::Ambiguous);
}

#[tokio::test]
async fn a_linked_person_whose_identifier_another_account_carries_is_refused() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["User"]);
    acme.provision().await;
    service.browser().sign_in(&acme, &ada).await;
    let id = acme.scim_id(&ada).await;
    let moved = json!([{ "op": "replace", "path": "externalId", "value": "moved" }]);
    assert_eq!(acme.scim().patch(&id, moved).await.status, 200);
    let mut rival = Directory::user("rival@acme.example");
    rival["externalId"] = json!(ada.oid.to_string());
    acme.scim().create(&rival).await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "We can’t tell which account is yours").await;
}

#[tokio::test]
async fn a_linked_account_that_the_directory_gave_to_somebody_else_opens_no_more() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["User"]);
    acme.provision().await;
    service.browser().sign_in(&acme, &ada).await;
    let id = acme.scim_id(&ada).await;
    let successor = "7e3f1c52-0000-4000-8000-000000000001";
    let given = json!([{ "op": "replace", "path": "externalId", "value": successor }]);
    assert_eq!(acme.scim().patch(&id, given).await.status, 200);
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "We can’t tell which account is yours").await;
    assert_eq!(service.decision(&acme, &page).await.outcome, Outcome::Ambiguous);
}

#[tokio::test]
async fn who_matches_by_user_name_alone_waits_until_an_admin_approves() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Ask)).await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();

    let waits = browser.sign_in(&acme, &ada).await;
    let store = &service.ports().store;
    let requests = store.list_link_requests(acme.stored.id).await.unwrap();
    linking::approve(service.ports(), &requests[0], Actor::Operator).await.unwrap();
    let enters = browser.sign_in(&acme, &ada).await;

    assert_eq!((waits.status, waits.heading().as_str()), (403, "Your account waits for approval"));
    assert_eq!(service.decision(&acme, &waits).await.outcome, Outcome::AwaitsApproval);
    assert_eq!(requests[0].reference.as_str(), waits.reference());
    assert_eq!(enters.status, 200, "{}", enters.body);
    assert_eq!(role_of(&mut browser).await, "Admin");
    assert_eq!(store.list_link_requests(acme.stored.id).await.unwrap(), []);
}

#[tokio::test]
async fn a_user_name_alone_never_makes_an_admin() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Allow)).await;
    acme.has_person("rea", &["ReadOnly"]);
    acme.has_person("ada", &["EnterpriseAdmin"]);
    acme.provision().await;

    for (name, role) in [("ada", "User"), ("rea", "ReadOnly")] {
        let person = acme.tenant.person(&format!("{name}@acme.example")).unwrap();
        let mut browser = service.browser();
        browser.sign_in(&acme, &person).await;

        assert_eq!(role_of(&mut browser).await, role, "{name}");
    }
}

#[tokio::test]
async fn a_user_name_links_nobody_where_the_connector_says_never() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Never)).await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "You don’t have an account here yet").await;
}

#[tokio::test]
async fn a_guest_is_never_found_by_user_name() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Allow)).await;
    let gil = acme.has_guest("gil@guests.example", &["User"]);
    acme.scim().create(&Directory::user("gil@guests.example")).await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &gil).await;

    assert_refused(&mut browser, &page, 403, "You don’t have an account here yet").await;
}

#[tokio::test]
async fn a_guest_whose_object_was_provisioned_signs_in() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let gil = acme.has_guest("gil@guests.example", &["ReadOnly"]);
    acme.provision().await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &gil).await;

    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(role_of(&mut browser).await, "ReadOnly");
}

#[tokio::test]
async fn somebody_without_a_role_is_told_that_the_mobile_app_is_what_there_is() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let nona = acme.has_person("nona", &[]);
    acme.provision().await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &nona).await;

    assert_refused(&mut browser, &page, 403, "Your account is for the mobile app only").await;
    assert_eq!(service.decision(&acme, &page).await.outcome, Outcome::NoRole);
}

#[tokio::test]
async fn the_highest_known_role_wins_and_unknown_values_are_written_down() {
    let service = Service::start().await;
    let role_table = RoleTable(vec![("Manager".into(), AccessRole::Admin)]);
    let acme = service.organization_under("acme", Terms { role_table, ..Terms::default() }).await;
    let ada = acme.has_person("ada", &["ReadOnly", "Manager", "Owner", "admin"]);
    acme.provision().await;
    let mut browser = service.browser();

    browser.sign_in(&acme, &ada).await;

    let events = service.audit(&acme).await;
    let created = events.iter().find(|event| event.action == "session.created").unwrap();
    let reference: &Reference = created.reference.as_ref().unwrap();
    let decision = service.ports().store.find_decision(acme.stored.id, reference).await;
    let role = decision.unwrap().unwrap().grounds.role.unwrap();
    assert_eq!(role_of(&mut browser).await, "Admin");
    assert_eq!((role.role, role.claim.as_str()), (Some(AccessRole::Admin), "roles"));
    assert_eq!(role.unknown_values, ["Owner", "admin"]);
}

#[tokio::test]
async fn a_role_that_nobody_defined_gives_nothing() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["GlobalAdmin"]);
    acme.provision().await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "Your account is for the mobile app only").await;
    assert!(service.decision(&acme, &page).await.grounds.because.contains("GlobalAdmin"));
}

#[tokio::test]
async fn signing_in_again_ends_the_browsers_former_session() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    browser.sign_in(&acme, &ada).await;
    let former = browser.cookie(SESSION).unwrap().to_owned();

    service.advance(SignedDuration::from_mins(1));
    browser.sign_in(&acme, &ada).await;

    let mut thief = service.browser();
    thief.forge_cookie(SESSION, &former);
    assert_ne!(browser.cookie(SESSION), Some(former.as_str()));
    assert_eq!(thief.ask(Ask::get("/session")).await.status, 401);
    assert_eq!(browser.ask(Ask::get("/session")).await.status, 200);
}

#[tokio::test]
async fn a_connector_that_was_switched_off_meanwhile_lets_nobody_in() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let callback = browser.sign_in_until_callback(&acme, &ada).await;
    service.change_connector(&acme, |connector| connector.enabled = false).await;

    let page = browser.bring(callback).await;

    assert_refused(&mut browser, &page, 404, "Sign-in is not switched on").await;
}

#[tokio::test]
async fn an_answer_that_came_while_the_connector_was_off_serves_no_more() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let answer = browser.sign_in_until_callback(&acme, &ada).await.url();
    service.change_connector(&acme, |connector| connector.enabled = false).await;
    browser.bring(Callback::Query(answer.clone())).await;
    service.change_connector(&acme, |connector| connector.enabled = true).await;

    let page = browser.bring(Callback::Query(answer)).await;

    assert_refused(&mut browser, &page, 400, "This sign-in is no longer open").await;
}

#[tokio::test]
async fn a_token_that_breaks_a_rule_signs_nobody_in() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;

    for fault in [Fault::Unsigned, Fault::WrongAud, Fault::Expired, Fault::WrongNonce] {
        let mut browser = service.browser();
        service.entra().faults().set(Some(fault));

        let page = browser.sign_in(&acme, &ada).await;

        let heading = "We couldn’t trust the answer we got";
        assert_refused(&mut browser, &page, 403, heading).await;
        assert_eq!(service.decision(&acme, &page).await.outcome, Outcome::NotAuthenticated);
    }
}

#[tokio::test]
async fn what_a_person_is_called_cannot_change_a_page() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let name = r#"<script>alert("x")</script> O'Hara"#;
    let eve = acme.has(PersonSeed::new(name, "eve@acme.example"), &["User"]);
    acme.provision().await;

    let page = service.browser().sign_in(&acme, &eve).await;

    assert_eq!(page.heading(), format!("Welcome, {name}"));
    assert!(!page.body.contains("<script"), "{}", page.body);
}
