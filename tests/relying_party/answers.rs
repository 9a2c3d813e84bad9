//! Answers that are used twice, stolen, mixed or sent astray.

use std::collections::HashSet;

use portico::simulator::Fault;

use crate::{
    scene::{
        NO_LONGER_OPEN, NOT_SILENT, NOT_TRUSTED, acme_with_ada, assert_entra_refused,
        assert_refused, assert_signed_in, parameter, requests, with,
    },
    support::{Ask, Callback, LOGIN},
};

#[tokio::test]
async fn an_answer_serves_once_and_its_session_lives_on() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    let callback = browser.sign_in_until_callback(&acme, &ada).await;

    let first = browser.bring(callback.clone()).await;
    let second = browser.bring(callback).await;

    assert_signed_in(&service, &first);
    assert_eq!((second.status, second.heading().as_str()), (400, NO_LONGER_OPEN));
    assert_eq!(requests(&service), [1, 1, 1]);
    assert_eq!(browser.ask(Ask::get("/session")).await.status, 200);
}

#[tokio::test]
async fn an_answer_that_is_used_twice_at_once_gives_one_session() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    let url = browser.sign_in_until_callback(&acme, &ada).await.url();
    let cookie = format!("{LOGIN}={}", browser.cookie(LOGIN).unwrap());
    let bring = || service.ask(Ask::get(url.as_str()).header("cookie", &cookie));

    let answers = tokio::join!(bring(), bring(), bring());

    let mut statuses = [answers.0.status, answers.1.status, answers.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 400, 400]);
    assert_eq!(requests(&service)[2], 1);
}

#[tokio::test]
async fn a_stolen_answer_signs_nobody_in() {
    let (service, acme, ada) = acme_with_ada().await;
    let (mut owner, mut bare, mut thief) =
        (service.browser(), service.browser(), service.browser());
    let first = owner.sign_in_until_callback(&acme, &ada).await;
    let second = owner.sign_in_until_callback(&acme, &ada).await;
    thief.begin("/login/acme").await;

    let without_cookie = bare.bring(first).await;
    let with_own_cookie = thief.bring(second).await;

    let heading = "Your browser didn’t bring our cookie back";
    assert_refused(&mut bare, &without_cookie, 400, heading).await;
    assert_refused(&mut thief, &with_own_cookie, 400, heading).await;
    assert_eq!(requests(&service)[2], 0);
}

#[tokio::test]
async fn a_code_put_into_another_sign_in_is_worth_nothing() {
    let (service, acme, ada) = acme_with_ada().await;
    let mia = acme.has_person("mia", &["User"]);
    acme.provision().await;
    let (mut victim, mut attacker) = (service.browser(), service.browser());
    let stolen = victim.sign_in_until_callback(&acme, &ada).await.url();
    let own = attacker.sign_in_until_callback(&acme, &mia).await.url();

    let injected =
        attacker.bring(Callback::Query(with(&own, "code", &parameter(&stolen, "code")))).await;
    let robbed = victim.bring(Callback::Query(stolen)).await;

    // PKCE finds the first out; then the code is used up.
    assert_entra_refused(&service, &acme, &mut attacker, &injected, "AADSTS501481").await;
    assert_entra_refused(&service, &acme, &mut victim, &robbed, "AADSTS54005").await;
}

#[tokio::test]
async fn two_tabs_whose_answers_are_exchanged_sign_nobody_in() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    let one = browser.sign_in_until_callback(&acme, &ada).await.url();
    let other = browser.sign_in_until_callback(&acme, &ada).await.url();

    let page =
        browser.bring(Callback::Query(with(&one, "state", &parameter(&other, "state")))).await;

    assert_entra_refused(&service, &acme, &mut browser, &page, "AADSTS501481").await;
}

#[tokio::test]
async fn an_answer_at_another_connectors_address_is_refused() {
    let (service, acme, ada) = acme_with_ada().await;
    let globex = service.organization("globex").await;
    let mut browser = service.browser();
    let mut url = browser.sign_in_until_callback(&acme, &ada).await.url();
    url.set_path(&globex.callback_path());

    let page = browser.bring(Callback::Query(url)).await;

    assert_refused(&mut browser, &page, 400, NOT_TRUSTED).await;
    assert_eq!(requests(&service)[2], 0);
}

