//! Faults: what they change, and that nothing else changes.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_changes_one_thing_and_goes_when_it_is_cleared() {
    let scene = Scene::begin();
    let control = format!("{}/control/fault", scene.simulator.origin());
    let set = |name: &'static str| scene.http.post(&control).form(&[("name", name)]);

    assert_eq!(scene.send(set("no-such-fault")).await.status, 400);
    assert_eq!(scene.send(set("wrong-nonce")).await.status, 204);
    let faulty = scene.redeem(&scene.code().await, ("", None)).await.json();
    assert_eq!(scene.send(set("")).await.status, 204);
    let sound = scene.redeem(&scene.code().await, ("", None)).await.json();

    let nonce =
        |tokens: &Value| Scene::read(tokens["id_token"].as_str().unwrap()).1["nonce"].clone();
    assert_eq!((nonce(&faulty), nonce(&sound)), (json!("n11"), json!("n1")));
    assert_eq!(scene.simulator.faults().current(), []);
}

/// The names of the claims in which two tokens differ, but for those that are always new.
fn differences(sound: &Value, faulty: &Value) -> Vec<String> {
    let [sound, faulty] = [sound, faulty].map(|claims| claims.as_object().unwrap());
    let mut names: Vec<String> = sound.keys().chain(faulty.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|name| sound.get(name) != faulty.get(name) && name != "rh" && name != "uti");
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_claims_changes_those_that_it_names_and_no_other() {
    let scene = Scene::begin();
    let cases: &[(Fault, &[&str])] = &[
        (Fault::WrongIss, &["iss"]),
        (Fault::MissingIss, &["iss"]),
        (Fault::IssAsArray, &["iss"]),
        (Fault::MissingSub, &["sub"]),
        (Fault::EmptySub, &["sub"]),
        (Fault::LongSub, &["sub"]),
        (Fault::OtherSub, &["sub"]),
        (Fault::MissingAud, &["aud"]),
        (Fault::WrongAud, &["aud"]),
        (Fault::UntrustedSecondAud, &["aud"]),
        (Fault::AudAsArray, &["aud"]),
        (Fault::WrongAzp, &["azp"]),
        (Fault::MissingIat, &["iat"]),
        (Fault::IatInTheFuture, &["iat"]),
        (Fault::IatLongAgo, &["iat", "nbf"]),
        (Fault::Expired, &["exp", "iat"]),
        (Fault::MissingExp, &["exp"]),
        (Fault::ExpAsText, &["exp"]),
        (Fault::ExpBeyondTime, &["exp"]),
        (Fault::ExpWithFraction, &["exp"]),
        (Fault::Clock6MinutesAhead, &["exp", "iat", "nbf"]),
        (Fault::Clock1HourBehind, &["exp", "iat", "nbf"]),
        (Fault::NotYetValid, &["nbf"]),
        (Fault::WrongNonce, &["nonce"]),
        (Fault::MissingNonce, &["nonce"]),
        (Fault::WrongAtHash, &["at_hash"]),
        (Fault::WrongTid, &["tid"]),
        (Fault::MissingTid, &["tid"]),
        (Fault::MissingOid, &["oid"]),
        (Fault::V1Token, &["iss", "preferred_username", "unique_name", "ver"]),
        (Fault::StaleAuthTime, &["auth_time"]),
        (Fault::MissingVer, &["ver"]),
        (Fault::EmailVerifiedAsText, &["amr", "email_verified"]),
        (Fault::NewClaims, &["", "xms_new"]),
        (Fault::HugeIdToken, &["padding"]),
        (Fault::GroupsElsewhere, &["_claim_names", "_claim_sources"]),
        (Fault::HasGroups, &["hasgroups"]),
        (Fault::RolesAsText, &["roles"]),
        (Fault::UnknownRole, &["roles"]),
        (Fault::RolesElsewhere, &["_claim_names", "_claim_sources", "roles"]),
        (Fault::Unsigned, &[]),
        (Fault::TypAtJwt, &[]),
        (Fault::TokenTypeLowercase, &[]),
    ];
    let claims = async |fault| {
        scene.simulator.faults().set(fault);
        let tokens = scene.redeem(&scene.code().await, ("", None)).await.json();
        Scene::read(tokens["id_token"].as_str().unwrap()).1
    };
    let sound = claims(None).await;

    for (fault, names) in cases {
        let faulty = claims(Some(*fault)).await;

        assert_eq!(differences(&sound, &faulty), *names, "{fault}");
    }
}

/// Faults in which an answer takes half a minute or breaks off.
const UNANSWERED: [Fault; 8] = [
    Fault::SlowDiscovery,
    Fault::DiscoveryDrips,
    Fault::DiscoveryHalf,
    Fault::KeysDrip,
    Fault::Slow,
    Fault::TokenEndpointHalf,
    Fault::TokenEndpointStalls,
    Fault::TokenEndpointHangsUp,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_other_fault_leaves_the_simulator_answering() {
    let scene = Scene::begin();

    for fault in Fault::ALL.iter().filter(|fault| !UNANSWERED.contains(fault)) {
        scene.simulator.faults().set(None);
        let code = scene.code().await;
        scene.simulator.faults().set(Some(*fault));
        let statuses = [
            scene.get("v2.0/.well-known/openid-configuration").await.status,
            scene.get("discovery/v2.0/keys").await.status,
            scene.authorize("&prompt=none").await.status,
            scene.redeem(&code, ("", None)).await.status,
        ];

        let expected = [200, 302, 307, 400, 401, 502, 503];
        assert!(statuses.iter().all(|status| expected.contains(status)), "{fault} {statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_answer_breaks_off_after_its_first_half_and_a_hang_up_has_none() {
    let scene = Scene::begin();
    let ask = async |fault| {
        scene.simulator.faults().set(Some(fault));
        scene.http.post(scene.endpoint("oauth2/v2.0/token")).send().await
    };

    let half = ask(Fault::TokenEndpointHalf).await.unwrap();
    let nothing = ask(Fault::TokenEndpointHangsUp).await;

    assert_eq!(half.status(), 200);
    assert!(half.bytes().await.is_err());
    assert!(nothing.is_err());
}

/// What Entra says first of all, on its page, in the answer or at the token endpoint.
async fn first_words(scene: &Scene) -> String {
    let said = scene.sign_in("ada@acme.example").await;
    let Some(code) = said.parameter("code") else {
        return said.parameter("error_description").unwrap_or(said.body);
    };
    let refused = scene.redeem(&code, ("", None)).await.json();
    refused["error_description"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_of_an_administrator_is_answered_with_the_number_that_its_description_has() {
    let scene = Scene::begin();
    let number = |fault: &Fault| fault.description().split([':', ' ']).next().unwrap();
    let mistakes = Fault::ALL.iter().filter(|fault| fault.description().starts_with("AADSTS"));
    let mistakes: Vec<_> = mistakes.filter(|fault| **fault != Fault::TenantNotFound).collect();
    assert!(mistakes.len() > 30, "{mistakes:?}");

    for fault in mistakes {
        scene.simulator.faults().set(Some(*fault));

        let said = first_words(&scene).await;

        assert!(said.contains(&format!("{}: ", number(fault))), "{fault}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_faults_are_told_at_once() {
    let scene = Scene::begin();
    scene.simulator.faults().set([Fault::FormPostAnswers, Fault::WrongState]);

    let form = scene.sign_in("ada@acme.example").await.body;

    assert!(form.contains(r#"<input type="hidden" name="state" value="s11">"#), "{form}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_elliptic_key_is_published_while_it_signs() {
    let scene = Scene::begin();
    let kids = async || {
        let keys = scene.get("discovery/v2.0/keys").await.json();
        let kids = keys["keys"].as_array().unwrap().iter();
        kids.map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    scene.simulator.faults().set(Some(Fault::Es256));

    let tokens = scene.redeem(&scene.code().await, ("", None)).await.json();
    let during = kids().await;
    scene.simulator.faults().set(None);
    let after = kids().await;

    let header = Scene::read(tokens["id_token"].as_str().unwrap()).0;
    assert_eq!((&header["alg"], &header["kid"]), (&json!("ES256"), &json!("elliptic")));
    assert!(during.contains(&"elliptic".to_owned()), "{during:?}");
    assert!(!after.contains(&"elliptic".to_owned()), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_frames_of_a_logout_name_what_the_fault_says() {
    let scene = Scene::begin();
    let url = "http://localhost:8080/frontchannel-logout";
    scene.tenant.change_application(scene.application.client_id, |application| {
        application.front_channel_logout_url = Some(url.into());
    });
    let issuer = scene.tenant.authority().replace(':', "%3A").replace('/', "%2F");
    let cases = [
        (Fault::LogoutWithoutSid, String::new()),
        (Fault::LogoutOfAnotherSid, "?sid=00000000-0000-4000-8000-000000000000".to_owned()),
        (Fault::LogoutWithIss, format!("?sid=SID&#38;iss={issuer}")),
        (
            Fault::LogoutWithAnotherIss,
            "?sid=SID&#38;iss=https%3A%2F%2Flogin.attacker.example%2Fv2.0".to_owned(),
        ),
    ];

    for (fault, named) in cases {
        scene.simulator.faults().set(Some(fault));
        let sid = scene.sign_in("ada@acme.example").await.parameter("session_state").unwrap();

        let page = scene.get("oauth2/v2.0/logout").await;

        let frame = format!(r#"src="{url}{}""#, named.replace("SID", &sid));
        assert!(page.body.contains(&frame), "{fault}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_signature_is_one_that_the_published_keys_do_not_confirm() {
    let scene = Scene::begin();

    for fault in [Fault::BadSignature, Fault::StrangersSignature, Fault::MissingSignature] {
        scene.simulator.faults().set(Some(fault));
        let tokens = scene.redeem(&scene.code().await, ("", None)).await.json();

        assert!(!scene.confirms(tokens["id_token"].as_str().unwrap()).await, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotated_before_signing_are_found_by_whoever_fetches_again() {
    let scene = Scene::begin();
    let before = scene.get("discovery/v2.0/keys").await.body;
    scene.simulator.faults().set(Some(Fault::KeysRotatedBeforeSigning));

    let tokens = scene.redeem(&scene.code().await, ("", None)).await.json();

    let token = tokens["id_token"].as_str().unwrap();
    let kid = Scene::read(token).0["kid"].as_str().unwrap().to_owned();
    assert!(!before.contains(&kid));
    assert!(scene.confirms(token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_switches_faults_on_a_page_without_scripts() {
    let scene = Scene::begin();
    let control = format!("{}/control/fault", scene.simulator.origin());
    let html = "text/html,application/xhtml+xml";
    let open = async || scene.send(scene.http.get(&control).header("accept", html)).await.body;
    let press = async |name: &str| {
        let form = scene.http.post(&control).header("accept", html).form(&[("name", name)]);
        scene.send(form.header("sec-fetch-site", "same-origin")).await
    };

    let before = open().await;
    let pressed = press("expired-secret").await;
    let during = open().await;
    press("").await;

    assert!(before.contains("The tenant behaves well."), "{before}");
    assert!(Fault::ALL.iter().all(|f| before.contains(&format!(r#"value="{f}""#))), "{before}");
    assert_eq!((pressed.status, pressed.location.as_deref()), (303, Some("/control/fault")));
    assert!(during.contains("<strong>expired-secret</strong> is on."), "{during}");
    assert!(during.contains(r#"value="expired-secret" aria-current="true""#), "{during}");
    assert!(!during.contains("<script"), "{during}");
    assert_eq!(open().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_address_names_the_nearest_fault_and_obeys_no_other_site() {
    let scene = Scene::begin();
    let control = format!("{}/control/fault", scene.simulator.origin());
    let set = |name: &'static str| scene.http.post(&control).form(&[("name", name)]);

    let mistyped = scene.send(set("expired-secrets")).await;
    let foreign = scene.send(set("unsigned").header("sec-fetch-site", "cross-site")).await;

    assert_eq!(mistyped.status, 400);
    assert_eq!(mistyped.body, "there is no fault of that name; the nearest is expired-secret");
    assert_eq!(foreign.status, 403);
    assert_eq!(scene.send(scene.http.get(&control)).await.json()["fault"], Value::Null);
}
