//! The target of a job, as the steps of a cycle share it, and the steps' way through it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    client::ScimClient,
    dialect::Dialect,
    group::MemberRequests,
    matching::Matching,
    quarantine::QuarantineReason,
    report::{ProvisioningEntry, Record, Trouble},
};

/// Where a job provisions to, and how.
pub(super) struct Target {
    pub(super) client: Arc<ScimClient>,
    pub(super) dialect: Dialect,
    pub(super) matching: Vec<Matching>,
    pub(super) members: MemberRequests,
    /// Whether a known user is read by a query for `id`, as provisioning on demand does.
    pub(super) reads_by_query: bool,
    /// Why the rest of the cycle is not worth trying.
    pub(super) halted: Mutex<Option<QuarantineReason>>,
}

impl Target {
    pub(super) fn is_halted(&self) -> bool {
        self.halted.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Why the cycle stopped, if it did; the next one starts anew.
    pub(super) fn take_halt(&self) -> Option<QuarantineReason> {
        self.halted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn halt_for(&self, trouble: Option<&Trouble>) {
        if let Some(Trouble::Fatal(reason)) = trouble {
            let mut halted = self.halted.lock().unwrap_or_else(PoisonError::into_inner);
            halted.get_or_insert(*reason);
        }
    }
}

/// What a step leaves behind.
pub(super) struct Outcome<L> {
    pub(super) oid: Uuid,
    /// `None` for who is not at the target, or not any more.
    pub(super) link: Option<L>,
    pub(super) entries: Vec<ProvisioningEntry>,
    pub(super) trouble: Option<Trouble>,
    /// Whether the step was taken before the cycle stopped.
    pub(super) taken: bool,
}

/// What a cycle does about one person or group.
pub(super) trait Step: Send + 'static {
    /// What is known afterwards.
    type Link: Send + 'static;

    /// The log to write in.
    fn record(&self) -> (Uuid, Record);

    /// Does it, and gives the link as it is then.
    fn take(
        self,
        target: Arc<Target>,
        record: &mut Record,
    ) -> impl Future<Output = Option<Self::Link>> + Send;

    /// The link as it was, where the cycle stopped before this step.
    fn leave(self) -> Option<Self::Link>;
}

/// Takes the steps, several at a time, until the target is halted; gives the outcomes in the steps'
/// order.
pub(super) async fn walk<S: Step>(target: &Arc<Target>, steps: Vec<S>) -> Vec<Outcome<S::Link>> {
    const AT_ONCE: usize = 8;
    let take = |step: S| {
        let target = Arc::clone(target);
        async move {
            let (oid, mut record) = step.record();
            let taken = !target.is_halted();
            let link = if taken {
                step.take(Arc::clone(&target), &mut record).await
            } else {
                step.leave()
            };
            target.halt_for(record.trouble.as_ref());
            Outcome { oid, link, entries: record.entries, trouble: record.trouble, taken }
        }
    };
    at_once(AT_ONCE, steps.into_iter().map(take)).await
}

/// Runs tasks, so many at a time, and gives their results in the tasks' order.
pub(super) async fn at_once<T: Send + 'static>(
    limit: usize,
    tasks: impl IntoIterator<Item: Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut tasks = tasks.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut done = Vec::new();
    loop {
        while running.len() < limit.max(1)
            && let Some((number, task)) = tasks.next()
        {
            running.spawn(async move { (number, task.await) });
        }
        let Some(finished) = running.join_next().await else { break };
        done.push(finished.expect("a task neither panics nor is cancelled"));
    }
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}
