//! A person signs in.

use http::Method;
use jiff::SignedDuration;
use portico::{
    domain::{
        access_role::{AccessRole, RoleTable},
        audit_event::Actor,
        connector::LinkByUserName,
        decision::Outcome,
        id::Reference,
        organization::Edition,
        secret::Secret,
    },
    service::linking,
    simulator::{ExternalId, Fault, Mapping, PersonSeed},
};
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Browser, Callback, Directory, Options, Service, Terms};

const SESSION: &str = "portico-session";
const LOGIN: &str = "portico-login";

/// Provisioning as Entra maps it by default, so that only the user name ties people to accounts.
fn by_user_name(link_by_user_name: LinkByUserName) -> Terms {
    let mapping = Mapping { external_id: ExternalId::MailNickname, ..Mapping::default() };
    Terms { link_by_user_name, mapping, ..Terms::default() }
}

async fn role_of(browser: &mut Browser) -> Value {
    browser.ask(Ask::get("/session")).await.json()["role"].clone()
}

/// A refusal: its status and heading, and that nobody is signed in.
async fn assert_refused(browser: &mut Browser, page: &Answer, status: u16, heading: &str) {
    assert_eq!((page.status, page.heading().as_str()), (status, heading), "{}", page.body);
    assert_eq!(browser.ask(Ask::get("/session")).await.status, 401);
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
async fn an_authority_that_is_away_has_a_page_that_says_so() {
    let mut service = Service::start().await;
    service.organization("acme").await;
    service.stop_entra().await;

    let page = service.browser().open("/login/acme").await;

    let heading = "Your organization’s sign-in can’t be reached";
    assert_eq!((page.status, page.heading().as_str()), (502, heading));
    assert!(!page.reference().is_empty());
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
    let acme = service.organization_under("acme", by_user_name(LinkByUserName::Allow)).await;
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
    let acme = service.organization_under("acme", by_user_name(LinkByUserName::Allow)).await;
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
    let acme = service.organization_under("acme", by_user_name(LinkByUserName::Ask)).await;
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
    let acme = service.organization_under("acme", by_user_name(LinkByUserName::Allow)).await;
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
    let acme = service.organization_under("acme", by_user_name(LinkByUserName::Never)).await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "You don’t have an account here yet").await;
}

#[tokio::test]
async fn a_guest_is_never_found_by_user_name() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", by_user_name(LinkByUserName::Allow)).await;
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
async fn thirty_tabs_of_one_browser_can_all_be_finished() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let mut tabs = Vec::new();
    for _ in 0..30 {
        tabs.push(browser.begin("/login/acme").await);
    }

    for (number, tab) in tabs.iter().enumerate() {
        let page = browser.sign_in_from(tab.as_str(), &ada).await;

        assert_eq!(
            (page.status, page.heading().as_str()),
            (200, "Welcome, Ada Example"),
            "{number}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_comes_twice_signs_in_once() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let url = browser.sign_in_until_callback(&acme, &ada).await.url();
    let cookie = format!("{LOGIN}={}", browser.cookie(LOGIN).unwrap());

    let ask = || service.ask(Ask::get(url.as_str()).header("cookie", &cookie));
    let answers = tokio::join!(ask(), ask(), ask());

    let mut statuses = [answers.0.status, answers.1.status, answers.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 400, 400]);
}

#[tokio::test]
async fn an_answer_that_another_browser_brings_is_refused() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;

    for has_cookie_of_its_own in [false, true] {
        let mut theirs = service.browser();
        if has_cookie_of_its_own {
            theirs.begin("/login/acme").await;
        }
        let callback = service.browser().sign_in_until_callback(&acme, &ada).await;

        let page = theirs.bring(callback).await;

        let heading = "Your browser didn’t bring our cookie back";
        assert_refused(&mut theirs, &page, 400, heading).await;
    }
}

#[tokio::test]
async fn an_answer_to_another_connectors_address_is_refused() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let mut url = browser.sign_in_until_callback(&acme, &ada).await.url();

    url.set_path(&globex.callback_path());
    let page = browser.bring(Callback::Query(url)).await;

    assert_refused(&mut browser, &page, 400, "We couldn’t trust the answer we got").await;
}

