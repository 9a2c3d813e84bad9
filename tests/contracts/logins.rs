//! Sign-ins under way.

use portico::domain::{
    login_transaction::LoginTransaction, return_to::ReturnTo, secret::SecretDigest,
};
use tokio::task::JoinSet;

use crate::support::{LoginDesk, after, embedded_login_desk, login, login_desks, now};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_taken_once() {
    for desk in login_desks().await {
        let LoginDesk { logins, connector, .. } = &desk;
        let return_to = ReturnTo::parse("/reports?year=2026", &[]).unwrap();
        let login = LoginTransaction { return_to, max_age: None, ..login(connector, b"browser") };
        logins.insert_login(&login).await.unwrap();

        let first = logins.take_login(&login.state, now()).await.unwrap();
        let second = logins.take_login(&login.state, now()).await.unwrap();

        assert_eq!((first, second), (Some(login), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_simultaneous_callbacks_one_gets_the_login() {
    for desk in login_desks().await {
        let LoginDesk { logins, connector, .. } = &desk;
        let login = login(connector, b"browser");
        logins.insert_login(&login).await.unwrap();
        let mut race = JoinSet::new();
        for _ in 0..16 {
            let (logins, state) = (logins.clone(), login.state);
            race.spawn(async move { logins.take_login(&state, now()).await.unwrap() });
        }

        let taken: Vec<_> = race.join_all().await.into_iter().flatten().collect();

        assert_eq!(taken, [login]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_expired_is_not_taken() {
    for desk in login_desks().await {
        let LoginDesk { logins, connector, .. } = &desk;
        let login = login(connector, b"browser");
        logins.insert_login(&login).await.unwrap();

        let unknown = logins.take_login(&SecretDigest::of(b"unknown"), now()).await.unwrap();
        let late = logins.take_login(&login.state, login.expires_at).await.unwrap();
        let in_time = logins.take_login(&login.state, after(599)).await.unwrap();

        assert_eq!((unknown, late, in_time), (None, None, Some(login)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_beyond_64_of_one_browser_drops_the_oldest() {
    for desk in login_desks().await {
        let LoginDesk { logins, connector, .. } = &desk;
        let another = login(connector, b"another browser");
        logins.insert_login(&another).await.unwrap();
        let begun: Vec<_> = (0..66).map(|_| login(connector, b"browser")).collect();
        for login in &begun {
            logins.insert_login(login).await.unwrap();
        }

        let mut taken = Vec::new();
        for login in &begun {
            taken.push(logins.take_login(&login.state, now()).await.unwrap().is_some());
        }

        assert_eq!(taken[..2], [false, false]);
        assert_eq!(taken[2..], [true; 64]);
        assert!(logins.take_login(&another.state, now()).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_logins_are_forgotten_a_thousand_at_a_time() {
    let LoginDesk { logins, connector, .. } = &embedded_login_desk().await;
    let mut inserted = JoinSet::new();
    for browser in 0..1_001_u32 {
        let login = login(connector, &browser.to_be_bytes());
        let logins = logins.clone();
        inserted.spawn(async move { logins.insert_login(&login).await.unwrap() });
    }
    inserted.join_all().await;
    let pending = LoginTransaction { expires_at: after(1_200), ..login(connector, b"late") };
    logins.insert_login(&pending).await.unwrap();

    let too_early = logins.delete_expired_logins(after(600)).await.unwrap();
    let first = logins.delete_expired_logins(after(601)).await.unwrap();
    let second = logins.delete_expired_logins(after(601)).await.unwrap();
    let third = logins.delete_expired_logins(after(601)).await.unwrap();

    assert_eq!([too_early, first, second, third], [0, 1_000, 1, 0]);
    assert!(logins.take_login(&pending.state, after(700)).await.unwrap().is_some());
}
