//! What only sessions in Redis promise: how they stand to a Redis that is away, or holds rubbish.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use portico::{
    domain::session::Session,
    ports::{Part, logins::Logins as _, sessions::Sessions as _},
    sessions::redis::{Redis, RedisLogins, RedisSessions},
};
use redis::{Client, Commands as _, Connection};

use crate::support::{RedisPart, connector_in, hints, login, master_key, now, redis_desk, session};

/// The one key of a kind, and a client to write to it.
fn key_of(part: &RedisPart, kind: char) -> (Connection, Vec<u8>) {
    let mut raw = Client::open(part.url.as_str()).unwrap().get_connection().unwrap();
    let mut keys: Vec<Vec<u8>> = raw.keys(format!("{}{kind}:*", part.prefix)).unwrap();
    assert_eq!(keys.len(), 1);
    (raw, keys.remove(0))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn a_record_that_can_not_be_read_lets_nobody_in_and_hurts_nobody() {
    let part = RedisPart::new().await;
    let desk = redis_desk(part.redis.clone()).await;
    let session = desk.sign_in().await;
    let (mut raw, key) = key_of(&part, 's');
    let whole: Vec<(String, Vec<u8>)> = raw.hgetall(&key).unwrap();
    let field = |wanted: &str| whole.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
    let mut rubbish = vec![
        ("role", b"Emperor".to_vec()),
        ("role", b"".to_vec()),
        ("role", vec![0xff]),
        ("epoch", b"-1".to_vec()),
        ("epoch", b"one".to_vec()),
        ("killed_before", b"x".to_vec()),
        ("last_seen", b"99999999999999999999".to_vec()),
        ("session", b"{\"version\":1}".to_vec()),
        ("identity", [field("identity"), b"\r\n".to_vec()].concat()[1..].to_vec()),
        ("identity", vec![1, 0xff, 0xff, 0xff, 0xff]),
        ("identity", b"\x01\0\0\0\x01\n\0\0\0\0\0\0\0\0\0\0\0\0".to_vec()),
    ];
    for length in 0..field("session").len() {
        rubbish.push(("session", field("session")[..length].to_vec()));
    }
    for length in 0..field("identity").len() {
        rubbish.push(("identity", field("identity")[..length].to_vec()));
    }

    for (name, value) in rubbish {
        let _: () = raw.hset_multiple(&key, &whole).unwrap();
        assert!(desk.is_alive(&session, now()).await);
        let _: () = raw.hset(&key, name, &value).unwrap();

        assert!(!desk.is_alive(&session, now()).await, "{name} {value:?}");
        let listed =
            desk.sessions.list_of_account(desk.account.organization_id, desk.account.id, now());
        assert_eq!(listed.await.unwrap(), [], "{name} {value:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn another_programs_value_under_a_sessions_key_is_no_session() {
    let part = RedisPart::new().await;
    let desk = redis_desk(part.redis.clone()).await;
    let session = desk.sign_in().await;
    let (mut raw, key) = key_of(&part, 's');
    let _: () = raw.set(&key, "another program's").unwrap();
    let other = desk.sign_in().await;

    let found = desk.is_alive(&session, now()).await;
    let killed = desk.revoke_before(2).await;
    let role = desk.sessions.change_role(&session, session.role, 3).await.unwrap();
    let ended = desk.sessions.end(&session.digest).await.unwrap();

    assert_eq!((found, killed, role), (false, vec![other], false));
    assert!(ended.is_none());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn without_its_index_a_revocation_has_not_happened_and_nobody_is_let_in_until_it_has() {
    let part = RedisPart::new().await;
    let desk = redis_desk(part.redis.clone()).await;
    let session = desk.sign_in().await;
    let (mut raw, key) = key_of(&part, 'a');
    let index: Vec<(Vec<u8>, Vec<u8>)> = raw.hgetall(&key).unwrap();
    let _: () = raw.set(&key, "another program's").unwrap();
    let (organization, account) = (desk.account.organization_id, desk.account.id);
    let reached_before = part.redis.reconnect().await.unwrap();

    let revoked = desk.sessions.revoke_before(organization, account, 2).await;
    part.redis.resume(reached_before);
    let meanwhile = desk.sessions.find(&session.digest, now()).await;

    assert_eq!(revoked.unwrap_err().part, Part::Redis);
    assert!(meanwhile.is_err(), "it failed after that connection was made");
    let _: () = raw.del(&key).unwrap();
    let _: () = raw.hset_multiple(&key, &index).unwrap();
    let reached = part.redis.reconnect().await.unwrap();
    assert!(desk.sessions.find(&session.digest, now()).await.is_err(), "not caught up yet");
    assert_eq!(desk.revoke_before(2).await, std::slice::from_ref(&session));
    part.redis.resume(reached);
    assert!(!desk.is_alive(&session, now()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_away_is_told_at_once_and_never_let_in() {
    let redis = Arc::new(Redis::new("redis://127.0.0.1:1", "test:".into()).unwrap());
    let desk = redis_desk(redis.clone()).await;
    let session = session(&desk.account, &desk.connector);
    let logins = RedisLogins::new(redis.clone(), master_key(7));

    assert!(redis.reconnect().await.is_err());
    let asked_at = Instant::now();
    for _ in 0..1_000 {
        assert!(desk.sessions.find(&session.digest, now()).await.is_err());
    }
    let created = desk.sessions.create(session.clone(), hints(), desk.identity("Alice")).await;
    let begun = logins.insert_login(&login(&desk.connector, b"browser")).await;

    // A thousand that each waited for Redis would take 250 s.
    assert!(asked_at.elapsed() < Duration::from_secs(10), "{:?}", asked_at.elapsed());
    assert!(created.is_err() && begun.is_err());
    assert_eq!(desk.sessions.ping().await.unwrap_err().part, Part::Redis);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn a_redis_that_does_not_admit_us_is_explained_without_the_password() {
    let part = RedisPart::new().await;
    for credentials in [":hunter2@", "nobody:hunter2@"] {
        let url = part.url.replacen("://", &format!("://{credentials}"), 1);
        let redis = Redis::new(&url, "test:".into()).unwrap();

        let told = redis.reconnect().await.unwrap_err().to_string();

        assert!(told.contains("refuses the user name or password of redis.url"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn under_another_master_key_hints_and_sign_ins_do_not_open() {
    let part = RedisPart::new().await;
    let desk = redis_desk(part.redis.clone()).await;
    let session = desk.sign_in().await;
    let login = login(&desk.connector, b"browser");
    RedisLogins::new(part.redis.clone(), master_key(7)).insert_login(&login).await.unwrap();

    let another = RedisSessions::new(part.redis.clone(), master_key(8));
    let ended = another.end(&session.digest).await.unwrap().unwrap();
    let another = RedisLogins::new(part.redis.clone(), master_key(8));
    let taken = another.take_login(&login.state, now()).await.unwrap();

    assert_eq!((ended.session, ended.hints, taken), (session, None, None));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn no_secret_stands_in_redis() {
    let part = RedisPart::new().await;
    let desk = redis_desk(part.redis.clone()).await;
    desk.sign_in().await;
    let logins = RedisLogins::new(part.redis.clone(), master_key(7));
    logins.insert_login(&login(&desk.connector, b"browser")).await.unwrap();
    let mut raw = Client::open(part.url.as_str()).unwrap().get_connection().unwrap();

    let keys: Vec<Vec<u8>> = raw.keys(format!("{}*", part.prefix)).unwrap();
    let mut everything = keys.concat();
    for key in &keys {
        let kind: String = redis::cmd("TYPE").arg(key).query(&mut raw).unwrap();
        let values: Vec<Vec<u8>> = match kind.as_str() {
            "hash" => raw
                .hgetall::<_, Vec<(Vec<u8>, Vec<u8>)>>(key)
                .map(|fields| fields.into_iter().flat_map(|(name, value)| [name, value]).collect()),
            "list" => raw.lrange(key, 0, -1),
            _ => raw.zrange(key, 0, -1),
        }
        .unwrap();
        everything.extend(values.concat());
    }

    assert!(keys.len() > 5);
    assert!(everything.windows(11).any(|window| window == b"Browser/1.0"), "it was read");
    let secret = b"that-nobody-may-read";
    assert!(!everything.windows(secret.len()).any(|window| window == secret));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn what_is_kept_in_redis_is_forgotten_there_in_time() {
    let part = RedisPart::new().await;
    let desk = redis_desk(part.redis.clone()).await;
    desk.sign_in().await;
    let logins = RedisLogins::new(part.redis.clone(), master_key(7));
    logins.insert_login(&login(&desk.connector, b"browser")).await.unwrap();
    let mut raw = Client::open(part.url.as_str()).unwrap().get_connection().unwrap();

    let keys: Vec<Vec<u8>> = raw.keys(format!("{}*", part.prefix)).unwrap();
    for key in keys {
        let seconds: i64 = raw.ttl(&key).unwrap();

        assert!((1..=8 * 3_600).contains(&seconds), "{}", String::from_utf8_lossy(&key));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn a_session_that_ended_leaves_nothing_behind() {
    let part = RedisPart::new().await;
    let desk = redis_desk(part.redis.clone()).await;
    let second = connector_in(&*desk.store, desk.account.organization_id).await;
    let [one, two] = [
        session(&desk.account, &desk.connector),
        Session { sid: None, ..session(&desk.account, &second) },
    ];
    for session in [&one, &two] {
        desk.begin(session.clone()).await;
    }

    for session in [&one, &two] {
        desk.sessions.end(&session.digest).await.unwrap().unwrap();
    }

    let mut raw = Client::open(part.url.as_str()).unwrap().get_connection().unwrap();
    let keys: Vec<String> = raw.keys(format!("{}*", part.prefix)).unwrap();
    assert_eq!(keys, [""; 0]);
}
