use proptest::prelude::*;

use super::*;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const SIMULATED: &str = "127.0.0.1:8081";

fn trusted() -> TrustedHosts {
    TrustedHosts::with_configured([SIMULATED]).unwrap()
}

fn entra(pasted: &str) -> Result<Authority, AuthorityError> {
    Authority::parse(ConnectorKind::AzureAd, pasted, &trusted())
}

fn generic(pasted: &str) -> Result<Authority, AuthorityError> {
    Authority::parse(ConnectorKind::Oidc, pasted, &trusted())
}

/// A discovery document as Entra ID serves it, for the tenant at `origin`.
fn document(origin: &str, issuer: &str) -> serde_json::Value {
    serde_json::json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{origin}/{TENANT}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{origin}/{TENANT}/oauth2/v2.0/token"),
        "jwks_uri": format!("{origin}/{TENANT}/discovery/v2.0/keys"),
        "end_session_endpoint": format!("{origin}/{TENANT}/oauth2/v2.0/logout"),
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic", "something_new"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256", "ML-DSA-44"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "request_uri_parameter_supported": false,
        "http_logout_supported": true,
        "tenant_region_scope": null,
        "a_member_of_next_year": { "x": [1] },
    })
}

fn check(authority: &Authority, document: &serde_json::Value) -> Result<Provider, DiscoveryError> {
    authority.check(document.to_string().as_bytes())
}

#[test]
fn every_form_of_a_tenants_address_leads_to_its_v2_document() {
    let global = "https://login.microsoftonline.com";
    let accepted = [
        (format!("{global}/{TENANT}"), global),
        (format!("{global}/{TENANT}/"), global),
        (format!("  {global}/{TENANT}/v2.0\n"), global),
        (format!("{global}/{TENANT}/v2.0/"), global),
        (format!("HTTPS://Login.MicrosoftOnline.com/{TENANT}"), global),
        (format!("{global}/{TENANT}/v2.0/.well-known/openid-configuration"), global),
        (format!("{global}/{TENANT}/.well-known/openid-configuration"), global),
        (format!("{global}/{TENANT}/oauth2/v2.0/authorize"), global),
        (format!("{global}/{TENANT}/oauth2/v2.0/token"), global),
        (format!("{global}/{TENANT}/oauth2/authorize"), global),
        (format!("https://sts.windows.net/{TENANT}/"), global),
        (format!("https://login.windows.net/{TENANT}"), global),
        (format!("https://login.microsoft.com/{TENANT}/v2.0"), global),
        (format!("https://login.microsoftonline.us/{TENANT}"), "https://login.microsoftonline.us"),
        (
            format!("https://login.partner.microsoftonline.cn/{TENANT}"),
            "https://login.partner.microsoftonline.cn",
        ),
        (
            format!("https://sts.chinacloudapi.cn/{TENANT}/"),
            "https://login.partner.microsoftonline.cn",
        ),
        (format!("https://contoso.ciamlogin.com/{TENANT}"), "https://contoso.ciamlogin.com"),
        (format!("http://{SIMULATED}/{TENANT}/v2.0"), "http://127.0.0.1:8081"),
    ];

    for (pasted, origin) in accepted {
        let authority = entra(&pasted).unwrap_or_else(|error| panic!("{pasted}: {error}"));

        assert_eq!(
            authority.discovery_url().as_str(),
            format!("{origin}/{TENANT}/v2.0/.well-known/openid-configuration"),
            "{pasted}"
        );
    }
}

#[test]
fn a_guid_in_capitals_and_a_domain_are_tenants() {
    let capitals = "AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE";
    let pasted = [
        (capitals.to_owned(), capitals.to_ascii_lowercase()),
        ("Contoso.OnMicrosoft.com".into(), "contoso.onmicrosoft.com".into()),
    ];

    for (tenant, expected) in pasted {
        let authority = entra(&format!("https://login.microsoftonline.com/{tenant}")).unwrap();

        assert!(authority.discovery_url().path().starts_with(&format!("/{expected}/v2.0/")));
    }
}

