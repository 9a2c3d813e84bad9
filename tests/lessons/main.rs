//! What went wrong in others' sign-in code, asked of this one: a test per advisory.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod answers;
mod authorities;
mod forge;
mod linking;
#[expect(dead_code, reason = "the relying party's tests use all of it")]
#[path = "../relying_party/log.rs"]
mod log;
mod proxies;
#[expect(dead_code, reason = "the relying party's tests use all of it")]
#[path = "../relying_party/scene.rs"]
mod scene;
mod sessions;
mod setup;
#[expect(dead_code, unused_imports, reason = "the stories use all of it")]
#[path = "../stories/support/mod.rs"]
mod support;
mod tokens;
mod told;
mod who;

use std::{fs, path::Path};

use tracing_subscriber::filter::LevelFilter;

use self::Lesson::{Held, NotYet};

/// How finely the service logs: as finely as it can.
const LOGGED: LevelFilter = LevelFilter::TRACE;

/// What became of an advisory here.
enum Lesson {
    /// The test that holds it, whose comment names the advisory.
    Held(&'static str),
    /// The advisory, and why it can't go wrong here as things are.
    NotYet(&'static str),
}

/// Every advisory, by its number in the tests' comments.
const LESSONS: [(u8, Lesson); 70] = [
    (1, Held("a_stranger_with_every_name_of_somebody_gets_nothing_and_leaves_nothing")),
    (2, Held("one_e_mail_address_in_two_tenants_is_two_people")),
    (3, Held("who_takes_over_an_admins_login_name_remains_oneself")),
    (4, Held("what_a_provider_without_tenants_calls_somebody_links_nobody")),
    (5, Held("what_is_switched_off_links_nobody_signs_nobody_in_and_takes_no_people")),
    (6, Held("a_used_answer_opens_nothing_for_somebody_who_copied_all_of_it")),
    (7, Held("a_connector_switched_off_meanwhile_redeems_nothing_however_the_answer_comes")),
    (8, Held("an_approval_is_for_the_person_who_asked_and_not_for_whoever_has_the_name_by_then")),
    (9, Held("somebody_without_an_identifier_is_not_the_account_without_one")),
    (10, Held("an_approval_is_used_up_by_its_link_and_dies_with_the_account")),
    (11, Held("no_setup_link_can_be_guessed_from_another_or_from_what_is_known")),
    (12, NotYet("CVE-2026-14781: address and proof from two sources; userinfo is never asked")),
    (13, Held("a_stored_secret_does_not_follow_a_changed_authority_or_client_id")),
    (14, NotYet("CVE-2026-18569: an unsigned logout token; no back-channel logout yet")),
    (15, Held("a_link_to_a_sign_in_that_somebody_else_began_signs_nobody_in")),
    (16, NotYet("CVE-2026-11800: algorithms confused in another grant; no JWT is a grant yet")),
    (17, Held("neither_an_address_nor_a_redirect_leads_into_the_network_behind_us")),
    (18, NotYet("Keycloak 51004: a token of any audience exchanged; no token exchange yet")),
    (19, Held("a_setup_link_sets_up_its_own_organization_whatever_the_form_names")),
    (20, Held("a_nonce_of_no_kind_of_text_is_refused_and_no_crash")),
    (21, Held("an_address_with_two_domains_belongs_to_neither")),
    (22, Held("a_peer_that_is_no_named_proxy_is_believed_nothing_about_anybody")),
    (23, Held("nobody_is_let_in_for_what_they_call_themselves")),
    (24, Held("whichever_way_one_signs_out_the_page_at_its_end_stands_before_a_dead_session")),
    (25, Held("identity_headers_come_from_here_alone_and_no_query_makes_an_address_public")),
    (26, Held("no_wanted_page_that_a_proxy_or_a_link_names_leads_elsewhere")),
    (27, Held("cookies_by_number_and_size_neither_delay_nor_break_anything")),
    (28, Held("nothing_that_a_proxy_takes_for_a_yes_is_answered_to_somebody_without_a_session")),
    (29, Held("a_token_for_the_platforms_programs_is_neither_a_session_nor_a_directorys_password")),
    (30, Held("a_session_cookie_that_was_planted_ends_where_its_victim_signs_in")),
    (31, Held("an_answer_with_a_parameter_twice_is_refused_before_anything_is_believed")),
    (32, NotYet("mod_auth_openidc 2026: no throttle without its cache; ours is our own memory")),
    (33, Held("an_array_is_no_set_of_claims_and_no_date_wraps_around")),
    (34, NotYet("mod_auth_openidc 2026: a logout token came twice; no back-channel logout yet")),
    (35, Held("a_bare_sid_ends_what_it_names_here_and_asks_nothing_of_the_authority")),
    (36, Held("the_log_has_no_code_token_cookie_or_secret_whatever_went_wrong")),
    (37, Held("a_host_or_domain_that_ends_or_begins_like_a_known_one_is_another")),
    (38, Held("a_link_to_sign_in_cannot_choose_what_is_asked_of_the_authority")),
    (39, Held("a_nonce_that_only_resembles_ours_is_another_sign_ins")),
    (40, Held("a_nonce_that_is_missing_on_both_sides_is_no_agreement")),
    (41, Held("an_issuer_is_equal_and_not_contained")),
    (42, Held("a_critical_extension_is_refused_however_it_is_written")),
    (43, Held("a_token_that_brings_its_own_key_is_held_to_the_published_one")),
    (44, Held("an_access_token_hash_that_can_not_be_ours_is_refused")),
    (45, Held("no_published_key_serves_as_a_secret")),
    (46, Held("a_token_inside_of_another_is_not_unwrapped")),
    (47, Held("a_token_for_somebody_else_is_refused_as_a_text_and_as_a_list")),
    (48, Held("a_checked_claim_of_another_type_is_refused_and_never_skipped")),
    (49, Held("a_claim_that_begins_or_ends_like_the_expected_one_is_another")),
    (50, Held("a_session_cookie_with_less_than_its_whole_signature_opens_nothing")),
    (51, Held("every_sign_in_and_sign_out_leaves_the_cookie_before_it_worthless")),
    (52, Held("wherever_a_sign_in_is_asked_to_end_its_last_step_stays_here")),
    (53, Held("an_error_in_an_answer_cannot_write_into_the_page")),
    (54, Held("two_sign_ins_of_one_browser_at_two_organizations_do_not_serve_each_other")),
    (55, Held("letters_and_dots_that_unicode_makes_equal_to_ours_are_none_of_ours")),
    (56, Held("a_malformed_credential_is_none_and_no_crash")),
    (57, Held("a_login_cookie_does_not_stand_in_for_the_answers_state")),
    (58, Held("a_directory_that_claims_somebodys_address_for_another_ties_nothing")),
    (59, Held("only_a_link_sets_a_provider_up_and_only_at_a_providers_address")),
    (60, Held("whom_the_directory_deletes_is_out_everywhere_and_stays_out_when_made_again")),
    (61, Held("an_answer_that_is_slipped_in_changes_nothing_of_who_one_is")),
    (62, Held("neither_an_unasked_answer_nor_an_unsigned_token_nor_an_address_makes_a_session")),
    (63, Held("a_server_that_vouches_for_itself_is_told_nothing")),
    (64, Held("a_malformed_session_cookie_is_nobodys_at_every_address")),
    (65, NotYet("CVE-2025-27370: an assertion for another authority; none is signed yet")),
    (66, Held("an_authority_that_sends_people_on_to_another_organizations_gets_nothing_of_theirs")),
    (67, Held("a_page_elsewhere_that_posts_a_prepared_answer_signs_nobody_in")),
    (68, Held("a_code_that_was_bent_to_the_thiefs_own_challenge_is_found_out_by_its_nonce")),
    (69, Held("a_name_in_punycode_is_never_the_plain_name")),
    (70, Held("a_sign_in_that_another_site_began_ties_nothing_to_whoever_is_signed_in")),
];

#[test]
fn every_advisory_stands_in_the_table_once() {
    let numbers: Vec<u8> = LESSONS.iter().map(|(number, _)| *number).collect();

    assert_eq!(numbers, (1..=70).collect::<Vec<u8>>());
    for (number, lesson) in &LESSONS {
        let NotYet(why) = lesson else { continue };
        assert!(why.contains(": ") && why.contains("; "), "L{number}: {why}");
    }
}

#[test]
fn every_test_of_the_table_is_there_under_its_number_and_no_other_is() {
    let mut held: Vec<String> = Vec::new();
    for (number, lesson) in &LESSONS {
        if let Held(test) = lesson {
            held.push(format!("L{number} {test}"));
        }
    }

    let mut tests = written_tests();

    held.sort();
    tests.sort();
    assert_eq!(tests, held);
}

/// The tests in the files beside this one, each with the number that its comment begins with.
fn written_tests() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lessons");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files
        .filter(|path| !path.ends_with("main.rs"))
        .map(|path| fs::read_to_string(path).unwrap());
    texts.flat_map(|text| tests_in(&text)).collect()
}

fn tests_in(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let tests =
        lines.windows(3).filter(|lines| lines[1].starts_with("#[") && lines[1].ends_with("test]"));
    tests.map(|lines| format!("{} {}", number(lines[0]), name(lines[2]))).collect()
}

fn number(comment: &str) -> &str {
    let number = comment.strip_prefix("/// ").and_then(|rest| rest.split_once(", "));
    number.unwrap_or_else(|| panic!("{comment} names no advisory")).0
}

fn name(signature: &str) -> &str {
    let (_, rest) = signature.split_once("fn ").unwrap();
    rest.split('(').next().unwrap()
}
