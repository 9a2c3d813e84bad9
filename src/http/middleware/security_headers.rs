//! The headers by which a browser protects people on our pages.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{
        CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
        STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
    middleware::Next,
    web::Data,
};
use url::{Host, Url};

const NOBODY_FRAMES: &str = "frame-ancestors 'none'";

/// What a page may load, send and be framed by: a `Content-Security-Policy`.
///
/// Begins as [`Csp::strict`], which suffices for any page that loads our stylesheet and posts to
/// us; each method opens one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csp {
    script_nonce: Option<String>,
    form_action: Option<String>,
    framable: bool,
}

impl Csp {
    /// Our stylesheet and images, forms to this origin, no script, no frame.
    pub fn strict() -> Self {
        Self { script_nonce: None, form_action: Some("'self'".to_owned()), framable: false }
    }

    /// Forms may also end, after redirects, at an authority.
    #[must_use]
    pub fn forms_lead_to(self, targets: &FormTargets) -> Self {
        Self { form_action: Some(targets.0.clone()), ..self }
    }

    /// Forms may end anywhere, after redirects: also at an installed app's private-use scheme.
    #[must_use]
    pub fn forms_lead_anywhere(self) -> Self {
        Self { form_action: None, ..self }
    }

    /// Inline scripts that carry `nonce`, base64url made anew for each answer, are run.
    #[must_use]
    pub fn script_nonce(self, nonce: &str) -> Self {
        Self { script_nonce: Some(nonce.to_owned()), ..self }
    }

    /// Any site may frame the answer; for front-channel logout, which has no body.
    #[must_use]
    pub fn framable(self) -> Self {
        Self { framable: true, ..self }
    }

    /// The header's value.
    pub fn header(&self) -> HeaderValue {
        let mut policy: Vec<String> =
            ["default-src 'none'", "style-src 'self'", "img-src 'self' data:", "base-uri 'none'"]
                .map(str::to_owned)
                .into();
        policy.extend(self.script_nonce.iter().map(|nonce| format!("script-src 'nonce-{nonce}'")));
        policy.extend(self.form_action.iter().map(|targets| format!("form-action {targets}")));
        policy.push(if self.framable { "frame-ancestors *" } else { NOBODY_FRAMES }.to_owned());
        HeaderValue::try_from(policy.join("; ")).expect("its parts are plain ASCII")
    }
}

/// Where our forms may lead: here, to any https origin, and to given loopback origins.
///
/// Chromium holds `form-action` against the redirects that follow a submission, too, and signing
/// in and out end at the authority of any organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormTargets(String);

impl FormTargets {
    /// Takes the origins of addresses such as `http://127.0.0.1:8081/tenant`.
    ///
    /// Only plain http on loopback adds something: https is allowed anyway, and the rest is left out.
    pub fn new<'u>(addresses: impl IntoIterator<Item = &'u Url>) -> Self {
        let mut targets = "'self' https:".to_owned();
        for address in addresses.into_iter().filter(|url| is_plain_loopback(url)) {
            let origin = address.origin().ascii_serialization();
            if !targets.split(' ').any(|known| known == origin) {
                targets.push(' ');
                targets.push_str(&origin);
            }
        }
        Self(targets)
    }
}

fn is_plain_loopback(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    loopback && url.scheme() == "http"
}

/// What every answer carries unless its handler says otherwise.
#[derive(Clone, Debug)]
pub struct SecurityHeaders(Vec<(HeaderName, HeaderValue)>);

impl SecurityHeaders {
    /// The headers of a service at `public_url`; browsers are told to insist on https if it is so.
    ///
    /// `Referrer-Policy` is `no-referrer`, since a query may hold a code or a `return_to`. A page
    /// with a form that posts must set `same-origin`: under `no-referrer` browsers send
    /// `Origin: null` with it (Fetch, "append a request `Origin` header").
    pub fn new(public_url: &Url) -> Self {
        let fixed = |name: &'static str, value| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut headers = vec![
            (CONTENT_SECURITY_POLICY, Csp::strict().header()),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            fixed("cross-origin-opener-policy", "same-origin"),
            fixed("cross-origin-resource-policy", "same-origin"),
            fixed("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
        ];
        if public_url.scheme() == "https" {
            let a_year = HeaderValue::from_static("max-age=31536000");
            headers.push((STRICT_TRANSPORT_SECURITY, a_year));
        }
        Self(headers)
    }

