//! What the service says it can do (RFC 7644 §4, RFC 7643 §5 to §7, RFC 9865 §2.3).

use serde_json::{Map, Value, json};

use crate::scim::{
    custom::{CustomAttribute, CustomAttributes},
    list_response::{DEFAULT_COUNT, ListResponse, MAX_COUNT},
    schema::{
        Attribute, ENTERPRISE_USER, ENTERPRISE_USER_SCHEMA, GROUP_SCHEMA, Kind, ResourceType,
        Schema, USER_SCHEMA,
    },
    validation::Requirements,
};

/// A bulk request has at most so many operations.
pub const MAX_BULK_OPERATIONS: usize = 1000;

/// A bulk request has at most so many bytes.
pub const MAX_BULK_SIZE: usize = 1024 * 1024;

/// A cursor can be used for so many seconds.
pub const CURSOR_TIMEOUT: u64 = 3600;

/// `/ServiceProviderConfig`, under the base URL of a connector.
pub fn service_provider_config(base_url: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": {
            "supported": true,
            "maxOperations": MAX_BULK_OPERATIONS,
            "maxPayloadSize": MAX_BULK_SIZE,
        },
        "filter": { "supported": true, "maxResults": MAX_COUNT },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_COUNT,
            "maxPageSize": MAX_COUNT,
            "cursorTimeout": CURSOR_TIMEOUT,
        },
        "authenticationSchemes": authentication_schemes(),
        "meta": meta("ServiceProviderConfig", base_url, "ServiceProviderConfig"),
    })
}

fn authentication_schemes() -> Value {
    json!([
        {
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "The connector's SCIM password as a bearer token",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        },
        {
            "type": "httpbasic",
            "name": "HTTP Basic",
            "description": "The connector's SCIM user name and password",
            "specUri": "https://www.rfc-editor.org/info/rfc7617",
            "primary": false,
        },
        {
            "type": "oauth2",
            "name": "OAuth 2.0 client credentials",
            "description": "An access token from the token endpoint, for the connector's client",
            "specUri": "https://www.rfc-editor.org/info/rfc6749",
            "primary": false,
        },
    ])
}

/// `/ResourceTypes`.
pub fn resource_types(
    base_url: &str,
    custom: &CustomAttributes,
    requirements: &Requirements,
) -> ListResponse {
    let types = ResourceType::ALL.map(|kind| type_value(kind, base_url, custom, *requirements));
    list(types.into())
}

/// `/ResourceTypes/{name}`.
pub fn resource_type(
    base_url: &str,
    name: &str,
    custom: &CustomAttributes,
    requirements: &Requirements,
) -> Option<Value> {
    let found = ResourceType::ALL.into_iter().find(|kind| kind.name() == name)?;
    Some(type_value(found, base_url, custom, *requirements))
}

/// `/Schemas`: the published schemas, and the connector's own extensions.
pub fn schemas(
    base_url: &str,
    custom: &CustomAttributes,
    requirements: &Requirements,
) -> ListResponse {
    let published = [&USER_SCHEMA, &GROUP_SCHEMA, &ENTERPRISE_USER_SCHEMA];
    let published = published.into_iter().map(|schema| published_value(schema, *requirements));
    let own = extensions(custom).into_iter().map(|(urn, attributes)| own_value(urn, &attributes));
    list(published.chain(own).map(|schema| at_home(schema, base_url)).collect())
}

/// `/Schemas/{urn}`.
pub fn schema(
    base_url: &str,
    urn: &str,
    custom: &CustomAttributes,
    requirements: &Requirements,
) -> Option<Value> {
    let published = [&USER_SCHEMA, &GROUP_SCHEMA, &ENTERPRISE_USER_SCHEMA];
    let published = published.into_iter().find(|schema| schema.id.eq_ignore_ascii_case(urn));
    let own = || {
        let mut own = extensions(custom).into_iter();
        own.find(|(own, _)| own.eq_ignore_ascii_case(urn))
    };
    let described = match published {
        Some(schema) => published_value(schema, *requirements),
        None => own().map(|(urn, attributes)| own_value(urn, &attributes))?,
    };
    Some(at_home(described, base_url))
}

