//! `/{tenant}/oauth2/v2.0/authorize` and the sign-in pages behind it.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite},
    http::Method,
    web::{Data, Path},
};

use super::{
    aadsts::Aadsts,
    authorization_request::{AuthorizationRequest, Prompt, Refusal, ReturnAddress},
    directory::{Application, Person, Tenant, guid},
    entra::{Entra, Grant, GrantKind, SignedIn, World},
    fault::{Counter, Pairs},
    metadata::Version,
    pages::{self, Account},
    parameters::Parameters,
};
use crate::domain::secret::Secret;

/// People offered on the account picker at most; the others type their name.
const OFFERED: usize = 12;

/// One request of a browser on its way through the sign-in.
struct Visit<'a> {
    entra: &'a Entra,
    /// The authorization request as the application wrote it, carried from page to page.
    query: &'a str,
    request: AuthorizationRequest,
    /// The value of the browser's cookie, and whether it is new.
    browser: Secret,
    is_new: bool,
}

/// `GET` or `POST /{tenant}/oauth2/v2.0/authorize` (OpenID Connect Core 1.0 §3.1.2.1).
pub(super) async fn authorize(
    entra: Data<Entra>,
    tenant: Path<String>,
    http: HttpRequest,
    body: String,
) -> HttpResponse {
    let query = if http.method() == Method::POST { &*body } else { http.query_string() };
    let answer = Visit::begin(&entra, &tenant, &http, query).and_then(|visit| visit.decide());
    answer.unwrap_or_else(|refusal| refused(&entra, refusal))
}

/// `POST /{tenant}/oauth2/v2.0/login`: what a person chose or typed on one of the pages.
pub(super) async fn login(
    entra: Data<Entra>,
    tenant: Path<String>,
    http: HttpRequest,
    body: String,
) -> HttpResponse {
    let answer = Visit::begin(&entra, &tenant, &http, http.query_string())
        .and_then(|visit| visit.continue_with(&Parameters::parse(&body)?));
    answer.unwrap_or_else(|refusal| refused(&entra, refusal))
}

fn refused(entra: &Entra, refusal: Refusal) -> HttpResponse {
    let now = entra.clock.now();
    match refusal {
        Refusal::Stop(error) => pages::error(&error, now),
        Refusal::Return(error, address) => {
            let parameters = address.refusal(&error, now);
            send_back(entra, *address, parameters)
        }
    }
}

fn send_back(entra: &Entra, mut address: ReturnAddress, mut parameters: Pairs) -> HttpResponse {
    entra.faults.authorization_response(&mut parameters, &address.issuer);
    address.mode = entra.faults.response_mode().unwrap_or(address.mode);
    pages::send_back(&address, &parameters)
}

/// The cookie of this simulator; cookies don't know ports, so its name does.
pub(super) fn cookie_name(entra: &Entra) -> String {
    let port = entra.origin.rsplit(':').next().unwrap_or_default();
    format!("ESTSAUTH-{port}")
}

/// The value of the browser's cookie; empty without one.
pub(super) fn browser_of(entra: &Entra, http: &HttpRequest) -> String {
    http.cookie(&cookie_name(entra)).map(|cookie| cookie.value().to_owned()).unwrap_or_default()
}

impl<'a> Visit<'a> {
    fn begin(
        entra: &'a Entra,
        tenant: &str,
        http: &HttpRequest,
        query: &'a str,
    ) -> Result<Self, Refusal> {
        let parameters = Parameters::parse(query)?;
        let version = Version::of(http.path());
        let world = entra.world();
        let request =
            AuthorizationRequest::parse(&entra.origin, &world, tenant, version, &parameters)?;
        if let Some(error) = entra.faults.refusal(Counter::OwnPage, &request.case("")) {
            return Err(error.into());
        }
        let known = browser_of(entra, http);
        let is_new = !world.knows_browser(&known);
        let browser = if is_new { Secret::generate() } else { Secret::new(known) };
        Ok(Self { entra, query, request, browser, is_new })
    }

