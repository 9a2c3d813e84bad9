//! What broke in other service providers: each asked of this one.

mod changes;
mod groups;
mod matches;

use std::{collections::BTreeSet, fs, path::Path};

use self::Row::{Elsewhere, Here};
use crate::sources;

/// What became of a row of the list of what broke.
enum Row {
    /// The test here that holds it.
    Here(&'static str),
    /// The file of the test that holds it, and its name.
    Elsewhere(&'static str, &'static str),
}

/// Every row, by its number.
const ROWS: [(u8, Row); 50] = [
    (1, Here("active_may_be_text_in_every_kind_of_request")),
    (2, Here("active_may_be_text_in_every_kind_of_request")),
    (3, Here("adding_to_what_has_one_value_sets_it")),
    (4, Here("operations_are_read_in_any_case_and_may_come_in_every_cycle")),
    (5, Elsewhere("scim/rfc7644/writes.rs", "a_replacement_replaces_what_a_client_may_write")),
    (6, Here("a_new_display_name_leaves_the_other_names_alone")),
    (7, Here("removing_listed_members_removes_nobody_else")),
    (8, Here("removing_listed_members_removes_nobody_else")),
    (9, Here("a_manager_may_be_plain_text")),
    (10, Here("roles_may_be_documents_in_texts")),
    (11, Here("parts_of_one_address_end_up_in_one_address")),
    (12, Here("changing_one_address_leaves_the_others")),
    (13, Here("a_value_without_a_path_may_name_its_attributes_by_dots_and_urns")),
    (14, Here("replacing_members_by_nobody_empties_the_group")),
    (15, Here("a_member_needs_no_type")),
    (16, Here("fifty_changes_of_one_group_at_once_all_land")),
    (17, Here("adding_members_who_are_there_changes_nothing")),
    (18, Here("an_external_id_is_found_exactly_as_sent_and_nobody_is_made_twice")),
    (19, Here("no_external_id_is_too_strange_to_be_asked_for")),
    (20, Here("a_filter_that_finds_nobody_never_finds_everybody")),
    (21, Elsewhere("scim/rfc7644/filters.rs", "a_filter_finds_whom_it_describes")),
    (22, Here("everybody_is_looked_at_and_counted_beyond_the_first_page")),
    (23, Here("everybody_is_looked_at_and_counted_beyond_the_first_page")),
    (24, Here("somebody_made_by_hand_is_taken_over_and_no_dead_end")),
    (25, Here("renaming_a_group_keeps_its_members")),
    (26, Here("a_groups_external_id_can_be_changed")),
    (27, Here("adding_without_a_path_appends")),
    (28, Here("changing_an_address_that_is_not_there_makes_it")),
    (29, Here("who_is_inactive_is_found_or_comes_back_and_no_dead_end")),
    (30, Here("a_creation_that_is_sent_again_makes_nobody_else")),
    (31, Here("another_e_mail_address_is_no_deletion")),
    (
        32,
        Elsewhere("stories/log_in.rs", "a_user_name_that_belongs_to_another_object_opens_nothing"),
    ),
    (
        33,
        Elsewhere(
            "stories/keep_organizations_apart.rs",
            "the_same_object_id_in_another_tenant_is_somebody_else",
        ),
    ),
    (34, Here("active_may_be_text_in_every_kind_of_request")),
    (35, Here("a_password_is_no_condition_and_no_way_in")),
    (36, Here("everybody_is_looked_at_and_counted_beyond_the_first_page")),
    (37, Elsewhere("stories/log_in.rs", "somebody_whose_account_is_deactivated_is_refused")),
    (38, Here("an_e_mail_address_that_somebody_has_is_taken_over_by_nobody")),
    (39, Elsewhere("scim/rfc7644/filters.rs", "a_filter_that_is_none_is_refused")),
    (40, Here("an_address_may_end_in_a_slash")),
    (41, Here("json_is_read_under_either_name_and_nothing_else_is")),
    (42, Here("an_external_id_is_found_exactly_as_sent_and_nobody_is_made_twice")),
    (43, Elsewhere("scim/rfc7644/filters.rs", "a_filter_finds_whom_it_describes")),
    (44, Elsewhere("scim/rfc7644/writes.rs", "a_replacement_replaces_what_a_client_may_write")),
    (45, Here("members_in_the_body_of_a_group_are_its_members")),
    (46, Here("an_import_reads_every_group_and_its_ids_change_nothing")),
    (47, Here("what_is_empty_within_an_extension_is_taken_away_alone")),
    (48, Elsewhere("scim/apart.rs", "nothing_of_one_directory_is_reachable_for_another")),
    (
        49,
        Elsewhere(
            "stories/export_users.rs",
            "an_upload_says_who_may_sign_in_and_names_managers_by_their_external_id",
        ),
    ),
    (50, Here("the_dot_in_a_urn_divides_nothing")),
];

#[test]
fn every_row_is_held() {
    let numbers: Vec<u8> = ROWS.iter().map(|(number, _)| *number).collect();
    let mut here = BTreeSet::new();
    for (number, row) in &ROWS {
        match row {
            Here(test) => {
                here.insert((*test).to_owned());
            }
            Elsewhere(file, test) => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
                let tests = sources::tests_in(&fs::read_to_string(path).unwrap());
                assert!(tests.contains(*test), "{number}: {file} has no {test}");
            }
        }
    }
    let texts = [include_str!("changes.rs"), include_str!("groups.rs"), include_str!("matches.rs")];
    let written: BTreeSet<String> = texts.into_iter().flat_map(sources::tests_in).collect();

    assert_eq!(numbers, (1..=50).collect::<Vec<u8>>());
    assert_eq!(here, written);
}
