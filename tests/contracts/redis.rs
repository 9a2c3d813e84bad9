//! What only sessions in Redis promise: how they stand to a Redis that is away, or holds rubbish.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use portico::{
    domain::{
        account::Account,
        id::{AccountId, OrganizationId},
        login_transaction::LoginTransaction,
        session::Session,
    },
    ports::{Part, logins::Logins as _, sessions::Sessions as _},
    sessions::redis::{Redis, RedisLogins, RedisSessions},
};
use redis::{Client, Commands as _, Connection};

use crate::support::{
    RedisPart, after, connector_in, hints, login, master_key, now, redis_desk, session,
    sign_in_desks,
};

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

/// A user of Redis who may do everything but what is taken from them.
struct Restricted {
    redis: Arc<Redis>,
    raw: Connection,
    name: String,
}

impl Restricted {
    async fn new(part: &RedisPart) -> Self {
        let raw = Client::open(part.url.as_str()).unwrap().get_connection().unwrap();
        let name = part.prefix.replace(':', "-");
        let url = part.url.replacen("://", &format!("://{name}:secret@"), 1);
        let redis = Arc::new(Redis::new(&url, part.prefix.clone()).unwrap());
        let mut user = Self { redis, raw, name };
        user.may(&["on", ">secret", "~*", "&*", "+@all"]);
        user.redis.resume(user.redis.reconnect().await.unwrap());
        user
    }

    fn may(&mut self, rules: &[&str]) {
        let mut set = redis::cmd("ACL");
        set.arg("SETUSER").arg(&self.name).arg(rules).exec(&mut self.raw).unwrap();
    }

    /// Whether the link stays as it is for a while.
    async fn is_believed(&self) -> bool {
        let interrupted = self.redis.interrupted();
        tokio::time::timeout(Duration::from_millis(200), interrupted).await.is_err()
    }
}

