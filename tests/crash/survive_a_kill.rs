//! What was answered stays true after `kill -9`: one fact each. `kill_rounds.rs` mixes them.

use serde_json::json;

use crate::{story::Story, support::SESSION};

#[tokio::test]
async fn an_acknowledged_account_and_its_session_are_there_after_a_kill() {
    let mut story = Story::begin().await;
    let id = story.provision().await;
    story.sign_in().await;

    let mut story = story.kill_and_start_again().await;

    assert_eq!(story.scene.directory.get(&format!("/Users/{id}")).await.status, 200);
    assert_eq!(story.session_status().await, 200);
    assert_eq!(story.browser.check("?role=Admin").await.status, 200);
}

#[tokio::test]
async fn an_acknowledged_deactivation_holds_after_a_kill() {
    let mut story = Story::begin().await;
    let id = story.provision().await;
    story.sign_in().await;
    let active = |value: bool| json!([{ "op": "replace", "path": "active", "value": value }]);
    assert_eq!(story.scene.directory.patch(&id, active(false)).await.status, 200);

    let mut story = story.kill_and_start_again().await;
    let after = story.session_status().await;
    story.scene.directory.patch(&id, active(true)).await;

    assert_eq!((after, story.session_status().await), (401, 401));
}

#[tokio::test]
async fn an_acknowledged_sign_out_holds_after_a_kill() {
    let mut story = Story::begin().await;
    story.provision().await;
    story.sign_in().await;
    let cookie = story.browser.cookie(SESSION).unwrap().to_owned();
    story.browser.open("/logout?local=true").await;

    let mut story = story.kill_and_start_again().await;
    story.browser.forge_cookie(SESSION, &cookie);

    assert_eq!(story.session_status().await, 401);
}

#[tokio::test]
async fn a_sign_in_that_was_begun_can_be_finished_after_a_kill() {
    let mut story = Story::begin().await;
    story.provision().await;
    let begun = story.browser.begin("/login/acme").await;

    let mut story = story.kill_and_start_again().await;
    let page = story.browser.sign_in_from(begun.as_str(), &story.ada).await;

    assert_eq!(page.heading(), "Welcome, ada Example");
}
