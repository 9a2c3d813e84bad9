//! The schemas that are published, and the attributes that are in none.

use crate::scim::schema::{Attribute, ENTERPRISE_USER, GROUP, Kind, Schema, USER};

const VALUE: Attribute = Attribute::text("value");
const DISPLAY: Attribute = Attribute::text("display");
const TYPE: Attribute = Attribute::text("type");
const PRIMARY: Attribute = Attribute::of("primary", Kind::Boolean);
/// Common to all resources by the RFC, and declared all the same: Microsoft's validation looks up
/// in the schemas whatever a directory maps.
const EXTERNAL_ID: Attribute = Attribute::text("externalId").exact();
const REF: Attribute = Attribute::of("$ref", Kind::Reference).exact();

/// The attributes of every resource, and the password, which is taken and thrown away: what is
/// never kept is not declared.
pub(super) const COMMON: &[Attribute] = &[
    Attribute::of("schemas", Kind::Reference).exact().read_only(),
    Attribute::text("id").exact().read_only(),
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
    Attribute::text("password").write_only(),
];

/// The core schema of users (RFC 7643 §4.1). What a directory must send is `required` here.
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
        EXTERNAL_ID,
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
            &[VALUE.required(), DISPLAY, TYPE.commonly(&["work", "home", "other"]), PRIMARY],
        )
        .required(),
        Attribute::list(
            "phoneNumbers",
            &[
                VALUE,
                DISPLAY,
                TYPE.commonly(&["work", "home", "mobile", "fax", "pager", "other"]),
                PRIMARY,
            ],
        ),
        Attribute::list("ims", &[VALUE, DISPLAY, TYPE, PRIMARY]),
        Attribute::list(
            "photos",
            &[
                Attribute::of("value", Kind::Reference).exact(),
                DISPLAY,
                TYPE.commonly(&["photo", "thumbnail"]),
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
                TYPE.commonly(&["work", "home", "other"]),
                PRIMARY,
            ],
        ),
        Attribute::list("entitlements", &[VALUE, DISPLAY, TYPE, PRIMARY]),
        Attribute::list("roles", &[VALUE, DISPLAY, TYPE, PRIMARY]),
        Attribute::list(
            "x509Certificates",
            &[Attribute::of("value", Kind::Binary).exact(), DISPLAY, TYPE, PRIMARY],
        ),
        Attribute::list(
            "groups",
            &[
                VALUE.exact().read_only(),
                REF.to(&["Group"]).read_only(),
                DISPLAY.read_only(),
                TYPE.commonly(&["direct", "indirect"]).read_only(),
            ],
        )
        .read_only(),
    ],
};

/// The core schema of groups (RFC 7643 §4.2).
pub static GROUP_SCHEMA: Schema = Schema {
    id: GROUP,
    name: "Group",
    description: "Group",
    attributes: &[
        Attribute::text("displayName").required(),
        EXTERNAL_ID,
        Attribute::list(
            "members",
            &[
                VALUE.exact().immutable(),
                REF.to(&["User", "Group"]).immutable(),
                DISPLAY.read_only().on_request(),
                TYPE.commonly(&["User", "Group"]).immutable(),
            ],
        ),
    ],
};

/// The enterprise extension (RFC 7643 §4.3).
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
        Attribute::complex(
            "manager",
            &[VALUE.exact(), REF.to(&["User"]), Attribute::text("displayName")],
        ),
    ],
};
