//! Who is at work when the power fails: a directory per account, and its person.

use std::time::Duration;

use http::Method;
use portico::domain::access_role::AccessRole;
use serde_json::{Value, json};

use crate::{
    model::Facts,
    world::{Killed, Random, Slot, World},
};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Sessions of one person that are alive at once.
const SESSIONS: usize = 3;

/// Everybody rests for so many milliseconds at most after each step.
const REST: u64 = 40;

/// So does a directory whose person signs in: one who is overtaken by writes all the time never
/// gets there.
const LONG_REST: u64 = 400;

/// Writes one account until nobody answers.
pub async fn directory(world: &World, slot: &Slot, mut random: Random) {
    let longest = if slot.person.is_some() { LONG_REST } else { REST };
    while write(world, slot, &mut random).await.is_ok() {
        world.count_step();
        rest(longest, &mut random).await;
    }
}

/// Signs in, looks and signs out until nobody answers.
pub async fn visitor(world: &World, slot: &Slot, mut random: Random) {
    while visit(world, slot, &mut random).await.is_ok() {
        rest(REST, &mut random).await;
    }
}

async fn rest(longest: u64, random: &mut Random) {
    tokio::time::sleep(Duration::from_millis(random.below(longest))).await;
}

async fn write(world: &World, slot: &Slot, random: &mut Random) -> Result<(), Killed> {
    let (found, facts) = {
        let account = slot.account();
        (account.acknowledged.clone(), account.facts())
    };
    let (Some(found), Some(facts)) = (found, facts) else {
        return create(world, slot, random).await;
    };
    let path = format!("/Users/{}", found["id"].as_str().unwrap());
    match random.below(10) {
        0 => {
            slot.account().begin(None);
            let answer = world.scim(Method::DELETE, &path, None).await?;
            assert_eq!(answer.status, 204, "{}", answer.body);
            slot.account().acknowledge(None);
        }
        choice => {
            let after = changed(&facts, choice, random);
            slot.account().begin(Some(after.clone()));
            let body = json!({ "schemas": [PATCH_OP], "Operations": operations(&after) });
            let answer = world.scim(Method::PATCH, &path, Some(&body)).await?;
            assert_eq!(answer.status, 200, "{}", answer.body);
            slot.account().acknowledge(Some(answer.json()));
        }
    }
    Ok(())
}

async fn create(world: &World, slot: &Slot, random: &mut Random) -> Result<(), Killed> {
    let after = Facts { title: title(random), active: true, role: None };
    let mut user = slot.user.clone();
    user["displayName"] = after.title.clone().into();
    user["title"] = after.title.clone().into();
    slot.account().begin(Some(after));
    let answer = world.scim(Method::POST, "/Users", Some(&user)).await?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    slot.account().acknowledge(Some(answer.json()));
    Ok(())
}

/// Another state of the account; some of these writes change one thing, some several.
fn changed(facts: &Facts, choice: u64, random: &mut Random) -> Facts {
    let mut after = facts.clone();
    match choice {
        1 | 2 => after.active = !facts.active,
        3 | 4 => {
            let others = AccessRole::ALL.into_iter().map(Some).chain([None]);
            let others: Vec<_> = others.filter(|role| *role != facts.role).collect();
            after.role = others[usize::try_from(random.below(4)).unwrap()];
            after.active = true;
        }
        _ => after.title = title(random),
    }
    after
}

fn operations(after: &Facts) -> Value {
    let role = match after.role {
        Some(role) => json!({ "op": "replace", "path": "roles", "value": [{ "value": role }] }),
        None => json!({ "op": "remove", "path": "roles" }),
    };
    json!([
        { "op": "replace", "path": "displayName", "value": after.title },
        { "op": "replace", "path": "active", "value": after.active },
        { "op": "replace", "path": "title", "value": after.title },
        role,
    ])
}

fn title(random: &mut Random) -> String {
    format!("Title {}", random.below(u64::MAX))
}

async fn visit(world: &World, slot: &Slot, random: &mut Random) -> Result<(), Killed> {
    let open: Vec<String> = {
        let account = slot.account();
        let open = account.sessions.iter().filter(|session| session.allowed != [None].into());
        open.map(|session| session.cookie.clone()).collect()
    };
    let picked = usize::try_from(random.below(SESSIONS as u64)).unwrap();
    match open.get(picked) {
        None => sign_in(world, slot).await,
        Some(cookie) if random.below(4) == 0 => sign_out(world, slot, cookie).await,
        Some(cookie) => look(world, slot, cookie).await,
    }
}

async fn sign_in(world: &World, slot: &Slot) -> Result<(), Killed> {
    let before = at_rest(slot);
    let person = slot.person.as_ref().expect("only a person visits");
    let cookie = world.sign_in(person).await?;
    let mut account = slot.account();
    let undisturbed = before.is_some() && before == writes_at_rest(&account);
    if let Some(cookie) = cookie {
        account.signed_in(cookie, undisturbed);
        world.count_step();
    } else if undisturbed {
        let is_active = account.facts().is_some_and(|facts| facts.active);
        assert!(!is_active, "an active account is refused: {:?}", account.acknowledged);
    }
    Ok(())
}

async fn sign_out(world: &World, slot: &Slot, cookie: &str) -> Result<(), Killed> {
    slot.account().may_end(cookie);
    world.sign_out(cookie).await?;
    slot.account().has_ended(cookie);
    world.count_step();
    Ok(())
}

async fn look(world: &World, slot: &Slot, cookie: &str) -> Result<(), Killed> {
    let before = at_rest(slot);
    let seen = world.seen(cookie).await?;
    let mut account = slot.account();
    if before.is_some() && before == writes_at_rest(&account) {
        let session = account.session(cookie);
        assert!(session.allowed.contains(&seen), "{session:?} is {seen:?}");
    }
    Ok(())
}

/// How many writes there were, while none is under way.
fn at_rest(slot: &Slot) -> Option<u64> {
    writes_at_rest(&slot.account())
}

fn writes_at_rest(account: &crate::model::Account) -> Option<u64> {
    account.under_way.is_none().then_some(account.writes)
}
