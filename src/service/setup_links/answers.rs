//! What an admin pasted into Organization Setup, and what is wrong with it.

use uuid::Uuid;

use crate::{domain::secret::Secret, ports::authorities::AuthorityFailure};

/// Longer than any client secret's Value, of which Entra ID makes 40 characters.
const LONGEST_SECRET: usize = 500;

/// The three values from the Azure portal, without the space around them.
#[derive(Clone, Debug)]
pub struct Answers {
    /// The authority as pasted.
    pub authority: String,
    /// The Application (client) ID as pasted.
    pub client_id: String,
    /// The client secret's Value.
    pub client_secret: Secret,
}

/// What is wrong with [`Answers`], by field.
#[derive(Debug, Default)]
pub struct Problems {
    /// With the authority.
    pub authority: Option<AuthorityProblem>,
    /// With the client ID.
    pub client_id: Option<ClientIdProblem>,
    /// With the client secret.
    pub client_secret: Option<ClientSecretProblem>,
}

/// The authority is not one, or does not answer as one; the text says what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct AuthorityProblem(pub AuthorityFailure);

/// A text is not an Application (client) ID; the text says what to paste.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientIdProblem {
    /// Nothing there.
    #[error("Paste the Application (client) ID from the app registration’s Overview page.")]
    Empty,
    /// The tenant's ID, which stands two lines below it in the portal.
    #[error(
        "This is the Directory (tenant) ID, which is part of the authority already. Paste the \
         Application (client) ID: it stands above it on the Overview page."
    )]
    TenantId,
    /// An address.
    #[error(
        "This is an address. The client ID is a GUID, such as \
         11111111-2222-3333-4444-555555555555: the Application (client) ID on the Overview page."
    )]
    Address,
    /// Something as long as a client secret.
    #[error(
        "This looks like a client secret’s Value, which belongs in the box below. Paste the \
         Application (client) ID from the Overview page here."
    )]
    ClientSecret,
    /// Something else.
    #[error(
        "A client ID is a GUID, such as 11111111-2222-3333-4444-555555555555. Paste the whole \
         Application (client) ID from the app registration’s Overview page."
    )]
    NotAGuid,
}

/// A text is not a client secret's Value; the text says what to paste, never what was pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientSecretProblem {
    /// Nothing there.
    #[error(
        "Paste the client secret’s Value. It is never shown again, here or in the Azure portal: if \
         it is lost, make a new client secret."
    )]
    Empty,
    /// The GUID beside the Value.
    #[error(
        "This is the Secret ID, not the Value. Copy the column Value; if it is masked already, make \
         a new client secret and copy its Value at once."
    )]
    SecretId,
    /// A character that no secret has.
    #[error(
        "This has a space or another character that no client secret has. Copy the column Value \
         once more, with the copy button beside it."
    )]
    Character,
    /// Longer than 500 characters.
    #[error("This is too long for a client secret. Copy the column Value, and nothing else.")]
    TooLong,
}

impl Answers {
    /// Takes what was pasted; space and quotation marks around a value come from copying.
    pub fn pasted(authority: &str, client_id: &str, client_secret: &str) -> Self {
        let bare = |text: &str| {
            text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'').to_owned()
        };
        Self {
            authority: bare(authority),
            client_id: bare(client_id),
            client_secret: Secret::new(client_secret.trim()),
        }
    }

    /// What can be said without asking the authority.
    pub(super) fn check(&self) -> Problems {
        Problems {
            authority: None,
            client_id: self.client_id_problem(),
            client_secret: self.client_secret_problem(),
        }
    }

    fn client_id_problem(&self) -> Option<ClientIdProblem> {
        let pasted = self.client_id.as_str();
        if pasted.is_empty() {
            return Some(ClientIdProblem::Empty);
        }
        if is_guid(pasted) {
            let is_tenant = self.authority.split('/').any(|step| step.eq_ignore_ascii_case(pasted));
            return is_tenant.then_some(ClientIdProblem::TenantId);
        }
        Some(match pasted {
            _ if pasted.contains("://") => ClientIdProblem::Address,
            _ if pasted.len() == 40 || pasted.contains('~') => ClientIdProblem::ClientSecret,
            _ => ClientIdProblem::NotAGuid,
        })
    }

    fn client_secret_problem(&self) -> Option<ClientSecretProblem> {
        match self.client_secret.expose() {
            "" => Some(ClientSecretProblem::Empty),
            pasted if pasted.len() > LONGEST_SECRET => Some(ClientSecretProblem::TooLong),
            pasted if is_guid(pasted) => Some(ClientSecretProblem::SecretId),
            pasted if !pasted.bytes().all(|c| c.is_ascii_graphic()) => {
                Some(ClientSecretProblem::Character)
            }
            _ => None,
        }
    }
}

