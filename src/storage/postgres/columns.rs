//! How our values stand in columns.

use std::{error::Error, str::FromStr};

use bytes::{BufMut as _, BytesMut};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
pub(super) use tokio_postgres::types::Json;
use tokio_postgres::{
    Row,
    types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked},
};

use super::failure::Failure;
pub(super) use crate::storage::folded::folded;
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

type Read<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The columns of a row from left to right: a struct's fields are read in the order of the SELECT.
pub(super) struct Columns<'row> {
    row: &'row Row,
    next: usize,
}

impl<'row> Columns<'row> {
    /// All columns of a row.
    pub(super) const fn of(row: &'row Row) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn read<T: FromSql<'row>>(&mut self) -> Result<T, Failure> {
        let column = self.next;
        self.next += 1;
        Ok(self.row.try_get(column)?)
    }

    /// Passes over the next column.
    pub(super) const fn skip(&mut self) {
        self.next += 1;
    }

    /// The next column, sealed for this place.
    pub(super) fn open(&mut self, master_key: &MasterKey, place: &str) -> Result<Secret, Failure> {
        let sealed: &[u8] = self.read()?;
        let plain = master_key.open(place, sealed).map_err(Failure::damaged)?;
        Ok(Secret::new(std::str::from_utf8(&plain).map_err(Failure::damaged)?))
    }
}

/// The place that a secret is sealed for: table, column, and the row's key in hexadecimal.
pub(super) fn place(column: &str, key: &[u8]) -> String {
    format!("{column}/{}", hexadecimal(key))
}

/// The places in a statement, from `$first` on, of values of these types: `$4::uuid, $5::text`.
pub(super) fn places(first: usize, types: &[&str]) -> String {
    let place = |(number, of): (usize, &&str)| format!("${}::{of}", first + number);
    types.iter().enumerate().map(place).collect::<Vec<_>>().join(", ")
}

/// A moment, in whole microseconds; what is finer is cut off.
#[derive(Debug)]
pub(super) struct Moment(pub(super) Timestamp);

/// 2000-01-01T00:00:00Z, where PostgreSQL counts from, in microseconds since 1970.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl ToSql for Moment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Read<IsNull> {
        out.put_i64(self.0.as_microsecond() - POSTGRES_EPOCH);
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl FromSql<'_> for Moment {
    fn from_sql(_: &Type, raw: &[u8]) -> Read<Self> {
        let microseconds = i64::from_be_bytes(raw.try_into()?);
        let since_1970 = microseconds.checked_add(POSTGRES_EPOCH).ok_or("no moment of ours")?;
        Ok(Self(Timestamp::from_microsecond(since_1970)?))
    }

    accepts!(TIMESTAMPTZ);
}

/// A duration, as microseconds; a longer one than a thousand years counts as that.
#[derive(Debug)]
pub(super) struct Span(pub(super) SignedDuration);

impl ToSql for Span {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Read<IsNull> {
        const THOUSAND_YEARS: i64 = 1_000 * 366 * 24 * 3_600 * 1_000_000;
        let microseconds = i64::try_from(self.0.as_micros()).unwrap_or(THOUSAND_YEARS);
        out.put_i64(microseconds.min(THOUSAND_YEARS));
        Ok(IsNull::No)
    }

    accepts!(INT8);
    to_sql_checked!();
}

impl FromSql<'_> for Span {
    fn from_sql(ty: &Type, raw: &[u8]) -> Read<Self> {
        i64::from_sql(ty, raw).map(SignedDuration::from_micros).map(Self)
    }

    accepts!(INT8);
}

/// A number that counts up from 0: a version, an epoch, a limit. One beyond PostgreSQL's greatest
/// counts as that.
#[derive(Debug)]
pub(super) struct Count(pub(super) u64);

impl ToSql for Count {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Read<IsNull> {
        i64::try_from(self.0).unwrap_or(i64::MAX).to_sql(ty, out)
    }

    accepts!(INT8);
    to_sql_checked!();
}

impl FromSql<'_> for Count {
    fn from_sql(ty: &Type, raw: &[u8]) -> Read<Self> {
        Ok(Self(u64::try_from(i64::from_sql(ty, raw)?)?))
    }

    accepts!(INT8);
}

macro_rules! as_bytes {
    ($postgres:ident: $($type:ty),+) => {$(
        impl ToSql for $type {
            fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Read<IsNull> {
                out.put_slice(self.as_bytes());
                Ok(IsNull::No)
            }

            accepts!($postgres);
            to_sql_checked!();
        }

        impl FromSql<'_> for $type {
            fn from_sql(_: &Type, raw: &[u8]) -> Read<Self> {
                Ok(Self::from_bytes(raw.try_into()?))
            }

            accepts!($postgres);
        }
    )+};
}

as_bytes!(
    UUID: AccountId,
    AuditEventId,
    ConnectorId,
    CredentialId,
    DecisionId,
    GroupId,
    MemberId,
    OrganizationId,
    ProvisioningRecordId
);
as_bytes!(BYTEA: SecretDigest);

macro_rules! as_text {
    ($($type:ty: $read:expr),+ $(,)?) => {$(
        impl ToSql for $type {
            fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Read<IsNull> {
                self.as_str().to_sql(ty, out)
            }

            accepts!(TEXT);
            to_sql_checked!();
        }

        impl<'row> FromSql<'row> for $type {
            fn from_sql(ty: &Type, raw: &'row [u8]) -> Read<Self> {
                let read: fn(&str) -> Option<$type> = $read;
                read(FromSql::from_sql(ty, raw)?).ok_or_else(|| "no value of ours".into())
            }

            accepts!(TEXT);
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

impl<'row> FromSql<'row> for MemberKind {
    fn from_sql(ty: &Type, raw: &'row [u8]) -> Read<Self> {
        match <&str>::from_sql(ty, raw)? {
            "User" => Ok(Self::Account),
            "Group" => Ok(Self::Group),
            _ => Err("no kind of member".into()),
        }
    }

    accepts!(TEXT);
}

/// A text that may hold anything: PostgreSQL keeps no NUL, and has U+FFFD in its place.
#[derive(Debug)]
pub(super) struct Text<T>(pub(super) T);

impl<T: AsRef<str> + std::fmt::Debug> ToSql for Text<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Read<IsNull> {
        match self.0.as_ref() {
            text if text.contains('\0') => text.replace('\0', "\u{fffd}").to_sql(ty, out),
            text => text.to_sql(ty, out),
        }
    }

    accepts!(TEXT);
    to_sql_checked!();
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
