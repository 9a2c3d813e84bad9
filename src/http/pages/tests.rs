//! Every page, rendered with hostile values, has the same manners.

use actix_web::body::to_bytes;
use jiff::SignedDuration;
use url::Url;

use super::{
    demo::{Answer, ProtectedPage},
    error::ErrorPage,
    login::{DemoOrganization, DemoPerson, EmailPage, EmailProblem, RefusedPage, RepostPage},
    logout::{ConfirmPage, DonePage},
    portal::PortalPage,
    refusal::Refusal,
    setup::{CopiedValues, DonePage as SetupDonePage, EditionPage, FormPage, GonePage, Typed},
    *,
};
use crate::{
    domain::{
        access_role::AccessRole,
        id::{AccountId, ConnectorId, OrganizationId, Reference},
        organization::Slug,
        secret::{Secret, SecretDigest},
        session::Session,
    },
    ports::authorities::AuthorityFailure,
    service::setup_links::answers::{
        AuthorityProblem, ClientIdProblem, ClientSecretProblem, Problems,
    },
};

const HOSTILE: &str = r#""'><script>alert(1)</script><b style="x" onclick=x>&{{ 1 }}"#;

/// The pages of one service, each with its name.
struct Pages {
    frame: Frame,
    value: String,
    slug: Slug,
    reference: Reference,
}

