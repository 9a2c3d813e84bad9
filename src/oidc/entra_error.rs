//! Entra ID's error numbers: who can fix it, in which words.
//!
//! For people only. Microsoft changes numbers and texts at will: programs branch on `error`.

/// What is shown for an `AADSTS` number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// Who can do something about it.
    pub who: Who,
    /// What to do, in one or two sentences.
    pub text: &'static str,
}

/// Who can do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The person who signs in.
    User,
    /// The organization's administrator, in the Azure portal.
    Admin,
    /// Whoever runs Portico.
    Operator,
    /// Nobody needs to.
    Nobody,
}

/// The remedy for an `AADSTS` number; `None` for an unknown one.
pub fn remedy(code: u32) -> Option<&'static Remedy> {
    REMEDIES.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, remedy)| remedy)
}

/// The number in the first `AADSTS` followed by five to seven digits.
pub(super) fn code(description: &str) -> Option<u32> {
    let after = description.split("AADSTS").skip(1);
    after.into_iter().find_map(|rest| {
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        (5..=7).contains(&length).then(|| rest[..length].parse().ok()).flatten()
    })
}

/// The GUID that follows `label`, and nothing else that stands there.
pub(super) fn identifier(description: &str, label: &str) -> Option<String> {
    let (_, rest) = description.split_once(label)?;
    crate::oidc::guid(rest.get(..36)?)
}

const fn admin(text: &'static str) -> Remedy {
    Remedy { who: Who::Admin, text }
}

const fn user(text: &'static str) -> Remedy {
    Remedy { who: Who::User, text }
}

const fn operator(text: &'static str) -> Remedy {
    Remedy { who: Who::Operator, text }
}

const REMEDIES: &[(&[u32], Remedy)] = &[
    (
        &[50011],
        admin(
            "The redirect URI is not registered. Add exactly the one that Organization Setup \
             shows, under Authentication, platform Web.",
        ),
    ),
    (
        &[500_113, 900_971],
        admin(
            "No redirect URI is registered yet. Add the one that Organization Setup shows, under \
             Authentication, platform Web.",
        ),
    ),
    (
        &[700_016],
        admin(
            "The application is not known in this tenant. Compare the Application (client) ID and \
             the Directory (tenant) ID with the app registration's Overview page.",
        ),
    ),
    (
        &[90002],
        admin("The tenant does not exist in this cloud. Check the tenant ID in the authority."),
    ),
    (
        &[90038, 900_382, 900_432],
        admin(
            "The tenant lives in another national cloud (US Government or China). Use that \
             cloud's authority.",
        ),
    ),
    (
        &[50194],
        admin("The application is not multi-tenant. Use the authority with your own tenant ID."),
    ),
    (
        &[70001, 7_000_112, 1_000_031],
        admin("The application is disabled. Enable it under Enterprise applications."),
    ),
    (
        &[7_000_215],
        admin(
            "The client secret is wrong. Paste the secret's Value, not its Secret ID; create a new \
             one if it is lost.",
        ),
    ),
    (&[7_000_222], admin("The client secret has expired. Create a new one and paste its Value.")),
    (
        &[7_000_218],
        admin(
            "The redirect URI is registered under Web, but no client secret was sent. Enter the \
             secret, or register the mobile redirect URI under Mobile and desktop applications.",
        ),
    ),
    (
        &[700_025],
        admin(
            "The redirect URI is registered under Mobile and desktop applications. Register the \
             Web redirect URI under Web.",
        ),
    ),
    (
        &[700_027, 50012, 700_030],
        admin("The certificate differs or has expired. Upload the one that is shown here."),
    ),
    (
        &[700_021, 700_023, 700_024],
        operator("The proof in place of a secret names another client, tenant or time."),
    ),
    (
        &[9_002_325, 9_002_326, 9_002_327],
        admin("The redirect URI is registered as Single-page application. Move it to Web."),
    ),
    (&[700_054], operator("A response type was asked that the application does not allow.")),
    (
        &[50105],
        admin(
            "The person is not assigned to the application. Assign the person or their group, \
             with a role, under Enterprise applications.",
        ),
    ),
    (
        &[50020, 51004, 50034, 16000, 16003],
        user(
            "You are signed in with an account of another organization or a personal one. Sign \
             out there and choose your work account, or ask to be invited as a guest.",
        ),
    ),
    (&[500_208, 90072], user("This kind of account cannot sign in here. Use your work account.")),
    (
        &[500_212, 500_213],
        admin("A cross-tenant access policy blocks this guest. Allow the application in it."),
    ),
    (&[65001, 90008], admin("Consent is missing. Grant admin consent for the application.")),
    (&[65004], user("Consent was declined. Try again and accept.")),
    (&[90094, 90095], user("Your administrator must approve this application first. Ask IT.")),
    (
        &[650_052, 650_054, 650_056, 65005],
        admin(
            "The application asks for permissions that it cannot have. Remove all API permissions \
             except openid, profile and email.",
        ),
    ),
    (
        &[50076, 50079, 50072, 50074, 50078],
        user("More proof is needed. Start again and complete the second step."),
    ),
    (
        &[53000, 53001, 53002, 53003, 53004, 530_032, 530_035, 50131],
        user("Your organization's policy blocks this device or place. Ask IT."),
    ),
    (
        &[50126, 50053, 50055, 50056, 50057, 50144],
        user("The account is locked or disabled, or its password has expired. Ask IT."),
    ),
    (&[50058], user("You are not signed in at Microsoft. Start again.")),
    (&[54005], user("This sign-in was already used. Start again.")),
    (&[70008, 50089], user("The sign-in took too long. Start again.")),
    (&[501_481, 50147, 50148, 501_491], operator("The proof key does not match. Start again.")),
    (&[700_005], user("The connector changed during the sign-in. Start again.")),
    (
        &[50173, 50132, 50133, 700_082, 70043],
        user("Your organization ended this session. Sign in again."),
    ),
    (&[50196], operator("The authority detected a redirect loop.")),
    (
        &[90033, 90006, 90012, 90024, 90055, 50000],
        user("Microsoft's sign-in service is busy. Try again in a moment."),
    ),
    (
        &[50068, 50061, 90007],
        Remedy {
            who: Who::Nobody,
            text: "Microsoft had already ended its session; you are signed out here.",
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_one_remedy() {
        let mut codes: Vec<u32> =
            REMEDIES.iter().flat_map(|(codes, _)| codes.iter().copied()).collect();
        let count = codes.len();

        codes.sort_unstable();
        codes.dedup();

        assert_eq!(codes.len(), count);
        assert!(REMEDIES.iter().all(|(_, remedy)| remedy.text.ends_with('.')));
    }

    #[test]
    fn the_number_is_found_where_one_stands() {
        let texts = [
            ("AADSTS50105: not assigned", Some(50105)),
            ("invalid_client: AADSTS7000215: Invalid", Some(7_000_215)),
            ("AADSTSx AADSTS50011", Some(50011)),
            ("AADSTS12", None),
            ("AADSTS123456789", None),
            ("no number", None),
        ];

        for (text, expected) in texts {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn an_expired_secret_is_the_admins_to_replace() {
        assert_eq!(remedy(7_000_222).map(|remedy| remedy.who), Some(Who::Admin));
        assert_eq!(remedy(1), None);
    }
}
