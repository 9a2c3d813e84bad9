//! Answers that were not asked for, or not here, or not by whoever brings them.

use portico::{
    domain::{master_key::MasterKey, secret::Secret},
    http::cookies::Cookies,
    simulator::{Fault, PersonSeed},
};

use crate::{
    scene::{
        NO_LONGER_OPEN, NOT_PROVISIONED, NOT_TRUSTED, acme_with_ada, assert_refused,
        assert_signed_in, parameter, requests, with,
    },
    support::{Ask, Callback, LOGIN},
    who::{OTHER_BROWSER, in_a_form, is_signed_in, session, sessions},
};

/// L6, CVE-2025-46815: what a finished handoff had left behind opened a session once more.
#[tokio::test]
async fn a_used_answer_opens_nothing_for_somebody_who_copied_all_of_it() {
    let (service, acme, ada) = acme_with_ada().await;
    let (mut owner, mut thief) = (service.browser(), service.browser());
    let answer = owner.sign_in_until_callback(&acme, &ada).await.url();
    thief.forge_cookie(LOGIN, owner.cookie(LOGIN).unwrap());
    assert_signed_in(&service, &owner.bring(Callback::Query(answer.clone())).await);

    let while_signed_in = thief.ask(Ask::get(answer.as_str())).await;
    let by_form = thief.ask(in_a_form(&answer)).await;
    owner.open("/logout").await;
    let after_signing_out = thief.ask(Ask::get(answer.as_str())).await;

    for page in [while_signed_in, by_form, after_signing_out] {
        assert_refused(&mut thief, &page, 400, NO_LONGER_OPEN).await;
    }
    assert_eq!(requests(&service)[2], 1);
}

/// L7, GHSA-37gf-gmxv-74wv: a provider that was switched off finished the sign-ins under way.
#[tokio::test]
async fn a_connector_switched_off_meanwhile_redeems_nothing_however_the_answer_comes() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    let one = browser.sign_in_until_callback(&acme, &ada).await.url();
    let other = browser.sign_in_until_callback(&acme, &ada).await.url();
    let refusal = with(&other, "error", "access_denied");
    service.change_connector(&acme, |connector| connector.enabled = false).await;

    for ask in [Ask::get(one.as_str()), in_a_form(&other), Ask::get(refusal.as_str())] {
        let page = browser.ask(ask).await;

        assert_refused(&mut browser, &page, 404, "Sign-in is not switched on").await;
    }
    assert_eq!(requests(&service), [1, 0, 0]);
}

/// L15, CVE-2026-7507: whoever followed a link to a login that another had begun completed it.
#[tokio::test]
async fn a_link_to_a_sign_in_that_somebody_else_began_signs_nobody_in() {
    let (service, _, ada) = acme_with_ada().await;
    let (mut attacker, mut fresh, mut busy) =
        (service.browser(), service.browser(), service.browser());
    let links = [attacker.begin("/login/acme").await, attacker.begin("/login/acme").await];
    busy.begin("/login/acme").await;

    for (victim, link) in [&mut fresh, &mut busy].into_iter().zip(links) {
        let page = victim.sign_in_from(link.as_str(), &ada).await;

        assert_refused(victim, &page, 400, OTHER_BROWSER).await;
    }
    assert!(!is_signed_in(&mut attacker).await);
    assert_eq!(requests(&service)[2], 0);
    let cookies = Cookies::new(&MasterKey::new(&[7; 32]), true);
    let login = cookies.new_login(&Secret::generate()).to_string();
    let attributes: Vec<&str> = login.split("; ").collect();
    assert!(login.starts_with("__Host-"), "a neighbouring host could plant it: {login}");
    assert!(attributes.contains(&"Secure") && attributes.contains(&"Path=/"), "{login}");
    assert!(!login.contains("Domain"), "{login}");
}

/// L31, `mod_auth_openidc` 2026: of a parameter that came twice one was checked, one used.
#[tokio::test]
async fn an_answer_with_a_parameter_twice_is_refused_before_anything_is_believed() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    let answer = browser.sign_in_until_callback(&acme, &ada).await.url();
    let (state, code) = (parameter(&answer, "state"), parameter(&answer, "code"));

    for more in [
        format!("code={code}"),
        "code=another".to_owned(),
        "code=".to_owned(),
        format!("state={state}"),
        "state=another".to_owned(),
        "%73tate=another".to_owned(),
        "st%61te".to_owned(),
        "error=a&error=b".to_owned(),
        "iss=a&iss=b".to_owned(),
        "id_token=a&id_token=b".to_owned(),
        "logout_token=a&logout_token=a".to_owned(),
        "x&x".to_owned(),
    ] {
        for query in [
            format!("{}&{more}", answer.query().unwrap()),
            format!("{more}&{}", answer.query().unwrap()),
        ] {
            let mut doubled = answer.clone();
            doubled.set_query(Some(&query));

            for ask in [Ask::get(doubled.as_str()), in_a_form(&doubled)] {
                let page = browser.ask(ask).await;

                assert_eq!((page.status, page.heading()), (400, NOT_TRUSTED.to_owned()), "{query}");
            }
        }
    }
    assert_eq!(requests(&service)[2], 0);
    assert_signed_in(&service, &browser.bring(Callback::Query(answer)).await);
}