type Answers = Vec<(&'static str, HttpResponse)>;

impl Pages {
    /// Everything that may come from outside is `value`.
    fn showing(value: &str) -> Self {
        let simulator = Url::parse("http://127.0.0.1:8081").unwrap();
        Self {
            frame: Frame {
                demo: true,
                support: value.to_owned(),
                form_targets: FormTargets::new([&simulator]),
            },
            value: value.to_owned(),
            slug: Slug::parse("acme").unwrap(),
            reference: Reference::from_stored(value.to_owned()),
        }
    }

    fn all(&self) -> Answers {
        [self.login(), self.refusals(), self.signed_in(), self.setup(), self.errors(), self.demo()]
            .into_iter()
            .flatten()
            .collect()
    }

    fn login(&self) -> Answers {
        let (frame, value) = (&self.frame, self.value.as_str());
        let carried = [("return_to", value)];
        let organizations = [self.demo_organization(), self.demo_organization()];
        let asked = |email, problem, demo_organizations| {
            EmailPage { frame, carried: &carried, email, problem, demo_organizations }.respond()
        };
        let fields = [(value.to_owned(), value.to_owned())];
        vec![
            ("login", asked("", None, &[])),
            ("login-demo", asked("", None, &organizations)),
            ("login-problem", asked(value, Some(EmailProblem::UnknownDomain), &[])),
            ("login-not-an-address", asked(value, Some(EmailProblem::NotAnAddress), &[])),
            ("login-no-connector", asked(value, Some(EmailProblem::NoConnector), &[])),
            ("repost", RepostPage::new(frame, value, &fields).respond()),
        ]
    }

    fn demo_organization(&self) -> DemoOrganization {
        let person = DemoPerson {
            user_name: self.value.clone(),
            password: self.value.clone(),
            role: self.value.clone(),
            note: self.value.clone(),
        };
        DemoOrganization {
            slug: self.slug.clone(),
            display_name: self.value.clone(),
            people: vec![person; 5],
        }
    }

    fn refusals(&self) -> Answers {
        let note = [("Trace ID", self.value.clone())];
        let refused = |refusal: Refusal<'static>| {
            let page = RefusedPage {
                frame: &self.frame,
                status: StatusCode::FORBIDDEN,
                refusal,
                organization: Some((&self.slug, &self.value)),
                return_to: Some(&self.value),
                reference: &self.reference,
                note: &note,
                signed_in: true,
            };
            (refusal.heading(), page.respond())
        };
        Refusal::ALL.into_iter().map(refused).collect()
    }

    fn signed_in(&self) -> Answers {
        let (frame, value) = (&self.frame, self.value.as_str());
        let link = Link { href: value.to_owned(), label: value.to_owned() };
        let portal = PortalPage {
            frame,
            name: value,
            email: value,
            organization: value,
            session: &session(value),
            links: &[link],
        };
        let done = |still_signed_in_at_authority| {
            let organization = Some(&self.slug);
            DonePage { frame, organization, still_signed_in_at_authority }.respond()
        };
        vec![
            ("portal", portal.respond()),
            ("logout-confirm", ConfirmPage { frame }.respond()),
            ("logout-done", done(false)),
            ("logout-here-only", done(true)),
        ]
    }

    fn setup(&self) -> Answers {
        let (frame, value) = (&self.frame, self.value.as_str());
        let copied = CopiedValues {
            redirect_uri: value.to_owned(),
            signed_out_uri: value.to_owned(),
            frontchannel_logout_uri: value.to_owned(),
            scim_url: value.to_owned(),
            scim_user_name: value.to_owned(),
        };
        let form = |is_change, problems: &Problems| {
            let typed = &Typed { authority: value, client_id: value };
            let expires_at = "2026-03-06T09:05:00Z".parse().unwrap();
            let organization = value;
            let page = FormPage {
                frame,
                organization,
                expires_at,
                copied: &copied,
                is_change,
                typed,
                problems,
            };
            page.respond()
        };
        let done = |former_password_valid| {
            let page = SetupDonePage {
                frame,
                organization: value,
                slug: &self.slug,
                sign_in_url: value,
                scim_url: value,
                scim_user_name: value,
                scim_password: &Secret::new(value),
                former_password_valid,
            };
            page.respond()
        };
        vec![
            ("setup", form(false, &Problems::default())),
            ("setup-change", form(true, &Problems::default())),
            ("setup-problems", form(true, &problems(value))),
            ("setup-done", done(false)),
            ("setup-changed", done(true)),
            ("setup-gone", GonePage { frame }.respond()),
            ("setup-edition", EditionPage { frame, organization: value }.respond()),
        ]
    }

    fn errors(&self) -> Answers {
        let failed = |status: StatusCode| {
            let (detail, reference) = (Some(self.value.as_str()), Some(&self.reference));
            let page = ErrorPage { frame: &self.frame, status, detail, reference };
            (status.canonical_reason().unwrap(), page.respond())
        };
        [400, 401, 403, 404, 405, 413, 429, 500, 503]
            .map(|status| failed(StatusCode::from_u16(status).unwrap()))
            .into()
    }

    fn demo(&self) -> Answers {
        let (frame, name) = (&self.frame, self.value.as_str());
        let headers = [(name, name)];
        let needs = AccessRole::Admin;
        let portal = "https://portico.example/";
        let page = |answer| ProtectedPage { frame, name, portal, answer }.respond();
        vec![
            ("demo-open", page(Answer::Admitted { needs: None, headers: &headers })),
            ("demo-admitted", page(Answer::Admitted { needs: Some(needs), headers: &headers })),
            ("demo-too-low", page(Answer::TooLow { needs, has: Some(AccessRole::User) })),
            ("demo-no-role", page(Answer::TooLow { needs, has: None })),
        ]
    }
}

/// Something wrong with every field of the setup.
fn problems(value: &str) -> Problems {
    let doing = "asking".to_owned();
    let failure = AuthorityFailure::Unreachable { doing, cause: value.to_owned() };
    Problems {
        authority: Some(AuthorityProblem(failure)),
        client_id: Some(ClientIdProblem::TenantId),
        client_secret: Some(ClientSecretProblem::SecretId),
    }
}

fn session(value: &str) -> Session {
    let created_at: Timestamp = "2026-03-03T09:05:00Z".parse().unwrap();
    Session {
        digest: SecretDigest::of(b"cookie"),
        organization_id: OrganizationId::generate(),
        account_id: AccountId::generate(),
        connector_id: ConnectorId::generate(),
        access_epoch: 0,
        token_role: None,
        role: AccessRole::Admin,
        sid: None,
        created_at,
        last_seen_at: created_at,
        idle: SignedDuration::from_hours(1),
        expires_at: created_at + SignedDuration::from_hours(12),
        user_agent: value.to_owned(),
        address: value.to_owned(),
    }
}

