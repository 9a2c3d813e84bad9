//! Power that fails: the program killed, its disk full, its files damaged, its Redis gone; told of
//! the real program as a process.
//!
//! `kill -9` proves what a process owes: nothing that was answered rests in its memory alone, and
//! every start finds its way by itself. It does not prove what a machine owes whose power fails:
//! the system's own memory survives a kill, so a write that never reached the disk would seem kept.
//! That is why `durability.rs` watches the program ask for the disk before it answers. That a disk
//! then tells the truth, nobody can prove here.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod actors;
mod damage;
mod disk_full;
mod durability;
mod first_start;
mod kill_rounds;
mod lose_redis;
mod model;
mod observed;
mod process;
mod redis_failures;
mod redis_server;
mod refused_starts;
mod scene;
mod small_disk;
mod story;
#[expect(dead_code, unused_imports, reason = "the stories use all of it")]
#[path = "../stories/support/mod.rs"]
mod support;
mod survive_a_kill;
mod world;
