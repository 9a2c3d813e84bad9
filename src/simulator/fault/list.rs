//! Every fault: its name, how a sign-in ends, what it does, and the lies that do it.

use serde_json::json;

use super::{
    Counter, Ending, FalseSigner, Lie, Station,
    answers::{
        array, drip, error_page, half, half_then_silence, hang_up, huge, no_such_tenant, page,
        redirect, unavailable,
    },
    changes::{
        HOUR, MINUTE, add_strange_keys, alter, append, as_version_1, drop_pair, elsewhere, fail,
        give_all_one_kid, keep_signing_key, mark_signing_key, remove, rewrite, set, shift, skew,
        spoil,
    },
};
use crate::simulator::{aadsts::Aadsts, authorization_request::ResponseMode};

faults! {
    DiscoveryUnavailable "discovery-unavailable" Unreachable "The discovery document answers 503"
        [Lie::Answer(Station::Discovery, unavailable)]
    DiscoveryRedirects "discovery-redirects" Unreachable
        "The discovery document redirects to another address"
        [Lie::Answer(Station::Discovery, redirect)]
    DiscoveryHtml "discovery-html" Unreachable "The discovery document is a page"
        [Lie::Answer(Station::Discovery, page)]
    DiscoveryHuge "discovery-huge" Unreachable "The discovery document has 8 MiB"
        [Lie::Answer(Station::Discovery, huge)]
    DiscoveryHalf "discovery-half" Unreachable "The discovery document breaks off in the middle"
        [Lie::Answer(Station::Discovery, half)]
    DiscoveryDrips "discovery-drips" Unreachable
        "The discovery document comes a byte per second, for half a minute and more"
        [Lie::Answer(Station::Discovery, drip)]
    SlowDiscovery "slow-discovery" Unreachable "The discovery document takes 30 seconds"
        [Lie::Delay(Station::Discovery)]
    TenantNotFound "tenant-not-found" Unreachable
        "AADSTS90002 instead of the discovery document: the tenant is deleted or in another cloud"
        [Lie::Answer(Station::Discovery, no_such_tenant)]
    WrongDiscoveryIssuer "wrong-discovery-issuer" Unreachable
        "The discovery document names another issuer"
        [Lie::Discovery(|d| append(d, "issuer", "INVALID"))]
    DiscoveryIssuerWithSlash "discovery-issuer-with-slash" Unreachable
        "The discovery document's issuer ends with a slash"
        [Lie::Discovery(|d| append(d, "issuer", "/"))]
    ForeignTokenEndpoint "foreign-token-endpoint" Unreachable
        "The discovery document sends credentials to another host"
        [Lie::Discovery(|d| set(d, "token_endpoint", json!("https://login.attacker.example/token")))]
    ForeignJwksUri "foreign-jwks-uri" Unreachable
        "The discovery document takes its keys from another host"
        [Lie::Discovery(|d| set(d, "jwks_uri", json!("https://login.attacker.example/keys")))]
    DiscoveryOffersHs256 "discovery-offers-hs256" NotBelieved
        "The discovery document offers HS256, and tokens are signed with the client secret"
        [Lie::Discovery(|d| {
            set(d, "id_token_signing_alg_values_supported", json!(["RS256", "HS256"]));
        }), Lie::Signer(FalseSigner::ClientSecret)]

    RedirectUriNotRegistered "redirect-uri-not-registered" Stopped
        "AADSTS50011 on Entra's own page: the redirect URI is not the registered one"
        [Lie::Refuse(Counter::OwnPage, |c| Aadsts::wrong_redirect_uri(c.redirect_uri, c.client_id))]
    NoRedirectUriRegistered "no-redirect-uri-registered" Stopped
        "AADSTS500113 on Entra's own page: no redirect URI is registered"
        [Lie::Refuse(Counter::OwnPage, |_| Aadsts::no_redirect_uri_registered())]
    ApplicationNotFound "application-not-found" Stopped
        "AADSTS700016 on Entra's own page: the client ID is wrong, or the registration is deleted"
        [Lie::Refuse(Counter::OwnPage, |c| {
            Aadsts::unknown_application(&c.client_id.to_string(), &c.tenant.to_string())
        })]
    NotMultiTenant "not-multi-tenant" Stopped
        "AADSTS50194 on Entra's own page: somebody used the authority of everybody"
        [Lie::Refuse(Counter::OwnPage, |c| Aadsts::not_multi_tenant(&c.client_id.to_string()))]

    UserNotAssigned "user-not-assigned" SaidNo
        "AADSTS50105: the application needs an assignment, and the person has none"
        [Lie::Refuse(Counter::Application, |c| Aadsts::not_assigned(c.person, c.client_id))]
    ConsentMissing "consent-missing" SaidNo "AADSTS65001: nobody has granted consent"
        [Lie::Refuse(Counter::Application, |c| Aadsts::consent_missing(c.client_id))]
    ConsentDeclined "consent-declined" Cancelled "AADSTS65004: the person declined to consent"
        [Lie::Refuse(Counter::Application, |_| Aadsts::consent_declined())]
    AdminApprovalNeeded "admin-approval-needed" SaidNo
        "AADSTS90094: only an administrator may grant what the application asks for"
        [Lie::Refuse(Counter::Application, |_| Aadsts::admin_approval())]
    MisconfiguredPermissions "misconfigured-permissions" SaidNo
        "AADSTS650056: the registration asks for permissions that it cannot have"
        [Lie::Refuse(Counter::Application, |c| Aadsts::misconfigured(c.client_id))]
    ApplicationDisabled "application-disabled" SaidNo
        "AADSTS7000112: the enterprise application is switched off"
        [Lie::Refuse(Counter::Application, |c| Aadsts::application_disabled(c.client_id))]
    OtherCloud "other-cloud" SaidNo "AADSTS90038: the tenant lives in another national cloud"
        [Lie::Refuse(Counter::Application, |c| Aadsts::other_cloud(c.tenant))]
    ConditionalAccess "conditional-access" SaidNo
        "AADSTS53003: a Conditional Access policy blocks the person"
        [Lie::Refuse(Counter::Application, |_| Aadsts::conditional_access())]
    DeviceNotCompliant "device-not-compliant" SaidNo
        "AADSTS53000: a Conditional Access policy wants a managed device"
        [Lie::Refuse(Counter::Application, |_| Aadsts::device_not_compliant())]
    MfaNeeded "mfa-needed" SaidNo "AADSTS50076: a second factor is needed"
        [Lie::Refuse(Counter::Application, |_| Aadsts::second_factor())]
    MfaNotEnrolled "mfa-not-enrolled" SaidNo
        "AADSTS50079: a second factor is needed, and the person has none yet"
        [Lie::Refuse(Counter::Application, |_| Aadsts::second_factor_enrolment())]
    GuestBlocked "guest-blocked" SaidNo
        "AADSTS500213: the tenant's cross-tenant access policy blocks the guest"
        [Lie::Refuse(Counter::Application, |_| Aadsts::guest_blocked())]
    OtherTenantsAccount "other-tenants-account" SaidNo
        "AADSTS50020: the account is another tenant's, or a personal one"
        [Lie::Refuse(Counter::Application, |c| Aadsts::foreign_account(c.person))]
    WrongKindOfAccount "wrong-kind-of-account" SaidNo
        "AADSTS500208: accounts of this domain cannot sign in here"
        [Lie::Refuse(Counter::Application, |_| Aadsts::wrong_kind_of_account())]
    LoopDetected "loop-detected" Circle "AADSTS50196: Entra was asked too often in a row"
        [Lie::Refuse(Counter::Application, |_| Aadsts::loop_detected())]
    MicrosoftBusy "microsoft-busy" Busy "AADSTS90033: Entra itself is in trouble for a moment"
        [Lie::Refuse(Counter::Application, |_| Aadsts::busy())]

    KeysUnavailable "keys-unavailable" Unreachable "The JWKS answers 503"
        [Lie::Answer(Station::Keys, unavailable)]
    KeysRedirect "keys-redirect" Unreachable "The JWKS redirects to another address"
        [Lie::Answer(Station::Keys, redirect)]
    KeysHtml "keys-html" Unreachable "The JWKS is a page"
        [Lie::Answer(Station::Keys, page)]
    KeysHuge "keys-huge" Unreachable "The JWKS has 8 MiB"
        [Lie::Answer(Station::Keys, huge)]
    KeysDrip "keys-drip" Unreachable
        "The JWKS comes a byte per second, for half a minute and more"
        [Lie::Answer(Station::Keys, drip)]
    NoKeys "no-keys" Unreachable "The JWKS is empty"
        [Lie::Keys(Vec::clear)]
    StrangeKeys "strange-keys" SignedIn "The JWKS also has keys of unknown kinds and for encryption"
        [Lie::Keys(add_strange_keys)]
    DuplicateKid "duplicate-kid" Unreachable
        "Two different keys in the JWKS have the kid of the signing key"
        [Lie::Keys(|keys| give_all_one_kid(keys))]
    SigningKeyWithdrawn "signing-key-withdrawn" NotBelieved
        "The JWKS has no longer the key that signs"
        [Lie::Keys(|keys| drop(keys.pop()))]
    KeyForEncryption "key-for-encryption" NotBelieved
        "The JWKS says that the key that signs is for encryption"
        [Lie::Keys(|keys| mark_signing_key(keys, "use", "enc"))]
    KeyOfOtherAlgorithm "key-of-other-algorithm" NotBelieved
        "The JWKS says that the key that signs is for RS512"
        [Lie::Keys(|keys| mark_signing_key(keys, "alg", "RS512"))]
    KeyOfOtherTenant "key-of-other-tenant" NotBelieved
        "The JWKS says that the key that signs is another tenant's"
        [Lie::Keys(|keys| {
            let issuer = "https://login.attacker.example/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
            mark_signing_key(keys, "issuer", issuer);
        })]

    WrongState "wrong-state" NotUnderWay "The authorization response has another state"
        [Lie::AuthorizationResponse(|r, _| alter(r, "state"))]
    MissingState "missing-state" NotBelieved "The authorization response has no state"
        [Lie::AuthorizationResponse(|r, _| drop_pair(r, "state"))]
    MissingCode "missing-code" NotBelieved
        "The authorization response has neither a code nor an error"
        [Lie::AuthorizationResponse(|r, _| drop_pair(r, "code"))]
    DuplicateCode "duplicate-code" NotBelieved "The authorization response has two codes"
        [Lie::AuthorizationResponse(|r, _| r.push(("code", "another".into())))]
    HugeCode "huge-code" NotBelieved "The authorization response has a code of 9000 characters"
        [Lie::AuthorizationResponse(|r, _| {
            drop_pair(r, "code");
            r.push(("code", "a".repeat(9000)));
        })]
    ErrorBesideCode "error-beside-code" Busy
        "The authorization response has an error beside its code"
        [Lie::AuthorizationResponse(|r, _| r.push(("error", "server_error".into())))]
    HostileError "hostile-error" SaidNo
        "The authorization response has an error whose words are markup"
        [Lie::AuthorizationResponse(|r, _| {
            let markup = "<script>alert(1)</script>\"'><b>";
            fail(r, markup, markup);
        })]
    WrongResponseIss "wrong-response-iss" NotBelieved
        "The authorization response has the iss of another authority (RFC 9207)"
        [Lie::AuthorizationResponse(|r, _| {
            r.push(("iss", "https://login.attacker.example/v2.0".into()));
        })]
    PromisedResponseIss "promised-response-iss" SignedIn
        "The discovery document promises an iss in every authorization response, and there it is"
        [Lie::Discovery(|d| set(d, "authorization_response_iss_parameter_supported", json!(true))),
         Lie::AuthorizationResponse(|r, issuer| r.push(("iss", issuer.to_owned())))]
    MissingResponseIss "missing-response-iss" NotBelieved
        "The discovery document promises an iss in every authorization response, and none comes"
        [Lie::Discovery(|d| set(d, "authorization_response_iss_parameter_supported", json!(true)))]
    FormPostAnswers "form-post-answers" SignedIn
        "Every authorization response is posted by a form, whatever was asked"
        [Lie::ResponseMode(ResponseMode::FormPost)]
    FragmentAnswers "fragment-answers" NotBelieved
        "Every authorization response is in the fragment, which no server sees"
        [Lie::ResponseMode(ResponseMode::Fragment)]

    ExpiredSecret "expired-secret" SaidNo "AADSTS7000222: the client secret has expired"
        [Lie::Refuse(Counter::Token, |c| Aadsts::expired_secret(c.client_id))]
    WrongSecret "wrong-secret" SaidNo
        "AADSTS7000215: the client secret is wrong; often its ID was pasted instead of its value"
        [Lie::Refuse(Counter::Token, |c| Aadsts::wrong_secret(c.client_id))]
    MissingSecret "missing-secret" SaidNo "AADSTS7000218: no client secret arrived"
        [Lie::Refuse(Counter::Token, |_| Aadsts::no_credential())]
    RedirectUriOfPublicClient "redirect-uri-of-public-client" SaidNo
        "AADSTS700025: the redirect URI is registered under Mobile and desktop applications"
        [Lie::Refuse(Counter::Token, |_| Aadsts::public_client())]
    RedirectUriOfSpa "redirect-uri-of-spa" SaidNo
        "AADSTS9002327: the redirect URI is registered under Single-page application"
        [Lie::Refuse(Counter::Token, |_| Aadsts::single_page_application())]
    WrongCertificate "wrong-certificate" SaidNo
        "AADSTS700027: the certificate is not the uploaded one, or has expired"
        [Lie::Refuse(Counter::Token, |_| Aadsts::assertion_signature())]
    ConfidentialClientAcrossClouds "confidential-client-across-clouds" SaidNo
        "AADSTS900432: the tenant lives in another national cloud, and that takes no client secret"
        [Lie::Refuse(Counter::Token, |_| Aadsts::across_clouds())]
    CodeUsed "code-used" SaidNo "AADSTS54005: the code is said to be used already"
        [Lie::Refuse(Counter::Token, |_| Aadsts::code_used())]
    CodeExpired "code-expired" SaidNo "AADSTS70008: the code is said to have expired"
        [Lie::Refuse(Counter::Token, |_| Aadsts::code_expired())]
    GrantRevoked "grant-revoked" SaidNo
        "AADSTS50173: the person's sessions were revoked between the code and its redemption"
        [Lie::Refuse(Counter::Token, |_| Aadsts::revoked())]
    UnknownNumber "unknown-number" SaidNo "AADSTS9999999: a number that nobody has a remedy for"
        [Lie::Refuse(Counter::Token, |_| Aadsts::unheard_of())]
    TokenEndpointError "token-endpoint-error" Busy
        "The token endpoint answers 503 with an OAuth error"
        [Lie::Answer(Station::Token, unavailable)]
    TokenEndpointHtml "token-endpoint-html" Unreachable "The token endpoint answers 200 with a page"
        [Lie::Answer(Station::Token, page)]
    TokenEndpointErrorPage "token-endpoint-error-page" Unreachable
        "The token endpoint answers 502 with a page"
        [Lie::Answer(Station::Token, error_page)]
    TokenEndpointRedirects "token-endpoint-redirects" Unreachable
        "The token endpoint redirects to another address"
        [Lie::Answer(Station::Token, redirect)]
    TokenEndpointHuge "token-endpoint-huge" Unreachable "The token endpoint answers with 8 MiB"
        [Lie::Answer(Station::Token, huge)]
    TokenEndpointArray "token-endpoint-array" Unreachable
        "The token endpoint answers with an array"
        [Lie::Answer(Station::Token, array)]
    TokenEndpointHalf "token-endpoint-half" Unreachable
        "The token endpoint sends half an answer and closes the connection"
        [Lie::Answer(Station::Token, half)]
    TokenEndpointStalls "token-endpoint-stalls" Unreachable
        "The token endpoint sends half an answer and then nothing"
        [Lie::Answer(Station::Token, half_then_silence)]
    TokenEndpointHangsUp "token-endpoint-hangs-up" Unreachable
        "The token endpoint closes the connection without an answer"
        [Lie::Answer(Station::Token, hang_up)]
    Slow "slow" Unreachable "The token endpoint takes 30 seconds"
        [Lie::Delay(Station::Token)]
    ClientSecretBasicOnly "client-secret-basic-only" SaidNo
        "The token endpoint takes the client secret in the Authorization header alone"
        [Lie::Discovery(|d| {
            set(d, "token_endpoint_auth_methods_supported", json!(["client_secret_basic"]));
        }), Lie::BasicOnly]
    MissingIdToken "missing-id-token" Unreachable "The token response has no `id_token`"
        [Lie::TokenResponse(|r| remove(r, "id_token"))]
    MissingAccessToken "missing-access-token" Unreachable
        "The token response has no `access_token`"
        [Lie::TokenResponse(|r| remove(r, "access_token"))]
    MissingScope "missing-scope" SignedIn "The token response has no `scope`"
        [Lie::TokenResponse(|r| remove(r, "scope"))]
    TokenTypeLowercase "token-type-lowercase" SignedIn "The token response says bEARER"
        [Lie::TokenResponse(|r| set(r, "token_type", json!("bEARER")))]
    WrongTokenType "wrong-token-type" Unreachable "The token response says mac"
        [Lie::TokenResponse(|r| set(r, "token_type", json!("mac")))]
    MissingExpiresIn "missing-expires-in" SignedIn "The token response has no `expires_in`"
        [Lie::TokenResponse(|r| remove(r, "expires_in"))]

    Unsigned "unsigned" NotBelieved "The ID Token has alg none and no signature"
        [Lie::Signer(FalseSigner::Nobody)]
    UnsignedInCapitals "unsigned-in-capitals" NotBelieved
        "The ID Token has alg nOnE and no signature"
        [Lie::Signer(FalseSigner::Nobody), Lie::Header(|h| set(h, "alg", json!("nOnE")))]
    BadSignature "bad-signature" NotBelieved "One bit of the ID Token's signature is wrong"
        [Lie::Signature(|signature| spoil(signature))]
    MissingSignature "missing-signature" NotBelieved
        "The ID Token says RS256 and has no signature"
        [Lie::Signature(Vec::clear)]
    StrangersSignature "strangers-signature" NotBelieved
        "The ID Token has a published kid but is signed by another key"
        [Lie::Signer(FalseSigner::UnpublishedKey)]
    Hs256WithClientSecret "hs256-with-client-secret" NotBelieved
        "The ID Token is signed with the client secret"
        [Lie::Signer(FalseSigner::ClientSecret)]
    BadSignatureHs256 "bad-signature-hs256" NotBelieved
        "The ID Token is signed with the client secret, and one bit of that is wrong"
        [Lie::Signer(FalseSigner::ClientSecret), Lie::Signature(|signature| spoil(signature))]
    Hs256WithPublicKey "hs256-with-public-key" NotBelieved
        "The ID Token is signed by HMAC with the public key's PEM"
        [Lie::Signer(FalseSigner::PublicKeyAsSecret)]
    OtherAlgorithm "other-algorithm" NotBelieved
        "The ID Token is signed by RS512 where RS256 is agreed"
        [Lie::Signer(FalseSigner::Rs512)]
    Ps256 "ps256" NotBelieved "The ID Token is signed by PS256 where RS256 is agreed"
        [Lie::Signer(FalseSigner::Ps256)]
    Es256 "es256" NotBelieved
        "The ID Token is signed by ES256 where RS256 is agreed, with a published key"
        [Lie::Signer(FalseSigner::Es256)]
    BadSignatureEs256 "bad-signature-es256" NotBelieved
        "The ID Token is signed by ES256, and one bit of that is wrong"
        [Lie::Signer(FalseSigner::Es256), Lie::Signature(|signature| spoil(signature))]
    UnknownAlgorithm "unknown-algorithm" NotBelieved
        "The ID Token names an algorithm that nobody knows, and an `at_hash` by it"
        [Lie::Header(|h| set(h, "alg", json!("RS999"))),
         Lie::Claims(|c| set(c, "at_hash", json!("d3Jvbmctd3Jvbmctd3Jvbg")))]
    EncryptedIdToken "encrypted-id-token" NotBelieved
        "The ID Token is encrypted with the client secret, which nobody asked for"
        [Lie::Encrypt]
    EncryptedUnsigned "encrypted-unsigned" NotBelieved
        "The ID Token is encrypted with the client secret and not signed"
        [Lie::Encrypt, Lie::Signer(FalseSigner::Nobody)]
    KidAbsentSingleKey "kid-absent-single-key" SignedIn
        "The ID Token has no kid and the JWKS one key"
        [Lie::Header(|h| remove(h, "kid")), Lie::Keys(keep_signing_key)]
    KidAbsentManyKeys "kid-absent-many-keys" NotBelieved
        "The ID Token has no kid and the JWKS several keys"
        [Lie::Header(|h| remove(h, "kid"))]
    UnknownKid "unknown-kid" NotBelieved "The ID Token names a kid that is never published"
        [Lie::Header(|h| set(h, "kid", json!("never-published")))]
    KeysRotatedBeforeSigning "keys-rotated-before-signing" SignedIn
        "The ID Token is signed by a key newer than the last fetch"
        [Lie::RotateKeys]
    KeysReplacedAtOnce "keys-replaced-at-once" SignedIn
        "Between the code and the ID Token all keys are replaced, and the old ones gone"
        [Lie::RotateKeys, Lie::Keys(keep_signing_key)]
    TypAtJwt "typ-at-jwt" NotBelieved "The ID Token says that it is an access token (RFC 9068)"
        [Lie::Header(|h| set(h, "typ", json!("at+jwt")))]
    CritHeader "crit-header" NotBelieved
        "The ID Token has a critical header member that nobody knows"
        [Lie::Header(|h| {
            set(h, "crit", json!(["exp-policy"]));
            set(h, "exp-policy", json!(1));
        })]
    CtyHeader "cty-header" NotBelieved "The ID Token says that it contains another token"
        [Lie::Header(|h| set(h, "cty", json!("JWT")))]
    JwkHeader "jwk-header" NotBelieved
        "The ID Token is signed by a stranger's key, which its header brings along"
        [Lie::Signer(FalseSigner::UnpublishedKey), Lie::BringKey]
    JkuHeader "jku-header" NotBelieved
        "The ID Token is signed by a stranger's key, and its header says where to fetch that"
        [Lie::Signer(FalseSigner::UnpublishedKey), Lie::Header(|h| {
            set(h, "kid", json!("strangers-key"));
            set(h, "jku", json!("https://login.attacker.example/keys"));
            set(h, "x5u", json!("https://login.attacker.example/certificate"));
        })]

    WrongIss "wrong-iss" NotBelieved "The ID Token has another iss"
        [Lie::Claims(|c| append(c, "iss", "1"))]
    MissingIss "missing-iss" NotBelieved "The ID Token has no iss"
        [Lie::Claims(|c| remove(c, "iss"))]
    IssAsArray "iss-as-array" NotBelieved "The ID Token has an array of issuers, ours among them"
        [Lie::Claims(|c| rewrite(c, "iss", |iss| json!(["https://login.attacker.example", iss])))]
    MissingSub "missing-sub" NotBelieved "The ID Token has no sub"
        [Lie::Claims(|c| remove(c, "sub"))]
    EmptySub "empty-sub" NotBelieved "The ID Token has an empty sub"
        [Lie::Claims(|c| set(c, "sub", json!("")))]
    LongSub "long-sub" NotBelieved "The ID Token has a sub of 256 characters"
        [Lie::Claims(|c| set(c, "sub", json!("s".repeat(256))))]
    OtherSub "other-sub" SignedIn
        "The ID Token has another sub, as after a new registration; the oid is the same"
        [Lie::Claims(|c| append(c, "sub", "1"))]
    MissingAud "missing-aud" NotBelieved "The ID Token has no aud"
        [Lie::Claims(|c| remove(c, "aud"))]
    WrongAud "wrong-aud" NotBelieved "The ID Token has another aud"
        [Lie::Claims(|c| append(c, "aud", "1"))]
    UntrustedSecondAud "untrusted-second-aud" NotBelieved "The ID Token is also for a stranger"
        [Lie::Claims(|c| rewrite(c, "aud", |aud| json!([aud, "stranger"])))]
    AudAsArray "aud-as-array" SignedIn "The ID Token has its aud as an array of one"
        [Lie::Claims(|c| rewrite(c, "aud", |aud| json!([aud])))]
    WrongAzp "wrong-azp" NotBelieved "The ID Token has a stranger as azp"
        [Lie::Claims(|c| set(c, "azp", json!("stranger")))]
    MissingIat "missing-iat" NotBelieved "The ID Token has no iat"
        [Lie::Claims(|c| remove(c, "iat"))]
    IatInTheFuture "iat-in-the-future" NotBelieved "The ID Token was issued in an hour"
        [Lie::Claims(|c| shift(c, "iat", HOUR))]
    IatLongAgo "iat-long-ago" NotBelieved
        "The ID Token was issued a week ago and has not expired"
        [Lie::Claims(|c| { shift(c, "iat", -7 * 24 * HOUR); shift(c, "nbf", -7 * 24 * HOUR); })]
    Expired "expired" NotBelieved "The ID Token expired some minutes ago"
        [Lie::Claims(|c| { shift(c, "exp", -HOUR - 6 * MINUTE); shift(c, "iat", -MINUTE); })]
    MissingExp "missing-exp" NotBelieved "The ID Token has no exp"
        [Lie::Claims(|c| remove(c, "exp"))]
    ExpAsText "exp-as-text" NotBelieved "The ID Token has its exp as a text"
        [Lie::Claims(|c| { let exp = c["exp"].to_string(); set(c, "exp", json!(exp)); })]
    ExpBeyondTime "exp-beyond-time" NotBelieved "The ID Token's exp is 1e300"
        [Lie::Claims(|c| set(c, "exp", json!(1e300)))]
    ExpWithFraction "exp-with-fraction" SignedIn "The ID Token's exp has a fraction of a second"
        [Lie::Payload(|payload| payload.replacen(r#","iat":"#, r#".5,"iat":"#, 1))]
    NotYetValid "not-yet-valid" NotBelieved "The ID Token is valid in an hour (nbf)"
        [Lie::Claims(|c| shift(c, "nbf", HOUR))]
    Clock4MinutesAhead "clock-4-minutes-ahead" SignedIn "The tenant's clock is 4 minutes ahead"
        [Lie::Claims(|c| skew(c, 4 * MINUTE))]
    Clock6MinutesAhead "clock-6-minutes-ahead" SignedIn
        "The tenant's clock is 6 minutes ahead, and Entra dates tokens back by 5"
        [Lie::Claims(|c| skew(c, 6 * MINUTE))]
    Clock1HourAhead "clock-1-hour-ahead" NotBelieved "The tenant's clock is an hour ahead"
        [Lie::Claims(|c| skew(c, HOUR))]
    Clock4MinutesBehind "clock-4-minutes-behind" SignedIn "The tenant's clock is 4 minutes behind"
        [Lie::Claims(|c| skew(c, -4 * MINUTE))]
    Clock6MinutesBehind "clock-6-minutes-behind" NotBelieved
        "The tenant's clock is 6 minutes behind, and Entra dates tokens back by 5"
        [Lie::Claims(|c| skew(c, -6 * MINUTE))]
    Clock1HourBehind "clock-1-hour-behind" NotBelieved "The tenant's clock is an hour behind"
        [Lie::Claims(|c| skew(c, -HOUR))]
    StaleAuthTime "stale-auth-time" SignedIn
        "The person proved who they are an hour ago, which only a `max_age` minds"
        [Lie::Claims(|c| {
            let iat = c["iat"].clone();
            set(c, "auth_time", iat);
            shift(c, "auth_time", -HOUR);
        })]
    WrongNonce "wrong-nonce" NotBelieved "The ID Token has another nonce"
        [Lie::Claims(|c| append(c, "nonce", "1"))]
    MissingNonce "missing-nonce" NotBelieved "The ID Token has no nonce"
        [Lie::Claims(|c| remove(c, "nonce"))]
    WrongAtHash "wrong-at-hash" NotBelieved
        "The ID Token has the `at_hash` of another access token"
        [Lie::Claims(|c| set(c, "at_hash", json!("d3Jvbmctd3Jvbmctd3Jvbg")))]
    EmailVerifiedAsText "email-verified-as-text" SignedIn
        "The ID Token has claims for people in odd types: `email_verified` and `amr` as texts"
        [Lie::Claims(|c| { set(c, "email_verified", json!("true")); set(c, "amr", json!("pwd")); })]
    NewClaims "new-claims" SignedIn "The ID Token has claims that nobody has heard of"
        [Lie::Claims(|c| { set(c, "xms_new", json!({ "deep": [[1], null] })); set(c, "", json!(0)); })]
    HugeIdToken "huge-id-token" NotBelieved "The ID Token has 100 kB of claims"
        [Lie::Claims(|c| set(c, "padding", json!("x".repeat(100_000))))]
    WrongTid "wrong-tid" OtherTenant "The ID Token has the tid of another tenant"
        [Lie::Claims(|c| set(c, "tid", json!("9188040d-6c67-4c5b-b112-36a304b66dad")))]
    MissingTid "missing-tid" OtherTenant "The ID Token has no tid"
        [Lie::Claims(|c| remove(c, "tid"))]
    MissingOid "missing-oid" NotBelieved "The ID Token has no oid"
        [Lie::Claims(|c| remove(c, "oid"))]
    V1Token "v1-token" NotBelieved
        "The ID Token is one of version 1.0, with that version's issuer"
        [Lie::Claims(as_version_1)]
    MissingVer "missing-ver" NotBelieved "The ID Token does not say of which version it is"
        [Lie::Claims(|c| remove(c, "ver"))]
    RolesAsText "roles-as-text" SignedIn "The ID Token has one role as a text instead of an array"
        [Lie::Claims(|c| set(c, "roles", json!("EnterpriseAdmin")))]
    UnknownRole "unknown-role" NoRole "The ID Token has a role that nobody defined"
        [Lie::Claims(|c| set(c, "roles", json!(["GlobalAdmin"])))]
    RolesElsewhere "roles-elsewhere" NotBelieved
        "The ID Token says that the roles are at another address (overage)"
        [Lie::Claims(|c| {
            remove(c, "roles");
            elsewhere(c, json!({ "roles": "src1", "groups": "src1" }));
        })]
    GroupsElsewhere "groups-elsewhere" SignedIn
        "The ID Token says that the groups are at another address: the person is in over 200"
        [Lie::Claims(|c| elsewhere(c, json!({ "groups": "src1" })))]
    HasGroups "has-groups" SignedIn "The ID Token says only that the person is in many groups"
        [Lie::Claims(|c| set(c, "hasgroups", json!(true)))]
    DuplicateClaim "duplicate-claim" NotBelieved "The ID Token has two members named sub"
        [Lie::Payload(|payload| payload.replacen('{', r#"{"sub":"somebody-else","#, 1))]
    PayloadIsAnArray "payload-is-an-array" NotBelieved "The ID Token's payload is an array"
        [Lie::Payload(|payload| format!("[{payload}]"))]

    LogoutWithoutSid "logout-without-sid" SignedIn
        "The hidden frames of a logout name no session"
        [Lie::FrontChannel(|p, _| p.clear())]
    LogoutOfAnotherSid "logout-of-another-sid" SignedIn
        "The hidden frames of a logout name another session"
        [Lie::FrontChannel(|p, _| {
            p.clear();
            p.push(("sid", "00000000-0000-4000-8000-000000000000".into()));
        })]
    LogoutWithIss "logout-with-iss" SignedIn
        "The hidden frames of a logout name the issuer too, which Entra's do not"
        [Lie::FrontChannel(|p, issuer| p.push(("iss", issuer.to_owned())))]
    LogoutWithAnotherIss "logout-with-another-iss" SignedIn
        "The hidden frames of a logout name another issuer"
        [Lie::FrontChannel(|p, _| p.push(("iss", "https://login.attacker.example/v2.0".into())))]
}