async fn text_of(answer: HttpResponse) -> String {
    let bytes = to_bytes(answer.into_body()).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn every_page_showing(value: &str) -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    for (name, answer) in Pages::showing(value).all() {
        pages.push((name, text_of(answer).await));
    }
    pages
}

/// The opening tags of a page, each from after `<` to before `>`; escaped values hold neither.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    let opened = page.split('<').skip(1).filter(|rest| !rest.starts_with(['/', '!']));
    opened.filter_map(|rest| rest.split('>').next())
}

/// The value of an attribute of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[actix_web::test]
async fn no_value_becomes_markup() {
    let harmless = every_page_showing("harmless").await;

    for ((name, harmless), (_, hostile)) in harmless.iter().zip(every_page_showing(HOSTILE).await) {
        let names = |page: &str| {
            let names = tags(page).filter_map(|tag| tag.split_whitespace().next());
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names(harmless), names(&hostile), "{name}");
        assert!(!hostile.contains("alert(1)</script>"), "{name}");
    }
}

#[actix_web::test]
async fn every_page_has_a_language_a_title_and_one_heading() {
    for (name, page) in every_page_showing(HOSTILE).await {
        assert!(page.contains("<html lang=\"en\">"), "{name}");
        assert!(!page.contains("<title> ·") && page.matches("<title>").count() == 1, "{name}");
        assert_eq!(page.matches("<h1>").count(), 1, "{name}");
        assert_eq!(page.matches("<main ").count(), 1, "{name}");
    }
}

#[actix_web::test]
async fn no_page_loads_from_elsewhere_or_carries_its_own_style_or_handlers() {
    for (name, page) in every_page_showing("harmless").await {
        for tag in tags(&page) {
            let attributes = tag.split_whitespace().skip(1);
            let inline = |text: &str| text.starts_with("style=") || text.starts_with("on");
            assert!(!tag.starts_with("style") && !attributes.clone().any(inline), "{name}: {tag}");
            let mut loaded = ["src", "href"].iter().filter_map(|name| attribute(tag, name));
            let is_way_on = tag.starts_with("a ");
            assert!(is_way_on || loaded.all(|from| !from.contains("//")), "{name}: {tag}");
        }
    }
}

#[actix_web::test]
async fn every_control_has_a_label_and_every_reference_a_target() {
    for (name, page) in every_page_showing(HOSTILE).await {
        let visible = |tag: &&str| tag.starts_with("input") && !tag.contains("type=\"hidden\"");
        for control in tags(&page).filter(visible) {
            let id = attribute(control, "id").unwrap();
            assert!(page.contains(&format!("<label for=\"{id}\">")), "{name}: {control}");
        }
        for reference in ["aria-labelledby", "aria-describedby"] {
            let named = tags(&page).filter_map(|tag| attribute(tag, reference));
            for id in named.flat_map(str::split_whitespace) {
                assert!(page.contains(&format!(" id=\"{id}\"")), "{name}: {id}");
            }
        }
    }
}

#[actix_web::test]
async fn every_page_with_its_stylesheet_stays_under_twenty_kilobytes() {
    let stylesheet = include_str!("../../../templates/assets/portico.css");
    for (name, page) in every_page_showing("harmless").await {
        assert!(page.len() + stylesheet.len() < 20_000, "{name}");
    }
}

#[test]
fn no_page_is_kept_by_a_cache() {
    for (name, answer) in Pages::showing("harmless").all() {
        let caching = answer.headers().get(CACHE_CONTROL).map(HeaderValue::as_bytes);

        assert_eq!(caching, Some(b"no-store".as_slice()), "{name}");
    }
}

#[actix_web::test]
async fn a_page_that_posts_lets_the_browser_send_its_origin() {
    for (name, answer) in Pages::showing("harmless").all() {
        let policy = answer.headers().get(REFERRER_POLICY).cloned();

        let posts = text_of(answer).await.contains("method=\"post\"");

        assert!(!posts || policy == Some(HeaderValue::from_static("same-origin")), "{name}");
    }
}

