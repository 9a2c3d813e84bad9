//! Sign-ins under way.

use portico::domain::{
    login_transaction::LoginTransaction, return_to::ReturnTo, secret::SecretDigest,
};
use tokio::task::JoinSet;

use crate::support::{after, login, now, organization_in, person, stores};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_taken_once() {
    for backend in stores() {
        let store = &backend.store;
        let (_, connector) = person(&**store).await;
        let return_to = ReturnTo::parse("/reports?year=2026", &[]).unwrap();
        let login = LoginTransaction { return_to, max_age: None, ..login(&connector, b"browser") };
        store.insert_login(&login).await.unwrap();

        let first = store.take_login(&login.state, now()).await.unwrap();
        let second = store.take_login(&login.state, now()).await.unwrap();

        assert_eq!((first, second), (Some(login), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_simultaneous_callbacks_one_gets_the_login() {
    for backend in stores() {
        let store = &backend.store;
        let (_, connector) = person(&**store).await;
        let login = login(&connector, b"browser");
        store.insert_login(&login).await.unwrap();
        let mut race = JoinSet::new();
        for _ in 0..16 {
            let (store, state) = (store.clone(), login.state);
            race.spawn(async move { store.take_login(&state, now()).await.unwrap() });
        }

        let taken: Vec<_> = race.join_all().await.into_iter().flatten().collect();

        assert_eq!(taken, [login]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_expired_is_not_taken() {
    for backend in stores() {
        let store = &backend.store;
        let (_, connector) = person(&**store).await;
        let login = login(&connector, b"browser");
        store.insert_login(&login).await.unwrap();

        let unknown = store.take_login(&SecretDigest::of(b"unknown"), now()).await.unwrap();
        let late = store.take_login(&login.state, login.expires_at).await.unwrap();
        let in_time = store.take_login(&login.state, after(599)).await.unwrap();

        assert_eq!((unknown, late, in_time), (None, None, Some(login)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_beyond_64_of_one_browser_drops_the_oldest() {
    for backend in stores() {
        let store = &backend.store;
        let (_, connector) = person(&**store).await;
        let another = login(&connector, b"another browser");
        store.insert_login(&another).await.unwrap();
        let logins: Vec<_> = (0..66).map(|_| login(&connector, b"browser")).collect();
        for login in &logins {
            store.insert_login(login).await.unwrap();
        }

        let mut taken = Vec::new();
        for login in &logins {
            taken.push(store.take_login(&login.state, now()).await.unwrap().is_some());
        }

        assert_eq!(taken[..2], [false, false]);
        assert_eq!(taken[2..], [true; 64]);
        assert!(store.take_login(&another.state, now()).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_logins_are_forgotten_a_thousand_at_a_time() {
    for backend in stores() {
        let store = &backend.store;
        let (_, connector) = person(&**store).await;
        let mut inserted = JoinSet::new();
        for browser in 0..1_001_u32 {
            let login = login(&connector, &browser.to_be_bytes());
            let store = store.clone();
            inserted.spawn(async move { store.insert_login(&login).await.unwrap() });
        }
        inserted.join_all().await;
        let pending = LoginTransaction { expires_at: after(1_200), ..login(&connector, b"late") };
        store.insert_login(&pending).await.unwrap();

        let too_early = store.delete_expired_logins(after(600)).await.unwrap();
        let first = store.delete_expired_logins(after(601)).await.unwrap();
        let second = store.delete_expired_logins(after(601)).await.unwrap();
        let third = store.delete_expired_logins(after(601)).await.unwrap();

        assert_eq!([too_early, first, second, third], [0, 1_000, 1, 0]);
        assert!(store.take_login(&pending.state, after(700)).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_begin_a_login_through_anothers_connector() {
    for backend in stores() {
        let store = &backend.store;
        let (_, connector) = person(&**store).await;
        let globex = organization_in(&**store, "globex").await;
        let login = LoginTransaction { organization_id: globex, ..login(&connector, b"browser") };

        assert!(store.insert_login(&login).await.is_err());

        assert_eq!(store.take_login(&login.state, now()).await.unwrap(), None);
    }
}