impl Problems {
    /// Whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.authority.is_none() && self.client_id.is_none() && self.client_secret.is_none()
    }
}

impl std::fmt::Display for AuthorityProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            AuthorityFailure::Authority(error) => write!(f, "Please correct this: {error}."),
            AuthorityFailure::Unreachable { cause, .. } => write!(
                f,
                "The authority does not answer as one ({cause}). Compare the tenant ID with the \
                 Directory (tenant) ID on the Overview page; if they are the same, try again in a \
                 moment."
            ),
            AuthorityFailure::Discovery(error) => write!(
                f,
                "The authority answered, but not as one of yours: {error}. Compare the tenant ID \
                 with the Directory (tenant) ID on the Overview page."
            ),
            AuthorityFailure::Keys(error) => {
                write!(f, "The authority answered, but its keys cannot be used: {error}.")
            }
        }
    }
}

/// Whether a text is a GUID written `8-4-4-4-12`.
fn is_guid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee";
    const CLIENT: &str = "11112222-bbbb-3333-cccc-4444dddd5555";
    const VALUE: &str = "abc8Q~defghijklmnopqrstuvwxyz0123456789x";

    #[test]
    fn what_the_portal_shows_is_accepted_with_the_space_and_quotes_that_copying_adds() {
        for (client_id, client_secret) in [
            (CLIENT.to_owned(), VALUE.to_owned()),
            (CLIENT.to_uppercase(), format!("\t{VALUE}\r\n")),
            (format!(" \"{CLIENT}\"\n"), VALUE.to_owned()),
        ] {
            let answers = Answers::pasted(TENANT, &client_id, &client_secret);

            assert!(answers.check().is_empty(), "{client_id}");
            assert_eq!(answers.client_secret.expose(), VALUE);
        }
    }

    #[test]
    fn something_else_in_the_place_of_the_client_id_is_told_apart() {
        let long = "x".repeat(16_000);
        for (pasted, expected) in [
            ("", ClientIdProblem::Empty),
            (" \u{a0}\"\" ", ClientIdProblem::Empty),
            ("aaaabbbb-0000-cccc-1111-dddd2222eeee", ClientIdProblem::TenantId),
            ("AAAABBBB-0000-CCCC-1111-DDDD2222EEEE", ClientIdProblem::TenantId),
            (TENANT, ClientIdProblem::Address),
            (VALUE, ClientIdProblem::ClientSecret),
            ("Portico", ClientIdProblem::NotAGuid),
            ("11112222bbbb3333cccc4444dddd5555", ClientIdProblem::NotAGuid),
            ("{11112222-bbbb-3333-cccc-4444dddd5555}", ClientIdProblem::NotAGuid),
            ("11112222-bbbb-3333-cccc-4444dddd555\0", ClientIdProblem::NotAGuid),
            ("<b>11112222-bbbb-3333-cccc-4444ddd</b>", ClientIdProblem::NotAGuid),
            (&long, ClientIdProblem::NotAGuid),
        ] {
            let problems = Answers::pasted(TENANT, pasted, VALUE).check();

            assert_eq!(problems.client_id, Some(expected), "{pasted}");
        }
    }

    #[test]
    fn something_else_in_the_place_of_the_client_secret_is_told_apart() {
        let long = "x".repeat(501);
        for (pasted, expected) in [
            ("", ClientSecretProblem::Empty),
            (" \r\n", ClientSecretProblem::Empty),
            ("aaaabbbb-0000-cccc-1111-dddd2222eeee", ClientSecretProblem::SecretId),
            (CLIENT, ClientSecretProblem::SecretId),
            ("abc def", ClientSecretProblem::Character),
            ("abc\0def", ClientSecretProblem::Character),
            ("abc\u{202e}def", ClientSecretProblem::Character),
            ("••••••••••••", ClientSecretProblem::Character),
            (&long, ClientSecretProblem::TooLong),
        ] {
            let problems = Answers::pasted(TENANT, CLIENT, pasted).check();

            assert_eq!(problems.client_secret, Some(expected), "{pasted}");
            assert!(pasted.len() < 3 || !expected.to_string().contains(pasted));
        }
    }
}