/// L38, `mod_auth_openidc` 2026: a link could choose scopes or repeat our own parameters.
#[tokio::test]
async fn a_link_to_sign_in_cannot_choose_what_is_asked_of_the_authority() {
    let (service, acme, _) = acme_with_ada().await;
    let mut browser = service.browser();
    let hostile = "scope=openid+offline_access+Directory.ReadWrite.All&response_type=token\
        &response_mode=fragment&client_id=evil&redirect_uri=https%3A%2F%2Fevil.example%2F\
        &state=planted&nonce=planted&code_challenge=planted&code_challenge_method=plain\
        &request=x&request_uri=https%3A%2F%2Fevil.example%2F&domain_hint=evil&claims=%7B%7D\
        &login_hint=ada%40acme.example%26scope%3Dx&prompt=login&prompt=none&max_age=0";

    let honest = browser.begin("/login/acme?login_hint=x&prompt=login&max_age=0").await;
    let asked = browser.begin(&format!("/login/acme?{hostile}")).await;

    let names = |url: &url::Url| -> Vec<String> {
        url.query_pairs().map(|(name, _)| name.into_owned()).collect()
    };
    assert_eq!(names(&asked), names(&honest));
    for name in ["scope", "response_type", "response_mode", "client_id", "redirect_uri", "prompt"] {
        assert_eq!(parameter(&asked, name), parameter(&honest, name), "{name}");
    }
    assert_eq!(parameter(&asked, "client_id"), acme.client_id.to_string());
    assert_eq!(parameter(&asked, "code_challenge_method"), "S256");
    assert!(!asked.as_str().contains("planted") && !asked.as_str().contains("evil"), "{asked}");
}

/// L54, GHSA-x445-f3h2-j279: state, nonce and PKCE verifier served another provider's answer.
#[tokio::test]
async fn two_sign_ins_of_one_browser_at_two_organizations_do_not_serve_each_other() {
    let (service, acme, ada) = acme_with_ada().await;
    let globex = service.organization("globex").await;
    let eve = globex.has_person("eve", &["EnterpriseAdmin"]);
    globex.provision().await;
    let mut browser = service.browser();

    for exchange in ["path", "state", "code"] {
        let mut one = browser.sign_in_until_callback(&acme, &ada).await.url();
        let mut other = browser.sign_in_until_callback(&globex, &eve).await.url();
        let (ours, theirs) = (one.clone(), other.clone());
        if exchange == "path" {
            one.set_path(theirs.path());
            other.set_path(ours.path());
        } else {
            one = with(&one, exchange, &parameter(&theirs, exchange));
            other = with(&other, exchange, &parameter(&ours, exchange));
        }

        for mixed in [one, other] {
            let page = browser.bring(Callback::Query(mixed)).await;

            assert!((400..500).contains(&page.status), "{exchange}: {}", page.text());
            assert!(!is_signed_in(&mut browser).await, "{exchange}");
        }
    }
    assert_eq!(requests(&service)[2], 2, "only whole states and paths of one's own are redeemed");
}

/// L57, better-auth 8897: the cookie was there, so the answer's own state went uncompared.
#[tokio::test]
async fn a_login_cookie_does_not_stand_in_for_the_answers_state() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    let answer = browser.sign_in_until_callback(&acme, &ada).await.url();
    let state = parameter(&answer, "state");
    let cookie = browser.cookie(LOGIN).unwrap().to_owned();

    for planted in [
        "",
        "undefined",
        "null",
        &cookie,
        &format!("{state}="),
        &format!("{state} "),
        &format!("{state}\0"),
        &state[..42],
        &state.to_ascii_uppercase(),
    ] {
        let page = browser.bring(Callback::Query(with(&answer, "state", planted))).await;

        assert_eq!(page.status, 400, "{planted}: {}", page.text());
        assert!(!is_signed_in(&mut browser).await, "{planted}");
    }
    assert_eq!(requests(&service)[2], 0);
    assert_signed_in(&service, &browser.bring(Callback::Query(answer)).await);
}