    fn complete(&self, answer: &mut HeaderMap) {
        for (name, value) in &self.0 {
            if !answer.contains_key(name) {
                answer.insert(name.clone(), value.clone());
            }
        }
        if forbids_framing(answer) && !answer.contains_key(X_FRAME_OPTIONS) {
            answer.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        }
    }
}

fn forbids_framing(answer: &HeaderMap) -> bool {
    let policy = answer.get(CONTENT_SECURITY_POLICY).and_then(|value| value.to_str().ok());
    policy.is_some_and(|policy| policy.contains(NOBODY_FRAMES))
}

/// Adds the [`SecurityHeaders`] to an answer: `App::wrap(from_fn(security_headers))`.
pub async fn security_headers(
    headers: Data<SecurityHeaders>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut answer = next.call(request).await?;
    headers.complete(answer.headers_mut());
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App, HttpResponse,
        middleware::from_fn,
        test::{TestRequest, call_service, init_service},
        web,
    };

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    async fn answer_of(public_url: &str, handler: fn() -> HttpResponse) -> HeaderMap {
        let app = App::new()
            .app_data(Data::new(SecurityHeaders::new(&url(public_url))))
            .wrap(from_fn(security_headers))
            .route("/", web::get().to(move || async move { handler() }));
        let app = init_service(app).await;
        let request = TestRequest::get().uri("/").to_request();
        call_service(&app, request).await.headers().clone()
    }

    #[actix_web::test]
    async fn an_answer_without_headers_of_its_own_gets_all_of_them() {
        let answer = answer_of("https://portico.example", || HttpResponse::Ok().finish()).await;

        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=31536000"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.get(name).map(HeaderValue::as_bytes), Some(value.as_bytes()));
        }
        assert_eq!(answer.get(CONTENT_SECURITY_POLICY), Some(&Csp::strict().header()));
    }

    #[actix_web::test]
    async fn a_service_on_plain_http_does_not_ask_for_https() {
        let answer = answer_of("http://localhost:8080", || HttpResponse::Ok().finish()).await;

        assert!(!answer.contains_key(STRICT_TRANSPORT_SECURITY));
    }

    #[actix_web::test]
    async fn what_a_handler_sets_stays_and_a_framable_answer_is_not_denied() {
        let answer = answer_of("https://portico.example", || {
            let policy = Csp::strict().framable().header();
            HttpResponse::Ok().insert_header((CONTENT_SECURITY_POLICY, policy)).finish()
        })
        .await;

        let expected = Csp::strict().framable().header();
        assert_eq!(answer.get_all(CONTENT_SECURITY_POLICY).collect::<Vec<_>>(), [&expected]);
        assert!(!answer.contains_key(X_FRAME_OPTIONS));
    }

    #[actix_web::test]
    async fn an_unknown_address_is_answered_with_the_headers_too() {
        let headers = SecurityHeaders::new(&url("https://portico.example"));
        let app = App::new().app_data(Data::new(headers)).wrap(from_fn(security_headers));
        let app = init_service(app).await;

        let request = TestRequest::get().uri("/nowhere").to_request();
        let answer = call_service(&app, request).await;

        assert!(answer.headers().contains_key(CONTENT_SECURITY_POLICY));
    }

    #[test]
    fn forms_lead_to_loopback_addresses_that_were_named_and_to_no_other_plain_http() {
        let addresses = [
            url("http://127.0.0.1:8081/tenant"),
            url("http://127.0.0.1:8081/other"),
            url("http://[::1]:9000"),
            url("http://localhost"),
            url("http://portico.example"),
            url("https://login.example"),
            url("data:text/html,x"),
        ];

        let FormTargets(targets) = FormTargets::new(&addresses);

        assert_eq!(
            targets,
            "'self' https: http://127.0.0.1:8081 http://[::1]:9000 http://localhost"
        );
    }

    #[test]
    fn scripts_run_only_where_a_nonce_is_given() {
        let text = |csp: Csp| csp.header().to_str().unwrap().to_owned();

        assert!(!text(Csp::strict()).contains("script-src"));
        assert!(text(Csp::strict().script_nonce("n0nce")).contains("; script-src 'nonce-n0nce';"));
    }
}
