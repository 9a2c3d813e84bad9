//! The demo's sample application, and the reverse proxy before it that asks `/auth/check`.
//!
//! The proxy does what `auth_request`, `forward_auth` and `ForwardAuth` do: of what the browser
//! sends, the application sees no identity header but those of the check's answer.

use std::{net::TcpListener, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::{
        StatusCode,
        header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION},
    },
    web::{self, Data},
};
use url::Url;

use crate::{
    domain::access_role::AccessRole,
    http::{
        assets,
        middleware::security_headers::{FormTargets, SecurityHeaders, security_headers},
        pages::{
            Frame,
            demo::{Answer, ProtectedPage},
        },
    },
};

/// A page of the sample application.
pub struct Page {
    /// Its address.
    pub path: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The role that it needs at least.
    pub needs: Option<AccessRole>,
}

/// The sample application's pages.
pub const PAGES: [Page; 3] = [
    Page { path: "/", name: "Home", needs: None },
    Page { path: "/reports", name: "Monthly reports", needs: Some(AccessRole::User) },
    Page { path: "/administration", name: "Administration", needs: Some(AccessRole::Admin) },
];

const IDENTITY: [&str; 6] = [
    "x-portico-account",
    "x-portico-email",
    "x-portico-name",
    "x-portico-organization",
    "x-portico-role",
    "x-portico-access-groups",
];

/// What the proxy passes on of the browser's request when it asks.
const ASKED_WITH: [&str; 3] = ["sec-fetch-mode", "sec-fetch-dest", "x-requested-with"];

#[derive(Clone)]
struct Proxy {
    client: reqwest::Client,
    portico: Url,
    check: Url,
    frame: Frame,
}

/// Serves the sample application on `listener`, protected by the Portico at `public_url`.
pub fn run(listener: TcpListener, public_url: &str) -> anyhow::Result<ServerHandle> {
    let portico = Url::parse(public_url)?;
    let headers = SecurityHeaders::new(&portico);
    let proxy = Proxy {
        client: client()?,
        check: portico.join("/auth/check")?,
        frame: Frame {
            demo: true,
            support: "your organization’s administrator".to_owned(),
            form_targets: FormTargets::new([&portico]),
        },
        portico,
    };
    let server = HttpServer::new(move || {
        let mut app = App::new()
            .app_data(Data::new(proxy.clone()))
            .app_data(Data::new(headers.clone()))
            .configure(assets::routes);
        for page in &PAGES {
            let serve = move |proxy, request| serve(proxy, request, page);
            app = app.route(page.path, web::get().to(serve));
        }
        app.wrap(actix_web::middleware::from_fn(security_headers))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the demo's proxy asks this very service, on loopback"
)]
fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(5))
        // Portico closes connections that nobody has used for five seconds: none may be taken up
        // again at that very moment.
        .pool_idle_timeout(Duration::from_secs(2))
        .build()
}

async fn serve(proxy: Data<Proxy>, request: HttpRequest, page: &'static Page) -> HttpResponse {
    let answer = match proxy.ask(&request, page.needs).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(?error, "the sample application's proxy can't ask");
            return HttpResponse::BadGateway().body("Portico does not answer.");
        }
    };
    match answer.status() {
        reqwest::StatusCode::OK => proxy.admit(&answer, page),
        reqwest::StatusCode::FORBIDDEN => proxy.refuse(&request, page).await,
        _ => pass_on(answer).await,
    }
}

impl Proxy {
    /// Asks `/auth/check` about a request.
    async fn ask(
        &self,
        request: &HttpRequest,
        needs: Option<AccessRole>,
    ) -> reqwest::Result<reqwest::Response> {
        let mut check = self.check.clone();
        if let Some(role) = needs {
            check.query_pairs_mut().append_pair("role", role.as_str());
        }
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let asked_with = [COOKIE.as_str(), ACCEPT.as_str()].into_iter().chain(ASKED_WITH);
        let mut question = self.client.get(check);
        for name in asked_with {
            if let Some(value) = text(name) {
                question = question.header(name, value);
            }
        }
        question
            .header("x-forwarded-method", request.method().as_str())
            .header("x-forwarded-proto", "http")
            .header("x-forwarded-host", text("host").unwrap_or_default())
            .header("x-forwarded-uri", request.uri().to_string())
            .send()
            .await
    }

    fn admit(&self, answer: &reqwest::Response, page: &Page) -> HttpResponse {
        let headers: Vec<(&str, &str)> = IDENTITY
            .iter()
            .filter_map(|name| Some((*name, answer.headers().get(*name)?.to_str().ok()?)))
            .collect();
        let answer = Answer::Admitted { needs: page.needs, headers: &headers };
        self.show(page, answer)
    }

    async fn refuse(&self, request: &HttpRequest, page: &Page) -> HttpResponse {
        let own = self.ask(request, None).await.ok();
        let has =
            own.as_ref().and_then(|answer| answer.headers().get("x-portico-role")?.to_str().ok());
        let has = has.and_then(|role| role.parse().ok());
        let needs = page.needs.unwrap_or(AccessRole::ReadOnly);
        let answer = Answer::TooLow { needs, has };
        self.show(page, answer)
    }

    fn show(&self, page: &Page, answer: Answer<'_>) -> HttpResponse {
        let portal = self.portico.as_str();
        ProtectedPage { frame: &self.frame, name: page.name, portal, answer }.respond()
    }
}

/// The way to sign-in for a browser, a 401 for a script.
async fn pass_on(answer: reqwest::Response) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let mut response = HttpResponse::build(status);
    for name in [LOCATION.as_str(), CONTENT_TYPE.as_str()] {
        if let Some(value) = header(name) {
            response.insert_header((name, value));
        }
    }
    response.body(answer.bytes().await.unwrap_or_default())
}
