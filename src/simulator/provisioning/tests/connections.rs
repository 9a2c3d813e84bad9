//! Test Connection, credentials, and what every request looks like.

use std::sync::atomic::Ordering;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_tested_by_looking_for_a_user_and_a_group_that_cannot_be_there() {
    let cases = [
        (vec![Matching::UserName, Matching::ExternalId], "Users?filter=userName eq \""),
        (vec![Matching::ExternalId], "Users?filter=externalId eq \""),
        (vec![Matching::WorkEmail], "Users?filter=emails[type eq \"work\"].value eq \""),
    ];

    for (matching, users) in cases {
        let scene = Scene::with(|settings| settings.matching = matching);

        scene.job.test_connection().await.unwrap();

        let requests = scene.server.take();
        assert!(requests[0].address.starts_with(users), "{requests:?}");
        let groups = "Groups?excludedAttributes=members&filter=displayName eq \"";
        assert!(requests[1].address.starts_with(groups), "{requests:?}");
        assert_eq!(requests.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_what_a_tested_connection_names() {
    let scene = Scene::with(|settings| {
        settings.target.credential = ScimCredential::Bearer(Secret::new("wrong"));
    });

    let tested = scene.job.test_connection().await;

    assert_eq!(tested, Err(TestConnectionError::InvalidCredentials(401)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_groups_or_without_lists_is_told_at_once() {
    let scene = Scene::begin();
    scene.server.refuse("GET Groups", 404, "no groups here");

    let without_groups = scene.job.test_connection().await;
    scene.server.refuse("GET Users", 200, "everything is fine");
    let without_lists = scene.job.test_connection().await;

    assert_eq!(
        without_groups,
        Err(TestConnectionError::Incompatible {
            address: "Groups",
            status: 404,
            body: "no groups here".into()
        })
    );
    assert_eq!(without_lists, Err(TestConnectionError::NotAListResponse("Users")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_fetched_once_and_again_when_it_is_refused() {
    let mut scene = Scene::with(|settings| {
        settings.target.credential = ScimCredential::ClientCredentials {
            token_url: settings.target.url.replace("/scim/v2", "/token"),
            client_id: "c-1".into(),
            client_secret: Secret::new("s-1"),
        };
    });

    let first = scene.cycle().await;
    let fetched = scene.server.tokens.fetch_add(1, Ordering::SeqCst);
    scene.tenant.unassign(scene.client_id, scene.ada);
    let second = scene.cycle().await;

    assert_eq!((first.count(Action::Create), fetched), (1, 1));
    assert_eq!(second.count(Action::Disable), 1);
    assert_eq!(scene.server.tokens.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_entras_headers_and_no_user_agent() {
    let mut scene = Scene::begin();
    scene.group("Crew", &[scene.ada]);

    let requests = scene.requests().await;

    assert!(requests.len() >= 5, "{requests:?}");
    for request in requests {
        assert_eq!(request.header("adscimversion"), Some("2.0"), "{request:?}");
        assert_eq!(request.header("user-agent"), None, "{request:?}");
        assert_eq!(request.header("accept"), Some("application/scim+json"), "{request:?}");
        let content = (request.method != "GET").then_some("application/scim+json; charset=utf-8");
        assert_eq!(request.header("content-type"), content, "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feature_flag_of_the_tenant_url_is_on_every_request() {
    let mut scene = Scene::flagged();
    scene.group("Crew", &[scene.ada]);

    let lines = scene.lines().await;

    assert!(lines.iter().all(|line| line.contains("?aadOptscim062020")), "{lines:?}");
}