    /// Sends who is signed in already back at once, or shows the page that asks.
    fn decide(&self) -> Result<HttpResponse, Refusal> {
        let mut world = self.entra.world();
        let sessions = self.sessions(&world);
        let hint = self.request.login_hint.as_deref();
        match (self.request.prompt, hint) {
            (Some(Prompt::None), _) => {
                let session = self.only_session(&world, &sessions).map_err(|e| self.back(e))?;
                self.complete(&mut world, &session, true)
            }
            (Some(Prompt::Login), Some(hint)) => Ok(self.password(&world, hint, None)),
            (Some(Prompt::Login | Prompt::SelectAccount), _) => {
                Ok(self.picker(&world, &sessions, None))
            }
            (Some(Prompt::Consent) | None, _) => match (self.only_session(&world, &sessions), hint)
            {
                (Ok(session), _) => self.complete(&mut world, &session, false),
                (Err(_), Some(hint)) => Ok(self.password(&world, hint, None)),
                (Err(_), None) => Ok(self.picker(&world, &sessions, None)),
            },
        }
    }

    /// The session that needs no choice: the hinted person's, or without a hint the only one.
    fn only_session(&self, world: &World, sessions: &[SignedIn]) -> Result<SignedIn, Aadsts> {
        let Some(hint) = &self.request.login_hint else {
            return match sessions {
                [] => Err(Aadsts::not_signed_in()),
                [only] => Ok(only.clone()),
                _ => Err(Aadsts::several_signed_in()),
            };
        };
        let person = self.tenant(world).person_named(hint);
        let session = person.and_then(|person| sessions.iter().find(|s| s.oid == person.oid));
        session.cloned().ok_or_else(Aadsts::not_signed_in)
    }

    /// The next page, or the answer, after a person's choice.
    fn continue_with(&self, form: &Parameters) -> Result<HttpResponse, Refusal> {
        let mut world = self.entra.world();
        if form.get("consent") == Some("cancel") {
            return Err(self.back(Aadsts::consent_declined()));
        }
        let sessions = self.sessions(&world);
        let tenant = self.tenant(&world);
        let Some(login) = form.get("login") else {
            return Ok(self.picker(&world, &sessions, None));
        };
        let Some(person) = tenant.person_named(login).cloned() else {
            let unknown = Aadsts::unknown_person(login, &tenant.display_name);
            return Ok(self.picker(&world, &sessions, Some(&unknown)));
        };
        if let Some(password) = form.get("passwd") {
            if let Err(error) = check_password(&person, password) {
                return Ok(self.password(&world, login, Some(&error)));
            }
            let session = self.sign_in(&mut world, &person);
            return self.complete(&mut world, &session, false);
        }
        let session = sessions.into_iter().find(|session| session.oid == person.oid);
        match session.filter(|_| self.request.prompt != Some(Prompt::Login)) {
            Some(session) => {
                let agreed = form.get("consent") == Some("accept");
                self.complete(&mut world, &session, agreed)
            }
            None => Ok(self.password(&world, login, None)),
        }
    }

    /// Sends the browser back with a code; `prompt=consent` asks first, unless that is settled.
    fn complete(
        &self,
        world: &mut World,
        session: &SignedIn,
        settled: bool,
    ) -> Result<HttpResponse, Refusal> {
        let request = &self.request;
        let (person, application) = self.parties(world, session)?;
        if !application.admits(person.oid) {
            let error = Aadsts::not_assigned(person.preferred_username(), request.client_id);
            let silent = request.prompt == Some(Prompt::None);
            return Err(self.back(if silent { error.while_silent() } else { error }));
        }
        let case = request.case(person.preferred_username());
        if let Some(error) = self.entra.faults.refusal(Counter::Application, &case) {
            return Err(self.back(error));
        }
        if request.prompt == Some(Prompt::Consent) && !settled {
            let page = pages::consent(&application, &Account::of(&person), &self.action());
            return Ok(self.with_cookie(page));
        }
        world.take_part(self.browser.expose(), session.sid, request.client_id);
        let code = world.grant(self.grant(session));
        let parameters = vec![("code", code)];
        let mut parameters = request.return_address.with_state(parameters);
        parameters.push(("session_state", session.sid.to_string()));
        Ok(self.with_cookie(send_back(self.entra, request.return_address.clone(), parameters)))
    }

