//! Holds `src/` to its floors: a file names only modules of floors below its own.

use std::{collections::BTreeMap, fs, io, path::Path};

/// What the files of each top-level module may name besides their own module.
///
/// `lib.rs` and `main.rs` stand above it all and are not listed.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("domain", &[]),
    ("oidc", &["domain"]),
    ("oauth", &["domain"]),
    ("scim", &["domain"]),
    ("ports", &["domain", "oidc", "oauth", "scim"]),
    ("service", &["domain", "oidc", "oauth", "scim", "ports"]),
    ("config", &["domain"]),
    ("telemetry", &["config"]),
    ("storage", &["domain", "oidc", "oauth", "scim", "ports"]),
    ("sessions", &["domain", "oidc", "oauth", "scim", "ports"]),
    ("outbound", &["domain", "oidc", "oauth", "scim", "ports"]),
    ("simulator", &["domain"]),
    ("http", &["domain", "oidc", "oauth", "scim", "ports", "service", "config"]),
    (
        "app",
        &[
            "domain",
            "oidc",
            "oauth",
            "scim",
            "ports",
            "service",
            "config",
            "telemetry",
            "storage",
            "sessions",
            "outbound",
            "http",
        ],
    ),
    // The demo's sample application shows its answers on the pages of http.
    ("cli", &["domain", "ports", "service", "config", "telemetry", "app", "simulator", "http"]),
];

#[test]
fn every_file_names_only_modules_of_floors_below_its_own() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();

    let offences: Vec<String> =
        sources.iter().flat_map(|(file, text)| offences(file, text)).collect();

    assert!(sources.len() > 10, "src/ was not read: {sources:?}");
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

#[test]
fn a_forged_import_is_caught_however_it_is_written() {
    let forgeries = [
        ("http/login.rs", "use crate::storage::Sqlite;"),
        ("http/login.rs", "use crate::{domain::id::AccountId, storage::{self, Sqlite}};"),
        ("http/login.rs", "use crate::{\n    domain::{id, clock::{Clock}},\n    storage,\n};"),
        ("http/login.rs", "fn f() { crate::storage::open(); }"),
        ("http/login.rs", "fn f() { crate :: storage :: open(); }"),
        ("http/login.rs", "pub(in crate::storage) fn f() {}"),
        ("http/login.rs", "use crate as portico;"),
        ("http/login.rs", "use crate::{self as portico};"),
        ("http/login.rs", "use crate::*;"),
        ("http/login.rs", "use super::super::storage::Sqlite;"),
        ("http/login.rs", "use super::super::*;"),
        ("http/login.rs", "mod tests { use super::super::super::storage; }"),
        ("http/login.rs", "extern crate self as portico;"),
        ("http/scim/users.rs", "use super::super::super::{service, storage};"),
        ("http/mod.rs", "use super::storage::Sqlite;"),
        ("telemetry.rs", "use super::storage::Sqlite;"),
        ("telemetry.rs", "use self::super::storage::Sqlite;"),
        ("service/login.rs", "/* a comment */ use crate::storage;"),
        (
            "service/login.rs",
            "const QUOTE: char = '\"'; use crate::storage; const END: char = '\"';",
        ),
        ("service/login.rs", "const QUOTE: &str = r#\"\"\"#; use crate::storage;"),
        ("service/login.rs", "const URL: &str = \"https://\"; use crate::storage;"),
        ("service/login.rs", "fn f<'a>(a: &'a str) { crate::r#storage::open() }"),
    ];
    for (file, text) in forgeries {
        assert_eq!(offences(file, text).len(), 1, "{file}: {text}");
    }
}