#[test]
fn what_is_not_certainly_a_tenants_address_is_refused() {
    let global = "https://login.microsoftonline.com";
    let unknown = |host: &str| AuthorityError::UnknownHost(host.into());
    let shared = |tenant: &str| AuthorityError::SharedTenant(tenant.into());
    let no_tenant = || AuthorityError::NoTenant("login.microsoftonline.com".into());
    let elsewhere = || AuthorityError::Elsewhere { corrected: format!("{global}/{TENANT}") };
    let refused = [
        (String::new(), AuthorityError::Empty),
        (format!("{global}/{}", "a".repeat(500)), AuthorityError::TooLong),
        (TENANT.into(), AuthorityError::NotHttps),
        (format!("login.microsoftonline.com/{TENANT}"), AuthorityError::NotHttps),
        (format!("http://login.microsoftonline.com/{TENANT}"), AuthorityError::NotHttps),
        (format!("ftp://login.microsoftonline.com/{TENANT}"), AuthorityError::NotHttps),
        (format!("https:/login.microsoftonline.com/{TENANT}"), AuthorityError::NotHttps),
        (global.into(), no_tenant()),
        (format!("{global}/"), no_tenant()),
        (format!("{global}/common"), shared("common")),
        (format!("{global}/Common/v2.0"), shared("common")),
        (format!("{global}/organizations/v2.0"), shared("organizations")),
        (format!("{global}/consumers"), shared("consumers")),
        (format!("{global}/{PERSONAL_ACCOUNTS}"), shared(PERSONAL_ACCOUNTS)),
        (format!("{global}/contoso"), AuthorityError::MalformedTenant("contoso".into())),
        (
            format!("{global}/{}", TENANT.replace('-', "")),
            AuthorityError::MalformedTenant(TENANT.replace('-', "")),
        ),
        (format!("{global}/{{tenantid}}/v2.0"), AuthorityError::Character('{')),
        (format!("{global}/v2.0"), AuthorityError::MalformedTenant("v2.0".into())),
        (format!("{global}/.."), AuthorityError::MalformedTenant("..".into())),
        (format!("{global}/{TENANT}/saml2"), elsewhere()),
        (format!("{global}/{TENANT}/v2.0/../../common"), elsewhere()),
        (format!("{global}/{TENANT}/wsfed"), elsewhere()),
        (format!("{global}/{TENANT}?x=1"), AuthorityError::Superfluous("query (from ? on)")),
        (format!("{global}/{TENANT}#x"), AuthorityError::Superfluous("fragment (from # on)")),
        (format!("{global}:443/{TENANT}"), AuthorityError::Superfluous("port")),
        (
            format!("https://login.microsoftonline.com@evil.example/{TENANT}"),
            AuthorityError::Superfluous("user name"),
        ),
        (format!("https://evil.example\\@login.microsoftonline.com/{TENANT}"), character('\\')),
        (format!("https://login.micros\u{43e}ftonline.com/{TENANT}"), character('\u{43e}')),
        (format!("https://login.microsoftonline.com/\t{TENANT}"), character('\t')),
        (
            format!("https://evil-login.microsoftonline.com/{TENANT}"),
            unknown("evil-login.microsoftonline.com"),
        ),
        (
            format!("https://login.microsoftonline.com.evil.example/{TENANT}"),
            unknown("login.microsoftonline.com.evil.example"),
        ),
        (
            format!("https://login.microsoftonline.com./{TENANT}"),
            unknown("login.microsoftonline.com."),
        ),
        (
            format!("https://xn--lgin-tqa.microsoftonline.com/{TENANT}"),
            unknown("xn--lgin-tqa.microsoftonline.com"),
        ),
        (format!("https://a.b.ciamlogin.com/{TENANT}"), unknown("a.b.ciamlogin.com")),
        (format!("https://ciamlogin.com/{TENANT}"), unknown("ciamlogin.com")),
        (format!("https://xn--zz.ciamlogin.com/{TENANT}"), unknown("xn--zz.ciamlogin.com")),
        (format!("https://graph.microsoft.com/{TENANT}"), unknown("graph.microsoft.com")),
        (format!("https://127.0.0.1/{TENANT}"), unknown("127.0.0.1")),
        (format!("http://127.0.0.1:8082/{TENANT}"), AuthorityError::NotHttps),
        (format!("https://127.0.0.1:8082/{TENANT}"), AuthorityError::Superfluous("port")),
        (format!("https:///{TENANT}"), unknown("")),
    ];

    for (pasted, expected) in refused {
        assert_eq!(entra(&pasted), Err(expected), "{pasted}");
    }
}

