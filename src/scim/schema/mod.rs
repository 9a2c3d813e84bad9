//! The attributes that Portico knows by name (RFC 7643 §3.1, §4).

mod published;

use published::COMMON;
pub use published::{ENTERPRISE_USER_SCHEMA, GROUP_SCHEMA, USER_SCHEMA};

/// The URN of the core schema of users.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The URN of the core schema of groups.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The URN of the enterprise extension.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A set of attributes under one URN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The URN.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// What it is about.
    pub description: &'static str,
    /// Its attributes.
    pub attributes: &'static [Attribute],
}

/// What is known of an attribute (RFC 7643 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the characteristics are the RFC's")]
pub struct Attribute {
    /// The name, in the spelling of the RFC; comparison ignores case.
    pub name: &'static str,
    /// The type of a value.
    pub kind: Kind,
    /// Whether it is a list.
    pub multi_valued: bool,
    /// Whether a resource without it is refused.
    pub required: bool,
    /// Whether comparison minds case.
    pub case_exact: bool,
    /// Who may write it.
    pub mutability: Mutability,
    /// Whether no two resources of an organization may share its value.
    pub unique: bool,
    /// Whether only an answer has it whose `attributes` were named.
    pub on_request: bool,
    /// The members of a complex value.
    pub sub_attributes: &'static [Attribute],
    /// Values that clients commonly use.
    pub canonical_values: &'static [&'static str],
    /// What a reference leads to.
    pub reference_types: &'static [&'static str],
}

/// The type of an attribute's value (RFC 7643 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A date with a time, as text.
    DateTime,
    /// A whole number.
    Integer,
    /// A number.
    Decimal,
    /// Base64 text.
    Binary,
    /// A URI, as text.
    Reference,
    /// Sub-attributes.
    Complex,
}

impl Kind {
    /// The kind of that name on the wire, in any case.
    pub fn named(name: &str) -> Option<Self> {
        let kinds = [
            Self::String,
            Self::Boolean,
            Self::DateTime,
            Self::Integer,
            Self::Decimal,
            Self::Binary,
            Self::Reference,
            Self::Complex,
        ];
        kinds.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::DateTime => "dateTime",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }

    /// Whether a value is a JSON string.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::String | Self::DateTime | Self::Binary | Self::Reference)
    }

    /// Whether a value is a JSON number.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal)
    }
}

/// Who may write an attribute (RFC 7643 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// The service only.
    ReadOnly,
    /// The client too.
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client, and nobody reads it.
    WriteOnly,
}

impl Mutability {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::ReadWrite => "readWrite",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }

    /// Whether what a client writes is kept.
    pub const fn is_for_clients(self) -> bool {
        matches!(self, Self::ReadWrite | Self::Immutable)
    }
}

impl Attribute {
    const fn of(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            multi_valued: false,
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            unique: false,
            on_request: false,
            sub_attributes: &[],
            canonical_values: &[],
            reference_types: &["external"],
        }
    }

    const fn text(name: &'static str) -> Self {
        Self::of(name, Kind::String)
    }

    const fn complex(name: &'static str, sub_attributes: &'static [Attribute]) -> Self {
        Self { sub_attributes, ..Self::of(name, Kind::Complex) }
    }

    const fn list(name: &'static str, sub_attributes: &'static [Attribute]) -> Self {
        Self { multi_valued: true, ..Self::complex(name, sub_attributes) }
    }

    const fn commonly(self, canonical_values: &'static [&'static str]) -> Self {
        Self { canonical_values, ..self }
    }

    const fn to(self, reference_types: &'static [&'static str]) -> Self {
        Self { reference_types, ..self }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn unique(self) -> Self {
        Self { unique: true, ..self }
    }

    const fn on_request(self) -> Self {
        Self { on_request: true, ..self }
    }

    const fn exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    const fn read_only(self) -> Self {
        Self { mutability: Mutability::ReadOnly, ..self }
    }

    const fn immutable(self) -> Self {
        Self { mutability: Mutability::Immutable, ..self }
    }

    const fn write_only(self) -> Self {
        Self { mutability: Mutability::WriteOnly, ..self }
    }

    /// The sub-attribute of that name.
    pub fn sub_attribute(&self, name: &str) -> Option<&'static Attribute> {
        named(self.sub_attributes, name)
    }
}

/// A kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceType {
    /// A person.
    User,
    /// Several people, or groups of them.
    Group,
}

impl ResourceType {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// The name, as in `meta.resourceType`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// Where such resources lie under the base URL.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }

    /// Its core schema.
    pub fn schema(self) -> &'static Schema {
        match self {
            Self::User => &USER_SCHEMA,
            Self::Group => &GROUP_SCHEMA,
        }
    }

    /// The attribute of that name in such a resource: in the core (`schema` is `None`) or under an
    /// extension's URN.
    pub fn find(self, schema: Option<&str>, name: &str) -> Option<&'static Attribute> {
        match (schema, self) {
            (None, _) => named(COMMON, name).or_else(|| named(self.schema().attributes, name)),
            (Some(urn), Self::User) if urn.eq_ignore_ascii_case(ENTERPRISE_USER) => {
                named(ENTERPRISE_USER_SCHEMA.attributes, name)
            }
            _ => None,
        }
    }
}

/// Whether the URN is that of a published schema.
pub fn is_published(urn: &str) -> bool {
    [USER, GROUP, ENTERPRISE_USER].iter().any(|known| known.eq_ignore_ascii_case(urn))
}

/// The attribute of that name in any kind of resource, users first.
///
/// What both have in common compares alike, so a path or a filter can be read before it is known
/// which resources it is about.
pub fn find(schema: Option<&str>, name: &str) -> Option<&'static Attribute> {
    ResourceType::ALL.into_iter().find_map(|kind| kind.find(schema, name))
}

fn named(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
