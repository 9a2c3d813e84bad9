//! What RFC 7644 requires of a service provider.

mod bulk;
mod filters;
mod lists;
mod messages;
mod patches;
mod writes;

use crate::requirements::Coverage;

const COVERAGE: Coverage = Coverage {
    texts: &[
        include_str!("messages.rs"),
        include_str!("filters.rs"),
        include_str!("lists.rs"),
        include_str!("writes.rs"),
        include_str!("patches.rs"),
        include_str!("bulk.rs"),
    ],
    tests: &[
        ("an_address_has_no_query_of_its_own", &["RFC7644-1.3-L201"]),
        ("who_does_not_authenticate_is_told_how_to", &["RFC7644-2-L307"]),
        ("a_directory_may_do_what_its_own_connector_lets_it", &["RFC7644-2-L311"]),
        (
            "messages_have_schemas_of_their_own_that_nobody_discovers",
            &["RFC7644-3.1-L436", "RFC7644-3.1-L439"],
        ),
        ("nobody_is_me", &["RFC7644-3.11-L3683"]),
        ("an_error_is_json_whatever_was_asked", &["RFC7644-3.12-L3707"]),
        ("another_version_is_not_spoken", &["RFC7644-3.13-L3956"]),
        ("an_entity_tag_is_a_header_and_guards_a_write", &["RFC7644-3.14-L3967"]),
        (
            "a_creation_is_answered_with_what_was_created",
            &[
                "RFC7644-3.3-L584",
                "RFC7644-3.3-L602",
                "RFC7644-3.3-L603",
                "RFC7644-3.3-L605",
                "RFC7644-3.3.1-L712",
            ],
        ),
        ("what_is_there_already_is_a_conflict", &["RFC7644-3.3-L625"]),
        (
            "a_query_is_answered_with_a_list_even_of_nothing",
            &["RFC7644-3.4.2-L817", "RFC7644-3.4.2-L847"],
        ),
        ("an_answer_that_would_name_too_many_members_is_refused", &["RFC7644-3.4.2.1-L912"]),
        ("a_query_of_everything_goes_through_users_and_groups", &["RFC7644-3.4.2.1-L918"]),
        ("a_filter_finds_whom_it_describes", &["RFC7644-3.4.2.2-L944", "RFC7644-3.4.2.2-L1217"]),
        (
            "a_filter_that_is_none_is_refused",
            &[
                "RFC7644-3.4.2.2-L944",
                "RFC7644-3.4.2.2-L1001",
                "RFC7644-3.4.2.2-L1127",
                "RFC7644-3.4.2.2-L1197",
                "RFC7644-3.4.2.2-L1208",
            ],
        ),
        (
            "a_list_is_sorted_as_its_attributes_compare",
            &["RFC7644-3.4.2.3-L1319", "RFC7644-3.4.2.3-L1321"],
        ),
        (
            "a_page_begins_and_ends_where_it_was_asked_to",
            &["RFC7644-3.4.2.4-L1358", "RFC7644-3.4.2.4-L1363"],
        ),
        ("a_cursor_leads_through_a_list_once", &["RFC7644-3.4.2.4-L1363"]),
        (
            "an_answer_has_the_attributes_that_were_asked_for",
            &["RFC7644-3.4.2.5-L1438", "RFC7644-3.4.2.5-L1449", "RFC7644-3.9-L3596"],
        ),
        ("a_search_in_a_body_is_the_search_in_an_address", &["RFC7644-3.4.3-L1476"]),
        ("a_replacement_creates_nobody", &["RFC7644-3.2-L490", "RFC7644-3.5.1-L1637"]),
        (
            "a_replacement_replaces_what_a_client_may_write",
            &["RFC7644-3.5-L1607", "RFC7644-3.5.1-L1644", "RFC7644-3.5.1-L1665"],
        ),
        ("a_replacement_with_something_required_missing_is_refused", &["RFC7644-3.5.1-L1667"]),
        (
            "a_patch_that_is_none_is_refused",
            &["RFC7644-3.5.2-L1805", "RFC7644-3.5.2-L1808", "RFC7644-3.5.2-L1810"],
        ),
        (
            "an_operation_does_what_the_standard_says",
            &[
                "RFC7644-3.5-L1609",
                "RFC7644-3.5.2-L1939",
                "RFC7644-3.5.2.1-L1988",
                "RFC7644-3.5.2.2-L2146",
                "RFC7644-3.5.2.2-L2151",
                "RFC7644-3.5.2.3-L2376",
                "RFC7644-3.5.2.3-L2387",
            ],
        ),
        (
            "an_operation_that_may_not_be_is_refused_with_its_reason",
            &[
                "RFC7644-3.5.2-L1886",
                "RFC7644-3.5.2-L1888",
                "RFC7644-3.5.2.1-L1972",
                "RFC7644-3.5.2.2-L2167",
                "RFC7644-3.5.2.3-L2396",
                "RFC7644-3.5.1-L1660",
            ],
        ),
        ("a_value_that_becomes_primary_demotes_the_one_that_was", &["RFC7644-3.5.2-L1927"]),
        ("a_patch_happens_whole_or_not_at_all", &["RFC7644-3.5.2-L1931", "RFC7644-3.5.2-L1933"]),
        ("adding_what_is_there_changes_no_timestamp", &["RFC7644-3.5.2.1-L2004"]),
        (
            "what_is_deleted_is_nowhere",
            &["RFC7644-3.6-L2642", "RFC7644-3.6-L2644", "RFC7644-3.6-L2657"],
        ),
        (
            "a_bulk_does_all_of_it_and_says_what_became_of_each",
            &[
                "RFC7644-3.7-L2775",
                "RFC7644-3.7-L2779",
                "RFC7644-3.7-L2789",
                "RFC7644-3.7.3-L3201",
                "RFC7644-3.7.3-L3206",
            ],
        ),
        ("a_bulk_stops_after_as_many_failures_as_it_says", &["RFC7644-3.7-L2779"]),
        ("a_bulk_does_what_its_operations_do_one_by_one", &["RFC7644-3.7-L2796"]),
        ("a_bulk_may_name_what_it_creates_even_in_a_circle", &["RFC7644-3.7.1-L2814"]),
        ("a_bulk_has_the_bounds_that_it_declares", &["RFC7644-3.7.4-L3495", "RFC7644-3.7.4-L3499"]),
        (
            "what_is_sent_and_answered_is_utf_8_in_either_media_type",
            &["RFC7644-3.8-L3537", "RFC7644-3.8-L3551"],
        ),
        (
            "what_is_discovered_is_answered_whole",
            &["RFC7644-4-L4068", "RFC7644-4-L4098", "RFC7644-4-L4125"],
        ),
        ("user_names_that_differ_in_case_alone_are_one", &["RFC7644-5-L4214"]),
    ],
    not_ours: &[
        (
            "RFC7642-4-L944",
            "not ours, because TLS ends at the proxy before the service; docs/ says how",
        ),
        (
            "RFC7644-7.2-L4348",
            "not ours, because TLS ends at the proxy before the service; docs/ says how",
        ),
        (
            "RFC7644-7.2-L4350",
            "not ours, because TLS ends at the proxy before the service; docs/ says how",
        ),
    ],
};

#[test]
fn every_requirement_is_held_or_explained() {
    COVERAGE.check(&["RFC7642", "RFC7644"]);
}