fn character(odd: char) -> AuthorityError {
    AuthorityError::Character(odd)
}

#[test]
fn the_refusal_of_common_tells_what_to_paste_instead() {
    let error = entra("https://login.microsoftonline.com/common").unwrap_err();

    assert_eq!(
        error.to_string(),
        "use your own tenant ID, not 'common': it is called Directory (tenant) ID on the app \
         registration's Overview page"
    );
}

#[test]
fn a_generic_issuer_is_kept_as_pasted() {
    let accepted = [
        (
            "https://accounts.google.com",
            "https://accounts.google.com/.well-known/openid-configuration",
        ),
        ("https://idp.example/", "https://idp.example/.well-known/openid-configuration"),
        ("https://idp.example/a/B", "https://idp.example/a/B/.well-known/openid-configuration"),
        (
            "https://idp.example:8443/a/",
            "https://idp.example:8443/a/.well-known/openid-configuration",
        ),
        (
            "https://idp.example/a/.well-known/openid-configuration",
            "https://idp.example/a/.well-known/openid-configuration",
        ),
        ("http://127.0.0.1:8081/a", "http://127.0.0.1:8081/a/.well-known/openid-configuration"),
    ];

    for (pasted, expected) in accepted {
        let authority = generic(pasted).unwrap_or_else(|error| panic!("{pasted}: {error}"));

        assert_eq!(authority.discovery_url().as_str(), expected);
    }
}

#[test]
fn what_is_not_a_public_issuer_is_refused() {
    let refused = [
        "http://idp.example",
        "https://idp.example?x=1",
        "https://idp.example/#x",
        "https://user@idp.example",
        "https://IDP.example/a",
        "https://idp.example:443/a",
        "https://idp.example/a/../b",
        "https://id%70.example/",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://2130706433/a",
        "https://localhost/a",
        "http://127.0.0.1:8082/a",
        "https://",
    ];

    for pasted in refused {
        assert!(generic(pasted).is_err(), "{pasted}");
    }
}

#[test]
fn a_tenants_own_document_is_believed() {
    let authority = entra(&format!("https://login.microsoftonline.com/{TENANT}")).unwrap();
    let origin = "https://login.microsoftonline.com";

    let provider =
        check(&authority, &document(origin, &format!("{origin}/{TENANT}/v2.0"))).unwrap();

    assert_eq!(provider.issuer(), format!("{origin}/{TENANT}/v2.0"));
    assert_eq!(provider.tenant_id(), Some(TENANT));
    assert_eq!(provider.token_endpoint().path(), format!("/{TENANT}/oauth2/v2.0/token"));
    assert!(provider.end_session_endpoint().is_some());
    assert!(!provider.authorization_response_iss_parameter_supported());
    assert_eq!(provider.token_endpoint_auth_methods_supported().len(), 4);
}

#[test]
fn a_domain_learns_its_tenant_from_the_issuer() {
    let origin = "https://login.microsoftonline.com";
    let authority = entra(&format!("{origin}/contoso.onmicrosoft.com")).unwrap();
    let own = document(origin, &format!("{origin}/{TENANT}/v2.0"));
    let strangers = [
        "https://login.microsoftonline.us/11111111-2222-3333-4444-555555555555/v2.0",
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0",
        "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555",
        "https://sts.windows.net/11111111-2222-3333-4444-555555555555/",
        "https://login.microsoftonline.com/AAAAAAAA-2222-3333-4444-555555555555/v2.0",
    ];

    assert_eq!(check(&authority, &own).unwrap().tenant_id(), Some(TENANT));
    for issuer in strangers {
        let refused = check(&authority, &document(origin, issuer));

        assert!(matches!(refused, Err(DiscoveryError::Issuer { .. })), "{issuer}");
    }
}