#[test]
fn what_is_allowed_or_only_spoken_of_is_left_alone() {
    let honest = [
        ("http/login.rs", "use crate::{domain::{self, id::AccountId}, service::login};"),
        ("http/login.rs", "use crate::http::pages;\nuse super::pages;"),
        ("http/login.rs", "// use crate::storage;\n/* crate::storage /* crate::storage */ */"),
        ("http/login.rs", "/// Not [`crate::storage`].\nfn f() {}"),
        ("http/login.rs", "const TEXT: &str = \"crate::storage \\\" crate::storage\";"),
        ("http/login.rs", "const TEXT: &str = r#\"crate::storage \" crate::storage\"#;"),
        ("http/login.rs", "mod tests {\n    use super::*;\n}"),
        ("http/scim/users.rs", "use super::super::{pages, storage_page};"),
        (
            "http/login.rs",
            "extern crate std; use actix_web::http::header; use portico_client::storage;",
        ),
        (
            "http/login.rs",
            "const fn of(crate_name: &str) {} macro_rules! m { () => { $crate::http::f() } }",
        ),
        ("main.rs", "use portico::cli;"),
        ("lib.rs", "pub mod storage;"),
    ];
    for (file, text) in honest {
        assert_eq!(offences(file, text), [""; 0], "{file}: {text}");
    }
}

#[test]
fn an_offence_names_its_file_and_line() {
    let text = "//! Sign-in.\n\nuse crate::{\n    domain::id,\n    storage::Sqlite,\n};\n";

    let offences = offences("http/login.rs", text);

    assert_eq!(offences, ["src/http/login.rs:5: http may not name storage"]);
}

#[test]
fn a_module_that_the_table_does_not_know_must_be_given_its_floor() {
    let offences = offences("utils/strings.rs", "");

    assert_eq!(offences, ["src/utils/strings.rs:1: utils has no floor: give it a line in MAY_USE"]);
}

/// Every Rust file under `src`, by its path from there.
fn sources(src: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![src.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(src).unwrap_or(&path).display().to_string();
                found.insert(name, fs::read_to_string(&path)?);
            }
        }
    }
    Ok(found)
}

/// What a file names against its floor, a line each.
fn offences(file: &str, text: &str) -> Vec<String> {
    let module = file.split('/').next().unwrap_or(file).trim_end_matches(".rs");
    if matches!(file, "lib.rs" | "main.rs") {
        return Vec::new();
    }
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
        return vec![format!("src/{file}:1: {module} has no floor: give it a line in MAY_USE")];
    };
    Reader::new(file, text)
        .named()
        .into_iter()
        .filter(|(_, name)| name != module && !allowed.contains(&name.as_str()))
        .map(|(line, name)| format!("src/{file}:{line}: {module} may not name {name}"))
        .collect()
}

/// A word or a sign of the source, with its line.
type Token = (usize, String);

/// Walks over a file's tokens and collects the top-level modules that its paths begin with.
struct Reader {
    tokens: Vec<Token>,
    at: usize,
    /// How many `super` lead from the file's own module to the crate.
    depth: usize,
    /// For each open brace, whether it opened a module.
    braces: Vec<bool>,
    named: Vec<Token>,
}

impl Reader {
    fn new(file: &str, text: &str) -> Self {
        let folders = file.matches('/').count();
        let depth = if file.ends_with("/mod.rs") { folders } else { folders + 1 };
        Self { tokens: tokens(text), at: 0, depth, braces: Vec::new(), named: Vec::new() }
    }

    fn named(mut self) -> Vec<Token> {
        while self.at < self.tokens.len() {
            self.step();
        }
        self.named
    }

    fn step(&mut self) {
        match self.word(0) {
            "{" => {
                let opens_module = self.at >= 2 && self.tokens[self.at - 2].1 == "mod";
                self.braces.push(opens_module);
                self.at += 1;
            }
            "}" => {
                self.braces.pop();
                self.at += 1;
            }
            "crate" if self.before() == "extern" => self.foreign_crate(),
            "crate" if self.before() != "$" => self.path_from_crate(),
            "super" => self.climb(),
            _ => self.at += 1,
        }
    }