/// The connector's own extensions: each URN with its attributes.
///
/// A complex attribute is left out: nobody has said what its sub-attributes are, and a schema
/// that did not name them would be wrong.
fn extensions(custom: &CustomAttributes) -> Vec<(&str, Vec<&CustomAttribute>)> {
    let mut extensions: Vec<(&str, Vec<&CustomAttribute>)> = Vec::new();
    for attribute in custom.iter().filter(|attribute| attribute.kind != Kind::Complex) {
        match extensions.last_mut() {
            Some((urn, attributes)) if urn.eq_ignore_ascii_case(&attribute.schema) => {
                attributes.push(attribute);
            }
            _ => extensions.push((&attribute.schema, vec![attribute])),
        }
    }
    extensions
}

fn type_value(
    kind: ResourceType,
    base_url: &str,
    custom: &CustomAttributes,
    requirements: Requirements,
) -> Value {
    let mut described = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": kind.name(),
        "name": kind.name(),
        "description": kind.schema().description,
        "endpoint": kind.endpoint(),
        "schema": kind.schema().id,
        "meta": meta("ResourceType", base_url, &format!("ResourceTypes/{}", kind.name())),
    });
    if kind == ResourceType::User {
        let enterprise = json!({ "schema": ENTERPRISE_USER, "required": requirements.department });
        let own = extensions(custom).into_iter();
        let own = own.map(|(urn, _)| json!({ "schema": urn, "required": false }));
        described["schemaExtensions"] = std::iter::once(enterprise).chain(own).collect();
    }
    described
}

fn published_value(schema: &Schema, requirements: Requirements) -> Value {
    let required = |known: &Attribute| {
        let department = schema.id == ENTERPRISE_USER && known.name == "department";
        known.required || (department && requirements.department)
    };
    let attributes = schema.attributes.iter().map(|known| {
        let mut described = attribute_value(known);
        described["required"] = required(known).into();
        described
    });
    json!({
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": attributes.collect::<Value>(),
    })
}

fn own_value(urn: &str, attributes: &[&CustomAttribute]) -> Value {
    json!({
        "id": urn,
        "name": urn.rsplit(':').find(|part| part.contains(char::is_alphabetic)).unwrap_or(urn),
        "description": "Attributes that this connector's directory sends",
        "attributes": attributes.iter().map(|known| custom_value(known)).collect::<Value>(),
    })
}

/// A schema with what every resource has.
fn at_home(mut schema: Value, base_url: &str) -> Value {
    let path = format!("Schemas/{}", schema["id"].as_str().unwrap_or_default());
    schema["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:Schema"]);
    schema["meta"] = meta("Schema", base_url, &path);
    schema
}

fn attribute_value(attribute: &Attribute) -> Value {
    let mut described = json!({
        "name": attribute.name,
        "type": attribute.kind.as_str(),
        "multiValued": attribute.multi_valued,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability.as_str(),
        "returned": if attribute.on_request { "request" } else { "default" },
        "uniqueness": if attribute.unique { "server" } else { "none" },
    });
    if !attribute.sub_attributes.is_empty() {
        described["subAttributes"] = attribute.sub_attributes.iter().map(attribute_value).collect();
    }
    if !attribute.canonical_values.is_empty() {
        described["canonicalValues"] = attribute.canonical_values.iter().copied().collect();
    }
    if attribute.kind == Kind::Reference {
        described["referenceTypes"] = attribute.reference_types.iter().copied().collect();
    }
    described
}

fn custom_value(attribute: &CustomAttribute) -> Value {
    let mut described = json!({
        "name": attribute.name,
        "type": attribute.kind.as_str(),
        "multiValued": attribute.multi_valued,
        "required": false,
        "caseExact": false,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    });
    if attribute.kind == Kind::Reference {
        described["referenceTypes"] = json!(["external"]);
    }
    described
}

fn meta(resource_type: &str, base_url: &str, path: &str) -> Value {
    json!({ "resourceType": resource_type, "location": format!("{base_url}/{path}") })
}