/// L61, GHSA-w6h6-8r66-hcv7: a prepared answer signed its victim in as somebody else.
#[tokio::test]
async fn an_answer_that_is_slipped_in_changes_nothing_of_who_one_is() {
    let (service, acme, ada) = acme_with_ada().await;
    let eve = acme.has_person("eve", &["User"]);
    acme.provision().await;
    let (mut victim, mut attacker) = (service.browser(), service.browser());
    assert_signed_in(&service, &victim.sign_in(&acme, &ada).await);
    let prepared = attacker.sign_in_until_callback(&acme, &eve).await.url();

    let page = victim.open_from(Some("evil.example"), prepared.as_str()).await;

    assert_eq!((page.status, page.heading()), (400, OTHER_BROWSER.to_owned()));
    assert_eq!(session(&mut victim).await["account"], acme.scim_id(&ada).await);
    assert_eq!(sessions(&service, &acme, &acme.scim_id(&eve).await).await, 0);
}

/// L62, gradient 38: neither state nor signature was checked, and accounts merged by e-mail.
#[tokio::test]
async fn neither_an_unasked_answer_nor_an_unsigned_token_nor_an_address_makes_a_session() {
    let (service, acme, ada) = acme_with_ada().await;
    let seed = PersonSeed::new("Eve Example", "eve@acme.example");
    let eve = acme.has(PersonSeed { mail: ada.mail.clone(), ..seed }, &["EnterpriseAdmin"]);
    let mut browser = service.browser();

    let unasked = browser.open(&format!("{}?code=x&state=y", acme.callback_path())).await;
    let by_address = browser.sign_in(&acme, &eve).await;
    service.entra().faults().set(Some(Fault::Unsigned));
    let unsigned = service.browser().sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &unasked, 400, NO_LONGER_OPEN).await;
    assert_refused(&mut browser, &by_address, 403, NOT_PROVISIONED).await;
    assert_refused(&mut browser, &unsigned, 403, NOT_TRUSTED).await;
    assert_eq!(sessions(&service, &acme, &acme.scim_id(&ada).await).await, 0);
}

/// L66, COAT (USENIX Security 2025): an answer for one connection was redeemed as another's.
#[tokio::test]
async fn an_authority_that_sends_people_on_to_another_organizations_gets_nothing_of_theirs() {
    let (service, _, ada) = acme_with_ada().await;
    let globex = service.organization("globex").await;
    let mut victim = service.browser();
    let theirs = victim.begin("/login/globex").await;
    let ours = service.browser().begin("/login/acme").await;

    let mut sent_on = ours.clone();
    for name in ["state", "nonce", "code_challenge"] {
        sent_on = with(&sent_on, name, &parameter(&theirs, name));
    }
    let page = victim.sign_in_from(sent_on.as_str(), &ada).await;

    assert_refused(&mut victim, &page, 400, NOT_TRUSTED).await;
    assert_eq!(requests(&service)[2], 0, "neither code nor secret leaves");
    assert_ne!(parameter(&theirs, "redirect_uri"), parameter(&ours, "redirect_uri"));
    assert!(parameter(&theirs, "redirect_uri").ends_with(&globex.callback_path()));
}

/// L67, boise-state 903 and dust 23379: a state that no browser was tied to let anybody finish.
#[tokio::test]
async fn a_page_elsewhere_that_posts_a_prepared_answer_signs_nobody_in() {
    let (service, acme, ada) = acme_with_ada().await;
    let (mut attacker, mut fresh, mut busy) =
        (service.browser(), service.browser(), service.browser());
    busy.begin("/login/acme").await;

    for victim in [&mut fresh, &mut busy] {
        let prepared = attacker.sign_in_until_callback(&acme, &ada).await.url();
        let mut posted = in_a_form(&prepared);
        posted = posted.header("sec-fetch-site", "cross-site");
        let first = posted.clone().send(&service.origin).await;
        let form = &first.forms()[0];

        let page = victim.submit(&first, form, &[]).await;

        assert_refused(victim, &page, 400, OTHER_BROWSER).await;
    }
    assert_eq!(requests(&service)[2], 0);
}

/// L68, Envoy Gateway 4271: without nonce or PKCE a stolen code could be slipped into one's own.
#[tokio::test]
async fn a_code_that_was_bent_to_the_thiefs_own_challenge_is_found_out_by_its_nonce() {
    let (service, acme, ada) = acme_with_ada().await;
    let (mut victim, mut thief) = (service.browser(), service.browser());
    let own = thief.begin("/login/acme").await;
    let asked = victim.begin("/login/acme").await;

    let bent = with(&asked, "code_challenge", &parameter(&own, "code_challenge"));
    let stolen = victim.authenticate(bent.as_str(), &ada).await.url();
    let slipped_in = with(&stolen, "state", &parameter(&own, "state"));
    let page = thief.bring(Callback::Query(slipped_in)).await;

    assert_refused(&mut thief, &page, 403, NOT_TRUSTED).await;
    assert_eq!(requests(&service)[2], 1, "the challenge alone would have let it pass");
    let because = service.decision(&acme, &page).await.grounds.because;
    assert!(because.contains("belongs to another sign-in"), "{because}");
}
