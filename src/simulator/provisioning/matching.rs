//! Which resource of the target is which person or group.

use serde_json::Value;

use super::{
    client::{Answer, NoAnswer},
    mapping::WORK_EMAIL,
    quarantine::QuarantineReason,
    report::{Action, Record, Trouble},
};

/// An attribute by which people are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// `userName`.
    UserName,
    /// `externalId`.
    ExternalId,
    /// `emails[type eq "work"].value`.
    WorkEmail,
}

impl Matching {
    /// The attribute's path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::UserName => "userName",
            Self::ExternalId => "externalId",
            Self::WorkEmail => WORK_EMAIL,
        }
    }
}

/// Whom, or what, a query found.
#[derive(Debug)]
pub(super) enum Found {
    Nobody,
    One(Box<Value>),
}

/// What a query by `attribute` found; `None`, with a line in the log, if the answer cannot be used.
pub(super) fn found(
    answer: Result<Answer, NoAnswer>,
    attribute: &str,
    record: &mut Record,
) -> Option<Found> {
    let answer = record.require_success(Action::Match, answer)?;
    match answer.body["Resources"].as_array().map_or(&[][..], Vec::as_slice) {
        [] if answer.body["totalResults"] == 0 => Some(Found::Nobody),
        [one] if has_members(one) => {
            refuse(record, "MultipleEntriesInResponse", "the members were to be left out");
            None
        }
        [one] if one["id"].is_string() => {
            record.succeed(Action::Match, answer.status, format!("matched by {attribute}"));
            Some(Found::One(Box::new(one.clone())))
        }
        [_, _, ..] => {
            let detail = format!("several resources have this {attribute}");
            refuse(record, "DuplicateTargetEntries", &detail);
            None
        }
        _ => {
            let trouble = Trouble::Fatal(QuarantineReason::Incompatible);
            let detail = "the answer is not a ListResponse with resources".to_owned();
            record.fail(Action::Match, Some(answer.status), Some(INCOMPATIBLE), detail, trouble);
            None
        }
    }
}

const INCOMPATIBLE: &str = "SystemForCrossDomainIdentityManagementServiceIncompatible";

fn has_members(resource: &Value) -> bool {
    resource["members"].as_array().is_some_and(|members| !members.is_empty())
}

fn refuse(record: &mut Record, code: &'static str, detail: &str) {
    record.fail(Action::Match, Some(200), Some(code), detail.to_owned(), Trouble::Lasting);
}
