//! Redis, where the sessions are kept, goes away and comes back.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    redis_server::RedisServer,
    story::Story,
    support::{Answer, Ask},
};

/// What a person's program or page waits for at most while Redis is away: the second that Redis is
/// given, and what a busy machine needs besides. What hangs on a stopped Redis does not end at all.
const QUICKLY: Duration = Duration::from_secs(5);

impl Story {
    async fn ask(&mut self, address: &str) -> Answer {
        self.browser.ask(Ask::get(address)).await
    }

    /// Waits until a session is accepted or refused for good; which it is.
    async fn first_decided_status(&mut self) -> u16 {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match self.session_status().await {
                503 if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                status => return status,
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn an_acknowledged_deactivation_holds_though_redis_was_away() {
    let mut redis = RedisServer::start();
    let mut story = Story::begin_with(&redis.section()).await;
    let id = story.provision().await;
    story.sign_in().await;
    redis.stop();

    let active = |value: bool| json!([{ "op": "replace", "path": "active", "value": value }]);
    let deactivated = story.scene.directory.patch(&id, active(false)).await;
    let meanwhile = story.session_status().await;
    redis.start_again();
    let afterwards = story.first_decided_status().await;
    let activated = story.scene.directory.patch(&id, active(true)).await;

    assert_eq!((deactivated.status, activated.status), (200, 200), "{}", deactivated.body);
    assert_eq!((meanwhile, afterwards), (503, 401));
    assert_eq!(story.session_status().await, 401, "signed out is signed out");
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn an_acknowledged_deactivation_holds_though_redis_was_away_and_the_service_killed() {
    let mut redis = RedisServer::start();
    let mut story = Story::begin_with(&redis.section()).await;
    let id = story.provision().await;
    story.sign_in().await;
    redis.stop();
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(story.scene.directory.patch(&id, off).await.status, 200);

    story.process.kill().await;
    redis.start_again();
    story.process = story.scene.installation.serve_at_all().await;

    assert_eq!(story.first_decided_status().await, 401);
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn an_acknowledged_deactivation_holds_though_redis_forgot_it() {
    let mut redis = RedisServer::start_forgetful();
    let mut story = Story::begin_with(&redis.section()).await;
    let id = story.provision().await;
    story.sign_in().await;
    redis.snapshot();
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(story.scene.directory.patch(&id, off).await.status, 200);
    assert_eq!(story.session_status().await, 401);

    redis.kill();
    redis.start_again();

    assert_eq!(story.first_decided_status().await, 401);
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn a_session_outlives_redis_and_the_service() {
    let mut redis = RedisServer::start();
    let mut story = Story::begin_with(&redis.section()).await;
    story.provision().await;
    story.sign_in().await;

    redis.stop();
    let meanwhile = story.session_status().await;
    redis.start_again();
    let afterwards = story.first_decided_status().await;
    let mut story = story.kill_and_start_again().await;

    assert_eq!((meanwhile, afterwards), (503, 200));
    assert_eq!(story.session_status().await, 200);
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn while_redis_is_away_everything_says_so_quickly_and_what_needs_no_session_works() {
    let mut redis = RedisServer::start();
    let mut story = Story::begin_with(&redis.section()).await;
    let id = story.provision().await;
    story.sign_in().await;
    redis.stop();
    // So long an answer to /health/ready is good for.
    tokio::time::sleep(Duration::from_millis(1_100)).await;

    for (address, status) in [
        ("/auth/check", 503),
        ("/session", 503),
        ("/login/acme", 503),
        ("/logout", 503),
        ("/health/ready", 503),
        ("/health/live", 200),
        ("/login", 200),
        ("/logout/done", 200),
        ("/.well-known/jwks.json", 200),
    ] {
        let begin = Instant::now();
        let answer = story.ask(address).await;

        assert_eq!(answer.status, status, "{address} {}", answer.body);
        assert!(begin.elapsed() < QUICKLY, "{address} {:?}", begin.elapsed());
        assert!(status == 200 || answer.body.contains("Redis"), "{address} {}", answer.body);
    }
    assert_eq!(story.ask("/login/acme").await.header("retry-after"), Some("5"));
    let name = json!([{ "op": "replace", "path": "displayName", "value": "Ada L." }]);
    assert_eq!(story.scene.directory.patch(&id, name).await.status, 200);
    redis.start_again();
    assert_eq!(story.first_decided_status().await, 200);
    assert_eq!(story.ask("/session").await.json()["name"], "Ada L.");
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn a_redis_that_hangs_keeps_nobody_waiting_and_lets_nobody_in() {
    let redis = RedisServer::start();
    let mut story = Story::begin_with(&redis.section()).await;
    story.provision().await;
    story.sign_in().await;
    redis.freeze();

    for _ in 0..5 {
        let begin = Instant::now();
        let answer = story.ask("/auth/check").await;

        assert_eq!(answer.status, 503);
        assert!(begin.elapsed() < QUICKLY, "{:?}", begin.elapsed());
    }
    redis.thaw();
    assert_eq!(story.first_decided_status().await, 200);
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn a_service_starts_without_redis_and_is_ready_when_that_answers() {
    let mut redis = RedisServer::start();
    let mut story = Story::begin_with(&redis.section()).await;
    story.provision().await;
    redis.stop();
    story.process.kill().await;

    story.process = story.scene.installation.serve_at_all().await;
    let without = story.ask("/health/ready").await;
    redis.start_again();
    story.scene.installation.is_ready().await;

    assert_eq!(
        (without.status, without.json()["status"].as_str()),
        (503, Some("Redis is not available"))
    );
    story.sign_in().await;
    assert_eq!(story.session_status().await, 200);
}
