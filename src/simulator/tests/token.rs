//! The token endpoint: who may redeem what, and how often.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_redeemed_only_by_who_may_and_only_once() {
    let scene = Scene::begin();
    let wrong = "wrong".repeat(10);
    let cases = [
        (("client_secret", Some("wrong")), 401, 7_000_215),
        (("client_secret", None), 401, 7_000_218),
        (("client_id", Some("00000000-0000-4000-8000-000000000000")), 400, 700_016),
        (("redirect_uri", Some("http://localhost:8080/other")), 401, 500_112),
        (("code_verifier", Some(&*wrong)), 400, 501_481),
        (("code_verifier", None), 400, 50148),
        (("grant_type", Some("password")), 400, 70003),
        (("code", Some("1.nonsense")), 400, 9_002_313),
    ];

    let before = scene.simulator.received(Station::Token);
    for (change, status, error) in cases {
        let refused = scene.redeem(&scene.code().await, change).await;

        assert_eq!((refused.status, refused.error_code()), (status, json!(error)), "{change:?}");
    }
    assert_eq!(scene.simulator.received(Station::Token) - before, 8);
    let code = scene.code().await;
    assert_eq!(scene.redeem(&code, ("", None)).await.status, 200);
    assert_eq!(scene.redeem(&code, ("", None)).await.error_code(), 54005);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_expires_after_ten_minutes() {
    let scene = Scene::begin();
    let code = scene.code().await;

    scene.simulator.entra.clock.advance(jiff::SignedDuration::from_mins(10));

    assert_eq!(scene.redeem(&code, ("", None)).await.error_code(), 70008);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_sends_no_secret_and_its_loopback_port_does_not_matter() {
    let scene = Scene::begin();
    let client_id = scene.application.client_id;
    let uri = "http://127.0.0.1/app";
    scene.tenant.register_redirect_uri(client_id, uri, Platform::PublicClient).unwrap();
    scene.sign_in("ada@acme.example").await;
    let other = "http%3A%2F%2F127.0.0.1%3A49152%2Fapp";
    let query = scene.query("").replace("http%3A%2F%2Flocalhost%3A8080%2Fcallback", other);
    let path = format!("oauth2/v2.0/authorize?{query}");
    let code = scene.get(&path).await.parameter("code").unwrap();
    let client_id = client_id.to_string();
    let secret = scene.application.secrets[0].expose();
    let url = scene.endpoint("oauth2/v2.0/token");
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("client_id", &client_id),
        ("code", &code),
        ("redirect_uri", "http://127.0.0.1:49152/app"),
        ("code_verifier", VERIFIER),
        ("client_secret", secret),
    ];

    let with_secret = scene.send(scene.http.post(&url).form(&form)).await;
    form.pop();
    let without = scene.send(scene.http.post(&url).form(&form)).await;

    assert_eq!(with_secret.error_code(), 700_025);
    assert_eq!(without.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_gives_new_tokens_until_the_account_is_disabled() {
    let scene = Scene::begin();
    let ada = scene.tenant.person("ada@acme.example").unwrap();
    let query = scene.query("").replace("profile", "profile%20offline_access");
    let url = scene.endpoint(&format!("oauth2/v2.0/login?{query}"));
    let form = [("login", "ada@acme.example"), ("passwd", ada.password.expose())];
    let back = scene.send(scene.http.post(url).form(&form)).await;
    let code = back.parameter("code").unwrap();
    let tokens = scene.redeem(&code, ("", None)).await.json();
    let refresh = async || {
        let client_id = scene.application.client_id.to_string();
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &client_id),
            ("client_secret", scene.application.secrets[0].expose()),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        scene.send(scene.http.post(scene.endpoint("oauth2/v2.0/token")).form(&form)).await
    };

    let before = refresh().await;
    scene.tenant.change_person(ada.oid, |ada| ada.account_enabled = false);
    let after = refresh().await;

    assert!(before.json()["id_token"].is_string());
    assert_eq!(after.error_code(), 50057);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_works_and_the_old_one_does_not() {
    let scene = Scene::begin();
    let code = scene.code().await;

    scene.tenant.set_secret(scene.application.client_id, Secret::new("new"));

    assert_eq!(scene.redeem(&code, ("", None)).await.error_code(), 7_000_215);
    assert_eq!(scene.redeem(&code, ("client_secret", Some("new"))).await.status, 200);
}
