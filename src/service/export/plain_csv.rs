//! `csv`: a table of people for spreadsheets and small programs.

use std::borrow::Cow;

use super::{csv, person::Person};
use crate::domain::account::Account;

type Cell = for<'a> fn(Person<'a>) -> Cow<'a, str>;

/// What stands in which column.
const COLUMNS: [(&str, Cell); 35] = [
    ("id", |person| person.0.id.to_string().into()),
    ("externalId", |person| person.0.external_id.as_deref().unwrap_or_default().into()),
    ("userName", |person| person.0.user_name.as_str().into()),
    ("active", |person| person.0.active.to_string().into()),
    ("displayName", |person| person.0.display_name.as_str().into()),
    ("givenName", |person| person.name("givenName").into()),
    ("middleName", |person| person.name("middleName").into()),
    ("familyName", |person| person.name("familyName").into()),
    ("honorificPrefix", |person| person.name("honorificPrefix").into()),
    ("honorificSuffix", |person| person.name("honorificSuffix").into()),
    ("nickName", |person| person.text("nickName").into()),
    ("email", |person| person.0.email.as_str().into()),
    ("otherEmails", |person| other_emails(person).into()),
    ("workPhone", |person| person.work_phone().into()),
    ("mobilePhone", |person| person.mobile_phone().into()),
    ("title", |person| person.text("title").into()),
    ("userType", |person| person.text("userType").into()),
    ("roles", |person| roles(person).into()),
    ("department", |person| person.enterprise("department").into()),
    ("division", |person| person.enterprise("division").into()),
    ("organization", |person| person.enterprise("organization").into()),
    ("costCenter", |person| person.enterprise("costCenter").into()),
    ("employeeNumber", |person| person.enterprise("employeeNumber").into()),
    ("manager", |person| person.manager().unwrap_or_default().into()),
    ("streetAddress", |person| person.address("streetAddress").into()),
    ("locality", |person| person.address("locality").into()),
    ("region", |person| person.address("region").into()),
    ("postalCode", |person| person.address("postalCode").into()),
    ("country", |person| person.address("country").into()),
    ("preferredLanguage", |person| person.text("preferredLanguage").into()),
    ("locale", |person| person.text("locale").into()),
    ("timezone", |person| person.text("timezone").into()),
    ("connector", |person| {
        person.0.connector_id.map_or(Cow::Borrowed(""), |id| id.to_string().into())
    }),
    ("created", |person| person.0.created_at.to_string().into()),
    ("lastModified", |person| person.0.last_modified_at.to_string().into()),
];

/// The line that names the columns.
pub(super) fn head() -> String {
    csv::record(COLUMNS.map(|(name, _)| name))
}

/// The line of one person.
pub(super) fn line(account: &Account) -> String {
    let cells = COLUMNS.map(|(_, cell)| cell(Person(account)));
    csv::record(cells.iter().map(|cell| csv::guarded(cell)))
}

fn other_emails(person: Person<'_>) -> String {
    let main = &person.0.email;
    let others = person.0.email_addresses().filter(|address| !address.eq_ignore_ascii_case(main));
    others.collect::<Vec<_>>().join("; ")
}

fn roles(person: Person<'_>) -> String {
    person.0.scim_roles.join("; ")
}