#[tokio::test]
async fn no_two_sign_ins_share_a_state_a_nonce_or_a_challenge() {
    const MANY: usize = 16;
    let (service, acme, _) = acme_with_ada().await;
    let mut browser = service.browser();
    let mut asked = Vec::new();

    for _ in 0..MANY {
        asked.push(browser.begin("/login/acme").await);
    }

    for name in ["state", "nonce", "code_challenge"] {
        let values: HashSet<String> = asked.iter().map(|url| parameter(url, name)).collect();
        assert_eq!(values.len(), MANY, "{name}");
        assert!(values.iter().all(|value| value.len() == 43), "{name}: 256 bits");
    }
    let redirect_uri = format!("{}{}", service.origin, acme.callback_path());
    for (name, value) in [
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("code_challenge_method", "S256"),
        ("client_id", &acme.client_id.to_string()),
        ("redirect_uri", &redirect_uri),
    ] {
        assert!(asked.iter().all(|url| parameter(url, name) == value), "{name}: {asked:?}");
    }
}

#[tokio::test]
async fn an_answer_may_name_its_issuer_and_no_other() {
    let (service, acme, ada) = acme_with_ada().await;
    let globex = service.organization("globex").await;
    let issuer = acme.tenant.authority();
    let mut browser = service.browser();

    for wrong in [
        format!("{issuer}/"),
        issuer.to_uppercase(),
        issuer.replace("/v2.0", ""),
        format!(" {issuer}"),
        globex.tenant.authority(),
        "null".to_owned(),
    ] {
        let url = browser.sign_in_until_callback(&acme, &ada).await.url();
        let page = browser.bring(Callback::Query(with(&url, "iss", &wrong))).await;
        assert_refused(&mut browser, &page, 400, NOT_TRUSTED).await;
    }
    assert_eq!(requests(&service)[2], 0);

    let url = browser.sign_in_until_callback(&acme, &ada).await.url();
    let page = browser.bring(Callback::Query(with(&url, "iss", &issuer))).await;
    assert_signed_in(&service, &page);
}

/// `oidcc-client-test-form-post-error`
#[tokio::test]
async fn an_error_that_is_posted_has_its_page() {
    let (service, _, ada) = acme_with_ada().await;
    service.entra().faults().set(Some(Fault::FormPostAnswers));
    let mut browser = service.browser();

    let answer = browser.authenticate("/login/acme?prompt=none&max_age=0", &ada).await.form();
    let once_more = browser.bring(Callback::Form(answer.clone())).await;
    let page = browser.submit(&once_more, &once_more.forms()[0], &[]).await;

    let error = answer.fields.iter().find(|(name, _)| name == "error").map(|(_, value)| &**value);
    assert_eq!(error, Some("login_required"));
    assert_refused(&mut browser, &page, 403, NOT_SILENT).await;
    assert!(page.text().contains("AADSTS50058"), "{}", page.text());
    assert_eq!(requests(&service), [1, 0, 0]);
}

/// Core 1.0 §3.1.3.7, rule 13
#[tokio::test]
async fn who_must_have_signed_in_lately_has_not_if_the_authority_says_so_or_says_nothing() {
    let (service, _, ada) = acme_with_ada().await;
    let sign_in = async |fault: Option<Fault>, address: &str| {
        service.entra().faults().set(fault);
        let mut browser = service.browser();
        browser.sign_in_from(address, &ada).await
    };

    let long_ago = sign_in(Some(Fault::StaleAuthTime), "/login/acme?max_age=3000").await;
    let not_said = sign_in(None, "/login/acme?max_age=3000").await;
    let lately_enough = sign_in(Some(Fault::StaleAuthTime), "/login/acme?max_age=4000").await;

    assert_eq!((long_ago.status, long_ago.heading().as_str()), (403, NOT_TRUSTED));
    assert_eq!((not_said.status, not_said.heading().as_str()), (403, NOT_TRUSTED));
    assert_signed_in(&service, &lately_enough);
}
