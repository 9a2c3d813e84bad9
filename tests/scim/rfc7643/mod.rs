//! What RFC 7643 requires of a service provider.

mod resources;
mod schemas;
mod values;

use crate::requirements::Coverage;

const COVERAGE: Coverage = Coverage {
    texts: &[include_str!("schemas.rs"), include_str!("values.rs"), include_str!("resources.rs")],
    tests: &[
        (
            "everything_that_is_answered_is_json_that_says_what_it_is",
            &["RFC7643-2.1-L366", "RFC7643-3-L709", "RFC7643-3-L713", "RFC7643-3.3-L976"],
        ),
        ("a_name_that_no_attribute_can_have_is_refused_wherever_it_stands", &["RFC7643-2.1-L369"]),
        (
            "what_is_published_keeps_to_the_types_and_shapes_of_the_standard",
            &[
                "RFC7643-1.1-L232",
                "RFC7643-2.1-L369",
                "RFC7643-2.3-L443",
                "RFC7643-2.3.8-L595",
                "RFC7643-2.4-L608",
            ],
        ),
        (
            "a_declared_attribute_takes_only_values_of_its_type",
            &["RFC7643-2.3.4-L521", "RFC7643-2.3.5-L527", "RFC7643-2.3.5-L531"],
        ),
        (
            "every_reference_leads_to_what_it_names",
            &[
                "RFC7643-2.3.7-L552",
                "RFC7643-2.3.7-L555",
                "RFC7643-2.3.7-L577",
                "RFC7643-2.3.7-L578",
                "RFC7643-3.1-L927",
            ],
        ),
        (
            "the_order_of_attributes_and_schemas_means_nothing",
            &["RFC7643-2.3.8-L592", "RFC7643-3-L714"],
        ),
        (
            "the_parts_of_a_value_mean_what_the_standard_says",
            &["RFC7643-2.4-L612", "RFC7643-4.1.2-L1351"],
        ),
        ("one_value_at_most_is_primary", &["RFC7643-2.4-L634"]),
        ("a_value_of_one_type_is_answered_once", &["RFC7643-2.4-L663"]),
        ("null_an_empty_list_and_nothing_are_the_same", &["RFC7643-2.5-L682"]),
        (
            "a_resource_declares_the_schemas_that_it_uses_and_no_others",
            &["RFC7643-3-L711", "RFC7643-3.3-L981"],
        ),
        (
            "every_resource_has_its_common_attributes",
            &["RFC7643-3.1-L852", "RFC7643-3.1-L855", "RFC7643-3.1-L866"],
        ),
        (
            "an_id_is_its_resources_alone_for_ever",
            &["RFC7643-3.1-L867", "RFC7643-3.1-L868", "RFC7643-3.1-L872", "RFC7643-3.1-L873"],
        ),
        ("an_external_id_is_the_clients_and_its_own", &["RFC7643-3.1-L890", "RFC7643-3.1-L891"]),
        ("what_a_client_says_of_meta_is_passed_over", &["RFC7643-3.1-L911"]),
        (
            "meta_tells_when_a_resource_was_made_and_changed",
            &["RFC7643-3.1-L920", "RFC7643-3.1-L925", "RFC7643-3.1-L940"],
        ),
        ("a_user_without_a_user_name_is_refused", &["RFC7643-4.1.1-L1035"]),
        (
            "a_password_is_neither_kept_nor_shown",
            &["RFC7643-4.1.1-L1186", "RFC7643-4.1.1-L1222", "RFC7643-7-L1769", "RFC7643-9.2-L5117"],
        ),
        (
            "a_persons_groups_change_through_the_groups_alone",
            &["RFC7643-4.1.2-L1354", "RFC7643-7-L1759"],
        ),
        (
            "resource_types_and_schemas_name_each_other",
            &[
                "RFC7643-6-L1619",
                "RFC7643-6-L1641",
                "RFC7643-6-L1650",
                "RFC7643-7-L1691",
                "RFC7643-7-L1700",
            ],
        ),
        ("a_required_extension_is_required", &["RFC7643-6-L1655"]),
        (
            "case_counts_where_the_schema_says_so_and_is_kept_everywhere",
            &["RFC7643-7-L1748", "RFC7643-7-L1750"],
        ),
        ("what_is_immutable_stays_as_it_was_made", &["RFC7643-7-L1766"]),
    ],
    not_ours: &[
        (
            "RFC7643-2.3.6-L537",
            "not ours, because whoever sends a binary value encodes it: what is sent comes back",
        ),
        (
            "RFC7643-2.4-L655",
            "not ours, because a canonical value is another than was sent, and clients compare",
        ),
        (
            "RFC7643-4.1.2-L1244",
            "not ours, because clients write addresses; Microsoft's validator writes any text",
        ),
        (
            "RFC7643-4.1.2-L1281",
            "not ours, because clients choose photos, and nothing here fetches one",
        ),
        (
            "RFC7643-4.1.2-L1322",
            "not ours, because Microsoft's validator sends a country's full name and wants it",
        ),
        (
            "RFC7643-4.1.2-L1378",
            "not ours, because clients send certificates, and nothing here reads one",
        ),
        (
            "RFC7643-4.1.2-L1379",
            "not ours, because clients send certificates, and nothing here reads one",
        ),
        (
            "RFC7643-5-L1581",
            "not ours, because a stranger learns nothing here; the 401 names the schemes",
        ),
    ],
};

#[test]
fn every_requirement_is_held_or_explained() {
    COVERAGE.check(&["RFC7643"]);
}
