//! How often an authority is asked, and what is done when its keys change.

use jiff::SignedDuration;
use portico::simulator::{Fault, Station};

use crate::scene::{NOT_TRUSTED, acme_with_ada, assert_refused, assert_signed_in, requests};

const UNREACHABLE: &str = "Your organization’s sign-in can’t be reached";

#[tokio::test]
async fn many_sign_ins_ask_for_discovery_and_keys_once() {
    let (service, acme, ada) = acme_with_ada().await;

    for _ in 0..4 {
        let page = service.browser().sign_in(&acme, &ada).await;
        assert_signed_in(&service, &page);
    }

    assert_eq!(requests(&service), [1, 1, 4]);
}

#[tokio::test]
async fn many_sign_ins_at_once_ask_for_discovery_and_keys_once() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browsers = [service.browser(), service.browser(), service.browser()];
    let [one, two, three] = &mut browsers;

    let pages = tokio::join!(
        one.sign_in(&acme, &ada),
        two.sign_in(&acme, &ada),
        three.sign_in(&acme, &ada),
    );

    for page in [pages.0, pages.1, pages.2] {
        assert_signed_in(&service, &page);
    }
    assert_eq!(requests(&service), [1, 1, 3]);
}

#[tokio::test]
async fn an_authority_in_trouble_is_left_alone_for_ten_seconds() {
    let (service, acme, ada) = acme_with_ada().await;
    service.entra().faults().set(Some(Fault::DiscoveryUnavailable));
    let mut browser = service.browser();

    for _ in 0..5 {
        let page = browser.sign_in(&acme, &ada).await;
        assert_refused(&mut browser, &page, 502, UNREACHABLE).await;
    }

    assert_eq!(service.entra().received(Station::Discovery), 1);
    service.entra().faults().set(None);
    service.advance(SignedDuration::from_secs(10));
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
}

#[tokio::test]
async fn what_an_authority_last_said_holds_for_a_day() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    service.entra().faults().set(Some(Fault::DiscoveryUnavailable));

    service.advance(SignedDuration::from_hours(23));
    let next_day = service.browser().sign_in(&acme, &ada).await;
    service.advance(SignedDuration::from_hours(1));
    let too_late = service.browser().sign_in(&acme, &ada).await;

    assert_signed_in(&service, &next_day);
    assert_eq!((too_late.status, too_late.heading().as_str()), (502, UNREACHABLE));
}

/// `oidcc-client-test-signing-key-rotation`
#[tokio::test]
async fn keys_that_change_between_two_sign_ins_are_fetched_once_more() {
    let (service, acme, ada) = acme_with_ada().await;
    assert_signed_in(&service, &service.browser().sign_in(&acme, &ada).await);
    service.entra().rotate_keys();

    for _ in 0..2 {
        let page = service.browser().sign_in(&acme, &ada).await;
        assert_signed_in(&service, &page);
    }

    assert_eq!(requests(&service), [1, 2, 3]);
}

/// `oidcc-client-test-signing-key-rotation-just-before-signing`
#[tokio::test]
async fn keys_that_change_while_somebody_signs_in_are_fetched_once_more() {
    let (service, acme, ada) = acme_with_ada().await;
    assert_signed_in(&service, &service.browser().sign_in(&acme, &ada).await);
    service.entra().faults().set(Some(Fault::KeysRotatedBeforeSigning));

    let page = service.browser().sign_in(&acme, &ada).await;

    assert_signed_in(&service, &page);
    assert_eq!(requests(&service), [1, 2, 2]);
}

#[tokio::test]
async fn tokens_with_invented_keys_cannot_make_us_knock_at_the_authoritys_door() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut honest = service.browser();
    assert_signed_in(&service, &honest.sign_in(&acme, &ada).await);
    let invent = async || {
        service.entra().faults().set(Some(Fault::UnknownKid));
        let mut browser = service.browser();
        let page = browser.sign_in(&acme, &ada).await;
        assert_refused(&mut browser, &page, 403, NOT_TRUSTED).await;
        service.entra().faults().set(None);
        service.entra().received(Station::Keys)
    };

    // Once more the keys of all, and once those of the application alone.
    assert_eq!([invent().await, invent().await, invent().await], [3, 3, 3]);
    assert_signed_in(&service, &honest.sign_in(&acme, &ada).await);
    service.advance(SignedDuration::from_secs(299));
    assert_eq!(invent().await, 3);
    service.advance(SignedDuration::from_secs(1));
    assert_eq!([invent().await, invent().await], [5, 5]);
}

#[tokio::test]
async fn keys_that_are_away_do_not_hinder_those_who_are_signed_in() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    service.entra().faults().set(Some(Fault::KeysUnavailable));

    let portal = browser.open("/").await;
    let another = service.browser().sign_in(&acme, &ada).await;

    assert_signed_in(&service, &portal);
    assert_signed_in(&service, &another);
    assert_eq!(requests(&service), [1, 1, 2]);
}

#[tokio::test]
async fn keys_that_are_all_replaced_at_once_are_fetched_once_more() {
    let (service, acme, ada) = acme_with_ada().await;
    assert_signed_in(&service, &service.browser().sign_in(&acme, &ada).await);
    service.entra().faults().set(Some(Fault::KeysReplacedAtOnce));

    let page = service.browser().sign_in(&acme, &ada).await;

    assert_signed_in(&service, &page);
    assert_eq!(requests(&service), [1, 2, 2]);
}

#[tokio::test]
async fn keys_that_change_twice_within_five_minutes_are_found_when_those_are_over() {
    let (service, acme, ada) = acme_with_ada().await;
    assert_signed_in(&service, &service.browser().sign_in(&acme, &ada).await);
    service.entra().rotate_keys();
    assert_signed_in(&service, &service.browser().sign_in(&acme, &ada).await);
    service.entra().rotate_keys();
    let mut browser = service.browser();

    let too_soon = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &too_soon, 403, NOT_TRUSTED).await;
    service.advance(SignedDuration::from_mins(5));
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    assert_eq!(requests(&service), [1, 3, 4]);
}
