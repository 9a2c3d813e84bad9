//! The discovery documents of both versions, with what Entra leaves out left out.

use serde_json::{Value, json};

use super::fault::Members;

/// The version of Entra's endpoints; the ID Token's follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

impl Version {
    /// The version of the endpoint at `path`.
    pub(super) fn of(path: &str) -> Self {
        if path.contains("/v2.0/") { Self::V2 } else { Self::V1 }
    }

    /// The issuer of a tenant: exact, and of another form in each version.
    ///
    /// The first one's host is another with Entra (`sts.windows.net`); here `/sts` stands for it.
    pub(super) fn issuer(self, origin: &str, tenant: &str) -> String {
        match self {
            Self::V1 => format!("{origin}/sts/{tenant}/"),
            Self::V2 => format!("{origin}/{tenant}/v2.0"),
        }
    }

    /// The folder of a tenant's OAuth endpoints.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::V1 => "oauth2",
            Self::V2 => "oauth2/v2.0",
        }
    }
}

/// The document whose endpoints name `tenant` and whose issuer names `issuer_tenant`.
pub(super) fn document(
    version: Version,
    origin: &str,
    tenant: &str,
    issuer_tenant: &str,
) -> Members {
    let document = match version {
        Version::V1 => v1(origin, tenant),
        Version::V2 => v2(origin, tenant),
    };
    let Value::Object(mut document) = document else { unreachable!("both documents are objects") };
    document.insert("issuer".into(), json!(version.issuer(origin, issuer_tenant)));
    document
}

fn v2(origin: &str, tenant: &str) -> Value {
    json!({
        "token_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{origin}/{tenant}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": format!("{origin}/oidc/userinfo"),
        "authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/authorize"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/logout"),
        "claims_supported": ["sub", "iss", "cloud_instance_name", "cloud_instance_host_name",
            "cloud_graph_host_name", "msgraph_host", "aud", "exp", "iat", "auth_time", "acr",
            "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })
}

fn v1(origin: &str, tenant: &str) -> Value {
    json!({
        "token_endpoint": format!("{origin}/{tenant}/oauth2/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{origin}/common/discovery/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
        "scopes_supported": ["openid"],
        "microsoft_multi_refresh_token": true,
        "authorization_endpoint": format!("{origin}/{tenant}/oauth2/authorize"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{origin}/{tenant}/oauth2/logout"),
        "claims_supported": ["sub", "iss", "cloud_instance_name", "cloud_instance_host_name",
            "cloud_graph_host_name", "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "amr",
            "nonce", "email", "given_name", "family_name", "nickname"],
        "userinfo_endpoint": format!("{origin}/{tenant}/openid/userinfo"),
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_entra_does_not_announce_is_not_announced() {
        let document = document(Version::V2, "http://127.0.0.1:1", "t", "t");

        let absent = [
            "code_challenge_methods_supported",
            "authorization_response_iss_parameter_supported",
            "backchannel_logout_supported",
            "frontchannel_logout_session_supported",
            "pushed_authorization_request_endpoint",
            "registration_endpoint",
            "revocation_endpoint",
            "introspection_endpoint",
        ];
        for name in absent {
            assert_eq!(document.get(name), None, "{name}");
        }
    }

    #[test]
    fn the_two_versions_have_issuers_of_different_forms() {
        let issuer = |version| {
            document(version, "http://127.0.0.1:1", "common", "{tenantid}")["issuer"].clone()
        };

        assert_eq!(issuer(Version::V1), "http://127.0.0.1:1/sts/{tenantid}/");
        assert_eq!(issuer(Version::V2), "http://127.0.0.1:1/{tenantid}/v2.0");
    }
}
