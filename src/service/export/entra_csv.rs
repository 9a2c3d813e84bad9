//! `entra-csv`: the file of *Bulk create users* in Microsoft's portal.
//!
//! # Why
//!
//! The file is opened in a spreadsheet before Entra reads it, and Entra takes an apostrophe that
//! guards a cell for part of the value. So what a spreadsheet would run is not written at all.

use std::borrow::Cow;

use super::{csv, person::Person};
use crate::domain::{
    account::Account,
    secret::{self, Secret},
};

/// The version of the template and its columns, as Microsoft documents them.
pub(super) const HEAD: &str = "version:v1.0\r\n\
    Name [displayName] Required,User name [userPrincipalName] Required,\
    Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,\
    First name [givenName],Last name [surname],Job title [jobTitle],Department [department],\
    Usage location [usageLocation],Street address [streetAddress],State or province [state],\
    Country or region [country],Office [physicalDeliveryOfficeName],City [city],\
    ZIP or postal code [postalCode],Office phone [telephoneNumber],Mobile phone [mobile]\r\n";

/// One line of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// As written.
    pub(super) text: String,
    /// The columns that are empty because a spreadsheet would run what belongs there.
    pub(super) emptied: Vec<&'static str>,
}

/// The line of one person, or why there can be none.
pub(super) fn line(account: &Account, password: Option<&Secret>) -> Result<Line, &'static str> {
    let name = one_line(&account.display_name);
    if csv::runs(&name) {
        return Err("a spreadsheet would run the display name as a formula");
    }
    let user_name = principal_name(account)?;
    let block = if account.active { "No" } else { "Yes" };
    let password = password.map_or("", Secret::expose);
    let mut cells = vec![name, user_name.into(), password.into(), block.into()];
    let mut emptied = Vec::new();
    for (column, value) in optional(Person(account)) {
        let value = one_line(value);
        let runs = csv::runs(&value);
        cells.push(if runs { Cow::Borrowed("") } else { value });
        emptied.extend(runs.then_some(column));
    }
    Ok(Line { text: csv::record(cells), emptied })
}

/// A password that satisfies Entra's rules, of 75 random bits: `Kqdw7-…`, without letters and
/// digits that look alike.
pub(super) fn initial_password() -> Secret {
    const LARGE: &[u8; 16] = b"ABCDEFGHKLMNPRTW";
    const SMALL: &[u8; 16] = b"abcdefghkmnprtwy";
    const DIGITS: &[u8; 8] = b"23456789";
    let group = |[a, b, c, d]: [u8; 4]| {
        let small = |byte: u8| SMALL[usize::from(byte & 15)];
        let symbols = [LARGE[usize::from(a & 15)], small(b), small(c), DIGITS[usize::from(d & 7)]];
        symbols.map(char::from).iter().collect::<String>()
    };
    let groups: [String; 5] = std::array::from_fn(|_| group(secret::random_bytes()));
    Secret::new(groups.join("-"))
}

/// The user name, or the e-mail address where the user name has not the form of a user principal
/// name.
fn principal_name(account: &Account) -> Result<&str, &'static str> {
    let candidates = [account.user_name.trim(), account.email.trim()];
    let found = candidates.into_iter().find(|name| is_principal_name(name));
    found.ok_or("neither user name nor e-mail address can be a user principal name: name@domain")
}

fn is_principal_name(name: &str) -> bool {
    let is_plain = |part: &str| {
        let odd = |c: char| c.is_whitespace() || c.is_control() || ",;\"".contains(c);
        !part.is_empty() && !part.contains(odd)
    };
    let parts = name.split_once('@');
    parts.is_some_and(|(name, domain)| {
        is_plain(name) && is_plain(domain) && !domain.contains('@') && !csv::runs(name)
    })
}

/// What stands in the columns that need not be filled in.
fn optional(person: Person<'_>) -> [(&'static str, &str); 13] {
    [
        ("First name", person.name("givenName")),
        ("Last name", person.name("familyName")),
        ("Job title", person.text("title")),
        ("Department", person.enterprise("department")),
        ("Usage location", usage_location(person)),
        ("Street address", person.address("streetAddress")),
        ("State or province", person.address("region")),
        ("Country or region", person.address("country")),
        // Entra ID's own mapping sends the office so.
        ("Office", person.address("formatted")),
        ("City", person.address("locality")),
        ("ZIP or postal code", person.address("postalCode")),
        ("Office phone", person.work_phone()),
        ("Mobile phone", person.mobile_phone()),
    ]
}

/// The country of the address, where it is written as Entra wants it: in two letters.
fn usage_location(person: Person<'_>) -> &str {
    let country = person.address("country").trim();
    let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { country } else { "" }
}

/// The text without line breaks and control characters, and without space around it, which Entra
/// refuses.
fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        let words = text.split(|c: char| c.is_control() || c.is_whitespace());
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").into()
    } else {
        text.trim().into()
    }
}