#[test]
fn external_id_may_answer_under_the_tenants_own_host() {
    let authority = entra(&format!("https://contoso.ciamlogin.com/{TENANT}")).unwrap();
    let named = "https://contoso.ciamlogin.com".to_owned();
    let own = format!("https://{TENANT}.ciamlogin.com");
    let strange = "https://fabrikam.ciamlogin.com".to_owned();

    for origin in [&named, &own] {
        let document = document(origin, &format!("{own}/{TENANT}/v2.0"));

        assert!(check(&authority, &document).is_ok(), "{origin}");
    }
    assert!(check(&authority, &document(&strange, &format!("{own}/{TENANT}/v2.0"))).is_err());
    assert!(check(&authority, &document(&own, &format!("{strange}/{TENANT}/v2.0"))).is_err());
}

#[test]
fn a_forged_discovery_document_is_refused() {
    use serde_json::json;
    let origin = "https://login.microsoftonline.com";
    let authority = entra(&format!("{origin}/{TENANT}")).unwrap();
    let endpoint = |name| Some(DiscoveryError::Endpoint(name));
    let forgeries = [
        (
            "authorization_endpoint",
            json!("https://evil.example/a"),
            endpoint("authorization_endpoint"),
        ),
        (
            "authorization_endpoint",
            json!("http://login.microsoftonline.com/a"),
            endpoint("authorization_endpoint"),
        ),
        (
            "authorization_endpoint",
            json!(format!("{origin}/a?client_id=theirs")),
            endpoint("authorization_endpoint"),
        ),
        (
            "token_endpoint",
            json!("https://login.microsoftonline.com:8443/t"),
            endpoint("token_endpoint"),
        ),
        (
            "token_endpoint",
            json!("https://x@login.microsoftonline.com/t"),
            endpoint("token_endpoint"),
        ),
        ("token_endpoint", json!("https://login.microsoftonline.us/t"), endpoint("token_endpoint")),
        ("token_endpoint", json!(null), endpoint("token_endpoint")),
        (
            "jwks_uri",
            json!("https://login.microsoftonline.com.evil.example/k"),
            endpoint("jwks_uri"),
        ),
        ("jwks_uri", json!("file:///etc/passwd"), endpoint("jwks_uri")),
        ("end_session_endpoint", json!("https://evil.example/l"), endpoint("end_session_endpoint")),
        (
            "id_token_signing_alg_values_supported",
            json!(["HS256", "none"]),
            Some(DiscoveryError::NoRs256),
        ),
        (
            "response_types_supported",
            json!(["id_token", "code id_token"]),
            Some(DiscoveryError::NoCodeFlow),
        ),
        ("issuer", json!(7), None),
        ("jwks_uri", json!(["https://login.microsoftonline.com/k"]), None),
    ];

    for (member, forged, expected) in forgeries {
        let mut document = document(origin, &format!("{origin}/{TENANT}/v2.0"));
        document[member] = forged;

        let error = check(&authority, &document).unwrap_err();

        match expected {
            Some(expected) => assert_eq!(error, expected, "{member}"),
            None => assert!(matches!(error, DiscoveryError::Malformed(_)), "{member}: {error}"),
        }
    }
}

#[test]
fn an_issuer_that_differs_in_one_byte_is_another() {
    let origin = "https://login.microsoftonline.com";
    let cases = [
        (entra(&format!("{origin}/{TENANT}")), format!("{origin}/{TENANT}/v2.0/")),
        (entra(&format!("{origin}/{TENANT}")), format!("{origin}/{{tenantid}}/v2.0")),
        (entra(&format!("{origin}/{TENANT}")), format!("{origin}:443/{TENANT}/v2.0")),
        (
            entra(&format!("{origin}/{TENANT}")),
            format!("https://Login.microsoftonline.com/{TENANT}/v2.0"),
        ),
        (entra(&format!("{origin}/{TENANT}")), format!("https://sts.windows.net/{TENANT}/")),
        (generic("https://idp.example"), "https://idp.example/".into()),
        (generic("https://idp.example/"), "https://idp.example".into()),
        (generic("https://idp.example/a"), "https://idp.example/A".into()),
    ];

    for (authority, issuer) in cases {
        let refused = check(&authority.unwrap(), &document(origin, &issuer));

        assert!(matches!(refused, Err(DiscoveryError::Issuer { .. })), "{issuer}");
    }
}

