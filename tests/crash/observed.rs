//! What a service says after its start, held against the model.

use std::collections::HashMap;

use http::Method;
use serde_json::Value;

use crate::{
    model::Seen,
    world::{Slot, World},
};

/// In so many rounds a dead session is asked whether it stays dead; the last round asks all.
const WATCHED: u32 = 3;

/// Everything that the service has must be what the model allows.
pub async fn settle(world: &World) {
    let mut found = accounts(world).await;
    for slot in &world.slots {
        let seen = sessions(world, slot).await;
        let resource = found.remove(slot.user_name());
        slot.account().settle(resource.as_ref(), &seen);
    }
    assert!(found.is_empty(), "nobody asked for {:?}", found.keys());
}

/// Forgets no session any more.
pub fn watch_all(world: &World) {
    for slot in &world.slots {
        slot.account().sessions.iter_mut().for_each(|session| session.found_dead = 0);
    }
}

async fn accounts(world: &World) -> HashMap<String, Value> {
    let answer = world.scim(Method::GET, "/Users?count=1000", None).await.expect("it runs");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let list = answer.json();
    let resources = list["Resources"].as_array().cloned().unwrap_or_default();
    assert_eq!(list["totalResults"], resources.len(), "the count is another");
    let named = resources.into_iter().map(|resource| {
        let user_name = resource["userName"].as_str().unwrap().to_owned();
        (user_name, resource)
    });
    named.collect()
}

/// What each of a person's sessions answers.
async fn sessions(world: &World, slot: &Slot) -> Vec<Seen> {
    let watched: Vec<_> = {
        let account = slot.account();
        let sessions = account.sessions.iter();
        sessions.map(|session| (session.cookie.clone(), session.found_dead < WATCHED)).collect()
    };
    let mut seen = Vec::new();
    for (cookie, is_watched) in watched {
        seen.push(if is_watched {
            let role = world.seen(&cookie).await.expect("it runs");
            assert_eq!(world.checked(&cookie).await.expect("it runs"), role);
            role
        } else {
            None
        });
    }
    seen
}
