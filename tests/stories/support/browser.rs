//! A person's browser.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use portico::{domain::clock::Clock, simulator::Person};
use url::Url;

use super::{answer::Answer, form::Form, organization::Organization, service::Service, web::Ask};

/// The cookie of a session.
pub const SESSION: &str = "portico-session";

/// How the cookie of a sign-in that is under way begins.
pub const LOGIN: &str = "portico-login";

/// No sign-in has as many steps.
const ENDLESS: usize = 20;

/// A browser with cookies of its own; it follows redirects and knows one site from another.
pub struct Browser {
    origin: String,
    clock: Clock,
    cookies: Vec<Cookie>,
    /// Every address that was asked, in order.
    pub visited: Vec<String>,
}

#[derive(Clone, Debug)]
struct Cookie {
    host: String,
    name: String,
    value: String,
    same_site: bool,
    expires_at: Option<Timestamp>,
}

/// What an authority sends to a redirect URI.
#[derive(Clone, Debug)]
pub enum Callback {
    /// An address with the answer in its query.
    Query(Url),
    /// A form that posts it.
    Form(Form),
}

impl Callback {
    /// The address with the answer in its query.
    pub fn url(self) -> Url {
        match self {
            Self::Query(url) => url,
            Self::Form(form) => panic!("the answer is a form: {form:?}"),
        }
    }

    /// The form that posts the answer.
    pub fn form(self) -> Form {
        match self {
            Self::Form(form) => form,
            Self::Query(url) => panic!("the answer is in a query: {url}"),
        }
    }
}

/// Where a person stands after some steps.
enum Step {
    Page(Answer),
    Callback(Callback),
}

impl Browser {
    pub fn new(service: &Service) -> Self {
        Self::at(&service.origin, service.clock.clone())
    }

    /// A browser for a service at that origin.
    pub fn at(origin: &str, clock: Clock) -> Self {
        Self { origin: origin.to_owned(), clock, cookies: Vec::new(), visited: Vec::new() }
    }

    /// Signs in at an organization; the page where that ends.
    pub async fn sign_in(&mut self, organization: &Organization, person: &Person) -> Answer {
        self.sign_in_from(&format!("/login/{}", organization.slug()), person).await
    }

    /// Signs in from any address that leads to an authority; the page where that ends.
    pub async fn sign_in_from(&mut self, address: &str, person: &Person) -> Answer {
        match self.walk(address, person, false).await {
            Step::Page(page) => page,
            Step::Callback(callback) => unreachable!("not to be stopped at {callback:?}"),
        }
    }

    /// Signs in at the authority, and stops with its answer in hand.
    pub async fn sign_in_until_callback(
        &mut self,
        organization: &Organization,
        person: &Person,
    ) -> Callback {
        self.authenticate(&format!("/login/{}", organization.slug()), person).await
    }

    /// From an address that leads to an authority to that authority's answer.
    pub async fn authenticate(&mut self, address: &str, person: &Person) -> Callback {
        match self.walk(address, person, true).await {
            Step::Callback(callback) => callback,
            Step::Page(page) => {
                panic!("no answer, but {} {}: {}", page.status, page.url, page.body)
            }
        }
    }

    /// Begins a sign-in and stops there: the authorization request's address.
    pub async fn begin(&mut self, address: &str) -> Url {
        let answer = self.ask(Ask::get(address)).await;
        let location = answer.location().unwrap_or_else(|| panic!("no redirect: {answer:?}"));
        Url::parse(&location).unwrap()
    }

    /// Brings an authority's answer to its redirect URI, and goes on from there.
    pub async fn bring(&mut self, callback: Callback) -> Answer {
        match callback {
            Callback::Query(url) => self.open_from(self.elsewhere().as_deref(), url.as_str()).await,
            Callback::Form(form) => {
                let (action, fields) = (form.action.clone(), form.filled(&[]));
                let step = Ask::post(action).form(&fields);
                self.page(step, self.elsewhere().as_deref()).await
            }
        }
    }

    /// Types an address; the page where it leads.
    pub async fn open(&mut self, address: &str) -> Answer {
        self.open_from(None, address).await
    }

    /// Follows a link on a page of that host.
    pub async fn open_from(&mut self, host: Option<&str>, address: &str) -> Answer {
        self.page(Ask::get(address), host).await
    }