#[test]
fn a_document_that_is_too_long_twice_or_no_object_is_refused() {
    let authority = generic("https://idp.example").unwrap();
    let mut long = document("https://idp.example", "https://idp.example").to_string();
    let twice = long.replacen('{', r#"{"issuer":"https://idp.example","#, 1);
    long.push_str(&" ".repeat(LONGEST_DOCUMENT));

    assert_eq!(authority.check(long.as_bytes()), Err(DiscoveryError::TooLong));
    for document in [twice.as_str(), "[]", "", "<html>", "null"] {
        let refused = authority.check(document.as_bytes());

        assert!(matches!(refused, Err(DiscoveryError::Malformed(_))), "{document}");
    }
}

#[test]
fn a_generic_provider_may_spread_over_hosts_but_not_leave_https() {
    let authority = generic("https://idp.example").unwrap();
    let mut document = document("https://login.idp.example", "https://idp.example");
    document["authorization_response_iss_parameter_supported"] = true.into();

    let provider = check(&authority, &document).unwrap();

    assert_eq!(provider.tenant_id(), None);
    assert!(provider.authorization_response_iss_parameter_supported());
    document["token_endpoint"] = "http://login.idp.example/t".into();
    assert_eq!(check(&authority, &document), Err(DiscoveryError::Endpoint("token_endpoint")));
}

#[test]
fn a_configured_host_is_a_pair() {
    for pair in ["127.0.0.1:8081", "localhost:1", "[::1]:8081", "simulator.internal:8081"] {
        assert!(TrustedHosts::with_configured([pair]).is_ok(), "{pair}");
    }
    for pair in ["127.0.0.1", "host:", "host:99999", "a/b:80", "u@h:80", ":80", "http://h:80"] {
        assert!(TrustedHosts::with_configured([pair]).is_err(), "{pair}");
    }
}

proptest! {
    #[test]
    fn no_text_leads_to_a_host_that_is_not_trusted(
        scheme in "https?|HTTPS",
        host in "(login\\.microsoftonline\\.(com|us)|sts\\.windows\\.net|127\\.0\\.0\\.1|[a-z.@:\\\\%-]{1,12})",
        end in "(|||:8081|:443|\\.|@|\\.evil\\.example|[a-z.@:\\\\%]{1,12})",
        tenant in "(11111111-2222-3333-4444-555555555555|contoso\\.com|[a-z0-9.@:\\\\%-]{0,12})",
        path in "(|/|/v2\\.0|/oauth2/v2\\.0/token|[/a-zA-Z0-9.@\\\\:%?#-]{0,30})",
    ) {
        let pasted = format!("{scheme}://{host}{end}/{tenant}{path}");
        if let Ok(authority) = entra(&pasted) {
            let url = authority.discovery_url();
            let is_trusted = trusted().is_microsoft(&url) || trusted().names_url(&url);
            prop_assert!(is_trusted, "{pasted} {url}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused_without_panic(pasted in ".{0,80}") {
        let _ = entra(&pasted).map(|authority| authority.discovery_url());
        let _ = generic(&pasted).map(|authority| authority.discovery_url());
    }

    #[test]
    fn a_generic_issuer_leads_to_its_own_host_alone(
        pasted in "https://[a-z.@:\\\\%0-9-]{1,20}[/a-zA-Z0-9.@\\\\:%?#-]{0,40}",
    ) {
        if let Ok(authority) = generic(&pasted) {
            let url = authority.discovery_url();
            let issuer = pasted.split(WELL_KNOWN).next().unwrap().trim_end_matches('/');
            prop_assert!(url.as_str().starts_with(issuer), "{pasted} {url}");
        }
    }
}
