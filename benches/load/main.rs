//! What forward auth costs: `GET /auth/check` beside a handler that does nothing, in one run.
//!
//! # Why beside
//!
//! Rates depend on the machine and on who else uses it; the ratio of servers that take turns every
//! second hardly does. All of them are this very program, begun anew with an argument, so they
//! share the web framework, its features, the allocator and the compiler's settings.

use std::{env, time::Duration};

use mimalloc::MiMalloc;

use crate::{
    client::Load,
    figures::{Figures, Measured},
    process::Process,
};

mod client;
mod figures;
mod process;
mod redis;
mod serve;
mod start_up;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What the others are held against.
const BARE: &str = "bare handler";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(serve::BARE) => serve::bare(),
        Some(serve::PORTICO) => serve::portico(arguments.get(1).map(String::as_str)),
        _ => measure(&Plan::of(&arguments)),
    }
}

/// How long to measure.
struct Plan {
    rounds: u16,
    round: Duration,
    starts: u16,
}

impl Plan {
    /// `cargo bench` says `--bench`; `cargo test --benches` does not, and only wants to see it run.
    fn of(arguments: &[String]) -> Self {
        if arguments.iter().any(|argument| argument == "--bench") {
            Self { rounds: 21, round: Duration::from_secs(1), starts: 7 }
        } else {
            Self { rounds: 1, round: Duration::from_millis(100), starts: 1 }
        }
    }
}

fn measure(plan: &Plan) -> anyhow::Result<()> {
    forward_auth(plan)?;
    println!();
    start_up::measure(plan.starts)
}

fn forward_auth(plan: &Plan) -> anyhow::Result<()> {
    let bare = serve::start(&[serve::BARE])?;
    let portico = serve::start(&[serve::PORTICO])?;
    let redis = redis::start()?;
    let in_redis = redis.as_ref().map(|redis| serve::start(&[serve::PORTICO, &redis.url]));
    let in_redis = in_redis.transpose()?;
    let mut loads = vec![
        (BARE, &bare.process, Load::let_in_by_bare(bare.address, &portico.cookie)),
        ("let in", &portico.process, Load::let_in(portico.address, &portico.cookie)),
        ("refused", &portico.process, Load::refused(portico.address)),
    ];
    match &in_redis {
        Some(server) => {
            let load = Load::let_in(server.address, &server.cookie);
            loads.push(("let in, Redis", &server.process, load));
        }
        None => println!("Sessions in Redis are left out: redis-server is not installed.\n"),
    }
    for (_, process, load) in &loads {
        round(process, load, plan.round)?;
    }
    let mut figures: Vec<_> = loads.iter().map(|(name, ..)| (*name, Figures::new())).collect();
    for _ in 0..plan.rounds {
        for ((_, process, load), (_, figures)) in loads.iter().zip(&mut figures) {
            figures.add(round(process, load, plan.round)?);
        }
    }
    print(plan, &figures);
    Ok(())
}

/// One server under load; the others rest meanwhile.
fn round(process: &Process, load: &Load, length: Duration) -> anyhow::Result<Measured> {
    let client = load.connect()?;
    let before = process.cpu()?;
    let answered = client.run(length)?;
    Ok(Measured::new(answered, process.cpu()?.saturating_sub(before)))
}

fn print(plan: &Plan, figures: &[(&str, Figures)]) {
    println!(
        "GET /auth/check, {} connections, {} rounds of {:?}: medians (least to most)\n",
        client::CONNECTIONS,
        plan.rounds,
        plan.round,
    );
    println!("{:22}{:34}server CPU per request", "", "requests per second");
    for (name, figures) in figures {
        println!("{name:22}{:34}{} µs", figures.rates().whole(), figures.cpu_micros().fine());
    }
    println!();
    let Some(((_, bare), others)) = figures.split_first() else { return };
    for (name, figures) in others {
        let (rate, cpu) = figures.ratios_to(bare);
        println!("{:22}{:34}{}", format!("{name} : bare"), rate.fine(), cpu.fine());
    }
}