    /// Fills a form of a page and sends it; the page where that leads.
    pub async fn submit(&mut self, page: &Answer, form: &Form, filled: &[(&str, &str)]) -> Answer {
        self.page(submission(page, form, filled), Some(&host(&page.url))).await
    }

    /// Sends exactly this with the browser's cookies, and keeps those of the answer.
    pub async fn ask(&mut self, ask: Ask) -> Answer {
        let cookies = self.cookie_header(&host(&self.absolute(&ask.address)), true);
        let ask = if cookies.is_empty() { ask } else { ask.header("cookie", cookies) };
        self.visited.push(ask.address.clone());
        let answer = ask.send(&self.origin).await;
        self.keep(&answer);
        answer
    }

    /// What a proxy is told that asks about this browser: `/auth/check` with that query.
    pub async fn check(&mut self, query: &str) -> Answer {
        self.ask(Ask::get(format!("/auth/check{query}"))).await
    }

    /// The value of a cookie of the service; its name may have an end of its own, as in
    /// `portico-login-1a2b3c4d`.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let ours = host(&self.origin);
        let found = self.cookies.iter().find(|cookie| cookie.host == ours && cookie.is(name));
        found.map(|cookie| cookie.value.as_str())
    }

    /// Writes a cookie of the service, as only its owner or a thief can.
    pub fn forge_cookie(&mut self, name: &str, value: &str) {
        self.forget_cookie(name);
        self.cookies.push(Cookie {
            host: host(&self.origin),
            name: name.to_owned(),
            value: value.to_owned(),
            same_site: true,
            expires_at: None,
        });
    }

    /// Deletes a cookie of the service.
    pub fn forget_cookie(&mut self, name: &str) {
        let ours = host(&self.origin);
        self.cookies.retain(|cookie| cookie.host != ours || !cookie.is(name));
    }

    /// Another site than the service's, where an authority's answers come from.
    fn elsewhere(&self) -> Option<String> {
        let ours = host(&self.origin);
        self.visited.iter().rev().map(|url| host(&self.absolute(url))).find(|host| *host != ours)
    }

    /// Whether an address is the service's or a loopback authority's; nothing else is there to be
    /// asked.
    fn is_in_this_world(&self, url: &Url) -> bool {
        let origin = url.origin().ascii_serialization();
        origin == self.origin || url.host_str() == Some("127.0.0.1")
    }

    fn absolute(&self, address: &str) -> String {
        if address.starts_with('/') {
            format!("{}{address}", self.origin)
        } else {
            address.to_owned()
        }
    }

    async fn page(&mut self, ask: Ask, from: Option<&str>) -> Answer {
        match self.follow(ask, from, false).await {
            Step::Page(page) => page,
            Step::Callback(callback) => unreachable!("not to be stopped at {callback:?}"),
        }
    }

    async fn walk(&mut self, address: &str, person: &Person, stops: bool) -> Step {
        let mut step = self.follow(Ask::get(address), None, stops).await;
        for _ in 0..ENDLESS {
            let Step::Page(page) = step else { return step };
            let Some((form, filled)) = next_form(&page, person) else { return Step::Page(page) };
            if stops && form.action.ends_with("/callback") {
                return Step::Callback(Callback::Form(form));
            }
            let ask = submission(&page, &form, &filled);
            step = self.follow(ask, Some(&host(&page.url)), stops).await;
        }
        panic!("the sign-in does not end: {:?}", self.visited.last())
    }

    /// Asks, and goes on while it is sent on; a callback is left alone where it `stops`.
    async fn follow(&mut self, mut ask: Ask, from: Option<&str>, stops: bool) -> Step {
        let mut chain: Vec<String> = from.map(str::to_owned).into_iter().collect();
        for _ in 0..ENDLESS {
            let address = self.absolute(&ask.address);
            chain.push(host(&address));
            let answer = self.navigate(ask, &address, &chain, from.is_some()).await;
            if !answer.is_redirect() {
                return Step::Page(answer);
            }
            let next = answer.location().unwrap();
            let url = Url::parse(&next).unwrap();
            if stops && url.path().ends_with("/callback") {
                return Step::Callback(Callback::Query(url));
            }
            if !self.is_in_this_world(&url) {
                return Step::Page(answer);
            }
            ask = Ask::get(next);
        }
        panic!("redirected in a circle: {:?}", self.visited.last())
    }

    async fn navigate(
        &mut self,
        ask: Ask,
        address: &str,
        chain: &[String],
        has_initiator: bool,
    ) -> Answer {
        let here = host(address);
        let is_cross_site = chain.iter().any(|host| *host != here);
        let lax = ask.method == Method::GET || !is_cross_site;
        let site = match (has_initiator, is_cross_site) {
            (false, false) => "none",
            (true, false) => "same-origin",
            (_, true) => "cross-site",
        };
        let cookies = self.cookie_header(&here, lax);
        let ask = if cookies.is_empty() { ask } else { ask.header("cookie", cookies) };
        self.visited.push(address.to_owned());
        let answer = ask
            .header("accept", "text/html,application/xhtml+xml")
            .header(
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            )
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", site)
            .send(&self.origin)
            .await;
        self.keep(&answer);
        answer
    }

    fn cookie_header(&self, host: &str, lax: bool) -> String {
        let now = self.clock.now();
        let sent = self.cookies.iter().filter(|cookie| {
            cookie.host == host
                && (lax || !cookie.same_site)
                && cookie.expires_at.is_none_or(|end| now < end)
        });
        let pairs: Vec<_> =
            sent.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        pairs.join("; ")
    }

    fn keep(&mut self, answer: &Answer) {
        let now = self.clock.now();
        for header in answer.headers.get_all("set-cookie") {
            let cookie = Cookie::parse(header.to_str().unwrap(), host(&answer.url), now);
            self.cookies.retain(|old| (&old.host, &old.name) != (&cookie.host, &cookie.name));
            if cookie.expires_at.is_none_or(|end| now < end) {
                self.cookies.push(cookie);
            }
        }
    }
}