fn list(resources: Vec<Value>) -> ListResponse {
    let resources: Vec<_> = resources.into_iter().map(members).collect();
    ListResponse::new(resources.len() as u64, 1, resources)
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => unreachable!("discovery documents are objects"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://portal.example/scim/v2/1";

    fn custom() -> CustomAttributes {
        let attribute = |urn, name, kind| CustomAttribute::declare(urn, name, kind, false).unwrap();
        let hired = attribute("urn:contoso:employee", "HireDate", Kind::DateTime);
        let level = attribute("URN:Contoso:Employee", "Level", Kind::Integer);
        let desk = attribute("urn:contoso:place", "Desk", Kind::Complex);
        let file = attribute("urn:contoso:2.0:User", "File", Kind::Reference);
        [hired, level, desk, file].into_iter().collect()
    }

    fn all() -> Vec<Value> {
        let listed = schemas(BASE, &custom(), &Requirements { department: true });
        let listed = serde_json::to_value(listed).unwrap();
        listed["Resources"].as_array().unwrap().clone()
    }

    /// The schema's attributes for which something holds, by name.
    fn names(schema: &Value, wanted: impl Fn(&Value) -> bool) -> Vec<&str> {
        let attributes = schema["attributes"].as_array().unwrap().iter();
        let wanted = attributes.filter(|known| wanted(known));
        wanted.map(|known| known["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn the_config_says_what_the_service_can_do() {
        let config = service_provider_config(BASE);

        let supported = |feature: &str| config[feature]["supported"] == true;
        assert!(["patch", "filter", "etag", "sort", "bulk"].into_iter().all(supported));
        assert!(!supported("changePassword"));
        assert_eq!(
            config["pagination"],
            json!({
                "cursor": true, "index": true, "defaultPaginationMethod": "index",
                "defaultPageSize": 100, "maxPageSize": 200, "cursorTimeout": 3600,
            })
        );
        let schemes = config["authenticationSchemes"].as_array().unwrap();
        let primary = schemes.iter().filter(|scheme| scheme["primary"] == true);
        assert_eq!(primary.map(|scheme| &scheme["type"]).collect::<Vec<_>>(), ["oauthbearertoken"]);
    }

    #[test]
    fn the_schemas_of_every_resource_type_are_published() {
        let requirements = Requirements::default();
        for kind in ResourceType::ALL {
            let described = resource_type(BASE, kind.name(), &custom(), &requirements).unwrap();

            let extensions = described["schemaExtensions"].as_array().into_iter().flatten();
            let urns = extensions.map(|extension| &extension["schema"]);
            for urn in urns.chain([&described["schema"]]) {
                let found = schema(BASE, urn.as_str().unwrap(), &custom(), &requirements);
                assert_eq!(&found.unwrap()["id"], urn);
            }
        }
        assert_eq!(resource_type(BASE, "Device", &custom(), &requirements), None);
    }

    #[test]
    fn what_is_required_is_what_is_refused_without() {
        let (published, lax) = (all(), Requirements::default());
        let required = |schema: &Value| names(schema, |known| known["required"] == true).join(" ");

        let enterprise = schema(BASE, ENTERPRISE_USER, &custom(), &lax).unwrap();

        assert_eq!(required(&published[0]), "userName name emails");
        assert_eq!(required(&published[1]), "displayName");
        assert_eq!(
            (required(&published[2]), required(&enterprise)),
            ("department".into(), String::new())
        );
    }

    #[test]
    fn what_is_not_kept_is_not_declared() {
        let published = all();

        let mutability = |wanted: &'static str| move |known: &Value| known["mutability"] == wanted;
        assert_eq!(names(&published[0], mutability("readOnly")), ["groups"]);
        assert_eq!(names(&published[0], |known| known["name"] == "password"), [""; 0]);
        let members = &published[1]["attributes"][2]["subAttributes"];
        let members: Vec<_> =
            members.as_array().unwrap().iter().map(|m| &m["mutability"]).collect();
        assert_eq!(members, ["immutable", "immutable", "readOnly", "immutable"]);
    }

    #[test]
    fn every_type_of_a_value_has_its_common_values_and_nothing_is_null() {
        let published = all();

        let emails = &published[0]["attributes"].as_array().unwrap()[12];
        assert_eq!(emails["name"], "emails");
        assert_eq!(emails["subAttributes"][2]["canonicalValues"], json!(["work", "home", "other"]));
        assert!(!Value::from(published).to_string().contains("null"));
    }

    #[test]
    fn the_extensions_of_a_connector_are_published_by_urn() {
        let published = all();

        let own: Vec<_> = published[3..].iter().map(|schema| schema["id"].clone()).collect();
        assert_eq!(own, ["urn:contoso:2.0:User", "urn:contoso:employee"]);
        assert_eq!(names(&published[4], |_| true), ["HireDate", "Level"]);
        assert_eq!(published[4]["attributes"][1]["type"], "integer");
        assert_eq!(published[3]["attributes"][0]["referenceTypes"], json!(["external"]));
        assert_eq!(schema(BASE, "urn:contoso:place", &custom(), &Requirements::default()), None);
    }
}
