//! Redis, where the sessions are kept, is full, or is set up so that it forgets; the database is
//! older than Redis.

use std::{fs, time::Duration};

use serde_json::json;

use crate::{redis_server::RedisServer, story::Story, support::Ask};

/// Says something to a Redis that the lines of a configuration name.
fn say(redis: &RedisServer, words: &[&str]) {
    let section = redis.section();
    let url = section.split('"').nth(1).expect("it names an address");
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    redis::cmd(words[0]).arg(&words[1..]).exec(&mut connection).unwrap();
}

impl Story {
    /// The answers to so many looks at the session, one after the other.
    async fn statuses(&mut self, looks: usize) -> Vec<u16> {
        let mut statuses = Vec::new();
        for _ in 0..looks {
            statuses.push(self.session_status().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        statuses
    }

    /// Does something while the service is down and its database is one file.
    async fn with_database_at_rest(mut self, act: impl FnOnce() -> std::io::Result<u64>) -> Self {
        self.process.kill().await;
        self.scene.installation.succeed(&["migrate"]).await;
        act().unwrap();
        self.process = self.scene.installation.serve().await;
        self
    }
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn strangers_who_meet_a_full_redis_sign_nobody_out() {
    let redis = RedisServer::start();
    let mut story = Story::begin_with(&redis.section()).await;
    story.provision().await;
    story.sign_in().await;
    say(&redis, &["CONFIG", "SET", "maxmemory", "1"]);

    for _ in 0..5 {
        let stranger = story.scene.installation.try_ask(Ask::get("/login/acme")).await.unwrap();

        assert_eq!(stranger.status, 503, "{}", stranger.body);
        assert_eq!(story.statuses(2).await, [200; 2]);
    }
    say(&redis, &["CONFIG", "SET", "maxmemory", "0"]);
    story.sign_in().await;
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn a_redis_that_removes_keys_when_it_is_full_lets_nobody_in() {
    let redis = RedisServer::start();
    let mut story = Story::begin_with(&redis.section()).await;
    story.provision().await;
    story.sign_in().await;
    say(&redis, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    say(&redis, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);

    let meanwhile = story.statuses(10).await;
    say(&redis, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    tokio::time::sleep(Duration::from_secs(1)).await;

    assert_eq!(meanwhile, [503; 10]);
    assert_eq!(story.session_status().await, 200);
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn a_redis_that_writes_nothing_down_is_warned_of() {
    for (redis, is_warned_of) in
        [(RedisServer::start(), false), (RedisServer::start_forgetful(), true)]
    {
        let story = Story::begin_with(&redis.section()).await;

        let ready = story.scene.installation.try_ask(Ask::get("/health/ready")).await.unwrap();

        let warning = ready.json()["warning"].as_str().unwrap_or_default().to_owned();
        assert_eq!((ready.status, ready.json()["status"].as_str()), (200, Some("ready")));
        assert_eq!(warning.contains("CONFIG SET appendonly yes"), is_warned_of, "{warning}");
    }
}

#[tokio::test]
#[ignore = "needs redis-server; tests/run provides it"]
async fn a_deactivation_ends_sessions_that_are_newer_than_a_restored_database() {
    let redis = RedisServer::start();
    let story = Story::begin_with(&redis.section()).await;
    let id = story.provision().await;
    let active = |value: bool| json!([{ "op": "replace", "path": "active", "value": value }]);
    let file = story.scene.installation.path("data/portico.db");
    let backup = story.scene.installation.path("backup");
    let mut story = story.with_database_at_rest(|| fs::copy(&file, &backup)).await;
    for value in [false, true, false, true, false, true] {
        assert_eq!(story.scene.directory.patch(&id, active(value)).await.status, 200);
    }
    story.sign_in().await;
    let mut story = story.with_database_at_rest(|| fs::copy(&backup, &file)).await;
    let restored = story.session_status().await;

    assert_eq!(story.scene.directory.patch(&id, active(false)).await.status, 200);

    let deactivated = story.session_status().await;
    assert_eq!(story.scene.directory.patch(&id, active(true)).await.status, 200);
    let activated = story.session_status().await;
    assert_eq!((restored, deactivated, activated), (200, 401, 401));
    story.sign_in().await;
    assert_eq!(story.session_status().await, 200);
}