    fn grant(&self, session: &SignedIn) -> Grant {
        let request = &self.request;
        Grant {
            tenant: request.tenant,
            version: request.version,
            client_id: request.client_id,
            redirect_uri: request.return_address.redirect_uri.clone(),
            oid: session.oid,
            sid: session.sid,
            signed_in_at: session.at,
            nonce: request.nonce.clone(),
            scope: request.scope.clone(),
            challenge: request.challenge.clone(),
            issued_at: self.entra.clock.now(),
            kind: GrantKind::Code { used: false },
        }
    }

    fn sign_in(&self, world: &mut World, person: &Person) -> SignedIn {
        let session = SignedIn {
            tenant: self.request.tenant,
            oid: person.oid,
            sid: guid(),
            at: self.entra.clock.now(),
            applications: Vec::new(),
        };
        world.sign_in(self.browser.expose(), session)
    }

    fn back(&self, error: Aadsts) -> Refusal {
        Refusal::Return(error, Box::new(self.request.return_address.clone()))
    }

    fn tenant<'w>(&self, world: &'w World) -> &'w Tenant {
        world.tenant(self.request.tenant).expect("a tenant is never removed")
    }

    fn parties(&self, world: &World, session: &SignedIn) -> Result<(Person, Application), Refusal> {
        let tenant = self.tenant(world);
        let application = tenant.application(self.request.client_id);
        let application = application.map(|it| tenant.application_for(it, session.oid));
        let person = tenant.person(session.oid);
        person.cloned().zip(application).ok_or_else(|| self.back(Aadsts::not_signed_in()))
    }

    /// The sessions of this browser whose people may still sign in.
    fn sessions(&self, world: &World) -> Vec<SignedIn> {
        let may_sign_in = |session: &&SignedIn| {
            let tenant = world.tenant(session.tenant);
            tenant.and_then(|tenant| tenant.person(session.oid)).is_some_and(Person::may_sign_in)
        };
        let sessions = world.signed_in(self.browser.expose(), self.request.tenant);
        sessions.filter(may_sign_in).cloned().collect()
    }

    fn picker(&self, world: &World, sessions: &[SignedIn], error: Option<&Aadsts>) -> HttpResponse {
        let tenant = self.tenant(world);
        let is_signed_in = |person: &Person| sessions.iter().any(|s| s.oid == person.oid);
        let account =
            |person| Account { is_signed_in: is_signed_in(person), ..Account::of(person) };
        let mut accounts: Vec<_> =
            tenant.people.iter().filter(|p| is_signed_in(p)).map(account).collect();
        accounts.extend(
            tenant
                .people
                .iter()
                .filter(|p| !is_signed_in(p) && !p.soft_deleted)
                .map(account)
                .take(OFFERED),
        );
        let page = pages::picker(&self.shown(tenant), &accounts, error);
        self.with_cookie(page)
    }

    fn password(&self, world: &World, login: &str, error: Option<&Aadsts>) -> HttpResponse {
        let tenant = self.tenant(world);
        let name = tenant.person_named(login).map_or(login, Person::preferred_username);
        self.with_cookie(pages::password(&self.shown(tenant), name, error))
    }

    /// What all pages of this visit show.
    fn shown<'t>(&self, tenant: &'t Tenant) -> pages::Shown<'t> {
        let application = tenant.application(self.request.client_id);
        pages::Shown {
            tenant: &tenant.display_name,
            application: application.map_or("", |application| &application.display_name),
            action: self.action(),
        }
    }

    /// Where the pages' forms go: the request travels on in the query.
    fn action(&self) -> String {
        let Self { request, query, .. } = self;
        format!("/{}/{}/login?{query}", request.tenant, request.version.folder())
    }

    fn with_cookie(&self, mut page: HttpResponse) -> HttpResponse {
        if self.is_new {
            let cookie = Cookie::build(cookie_name(self.entra), self.browser.expose())
                .path("/")
                .http_only(true)
                .same_site(SameSite::Lax)
                .finish();
            page.add_cookie(&cookie).expect("the cookie's name and value are plain letters");
        }
        page
    }
}

fn check_password(person: &Person, password: &str) -> Result<(), Aadsts> {
    if person.password != Secret::new(password) {
        return Err(Aadsts::wrong_password());
    }
    if !person.may_sign_in() {
        return Err(Aadsts::disabled());
    }
    Ok(())
}
