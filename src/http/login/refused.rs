//! Which page a refused sign-in ends on.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use crate::{
    domain::{decision::Outcome, return_to::ReturnTo},
    http::{
        State, extract,
        pages::{login::RefusedPage, refusal::Refusal},
    },
    oidc::{entra_error::Who, refusal::Refusal as AuthorityRefusal},
    service::login::{Refused, Why},
};

/// The page of a refused sign-in.
pub async fn page(state: &State, request: &HttpRequest, refused: &Refused) -> HttpResponse {
    let (refusal, status) = face(&refused.why);
    let organization = refused.organization.as_ref();
    let return_to = refused.return_to.as_ref().filter(|place| **place != ReturnTo::portal());
    RefusedPage {
        frame: &state.frame,
        status,
        refusal,
        organization: organization.map(|found| (&found.slug, found.display_name.as_str())),
        return_to: return_to.map(ReturnTo::as_str),
        reference: &refused.reference,
        note: &note(refused, &refusal),
        signed_in: matches!(extract::session::find(state, request).await, Ok(Some(_))),
    }
    .respond()
}

/// What a person is shown of a refusal, and under which status.
fn face(why: &Why) -> (Refusal<'_>, StatusCode) {
    match why {
        Why::Decided(outcome) => (decided(*outcome), StatusCode::FORBIDDEN),
        Why::Authority(answer) => authority(answer),
        Why::InvalidToken => (Refusal::TokenNotValid, StatusCode::FORBIDDEN),
        Why::MalformedAnswer => (Refusal::TokenNotValid, StatusCode::BAD_REQUEST),
        Why::AuthorityUnavailable => (Refusal::AuthorityUnreachable, StatusCode::BAD_GATEWAY),
        Why::NoOrganization => (Refusal::UnknownOrganization, StatusCode::NOT_FOUND),
        Why::NoConnector => (Refusal::NoConnector, StatusCode::NOT_FOUND),
        Why::Stale => (Refusal::UnknownState, StatusCode::BAD_REQUEST),
        // Neither one that a proxy shows its own page for, nor one that a browser tries again.
        Why::Circle { .. } => (Refusal::Circle, StatusCode::CONFLICT),
        Why::OtherBrowser => (Refusal::CookiesOff, StatusCode::BAD_REQUEST),
    }
}

const fn decided(outcome: Outcome) -> Refusal<'static> {
    match outcome {
        Outcome::NotProvisioned => Refusal::NotProvisioned,
        Outcome::Inactive => Refusal::Inactive,
        Outcome::WrongTenant => Refusal::WrongTenant,
        Outcome::Ambiguous => Refusal::Ambiguous,
        Outcome::AwaitsApproval => Refusal::AwaitsApproval,
        Outcome::NoRole => Refusal::NoRole,
        Outcome::AccessLost => Refusal::AccessLost,
        Outcome::NotAuthenticated | Outcome::SignedIn => Refusal::TokenNotValid,
    }
}

/// Which page an authority's error leads to: by Entra ID's number, and where there is none by the
/// names of OAuth 2.0 (RFC 6749 §4.1.2.1) and OpenID Connect Core 1.0 §3.1.2.6.
///
/// Nothing begins again by itself, also where a silent sign-in asked for more than silence: an
/// authority that keeps saying so would make a circle.
fn authority(answer: &AuthorityRefusal) -> (Refusal<'_>, StatusCode) {
    let refusal = match (answer.aadsts, answer.error.as_str()) {
        (Some(65004), _) | (None, "access_denied") => Refusal::Cancelled,
        (Some(50196), _) => return (Refusal::CircleAtAuthority, StatusCode::CONFLICT),
        (Some(90033 | 90006 | 90012 | 90024 | 90055 | 50000), _)
        | (None, "server_error" | "temporarily_unavailable") => {
            return (Refusal::Busy, StatusCode::SERVICE_UNAVAILABLE);
        }
        (Some(50058), _)
        | (
            None,
            "login_required"
            | "interaction_required"
            | "consent_required"
            | "account_selection_required",
        ) => Refusal::NotSilent,
        _ => Refusal::AuthorityRefused { remedy: answer.remedy() },
    };
    (refusal, StatusCode::FORBIDDEN)
}

