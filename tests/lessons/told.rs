//! What stands on pages and in the log.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use portico::{domain::audit_event::Actor, service::setup_links, simulator::Fault};
use url::Url;

use crate::{
    log,
    scene::{acme_with_ada, assert_refused, assert_signed_in, parameter, with},
    support::{Ask, Callback, Credential, Directory, LOGIN, SESSION},
    who::{in_a_form, sessions},
};

/// L36, `mod_auth_openidc` 2026: codes, tokens, cookies and secrets stood in the log.
#[tokio::test]
async fn the_log_has_no_code_token_cookie_or_secret_whatever_went_wrong() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    let mut secrets: Vec<String> = Vec::new();
    let mut answers: Vec<Url> = Vec::new();
    for fault in [None, Some(Fault::BadSignature), Some(Fault::TokenEndpointHtml)] {
        service.entra().faults().set(fault);
        let answer = browser.sign_in_until_callback(&acme, &ada).await.url();
        secrets.push(browser.cookie(LOGIN).unwrap().to_owned());
        browser.bring(Callback::Query(answer.clone())).await;
        browser.ask(in_a_form(&with(&answer, "error", "a"))).await;
        answers.push(answer);
    }
    for name in ["code", "state", "session_state"] {
        secrets.extend(answers.iter().map(|answer| parameter(answer, name)));
    }
    service.entra().faults().set(None);
    browser.sign_in(&acme, &ada).await;
    let issued = browser.ask(Ask::post("/session/token")).await.json();
    secrets.push(issued["access_token"].as_str().unwrap().to_owned());
    secrets.push(browser.cookie(SESSION).unwrap().to_owned());
    let link = setup_links::issue(service.ports(), &acme.stored, Actor::Operator).await.unwrap();
    let link = link.url.expose().to_owned();
    let pasted = acme.tenant.applications()[0].secrets[0].expose().to_owned();
    let wrong = [("authority", "x"), ("client_id", "x"), ("client_secret", &pasted)];
    let wrong = wrong.map(|(name, value)| (name.to_owned(), value.to_owned()));
    browser.ask(Ask::post(&link).form(&wrong)).await;
    let basic = Credential::Basic("scim-acme".into(), acme.scim_password.clone());
    acme.scim().with(basic).post("/Users", &Directory::user("x@acme.example")).await;
    acme.scim().with(Credential::Bearer("a wrong password of ours".into())).get("/Users").await;
    browser.ask(Ask::get("/auth/check?role=a-misspelt-role&token=jwt")).await;
    browser.open("/logout").await;
    secrets.extend([
        pasted,
        link.rsplit('/').next().unwrap().to_owned(),
        acme.scim_password.clone(),
        BASE64_STANDARD.encode(format!("scim-acme:{}", acme.scim_password)),
        "a wrong password of ours".to_owned(),
        ada.password.expose().to_owned(),
    ]);

    let log = log::text();

    for secret in &secrets {
        assert!(secret.len() > 7 && !log.contains(secret.as_str()), "{secret} is told");
    }
    assert!(log.contains("sign-in decided") && log.contains("/setup/{token}"), "nothing is logged");
    assert!(!log.contains("<!doctype") && !log.contains("eyJ"), "a page or a token is told");
}

/// L53, CVE-2021-32702: an error that came back with the browser was written into the page.
#[tokio::test]
async fn an_error_in_an_answer_cannot_write_into_the_page() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    let marks = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{7*7}}\u{202e}"];

    for mark in marks {
        for (error, description) in [
            (mark.to_owned(), "plain".to_owned()),
            ("server_error".to_owned(), mark.to_owned()),
            ("access_denied".to_owned(), format!("AADSTS65004{mark}: {mark}")),
            ("x".to_owned(), format!("Trace ID: {mark} Correlation ID: {mark}")),
        ] {
            for by_form in [false, true] {
                let answer = browser.sign_in_until_callback(&acme, &ada).await.url();
                let answer =
                    with(&with(&answer, "error", &error), "error_description", &description);
                let ask = if by_form { in_a_form(&answer) } else { Ask::get(answer.as_str()) };

                let page = browser.ask(ask).await;

                let status = if error == "server_error" { 503 } else { 403 };
                assert_eq!(page.status, status, "{error}: {description}");
                for written in ["<script", "<img", "onerror=alert(1)>", "\u{202e}"] {
                    assert!(!page.body.contains(written), "{written}: {}", page.body);
                }
                let policy = page.header("content-security-policy").unwrap();
                assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
            }
        }
    }
    for address in [
        "/login/%3Cscript%3E",
        "/login?prompt=%3Cscript%3E",
        "/%3Cscript%3E",
        "/login/acme?prompt=%3Cscript%3E",
        "/oidc/%3Cscript%3E/callback",
    ] {
        let page = browser.open(address).await;
        assert!(!page.body.contains("<script"), "{address}: {}", page.body);
    }
    let plain = browser.sign_in_until_callback(&acme, &ada).await.url();
    let page = browser.bring(Callback::Query(with(&plain, "error", "server_error"))).await;
    assert_refused(&mut browser, &page, 503, "Your organization’s sign-in is busy").await;
    assert_eq!(sessions(&service, &acme, &acme.scim_id(&ada).await).await, 0);
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
}