    /// The token `ahead` of the present one.
    fn word(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |(_, word)| word)
    }

    fn before(&self) -> &str {
        self.at.checked_sub(1).map_or("", |before| &self.tokens[before].1)
    }

    /// Counts `super`; as many as there are modules around lead to the crate.
    fn climb(&mut self) {
        let around = self.depth + self.braces.iter().filter(|opens_module| **opens_module).count();
        let mut climbed = 1;
        while self.word(1) == "::" && self.word(2) == "super" {
            climbed += 1;
            self.at += 2;
        }
        if climbed >= around { self.path_from_crate() } else { self.at += 1 }
    }

    /// Reads what follows the crate's name: `::module`, `::{module, …}`, `::*`, `as name`.
    fn path_from_crate(&mut self) {
        let line = self.tokens[self.at].0;
        self.at += 1;
        match (self.word(0), self.word(1)) {
            ("::", "{") => {
                self.at += 2;
                self.braced();
            }
            ("::", _) => {
                self.at += 1;
                self.name();
            }
            ("as", _) => self.named.push((line, "the whole crate".into())),
            _ => {}
        }
    }

    /// Reads `extern crate name`, where `self` is the whole crate under another name.
    fn foreign_crate(&mut self) {
        self.at += 1;
        if self.word(0) == "self" {
            self.name();
        }
    }

    /// Reads `{a::…, b::{…}, c}` behind its brace: the first word of each part.
    fn braced(&mut self) {
        let (mut open, mut begins) = (1, true);
        while open > 0 && self.at < self.tokens.len() {
            match self.word(0) {
                "{" => open += 1,
                "}" => open -= 1,
                "," if open == 1 => begins = true,
                _ if begins => {
                    begins = false;
                    self.name();
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Takes the present word as the name of a top-level module.
    fn name(&mut self) {
        let Some((line, word)) = self.tokens.get(self.at).cloned() else { return };
        let name = match word.as_str() {
            "*" | "self" => "the whole crate".into(),
            _ => word,
        };
        self.named.push((line, name));
        self.at += 1;
    }
}

/// The words and signs of a source, without comments and literals.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut line, mut rest) = (1, text);
    while let Some(first) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| literal(rest));
        let length = skipped.unwrap_or_else(|| token(rest));
        if skipped.is_none() && !first.is_whitespace() {
            tokens.push((line, rest[..length].trim_start_matches("r#").to_owned()));
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The length of the word, the `::` or the sign at the beginning.
fn token(rest: &str) -> usize {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let raw = if rest.starts_with("r#") { 2 } else { 0 };
    let word = rest[raw..].find(|c| !in_word(c)).unwrap_or(rest.len() - raw);
    match word {
        0 if rest.starts_with("::") => 2,
        0 => rest.chars().next().map_or(0, char::len_utf8),
        word => raw + word,
    }
}

/// The length of the comment at the beginning.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    rest.starts_with("/*").then(|| {
        let (mut open, mut at) = (1, 2);
        while open > 0 && at < rest.len() {
            match &rest.as_bytes()[at..] {
                [b'/', b'*', ..] => (open, at) = (open + 1, at + 2),
                [b'*', b'/', ..] => (open, at) = (open - 1, at + 2),
                _ => at += 1,
            }
        }
        at
    })
}

/// The length of the string or character at the beginning; a lifetime is neither.
fn literal(rest: &str) -> Option<usize> {
    let unprefixed = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - unprefixed.len();
    if prefix > 1 {
        return None;
    }
    if let Some(raw) = unprefixed.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let body = raw[hashes..].strip_prefix('"')?;
        let length = body.find(&end).map_or(body.len(), |found| found + end.len());
        return Some(prefix + 1 + hashes + 1 + length);
    }
    let quote = unprefixed.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let body = &unprefixed[1..];
    let second = body.chars().nth(1);
    if quote == '\'' && !body.starts_with('\\') && second != Some('\'') {
        return None;
    }
    let mut escaped = false;
    let end = body.char_indices().find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    Some(prefix + 1 + end.map_or(body.len(), |(at, _)| at + 1))
}