impl Drop for Restricted {
    fn drop(&mut self) {
        let _ = redis::cmd("ACL").arg("DELUSER").arg(&self.name).exec(&mut self.raw);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn a_revocation_that_fails_lets_nobody_in_until_it_has_happened() {
    let part = RedisPart::new().await;
    let mut user = Restricted::new(&part).await;
    let desk = redis_desk(user.redis.clone()).await;
    let session = desk.sign_in().await;
    let (organization, account) = (desk.account.organization_id, desk.account.id);
    let reached_before = user.redis.reconnect().await.unwrap();
    user.may(&["-hkeys"]);

    let revoked = desk.sessions.revoke_before(organization, account, 2).await;
    user.redis.resume(reached_before);
    let meanwhile = desk.sessions.find(&session.digest, now()).await;

    assert_eq!(revoked.unwrap_err().part, Part::Redis);
    assert!(meanwhile.is_err(), "it failed after that connection was made");
    user.may(&["+hkeys"]);
    let reached = user.redis.reconnect().await.unwrap();
    assert!(desk.sessions.find(&session.digest, now()).await.is_err(), "not caught up yet");
    assert_eq!(desk.revoke_before(2).await, std::slice::from_ref(&session));
    user.redis.resume(reached);
    assert!(!desk.is_alive(&session, now()).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn a_sign_in_that_redis_refuses_fails_alone() {
    let part = RedisPart::new().await;
    let mut user = Restricted::new(&part).await;
    let desk = redis_desk(user.redis.clone()).await;
    let session = desk.sign_in().await;
    let logins = RedisLogins::new(user.redis.clone(), master_key(7));
    user.may(&["-lpush", "-hset"]);

    let begun = logins.insert_login(&login(&desk.connector, b"browser")).await;
    let next = self::session(&desk.account, &desk.connector);
    let created = desk.sessions.create(next, hints(), desk.identity("Alice")).await;
    let is_let_in = desk.is_alive(&session, after(120)).await;

    assert!(begun.is_err() && created.is_err());
    assert!(is_let_in, "that its use can't be noted hurts nobody");
    assert!(user.is_believed().await);
    assert!(desk.is_alive(&session, now()).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn a_connection_that_is_lost_lets_nobody_in_until_it_is_made_anew() {
    let part = RedisPart::new().await;
    let mut user = Restricted::new(&part).await;
    let desk = redis_desk(user.redis.clone()).await;
    let session = desk.sign_in().await;
    let name = user.name.clone();
    let mut kill = redis::cmd("CLIENT");
    kill.arg("KILL").arg("USER").arg(&name).exec(&mut user.raw).unwrap();

    let met = desk.sessions.find(&session.digest, now()).await;
    let reached = user.redis.reconnect().await.unwrap();
    let not_yet = desk.sessions.find(&session.digest, now()).await;
    user.redis.resume(reached);

    assert!(met.is_err() && not_yet.is_err());
    assert!(desk.is_alive(&session, now()).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn another_programs_value_under_an_index_ends_the_sessions_of_that_index_alone() {
    for kind in ['a', 'c', 'i'] {
        let part = RedisPart::new().await;
        let desk = redis_desk(part.redis.clone()).await;
        let session = desk.sign_in().await;
        let (mut raw, key) = key_of(&part, kind);
        let second = connector_in(&*desk.store, desk.account.organization_id).await;
        let another = Account { id: AccountId::generate(), ..desk.account.clone() };
        let unharmed = Session { sid: None, ..self::session(&another, &second) };
        desk.begin(unharmed.clone()).await;
        let _: () = raw.set(&key, "another program's").unwrap();
        let (organization, connector) = (desk.account.organization_id, desk.connector.id);

        match kind {
            'a' => drop(desk.revoke_before(2).await),
            'c' => {
                let sessions = &desk.sessions;
                sessions.end_of_connector(organization, connector, now()).await.unwrap();
            }
            _ => {
                let ended = desk.sessions.end_of_sid(organization, connector, "sid").await.unwrap();
                assert_eq!(ended, std::slice::from_ref(&session));
            }
        }

        assert!(!desk.is_alive(&session, now()).await, "{kind}");
        assert!(desk.is_alive(&unharmed, now()).await, "{kind}");
        assert!(!raw.exists::<_, bool>(&key).unwrap(), "{kind}");
        let next = desk.sign_in().await;
        assert!(desk.is_alive(&next, now()).await, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn a_sign_in_that_meets_another_programs_value_fails_once() {
    for kind in ['a', 'c', 'i'] {
        let part = RedisPart::new().await;
        let desk = redis_desk(part.redis.clone()).await;
        let before = desk.sign_in().await;
        let (mut raw, key) = key_of(&part, kind);
        let _: () = raw.set(&key, "another program's").unwrap();
        let next = session(&desk.account, &desk.connector);

        let refused = desk.sessions.create(next.clone(), hints(), desk.identity("Alice")).await;
        desk.begin(next.clone()).await;

        assert!(refused.is_err(), "{kind}");
        assert!(!desk.is_alive(&before, now()).await, "no index leads to it any more: {kind}");
        assert!(desk.is_alive(&next, now()).await, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
async fn a_sign_in_that_is_dropped_leaves_nothing_behind_though_its_browser_never_returns() {
    let part = RedisPart::new().await;
    let desk = redis_desk(part.redis.clone()).await;
    let logins = RedisLogins::new(part.redis.clone(), master_key(7));
    for browser in [b"1", b"2", b"3"] {
        logins.insert_login(&login(&desk.connector, browser)).await.unwrap();
    }
    let (mut raw, queue) = key_of(&part, 'o');
    let keeps_another = LoginTransaction {
        organization_id: OrganizationId::generate(),
        ..login(&desk.connector, b"2")
    };
    logins.insert_login(&keeps_another).await.unwrap();
    let crowd: Vec<(u32, Vec<u8>)> =
        (0..19_997_u32).map(|n| (n + 10, [&n.to_be_bytes()[..], &[0; 60]].concat())).collect();
    let _: () = raw.zadd_multiple(&queue, &crowd).unwrap();

    for browser in [b"4", b"5"] {
        logins.insert_login(&login(&desk.connector, browser)).await.unwrap();
    }

    let mut count = |kind| raw.keys::<_, Vec<Vec<u8>>>(format!("{}{kind}:*", part.prefix));
    assert_eq!(count('t').unwrap().len(), 4, "2's other one, 3, 4 and 5");
    assert_eq!(count('b').unwrap().len(), 4);
    assert_eq!(raw.zcard::<_, u64>(&queue).unwrap(), 20_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_accounts_with_sessions_are_looked_at_and_thirty_thousand_take_no_second() {
    for desk in sign_in_desks().await {
        desk.sign_in().await;
        let signed_in = (desk.account.organization_id, desk.account.id);
        let mut accounts: Vec<_> =
            (0..30_000).map(|_| (signed_in.0, AccountId::generate())).collect();
        accounts.push(signed_in);
        let asked_at = Instant::now();

        let found = desk.sessions.with_sessions(accounts).await.unwrap();

        assert_eq!(found, [signed_in]);
        assert!(asked_at.elapsed() < Duration::from_secs(2), "{:?}", asked_at.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sessions_of_an_account_end_also_those_of_an_epoch_yet_to_come() {
    for desk in sign_in_desks().await {
        let late = Session { access_epoch: 5, ..session(&desk.account, &desk.connector) };
        desk.begin(late.clone()).await;
        let (organization, account) = (desk.account.organization_id, desk.account.id);

        desk.revoke_before(4).await;
        let revoked = desk.is_alive(&late, now()).await;
        desk.sessions.end_of_account(organization, account).await.unwrap();
        let ended = desk.is_alive(&late, now()).await;
        let next = Session { access_epoch: 5, ..session(&desk.account, &desk.connector) };
        desk.begin(next.clone()).await;

        assert_eq!((revoked, ended), (true, false));
        assert!(desk.is_alive(&next, now()).await, "who comes later is let in");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Redis server; tests/run starts one"]
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