impl Cookie {
    fn is(&self, name: &str) -> bool {
        let end = self.name.strip_prefix(name);
        end.is_some_and(|end| end.is_empty() || name.ends_with("-login") && end.starts_with('-'))
    }

    fn parse(text: &str, host: String, now: Timestamp) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let mut cookie = Self {
            host,
            name: name.to_owned(),
            value: value.to_owned(),
            same_site: false,
            expires_at: None,
        };
        for part in parts {
            match part.split_once('=').unwrap_or((part, "")) {
                (name, value) if name.eq_ignore_ascii_case("max-age") => {
                    let seconds = value.parse().unwrap();
                    cookie.expires_at = Some(now + SignedDuration::from_secs(seconds));
                }
                (name, value) if name.eq_ignore_ascii_case("samesite") => {
                    cookie.same_site = !value.eq_ignore_ascii_case("none");
                }
                (name, _) if name.eq_ignore_ascii_case("domain") => {
                    panic!("a cookie of ours is for its own host alone: {text}");
                }
                _ => {}
            }
        }
        cookie
    }
}

/// A refusal: its status and heading, and that nobody is signed in.
pub async fn assert_refused(browser: &mut Browser, page: &Answer, status: u16, heading: &str) {
    assert_eq!((page.status, page.heading().as_str()), (status, heading), "{}", page.body);
    assert_eq!(browser.ask(Ask::get("/session")).await.status, 401);
}

/// The form that a person goes on with at an authority, and what the person fills in; none after an
/// error.
fn next_form<'p>(
    page: &Answer,
    person: &'p Person,
) -> Option<(Form, Vec<(&'static str, &'p str)>)> {
    let forms = page.forms();
    let with = |field: &str| forms.iter().find(|form| form.has(field)).cloned();
    if page.body.contains(r#"role="alert""#) {
        return None;
    }
    if let Some(form) = with("passwd") {
        return Some((form, vec![("passwd", person.password.expose())]));
    }
    if page.heading() == "Pick an account" {
        return with("login").map(|form| (form, vec![("login", person.preferred_username())]));
    }
    (page.heading() == "Signing in").then(|| (forms[0].clone(), Vec::new()))
}

fn submission(page: &Answer, form: &Form, filled: &[(&str, &str)]) -> Ask {
    let base = Url::parse(&page.url).unwrap();
    let mut action = base.join(&form.action).unwrap();
    let fields = form.filled(filled);
    if form.method.eq_ignore_ascii_case("post") {
        return Ask::post(action).form(&fields);
    }
    action.set_query(Some(&serde_urlencoded::to_string(&fields).unwrap()));
    Ask::get(action)
}

fn host(url: &str) -> String {
    Url::parse(url).unwrap().host_str().unwrap().to_owned()
}
