//! Sign-ins under way.

use std::sync::Arc;

use portico::{
    domain::{login_transaction::LoginTransaction, return_to::ReturnTo, secret::SecretDigest},
    ports::logins::{Arrival, Logins, RecentLogins},
};
use tokio::task::JoinSet;

use crate::support::{LoginDesk, after, database_login_desks, login, login_desks, now};

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
async fn a_login_beyond_20_000_of_one_organization_drops_the_oldest() {
    for desk in login_desks().await {
        let LoginDesk { logins, connector, another, .. } = &desk;
        let elsewhere = login(another, b"elsewhere");
        logins.insert_login(&elsewhere).await.unwrap();
        let begun: Vec<_> = (0..20_002_u32).map(|n| login(connector, &n.to_be_bytes())).collect();
        for login in &begun[..3] {
            logins.insert_login(login).await.unwrap();
        }
        for crowd in begun[3..].chunks(100) {
            let mut inserted = JoinSet::new();
            for login in crowd {
                let (logins, login) = (logins.clone(), login.clone());
                inserted.spawn(async move { logins.insert_login(&login).await.unwrap() });
            }
            inserted.join_all().await;
        }

        let mut taken = Vec::new();
        for login in [&elsewhere, &begun[0], &begun[1], &begun[2], &begun[20_001]] {
            taken.push(logins.take_login(&login.state, now()).await.unwrap().is_some());
        }

        assert_eq!(taken, [true, false, false, true, true]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_logins_are_forgotten_a_thousand_at_a_time() {
    for desk in database_login_desks().await {
        let LoginDesk { logins, connector, .. } = &desk;
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
}

fn place(path: &str) -> ReturnTo {
    ReturnTo::parse(path, &[]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_and_open_logins_are_counted_by_browser_and_place() {
    for desk in login_desks().await {
        let LoginDesk { logins, connector, .. } = &desk;
        let [browser, another] = [SecretDigest::of(b"browser"), SecretDigest::of(b"another")];
        let begun = login(connector, b"browser");
        let taken = login(connector, b"browser");
        let elsewhere = LoginTransaction { return_to: place("/x"), ..login(connector, b"browser") };
        for login in [&begun, &taken, &elsewhere, &login(connector, b"another")] {
            logins.insert_login(login).await.unwrap();
        }
        logins.take_login(&taken.state, now()).await.unwrap().unwrap();
        for (browser, path) in [(&browser, "/"), (&browser, "/"), (&browser, "/x"), (&another, "/")]
        {
            arrive(logins, browser, path, 0).await;
        }

        let portal = logins.count_recent(&browser, &ReturnTo::portal(), now()).await.unwrap();
        let longer = logins.count_recent(&browser, &place("/x/"), now()).await.unwrap();

        assert_eq!(portal, RecentLogins { open: 1, arrived: 2, side_by_side: false });
        assert_eq!(longer, RecentLogins::default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_before_is_not_counted() {
    for desk in login_desks().await {
        let LoginDesk { logins, connector, .. } = &desk;
        let browser = SecretDigest::of(b"browser");
        for seconds in [0, 30] {
            let begun = LoginTransaction {
                created_at: after(seconds),
                expires_at: after(seconds + 600),
                ..login(connector, b"browser")
            };
            logins.insert_login(&begun).await.unwrap();
            arrive(logins, &browser, "/", seconds).await;
        }

        let mut counts = Vec::new();
        for since in [0, 1, 30, 31] {
            let recent = logins.count_recent(&browser, &place("/"), after(since)).await.unwrap();
            counts.push((recent.open, recent.arrived));
        }

        assert_eq!(counts, [(2, 2), (1, 1), (1, 1), (0, 0)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forgotten_arrivals_are_one_browsers_alone() {
    for desk in login_desks().await {
        let LoginDesk { logins, connector, .. } = &desk;
        let [browser, another] = [SecretDigest::of(b"browser"), SecretDigest::of(b"another")];
        logins.insert_login(&login(connector, b"browser")).await.unwrap();
        for (browser, path) in [(&browser, "/"), (&browser, "/x"), (&another, "/")] {
            arrive(logins, browser, path, 0).await;
        }

        logins.forget_arrivals(&browser).await.unwrap();

        let count = async |browser: &SecretDigest, path| {
            logins.count_recent(browser, &place(path), now()).await.unwrap()
        };
        assert_eq!(count(&browser, "/").await, RecentLogins { open: 1, ..RecentLogins::default() });
        assert_eq!(count(&browser, "/x").await, RecentLogins::default());
        assert_eq!(
            count(&another, "/").await,
            RecentLogins { arrived: 1, ..RecentLogins::default() }
        );
    }
}

/// A sign-in of a moment that succeeds so many seconds after noon.
async fn arrive(logins: &Arc<dyn Logins>, browser: &SecretDigest, path: &str, seconds: i64) {
    let (begun_at, at) = (after(seconds), after(seconds));
    let arrival = Arrival { browser, return_to: &place(path), begun_at, at };
    logins.insert_arrival(&arrival).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_that_follow_one_another_are_told_from_those_side_by_side() {
    for desk in login_desks().await {
        let LoginDesk { logins, .. } = &desk;
        let rounds = [(0, 2), (2, 4), (5, 9)];
        let tabs = [(0, 5), (10, 12), (1, 7)];
        let other_places = [(0, 5), (0, 5)];

        let mut side_by_side = Vec::new();
        for (name, spans) in [("rounds", &rounds[..]), ("tabs", &tabs), ("places", &other_places)] {
            let browser = SecretDigest::of(name.as_bytes());
            for (number, (begun, at)) in spans.iter().enumerate() {
                let path = if name == "places" { format!("/{number}") } else { "/0".to_owned() };
                let (begun_at, at) = (after(*begun), after(*at));
                let arrival = Arrival { browser: &browser, return_to: &place(&path), begun_at, at };
                logins.insert_arrival(&arrival).await.unwrap();
            }
            let recent = logins.count_recent(&browser, &place("/0"), now()).await.unwrap();
            side_by_side.push(recent.side_by_side);
        }

        assert_eq!(side_by_side, [false, true, false]);
    }
}
