//! What the documentation says of the faults.

use portico::simulator::Fault;

const DOCUMENT: &str = include_str!("../../docs/simulated-tenant.md");

/// The number with which a fault's description begins.
fn number(fault: Fault) -> Option<&'static str> {
    fault.description().split([':', ' ']).next().filter(|word| word.starts_with("AADSTS"))
}

#[test]
fn the_documentation_has_every_mistake_of_an_administrator_with_its_number() {
    for fault in Fault::ALL {
        let Some(number) = number(*fault) else { continue };
        let row = format!("| `{fault}` | {number} |");
        assert!(DOCUMENT.contains(&row), "{row} is missing");
    }
}

#[test]
fn every_fault_that_the_documentation_names_is_one() {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `"));
    for name in rows.flat_map(|row| row.split(" | ").next().unwrap_or_default().split("`, `")) {
        let name = name.trim_end_matches('`');
        assert!(name.parse::<Fault>().is_ok(), "{name}");
    }
}
