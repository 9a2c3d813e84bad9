//! What became of an export.

use crate::domain::{account::Account, id::AccountId};

/// A summary names at most this many people of a kind, and counts the rest.
const MOST_NAMED: usize = 1_000;

/// What became of an export, so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many people were written.
    pub written: u64,
    /// Into how many parts: with `entra-bulk-upload`, requests.
    pub parts: u64,
    /// Who could not be written.
    pub left_out: Remarks,
    /// Who was written without something.
    pub incomplete: Remarks,
}

/// People of whom something is to be said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// How many there are.
    pub count: u64,
    /// The first thousand of them.
    pub named: Vec<Remark>,
}

/// What is to be said of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Whose account.
    pub id: AccountId,
    /// Its `userName`.
    pub user_name: String,
    /// Why they were left out, or what was.
    pub reason: String,
}

impl Remarks {
    pub(super) fn add(&mut self, account: &Account, reason: impl Into<String>) {
        self.count += 1;
        if self.named.len() < MOST_NAMED {
            let (id, user_name) = (account.id, account.user_name.clone());
            self.named.push(Remark { id, user_name, reason: reason.into() });
        }
    }
}
