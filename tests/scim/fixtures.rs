//! What real clients send, played against a fresh connector: one folder of `fixtures/` each.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{replay, sources};

#[tokio::test]
async fn entra_without_the_feature_flag_is_served() {
    assert!(replay::stories_of("entra-default").await > 0);
}

#[tokio::test]
async fn entra_with_the_feature_flag_is_served() {
    assert!(replay::stories_of("entra-flagged").await > 0);
}

#[tokio::test]
async fn okta_is_served() {
    assert!(replay::stories_of("okta").await > 0);
}

#[tokio::test]
async fn onelogin_is_served() {
    assert!(replay::stories_of("onelogin").await > 0);
}

#[tokio::test]
async fn jumpcloud_is_served() {
    assert!(replay::stories_of("jumpcloud").await > 0);
}

#[tokio::test]
async fn pingone_is_served() {
    assert!(replay::stories_of("pingone").await > 0);
}

#[tokio::test]
async fn a_client_with_core_attributes_only_like_googles_is_served() {
    assert!(replay::stories_of("google-style").await > 0);
}

#[tokio::test]
async fn rippling_is_served() {
    assert!(replay::stories_of("rippling").await > 0);
}

#[tokio::test]
async fn authentik_is_served() {
    assert!(replay::stories_of("authentik").await > 0);
}

#[tokio::test]
async fn microsofts_validator_is_served() {
    assert!(replay::stories_of("ms-validator").await > 0);
}

#[test]
fn every_client_with_recordings_has_its_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scim/fixtures");
    let entries = fs::read_dir(folder).unwrap();
    let recorded: BTreeSet<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();

    let played = sources::texts_after(include_str!("fixtures.rs"), "stories_of(\"");

    assert_eq!(played, recorded);
}