#[actix_web::test]
async fn only_the_page_that_posts_again_has_a_script_and_its_policy_names_the_nonce() {
    for (name, answer) in Pages::showing("harmless").all() {
        let policy = answer.headers().get(CONTENT_SECURITY_POLICY).cloned();
        let policy = policy.map(|policy| policy.to_str().unwrap().to_owned()).unwrap_or_default();

        let page = text_of(answer).await;
        let script = tags(&page).find(|tag| tag.starts_with("script"));

        assert_eq!(script.is_some(), name == "repost", "{name}");
        let nonce = script.and_then(|tag| attribute(tag, "nonce"));
        assert_eq!(policy.contains("script-src"), nonce.is_some(), "{name}");
        assert!(nonce.is_none_or(|nonce| policy.contains(&format!("'nonce-{nonce}'"))), "{name}");
    }
}

#[actix_web::test]
async fn a_mistyped_address_is_kept_and_tied_to_what_is_wrong_with_it() {
    let frame = Pages::showing("your IT department").frame;
    let page = EmailPage {
        frame: &frame,
        carried: &[("return_to", "/reports?year=2026")],
        email: "alice@kontoso.example",
        problem: Some(EmailProblem::UnknownDomain),
        demo_organizations: &[],
    };

    let page = text_of(page.respond()).await;

    let input = tags(&page).find(|tag| attribute(tag, "id") == Some("email")).unwrap();
    assert_eq!(attribute(input, "value"), Some("alice@kontoso.example"));
    assert_eq!(attribute(input, "aria-describedby"), Some("problem"));
    assert!(page.contains("name=\"return_to\" value=\"/reports?year=2026\""));
    assert!(page.contains("role=\"alert\">No organization here uses that domain."));
}

#[actix_web::test]
async fn what_is_wrong_with_a_set_up_stands_at_its_field_and_the_browser_goes_to_the_first() {
    let pages = Pages::showing("harmless");
    let (_, page) = pages.setup().into_iter().find(|(name, _)| *name == "setup-problems").unwrap();

    let page = text_of(page).await;

    let input = |id| tags(&page).find(|tag| attribute(tag, "id") == Some(id)).unwrap();
    for (id, said) in [
        ("authority", "The authority does not answer as one (harmless)."),
        ("client_id", "This is the Directory (tenant) ID"),
        ("client_secret", "This is the Secret ID, not the Value."),
    ] {
        let described = format!("{id}-hint {id}-problem");
        let problem = format!("id=\"{id}-problem\" role=\"alert\">{said}");
        assert_eq!(attribute(input(id), "aria-describedby"), Some(described.as_str()));
        assert_eq!(attribute(input(id), "aria-invalid"), Some("true"));
        assert!(page.contains(&problem), "{problem}");
        assert_eq!(input(id).contains(" autofocus"), id == "authority");
    }
    assert_eq!(attribute(input("client_secret"), "value"), None);
}

#[actix_web::test]
async fn a_refusal_for_the_wrong_tenant_leads_first_to_another_account_and_back_to_the_page() {
    let pages = Pages::showing("Acme");
    let page = RefusedPage {
        frame: &pages.frame,
        status: StatusCode::FORBIDDEN,
        refusal: Refusal::WrongTenant,
        organization: Some((&pages.slug, "Acme")),
        return_to: Some("/reports?a=b&c"),
        reference: &pages.reference,
        note: &[],
        signed_in: false,
    };

    let page = text_of(page.respond()).await;

    let first = tags(&page).find(|tag| attribute(tag, "class") == Some("button")).unwrap();
    let there = "/login/acme?prompt=select_account&#38;return_to=%2Freports%3Fa%3Db%26c";
    assert_eq!(attribute(first, "href"), Some(there));
}

#[test]
fn a_moment_is_shown_in_utc() {
    assert_eq!(moment("2026-03-03T10:05:59+01:00".parse().unwrap()), "3 March 2026, 09:05 UTC");
}