/// What helps whoever helps, line by line; nothing where nobody need be asked.
fn note(refused: &Refused, refusal: &Refusal<'_>) -> Vec<(&'static str, String)> {
    let answer = match &refused.why {
        Why::Authority(answer) => Some(answer),
        _ => None,
    };
    if answer.is_none() && refusal.who() == Who::User {
        return Vec::new();
    }
    let application = match &refused.why {
        Why::Circle { application } => Some(application.clone()),
        _ => None,
    };
    let named = refused.organization.as_ref();
    [
        ("Sign-in at", named.map(|found| format!("{} ({})", found.display_name, found.slug))),
        ("Ended with", Some(answer.map_or_else(|| refusal.heading().to_owned(), name))),
        ("To be done", refusal.remedy().map(str::to_owned)),
        ("Application", application),
        ("Trace ID", answer.and_then(|answer| answer.trace_id.clone())),
        ("Correlation ID", answer.and_then(|answer| answer.correlation_id.clone())),
        ("Time", Some(refused.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())),
        ("Number", Some(refused.reference.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// An authority's error by its number and name.
fn name(answer: &AuthorityRefusal) -> String {
    match answer.aadsts {
        Some(code) => format!("AADSTS{code} ({})", answer.error),
        None => answer.error.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(error: &str, aadsts: Option<u32>) -> (Refusal<'static>, u16) {
        let description = aadsts.map(|code| format!("AADSTS{code}: words of Microsoft's."));
        let answer = AuthorityRefusal::new(error, description.as_deref());
        let (refusal, status) = authority(&answer);
        let refusal = match refusal {
            Refusal::AuthorityRefused { .. } => {
                Refusal::AuthorityRefused { remedy: answer.remedy() }
            }
            Refusal::Cancelled => Refusal::Cancelled,
            Refusal::NotSilent => Refusal::NotSilent,
            Refusal::Busy => Refusal::Busy,
            Refusal::CircleAtAuthority => Refusal::CircleAtAuthority,
            other => panic!("{other:?}"),
        };
        (refusal, status.as_u16())
    }

    #[test]
    fn an_authoritys_error_has_its_page_by_number_and_else_by_name() {
        for (error, aadsts, page, status) in [
            ("access_denied", Some(65004), Refusal::Cancelled, 403),
            ("access_denied", None, Refusal::Cancelled, 403),
            ("login_required", Some(50058), Refusal::NotSilent, 403),
            ("login_required", None, Refusal::NotSilent, 403),
            ("interaction_required", None, Refusal::NotSilent, 403),
            ("consent_required", None, Refusal::NotSilent, 403),
            ("account_selection_required", None, Refusal::NotSilent, 403),
            ("server_error", Some(90033), Refusal::Busy, 503),
            ("temporarily_unavailable", None, Refusal::Busy, 503),
            ("server_error", None, Refusal::Busy, 503),
            ("invalid_request", Some(50196), Refusal::CircleAtAuthority, 409),
            ("server_error", Some(99999), Refusal::AuthorityRefused { remedy: None }, 403),
            ("whatever", None, Refusal::AuthorityRefused { remedy: None }, 403),
        ] {
            assert_eq!(answered(error, aadsts), (page, status), "{error} {aadsts:?}");
        }
    }

    #[test]
    fn who_can_mend_an_error_decides_its_words() {
        for (aadsts, who) in [
            (50105, Who::Admin),
            (7_000_215, Who::Admin),
            (53003, Who::User),
            (50148, Who::Operator),
            (54005, Who::User),
            (99999, Who::Operator),
        ] {
            let (refusal, _) = answered("access_denied", Some(aadsts));

            assert_eq!(refusal.who(), who, "{aadsts}");
        }
    }
}
