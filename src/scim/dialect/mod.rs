//! What a client really sends, turned into canonical SCIM.

mod members;
pub(in crate::scim) mod operation;
pub(in crate::scim) mod value;

use std::borrow::Cow;

use serde_json::Value;

use crate::scim::{
    attribute_path::after_prefix,
    schema::{self, Attribute, Kind},
};

/// How far a client's habits are met. Each field is one observed habit; `false` is the RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "habits are independent of each other")]
pub struct Profile {
    /// What it is called in a connector's settings.
    pub name: &'static str,
    /// `"True"` and `"false"` are booleans where the schema wants one.
    pub string_booleans: bool,
    /// Where the schema wants another shape: a list of one is its value, a single value a list of
    /// one, plain text the `value` of a complex attribute, a number its digits and the reverse,
    /// JSON in a text the value of an operation without a path, the `$ref` of a member its
    /// `value`.
    pub loose_shapes: bool,
    /// A role whose value is a JSON document stands for that document's members.
    pub role_documents: bool,
    /// A filter's text needs no quotation marks.
    pub unquoted_filter_values: bool,
    /// `""` means "no value".
    pub empty_text_is_absent: bool,
    /// Replacing `emails[type eq "work"].value` where there is none adds it; removing what is
    /// not there is no error.
    pub tolerates_missing_targets: bool,
    /// Read-only attributes in a value are passed over. As the path they are refused all the same.
    pub ignores_read_only: bool,
    /// `remove` with a list as its value removes what is listed, not everything.
    pub removes_listed_values: bool,
    /// Replacing an extension leaves those of its attributes that are not given.
    pub merges_extensions: bool,
    /// Attributes outside every known schema are kept and can be searched for.
    pub unknown_attributes: bool,
    /// `schemas` may be missing or wrong: `OneLogin` may send `urn:scim:schemas:core:1.0`.
    pub ignores_schemas: bool,
    /// `attributes` and `excludedAttributes` may stand together; the second takes from the first.
    pub joins_projections: bool,
    /// Creating whom an inactive account matches makes that account active again: Okta never
    /// deletes anybody, and takes people back by a new POST with their old `externalId`. Others
    /// are answered 409 and look the account up.
    pub reactivates: bool,
    /// Misspelled URNs and what they mean.
    pub urn_aliases: &'static [(&'static str, &'static str)],
    /// Attributes of the enterprise extension that are sent without its URN.
    pub bare_enterprise_attributes: &'static [&'static str],
}

/// Entra ID with either setting of `aadOptscim062020`.
pub const ENTRA: Profile = Profile { name: "entra", ..LENIENT };

/// RFC 7643 and RFC 7644 to the letter.
pub const STRICT: Profile = Profile {
    name: "strict",
    string_booleans: false,
    loose_shapes: false,
    role_documents: false,
    unquoted_filter_values: false,
    empty_text_is_absent: false,
    tolerates_missing_targets: false,
    ignores_read_only: false,
    removes_listed_values: false,
    merges_extensions: false,
    unknown_attributes: false,
    ignores_schemas: false,
    joins_projections: false,
    reactivates: false,
    urn_aliases: &[],
    bare_enterprise_attributes: &[],
};

/// Every habit of every client known so far that needs no choice: no two of them contradict each
/// other, so a connector speaks with all of them, whichever it was set up for.
const LENIENT: Profile = Profile {
    name: "",
    string_booleans: true,
    loose_shapes: true,
    role_documents: true,
    unquoted_filter_values: true,
    empty_text_is_absent: true,
    tolerates_missing_targets: true,
    ignores_read_only: true,
    removes_listed_values: true,
    merges_extensions: true,
    unknown_attributes: true,
    ignores_schemas: true,
    joins_projections: true,
    reactivates: false,
    urn_aliases: &[(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        schema::ENTERPRISE_USER,
    )],
    bare_enterprise_attributes: &["manager"],
};

static PROFILES: [Profile; 8] = [
    ENTRA,
    Profile { name: "okta", reactivates: true, ..LENIENT },
    Profile { name: "onelogin", ..LENIENT },
    Profile { name: "jumpcloud", ..LENIENT },
    Profile { name: "ping", ..LENIENT },
    Profile { name: "google", ..LENIENT },
    Profile { name: "rippling", ..LENIENT },
    STRICT,
];

impl Profile {
    /// The names of all profiles; the first is that of a connector that was told nothing.
    pub const NAMES: [&'static str; 8] =
        ["entra", "okta", "onelogin", "jumpcloud", "ping", "google", "rippling", "strict"];

    /// The profile of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// The name with its URN spelled right.
    pub(super) fn canonical_urn<'t>(&self, name: &'t str) -> Cow<'t, str> {
        let aliases = self.urn_aliases.iter();
        let mut renamed = aliases.filter_map(|(alias, urn)| {
            after_prefix(name, alias).map(|rest| Cow::Owned(format!("{urn}{rest}")))
        });
        renamed.next().unwrap_or(Cow::Borrowed(name))
    }

    /// The extension that an attribute without a URN belongs to.
    pub(super) fn extension_of(&self, attribute: &str) -> Option<&'static str> {
        let mut bare = self.bare_enterprise_attributes.iter();
        bare.any(|name| name.eq_ignore_ascii_case(attribute)).then_some(schema::ENTERPRISE_USER)
    }

    /// A filter's value in the type of the attribute that it is compared with.
    pub(super) fn literal(&self, definition: Option<&Attribute>, literal: Value) -> Value {
        match (definition.map(|known| known.kind), &literal) {
            (Some(Kind::Boolean), Value::String(text)) if self.string_booleans => {
                value::boolean(text).map_or(literal, Value::Bool)
            }
            (Some(kind), Value::String(text)) if kind.is_number() && self.loose_shapes => {
                value::number(text).unwrap_or(literal)
            }
            (Some(kind), Value::Number(_) | Value::Bool(_))
                if kind.is_text() && self.loose_shapes =>
            {
                literal.to_string().into()
            }
            _ => literal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_found_by_its_name_and_nothing_else_is() {
        let found = Profile::NAMES.map(|name| Profile::named(name).unwrap().name);

        assert_eq!(found, Profile::NAMES);
        assert_eq!(PROFILES.len(), Profile::NAMES.len());
        assert_eq!((Profile::named("Entra"), Profile::named("")), (None, None));
        assert_eq!(Profile::named(Profile::NAMES[0]), Some(&ENTRA));
    }

    #[test]
    fn all_but_the_strict_profile_meet_every_habit() {
        for name in Profile::NAMES.into_iter().filter(|&name| name != "strict") {
            let profile = Profile::named(name).unwrap();

            let reactivates = name == "okta";
            assert_eq!(*profile, Profile { name, reactivates, ..ENTRA });
        }
    }
}
