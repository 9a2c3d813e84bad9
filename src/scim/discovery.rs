//! What the service says it can do (RFC 7644 §4, RFC 7643 §5 to §7).

use serde_json::{Map, Value, json};

use crate::scim::{
    list_response::{ListResponse, MAX_COUNT},
    schema::{Attribute, ENTERPRISE_USER, Kind, Mutability, SCHEMAS, Schema, USER},
};

/// `/ServiceProviderConfig`, under the base URL of a connector.
pub fn service_provider_config(base_url: &str) -> Value {
    let unsupported = json!({ "supported": false });
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": MAX_COUNT },
        "changePassword": unsupported,
        "sort": unsupported,
        "etag": { "supported": true },
        "authenticationSchemes": [
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
        ],
        "meta": meta("ServiceProviderConfig", base_url, "ServiceProviderConfig"),
    })
}

/// `/ResourceTypes`.
pub fn resource_types(base_url: &str) -> ListResponse {
    ListResponse::new(1, 1, vec![members(user_type(base_url))])
}

/// `/ResourceTypes/{name}`.
pub fn resource_type(base_url: &str, name: &str) -> Option<Value> {
    (name == "User").then(|| user_type(base_url))
}

/// `/Schemas`.
pub fn schemas(base_url: &str) -> ListResponse {
    let schemas: Vec<_> =
        SCHEMAS.iter().map(|schema| members(schema_value(schema, base_url))).collect();
    ListResponse::new(schemas.len() as u64, 1, schemas)
}

/// `/Schemas/{urn}`.
pub fn schema(base_url: &str, urn: &str) -> Option<Value> {
    let found = SCHEMAS.iter().find(|schema| schema.id.eq_ignore_ascii_case(urn));
    found.map(|schema| schema_value(schema, base_url))
}

fn user_type(base_url: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": "User",
        "name": "User",
        "description": "User Account",
        "endpoint": "/Users",
        "schema": USER,
        "schemaExtensions": [{ "schema": ENTERPRISE_USER, "required": false }],
        "meta": meta("ResourceType", base_url, "ResourceTypes/User"),
    })
}

fn schema_value(schema: &Schema, base_url: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes.iter().map(attribute_value).collect::<Value>(),
        "meta": meta("Schema", base_url, &format!("Schemas/{}", schema.id)),
    })
}

fn attribute_value(attribute: &Attribute) -> Value {
    let mut described = json!({
        "name": attribute.name,
        "type": attribute.kind.as_str(),
        "multiValued": attribute.multi_valued,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": match attribute.mutability {
            Mutability::ReadOnly => "readOnly",
            Mutability::ReadWrite => "readWrite",
            Mutability::WriteOnly => "writeOnly",
        },
        "returned": "default",
        "uniqueness": if attribute.unique { "server" } else { "none" },
    });
    if !attribute.sub_attributes.is_empty() {
        described["subAttributes"] = attribute.sub_attributes.iter().map(attribute_value).collect();
    }
    if !attribute.canonical_values.is_empty() {
        described["canonicalValues"] = attribute.canonical_values.iter().copied().collect();
    }
    if attribute.kind == Kind::Reference {
        described["referenceTypes"] = json!([reference_type(attribute)]);
    }
    described
}

/// What a reference leads to: `$ref` to a user, others outside.
fn reference_type(attribute: &Attribute) -> &'static str {
    if attribute.name == "$ref" { "User" } else { "external" }
}

fn meta(resource_type: &str, base_url: &str, path: &str) -> Value {
    json!({ "resourceType": resource_type, "location": format!("{base_url}/{path}") })
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

    #[test]
    fn the_config_claims_only_what_is_there() {
        let config = service_provider_config(BASE);

        let supported = |feature: &str| config[feature]["supported"] == true;
        assert!(["patch", "filter", "etag"].into_iter().all(supported));
        assert!(!["bulk", "sort", "changePassword"].into_iter().any(supported));
    }

    #[test]
    fn the_schemas_of_a_resource_type_are_published() {
        let user = resource_type(BASE, "User").unwrap();

        let extension = user["schemaExtensions"][0]["schema"].as_str().unwrap();
        for urn in [user["schema"].as_str().unwrap(), extension] {
            assert_eq!(schema(BASE, urn).unwrap()["id"], urn);
        }
        assert_eq!(resource_type(BASE, "Group"), None);
    }

    #[test]
    fn published_schemas_name_what_is_required_and_have_no_nulls() {
        let published = serde_json::to_value(schemas(BASE)).unwrap();

        let user = &published["Resources"][0]["attributes"];
        let required = user.as_array().unwrap().iter().filter(|known| known["required"] == true);
        let required: Vec<_> = required.map(|known| known["name"].as_str().unwrap()).collect();
        assert_eq!(required, ["userName", "name", "emails"]);
        assert!(!published.to_string().contains("null"));
    }
}
