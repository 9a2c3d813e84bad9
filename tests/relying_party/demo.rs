//! The demo whose tenants misbehave on purpose.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::support::{Ask, port::free_port};

const PATIENCE: Duration = Duration::from_mins(1);

/// The first of three ports in a row that nobody uses.
fn three_ports() -> u16 {
    loop {
        let [first, _, last] = [free_port(), free_port(), free_port()];
        if last == first + 2 {
            return first;
        }
    }
}

fn demo(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portico"));
    let command = command.arg("demo").args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
}

/// What it prints until that line.
async fn printed_until(demo: &mut Child, last: &str) -> Vec<String> {
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    while printed.last().is_none_or(|line: &String| !line.starts_with(last)) {
        let line = timeout(PATIENCE, lines.next_line()).await.expect("the demo opens").unwrap();
        printed.push(line.unwrap_or_else(|| panic!("the demo ended: {printed:?}")));
    }
    printed
}

#[tokio::test]
async fn the_demo_says_which_fault_is_on_what_to_expect_and_how_to_switch_it() {
    let port = three_ports();
    let control = format!("http://127.0.0.1:{}/control/fault", port + 1);
    let mut demo = demo(&["--port", &port.to_string(), "--fault", "expired-secret"]);

    let printed = printed_until(&mut demo, "Stop with").await.join("\n");

    for said in [
        "The simulated tenants misbehave: expired-secret",
        "AADSTS7000222: the client secret has expired.",
        "“Your organization’s sign-in said no”",
        &format!("curl -d name= {control}"),
    ] {
        assert!(printed.contains(said), "{said}: {printed}");
    }
    assert_eq!(Ask::get(&control).send("").await.json()["fault"], "expired-secret");
    let off = Ask::post(&control).form(&[("name".to_owned(), String::new())]).send("").await;
    assert_eq!(off.status, 204);
    assert!(Ask::get(&control).send("").await.json()["fault"].is_null());
}

#[tokio::test]
async fn a_demo_for_programs_prints_one_line_whatever_fault_is_on() {
    let port = three_ports().to_string();
    let mut demo = demo(&["--json", "--port", &port, "--fault", "unsigned"]);

    let printed = printed_until(&mut demo, "{").await;

    let line: serde_json::Value = serde_json::from_str(&printed[0]).unwrap();
    let mut names: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!((printed.len(), names), (1, vec!["authority", "organizations", "public_url"]));
}

#[tokio::test]
async fn a_demo_with_a_mistyped_fault_names_the_nearest_and_does_not_begin() {
    let ended = timeout(PATIENCE, demo(&["--fault", "expired-secrte"]).wait_with_output()).await;

    let ended = ended.unwrap().unwrap();
    let complaint = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(complaint.contains("the nearest is expired-secret"), "{complaint}");
}
