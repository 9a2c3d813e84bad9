//! `kill -9` in the midst of everything, again and again, on one database.

use std::{
    env,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::task::JoinSet;

use crate::{
    actors, observed,
    scene::Scene,
    support::{Directory, Installation, program::Process},
    world::{Random, Slot, World},
};

/// People who sign in, each with an account of theirs.
const PEOPLE: usize = 5;

/// Accounts that only their directory touches.
const OTHERS: usize = 4;

/// The kill comes after so many steps of everybody at most.
const STEPS: u64 = 80;

/// ... and not later than this, on a machine that has more to do.
const PATIENCE: Duration = Duration::from_secs(3);

/// A start after a kill that takes longer has needed a hand.
const QUICK: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_acknowledged_holds_after_every_kill() {
    let rounds = setting("PORTICO_CRASH_ROUNDS").unwrap_or(20);
    let seed = setting("PORTICO_CRASH_SEED").unwrap_or(1);
    println!(
        "PORTICO_CRASH_SEED={seed} draws the same steps; the kills fall where the clock has them"
    );
    let scene = Scene::begin().await;
    let world = Arc::new(world(&scene));
    let mut process = scene.installation.serve().await;

    for round in 0..rounds {
        let mut random = Random::new(seed, round << 16);
        let actors = begin(&world, seed, round);
        steps(&world, random.below(STEPS), random.below(20)).await;
        world.expect_silence(true);
        process.kill().await;
        actors.join_all().await;
        process = start_again(&scene.installation, &mut random).await;
        world.expect_silence(false);
        observed::settle(&world).await;
    }

    observed::watch_all(&world);
    observed::settle(&world).await;
    process.terminate();
    assert_eq!(process.ended().await, Some(0));
    assert_sound(&scene.installation);
    report(&world, rounds);
}

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

fn world(scene: &Scene) -> World {
    let people = (0..PEOPLE).map(|number| {
        let person = scene.has_person(&format!("p{number}"));
        Slot::new(Scene::user(&person), Some(person))
    });
    let others = (0..OTHERS)
        .map(|number| Slot::new(Directory::user(&format!("o{number}@acme.example")), None));
    let origin = scene.installation.origin.clone();
    World::new(origin, scene.directory.clone(), people.chain(others).collect())
}

/// Everybody goes to work, until nobody answers.
fn begin(world: &Arc<World>, seed: u64, round: u64) -> JoinSet<()> {
    let mut actors = JoinSet::new();
    for number in 0..world.slots.len() {
        let random = |actor: u64| Random::new(seed, (round << 16) | (actor << 8) | number as u64);
        let (here, numbers) = (world.clone(), random(1));
        actors.spawn(async move { actors::directory(&here, &here.slots[number], numbers).await });
        if world.slots[number].person.is_some() {
            let (here, numbers) = (world.clone(), random(2));
            actors.spawn(async move { actors::visitor(&here, &here.slots[number], numbers).await });
        }
    }
    actors
}

/// Waits until everybody together got so much done, and some milliseconds more.
async fn steps(world: &World, steps: u64, milliseconds: u64) {
    let (enough, deadline) = (world.steps() + steps, Instant::now() + PATIENCE);
    while world.steps() < enough && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// One start in three is killed as well, wherever it has got to.
async fn start_again(installation: &Installation, random: &mut Random) -> Process {
    if random.below(3) == 0 {
        let mut command = installation.command(&["serve"]);
        let mut half_way = command.stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(random.below(60))).await;
        half_way.kill().await.unwrap();
    }
    let began = Instant::now();
    let process = installation.serve().await;
    assert!(began.elapsed() < QUICK, "the start took {:?}", began.elapsed());
    process
}

/// The file as SQLite itself sees it.
fn assert_sound(installation: &Installation) {
    let database = Connection::open(installation.path("data/portico.db")).unwrap();
    let sound: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    let orphans: i64 = database
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .unwrap();

    assert_eq!((sound.as_str(), orphans), ("ok", 0));
}

/// A round in which nobody got anything done would prove nothing.
fn report(world: &World, rounds: u64) {
    let writes: u64 = world.slots.iter().map(|slot| slot.account().writes).sum();
    let sessions: usize = world.slots.iter().map(|slot| slot.account().sessions.len()).sum();
    println!("{} steps, {writes} writes and {sessions} sessions in {rounds} rounds", world.steps());
    assert!(
        writes > rounds * 10 && sessions as u64 > rounds,
        "{writes} writes, {sessions} sessions"
    );
}