#[tokio::test]
async fn a_sign_in_stays_open_for_ten_minutes_and_no_longer() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;

    for (seconds, status) in [(599, 200), (600, 400)] {
        let mut browser = service.browser();
        let begun = browser.begin("/login/acme").await;
        service.advance(SignedDuration::from_secs(seconds));

        let page = browser.sign_in_from(begun.as_str(), &ada).await;

        assert_eq!(page.status, status, "{seconds}: {}", page.body);
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_refused_in_plain_words() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let path = acme.callback_path();
    let huge = "a".repeat(17_000);

    for query in [
        String::new(),
        "?code=a".into(),
        "?state=".into(),
        "?code=a&code=b&state=c".into(),
        "?code=a&state=b&state=c".into(),
        "?code=a&state=b&iss=c&iss=d".into(),
        format!("?code={huge}&state=b"),
        format!("?code=a&state={huge}"),
        format!("?state=b{}", "&x=y".repeat(40)),
        "?code=a&state=never-begun".into(),
        "?%ff=%fe&state=%00".into(),
    ] {
        let page = service.browser().open(&format!("{path}{query}")).await;

        let shown: String = query.chars().take(60).collect();
        assert_eq!(page.status, 400, "{shown}");
        assert!(!page.heading().is_empty(), "{shown}");
    }
}

#[tokio::test]
async fn a_redirect_uri_of_no_connector_is_not_there() {
    let service = Service::start().await;

    for connector in ["018f0000-0000-7000-8000-000000000000", "nonsense", "%2e%2e"] {
        let page = service.browser().open(&format!("/oidc/{connector}/callback?state=a")).await;

        assert_eq!(page.status, 404, "{connector}");
    }
}

/// The same request, answered by a form instead of a query.
async fn answer_in_form(browser: &mut Browser, person: &portico::simulator::Person) -> Callback {
    let begun = browser.begin("/login/acme").await;
    let address = begun.as_str().replace("response_mode=query", "response_mode=form_post");
    let callback = browser.authenticate(&address, person).await;
    Callback::Form(callback.form())
}

#[tokio::test]
async fn an_answer_in_a_form_is_posted_again_from_here_since_the_cookie_stayed_behind() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();

    let callback = answer_in_form(&mut browser, &ada).await;
    let again = browser.bring(callback).await;
    let page = browser.submit(&again, &again.forms()[0], &[]).await;

    assert_eq!((again.status, again.heading().as_str()), (200, "Finishing your sign-in"));
    assert_eq!((page.status, page.heading().as_str()), (200, "Welcome, Ada Example"));
}

#[tokio::test]
async fn an_answer_in_a_form_without_cookies_ends_on_a_page_and_not_in_a_circle() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();

    let callback = answer_in_form(&mut browser, &ada).await;
    browser.forget_cookie(LOGIN);
    let again = browser.bring(callback).await;
    let page = browser.submit(&again, &again.forms()[0], &[]).await;

    let heading = "Your browser didn’t bring our cookie back";
    assert_refused(&mut browser, &page, 400, heading).await;
    assert_eq!(page.forms(), []);
}

#[tokio::test]
async fn a_form_that_is_too_large_is_not_read() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ask = Ask::new(Method::POST, acme.callback_path());

    let page = service.ask(ask.body(format!("code={}", "a".repeat(20_000)))).await;

    assert_eq!((page.status, page.heading().as_str()), (413, "That was too much at once"));
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
async fn a_wrong_client_secret_is_named_by_the_authoritys_own_number() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    acme.tenant.set_secret(acme.client_id, Secret::generate());
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "Your organization’s sign-in said no").await;
    assert!(page.text().contains("AADSTS7000215"), "{}", page.body);
    assert!(page.text().contains("The client secret is wrong"), "{}", page.body);
    assert_eq!(service.decision(&acme, &page).await.outcome, Outcome::NotAuthenticated);
}

#[tokio::test]
async fn who_presses_cancel_may_try_again() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let asked = browser.sign_in_from("/login/acme?prompt=consent", &ada).await;

    let page = browser.submit(&asked, &asked.forms()[0], &[("consent", "cancel")]).await;

    assert_refused(&mut browser, &page, 403, "The sign-in was cancelled").await;
    assert!(page.body.contains(r#"href="/login/acme""#), "{}", page.body);
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

#[tokio::test]
async fn the_cookies_are_out_of_reach_of_scripts_and_other_sites() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();

    let begun = browser.ask(Ask::get("/login/acme")).await;
    let callback = browser.sign_in_until_callback(&acme, &ada).await.url();
    let ended = browser.ask(Ask::get(callback.as_str())).await;

    for (answer, name, max_age) in [(begun, LOGIN, "600"), (ended, SESSION, "86400")] {
        let cookie = answer.header("set-cookie").unwrap().to_owned();
        assert!(cookie.starts_with(&format!("{name}=")), "{cookie}");
        let attributes: Vec<_> = cookie.split("; ").skip(1).collect();
        for wanted in ["HttpOnly", "SameSite=Lax", "Path=/", &format!("Max-Age={max_age}")] {
            assert!(attributes.contains(&wanted), "{wanted} is missing: {cookie}");
        }
    }
}
