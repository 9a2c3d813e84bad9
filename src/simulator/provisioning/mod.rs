//! The provisioning service: keeps a SCIM target in step with the directory, as Entra's does.
//!
//! A job looks at the directory in cycles: in the first at everything, then at what changed since
//! and at what failed. People go first, then groups, then what refers to them: managers and members.
//!
//! | module | what |
//! |---|---|
//! | `job` | the settings and the memory of a job, "Test Connection", "Restart" |
//! | `cycle` | the passes of a cycle, provisioning on demand |
//! | `person`, `group`, `members` | the steps: what is sent for one of them |
//! | `matching` | who of the target is who |
//! | `mapping`, `path`, `roles` | the attribute mapping |
//! | `dialect` | the two ways to write a PATCH |
//! | `client` | requests, pauses, access tokens |
//! | `report` | the provisioning log, and what a failure is called |
//! | `retry`, `quarantine` | when a failure is tried again, and when the job |
//! | `running`, `control` | jobs of a running simulator, and their control address |

mod client;
pub(super) mod control;
mod cycle;
mod dialect;
mod group;
mod job;
mod mapping;
mod matching;
mod members;
mod path;
mod person;
mod quarantine;
mod report;
mod retry;
mod roles;
mod running;
mod target;

pub(super) use self::running::KnownJob;
pub use self::{
    client::{ScimCredential, ScimTarget},
    cycle::OnDemandError,
    group::MemberRequests,
    job::{JobSettings, ProvisioningJob, TestConnectionError},
    mapping::{CustomAttribute, ExternalId, Mapping, Scope},
    matching::Matching,
    quarantine::{JobState, Quarantine, QuarantineLimits, QuarantineReason},
    report::{Action, CycleKind, ProvisioningEntry, ProvisioningLog, ResourceKind},
    roles::RoleMapping,
    running::RunningJob,
};

#[cfg(test)]
mod tests;
