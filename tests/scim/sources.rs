//! What the tests' own files say.

use std::collections::BTreeSet;

/// The names of the tests in a file.
pub fn tests_in(text: &str) -> BTreeSet<String> {
    let (mut tests, mut is_test) = (BTreeSet::new(), false);
    for line in text.lines() {
        let function = line.trim_start().trim_start_matches("async ").strip_prefix("fn ");
        match function.and_then(|line| line.split_once('(')) {
            Some((name, _)) if is_test => {
                tests.insert(name.to_owned());
                is_test = false;
            }
            Some(_) => {}
            None => is_test |= matches!(line.trim(), "#[test]" | "#[tokio::test]"),
        }
    }
    tests
}

/// Every text that stands between `before` and the next quotation mark.
pub fn texts_after(text: &str, before: &str) -> BTreeSet<String> {
    let parts = text.split(before).skip(1).filter_map(|part| part.split_once('"'));
    parts.map(|(text, _)| text.to_owned()).collect()
}
