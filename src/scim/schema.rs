//! The attributes that Portico knows by name (RFC 7643 §3.1, §4.1, §4.3).

/// The URN of the core schema of users.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

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
    /// The members of a complex value.
    pub sub_attributes: &'static [Attribute],
    /// Values that clients commonly use.
    pub canonical_values: &'static [&'static str],
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
    /// Base64 text.
    Binary,
    /// A URI, as text.
    Reference,
    /// Sub-attributes.
    Complex,
}

impl Kind {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }

    /// Whether a value is a JSON string.
    pub const fn is_text(self) -> bool {
        !matches!(self, Self::Boolean | Self::Complex)
    }
}

/// Who may write an attribute (RFC 7643 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// The service only.
    ReadOnly,
    /// The client too.
    ReadWrite,
    /// The client, and nobody reads it.
    WriteOnly,
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
            sub_attributes: &[],
            canonical_values: &[],
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

    const fn types(canonical_values: &'static [&'static str]) -> Self {
        Self { canonical_values, ..Self::text("type") }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn unique(self) -> Self {
        Self { unique: true, ..self }
    }

    const fn exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    const fn read_only(self) -> Self {
        Self { mutability: Mutability::ReadOnly, ..self }
    }

    /// The sub-attribute of that name.
    pub fn sub_attribute(&self, name: &str) -> Option<&'static Attribute> {
        named(self.sub_attributes, name)
    }
}

const VALUE: Attribute = Attribute::text("value");
const DISPLAY: Attribute = Attribute::text("display");
const PRIMARY: Attribute = Attribute::of("primary", Kind::Boolean);
const REF: Attribute = Attribute::of("$ref", Kind::Reference).exact();

/// The attributes of every resource, and those of users that a client cannot set: in no schema.
const COMMON: &[Attribute] = &[
    Attribute::of("schemas", Kind::Reference).exact().read_only(),
    Attribute::text("id").exact().read_only(),
    Attribute::text("externalId").exact(),
    Attribute::complex(
        "meta",
        &[
            Attribute::text("resourceType").exact(),
            Attribute::of("created", Kind::DateTime),
            Attribute::of("lastModified", Kind::DateTime),
            Attribute::of("location", Kind::Reference).exact(),
            Attribute::text("version").exact(),
        ],
    )
    .read_only(),
    Attribute::list("groups", &[VALUE.exact(), REF, DISPLAY, Attribute::text("type")]).read_only(),
    Attribute { mutability: Mutability::WriteOnly, ..Attribute::text("password") },
];

/// The core schema of users. What a directory must send is `required` here.
pub static USER_SCHEMA: Schema = Schema {
    id: USER,
    name: "User",
    description: "User Account",
    attributes: &[
        Attribute::text("userName").required().unique(),
        Attribute::complex(
            "name",
            &[
                Attribute::text("formatted"),
                Attribute::text("familyName").required(),
                Attribute::text("givenName").required(),
                Attribute::text("middleName"),
                Attribute::text("honorificPrefix"),
                Attribute::text("honorificSuffix"),
            ],
        )
        .required(),
        Attribute::text("displayName"),
        Attribute::text("nickName"),
        Attribute::of("profileUrl", Kind::Reference).exact(),
        Attribute::text("title"),
        Attribute::text("userType"),
        Attribute::text("preferredLanguage"),
        Attribute::text("locale"),
        Attribute::text("timezone"),
        Attribute::of("active", Kind::Boolean),
        Attribute::list(
            "emails",
            &[VALUE, DISPLAY, Attribute::types(&["work", "home", "other"]), PRIMARY],
        )
        .required(),
        Attribute::list(
            "phoneNumbers",
            &[
                VALUE,
                DISPLAY,
                Attribute::types(&["work", "home", "mobile", "fax", "pager", "other"]),
                PRIMARY,
            ],
        ),
        Attribute::list("ims", &[VALUE, DISPLAY, Attribute::text("type"), PRIMARY]),
        Attribute::list(
            "photos",
            &[
                Attribute::of("value", Kind::Reference).exact(),
                DISPLAY,
                Attribute::types(&["photo", "thumbnail"]),
                PRIMARY,
            ],
        ),
        Attribute::list(
            "addresses",
            &[
                Attribute::text("formatted"),
                Attribute::text("streetAddress"),
                Attribute::text("locality"),
                Attribute::text("region"),
                Attribute::text("postalCode"),
                Attribute::text("country"),
                Attribute::types(&["work", "home", "other"]),
                PRIMARY,
            ],
        ),
        Attribute::list("entitlements", &[VALUE, DISPLAY, Attribute::text("type"), PRIMARY]),
        Attribute::list("roles", &[VALUE, DISPLAY, Attribute::text("type"), PRIMARY]),
        Attribute::list(
            "x509Certificates",
            &[
                Attribute::of("value", Kind::Binary).exact(),
                DISPLAY,
                Attribute::text("type"),
                PRIMARY,
            ],
        ),
    ],
};

/// The enterprise extension.
pub static ENTERPRISE_USER_SCHEMA: Schema = Schema {
    id: ENTERPRISE_USER,
    name: "EnterpriseUser",
    description: "Enterprise User",
    attributes: &[
        Attribute::text("employeeNumber"),
        Attribute::text("costCenter"),
        Attribute::text("organization"),
        Attribute::text("division"),
        Attribute::text("department"),
        Attribute::complex("manager", &[VALUE.exact(), REF, Attribute::text("displayName")]),
    ],
};

/// The schemas that are published.
pub static SCHEMAS: [&Schema; 2] = [&USER_SCHEMA, &ENTERPRISE_USER_SCHEMA];

/// The attribute of that name, in the core (`schema` is `None`) or under an extension's URN.
pub fn find(schema: Option<&str>, name: &str) -> Option<&'static Attribute> {
    match schema {
        None => named(COMMON, name).or_else(|| named(USER_SCHEMA.attributes, name)),
        Some(urn) if urn.eq_ignore_ascii_case(ENTERPRISE_USER) => {
            named(ENTERPRISE_USER_SCHEMA.attributes, name)
        }
        Some(_) => None,
    }
}

fn named(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
