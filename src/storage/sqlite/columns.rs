//! How our values stand in columns.

use std::{error::Error, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{
    Row, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Type, ValueRef},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    domain::{
        access_role::AccessRole,
        connector::{ConnectorKind, LinkByUserName, RoleSource},
        decision::Outcome,
        group::MemberKind,
        id::{
            AccountId, AuditEventId, ConnectorId, CredentialId, DecisionId, GroupId, MemberId,
            OrganizationId, ProvisioningRecordId, Reference,
        },
        master_key::MasterKey,
        organization::{Edition, EmailDomain, Slug},
        provisioning_record::ProvisioningOutcome,
        return_to::ReturnTo,
        secret::{Secret, SecretDigest, hexadecimal},
        subject_link::LinkBasis,
    },
    scim::schema::Kind,
};

pub(super) use crate::storage::folded::folded;

/// The columns of a row from left to right: a struct's fields are read in the order of the SELECT.
pub(super) struct Columns<'row, 'statement> {
    row: &'row Row<'statement>,
    next: usize,
}

impl<'row, 'statement> Columns<'row, 'statement> {
    /// All columns of a row.
    pub(super) const fn of(row: &'row Row<'statement>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn read<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let column = self.next;
        self.next += 1;
        self.row.get(column)
    }

    /// Passes over the next column.
    pub(super) const fn skip(&mut self) {
        self.next += 1;
    }

    /// The next column, sealed for this place.
    pub(super) fn open(&mut self, master_key: &MasterKey, place: &str) -> rusqlite::Result<Secret> {
        let column = self.next;
        let sealed: Vec<u8> = self.read()?;
        let damaged = |cause: Box<dyn Error + Send + Sync>| {
            rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, cause)
        };
        let plain = master_key.open(place, &sealed).map_err(|cause| damaged(cause.into()))?;
        let text = std::str::from_utf8(&plain).map_err(|cause| damaged(cause.into()))?;
        Ok(Secret::new(text))
    }
}

/// The place that a secret is sealed for: table, column, and the row's key in hexadecimal.
pub(super) fn place(column: &str, key: &[u8]) -> String {
    format!("{column}/{}", hexadecimal(key))
}

fn unreadable(error: impl Error + Send + Sync + 'static) -> FromSqlError {
    FromSqlError::Other(Box::new(error))
}

/// A moment, as microseconds since 1970; what is finer is cut off.
pub(super) struct Moment(pub(super) Timestamp);

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_microsecond(value.as_i64()?).map(Self).map_err(unreadable)
    }
}

/// A duration, as microseconds; a longer one than a thousand years counts as that.
pub(super) struct Span(pub(super) SignedDuration);

impl ToSql for Span {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        const THOUSAND_YEARS: i64 = 1_000 * 366 * 24 * 3_600 * 1_000_000;
        let microseconds = i64::try_from(self.0.as_micros()).unwrap_or(THOUSAND_YEARS);
        Ok(microseconds.min(THOUSAND_YEARS).into())
    }
}

impl FromSql for Span {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(SignedDuration::from_micros).map(Self)
    }
}

/// A number that counts up from 0: a version, an epoch, a limit. One beyond SQLite's greatest
/// counts as that.
pub(super) struct Count(pub(super) u64);

impl ToSql for Count {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u64::try_from(value.as_i64()?).map(Self).map_err(unreadable)
    }
}

/// A value as JSON text.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let unwritable = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
        serde_json::to_string(&self.0).map(Into::into).map_err(unwritable)
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(unreadable)
    }
}

macro_rules! as_bytes {
    ($($type:ty),+) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_bytes().as_slice()))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                FromSql::column_result(value).map(Self::from_bytes)
            }
        }
    )+};
}

as_bytes!(
    AccountId,
    AuditEventId,
    ConnectorId,
    CredentialId,
    DecisionId,
    GroupId,
    MemberId,
    OrganizationId,
    ProvisioningRecordId,
    SecretDigest
);

macro_rules! as_text {
    ($($type:ty: $read:expr),+ $(,)?) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let read: fn(&str) -> Option<$type> = $read;
                read(value.as_str()?).ok_or(FromSqlError::InvalidType)
            }
        }
    )+};
}

as_text! {
    AccessRole: parsed,
    ConnectorKind: parsed,
    Edition: parsed,
    EmailDomain: parsed,
    LinkByUserName: parsed,
    ProvisioningOutcome: parsed,
    RoleSource: parsed,
    Slug: parsed,
    Kind: Kind::named,
    LinkBasis: LinkBasis::from_stored,
    Outcome: |text| serde_json::from_value(Value::from(text)).ok(),
    Reference: |text| Some(Reference::from_stored(text.to_owned())),
    ReturnTo: |text| Some(ReturnTo::from_stored(text.to_owned())),
}

impl FromSql for MemberKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "User" => Ok(Self::Account),
            "Group" => Ok(Self::Group),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
