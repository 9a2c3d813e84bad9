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
    assert_eq!(scene.simulator.faults().current(), None);
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
    let cases: [(Fault, &[&str]); 29] = [
        (Fault::WrongIss, &["iss"]),
        (Fault::IssAsArray, &["iss"]),
        (Fault::MissingSub, &["sub"]),
        (Fault::EmptySub, &["sub"]),
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
        (Fault::NotYetValid, &["nbf"]),
        (Fault::WrongNonce, &["nonce"]),
        (Fault::MissingNonce, &["nonce"]),
        (Fault::WrongAtHash, &["at_hash"]),
        (Fault::WrongTid, &["tid"]),
        (Fault::MissingTid, &["tid"]),
        (Fault::MissingOid, &["oid"]),
        (Fault::V1Token, &["iss", "preferred_username", "unique_name", "ver"]),
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
        let faulty = claims(Some(fault)).await;

        assert_eq!(differences(&sound, &faulty), names, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_leaves_the_simulator_answering() {
    let scene = Scene::begin();
    let slow = [Fault::Slow, Fault::SlowDiscovery];

    for fault in Fault::ALL.iter().filter(|fault| !slow.contains(fault)) {
        scene.simulator.faults().set(None);
        let code = scene.code().await;
        scene.simulator.faults().set(Some(*fault));
        let statuses = [
            scene.get("v2.0/.well-known/openid-configuration").await.status,
            scene.get("discovery/v2.0/keys").await.status,
            scene.authorize("&prompt=none").await.status,
            scene.redeem(&code, ("", None)).await.status,
        ];

        let expected = [200, 302, 307, 401, 503];
        assert!(statuses.iter().all(|status| expected.contains(status)), "{fault} {statuses:?}");
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
