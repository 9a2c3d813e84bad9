use std::{collections::BTreeSet, fs, path::PathBuf};

use tokio_postgres::config::SslMode;

use super::*;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A `portico.toml` and what lies over it.
struct Written {
    _folder: tempfile::TempDir,
    sources: Sources,
}

impl Written {
    fn toml(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portico.toml");
        fs::write(&file, text).unwrap();
        Self { _folder: folder, sources: Sources { file: Some(file), ..Sources::default() } }
    }

    fn set_up(rest: &str) -> Self {
        Self::toml(&format!("public_url = 'https://login.example.com'\n{rest}"))
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.environment.push((name.into(), value.into()));
        self
    }

    fn flag(mut self, key: &str, value: &str) -> Self {
        self.sources.overrides.push((key.into(), value.into()));
        self
    }

    fn load(self) -> Result<Config, Problems> {
        Config::load(self.sources)
    }

    fn problems(self) -> Vec<String> {
        self.load().unwrap_err().lines().to_vec()
    }
}

#[test]
fn a_public_url_is_all_that_must_be_set() {
    let config = Written::set_up("").load().unwrap();

    assert_eq!(config.public_url.origin().as_str(), "https://login.example.com");
    assert_eq!(config.masked(), Config::with_defaults(config.public_url.clone()).masked());
}

#[test]
fn flags_lie_over_the_environment_and_the_environment_over_the_file() {
    let written = || Written::set_up("[database]\npath = 'a.db'\n[sessions]\nidle_minutes = 5");
    let path = |written: Written| written.load().unwrap().database.path.unwrap();

    let in_environment = written().variable("PORTICO_DATABASE__PATH", "b.db");
    let in_flag =
        written().variable("PORTICO_DATABASE__PATH", "b.db").flag("database.path", "c.db");

    assert_eq!(path(written()), PathBuf::from("a.db"));
    assert_eq!(path(in_environment), PathBuf::from("b.db"));
    assert_eq!(path(in_flag), PathBuf::from("c.db"));
}

#[test]
fn a_source_leaves_the_other_keys_of_a_section_alone() {
    let config = Written::set_up("[sessions]\nidle_minutes = 5")
        .variable("PORTICO_SESSIONS__ABSOLUTE_HOURS", "2")
        .load()
        .unwrap();

    assert_eq!(config.sessions.idle().as_mins(), 5);
    assert_eq!(config.sessions.absolute().as_hours(), 2);
}

#[test]
fn the_environment_alone_can_configure_everything() {
    let environment = [
        ("PORTICO_PUBLIC_URL", "http://localhost:8080"),
        ("PORTICO_LISTEN__WORKERS", "3"),
        ("PORTICO_PROXIES__TRUSTED", "10.0.0.5, fd00::/8"),
        ("PORTICO_RETURN_TO__ALLOWED_ORIGINS", "https://portal.example.com"),
        ("PORTICO_LOG__FORMAT", "json"),
        ("PORTICO_PAGES__SUPPORT", ""),
        ("PATH", "/bin"),
    ];
    let environment = environment.map(|(name, value)| (name.into(), value.into())).into();

    let config = Config::load(Sources { environment, ..Sources::default() }).unwrap();

    assert_eq!(config.listen.workers(), 3);
    assert!(config.proxies.trusts("fd12::1".parse().unwrap()));
    assert!(!config.proxies.trusts("10.0.0.6".parse().unwrap()));
    assert_eq!(config.return_to.allowed_origins[0].as_str(), "https://portal.example.com");
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.pages.support, Pages::default().support);
}

#[test]
fn every_mistake_is_named_at_once_with_what_is_allowed() {
    let written = Written::toml(
        "public_url = 'http://login.example.com'
         [listen]
         wrokers = 4
         address = 'localhost'
         [lisetn]
         workers = 4
         [sessions]
         idle_minutes = 0
         colour = 'blue'
         [proxies]
         trusted = ['proxy']
         [log]
         format = 'xml'
         filter = 'portico=loud'",
    );

    let problems = written.variable("PORTICO_SESSIONS__ABSOLUTE_HOURS", "day").problems();

    let expected = [
        "PORTICO_SESSIONS__ABSOLUTE_HOURS must be a whole number from 1 to 720, not \"day\"",
        "portico.toml: lisetn is unknown: did you mean listen?",
        "portico.toml: listen.address must be an IP address with a port, like 127.0.0.1:8080 or [::]:8080, not \"localhost\"",
        "portico.toml: listen.wrokers is unknown: did you mean workers?",
        "portico.toml: log.filter must be a level such as \"info\", or like \"info,portico::http=debug\", not \"portico=loud\"",
        "portico.toml: log.format must be \"auto\", \"json\" or \"text\", not \"xml\"",
        "portico.toml: proxies.trusted must hold IP addresses or networks, like 10.0.0.5 or 10.0.0.0/8, not [\"proxy\"]",
        "portico.toml: public_url must be like https://login.example.com, without a path (http only for localhost, 127.0.0.1, [::1]), not \"http://login.example.com\"",
        "portico.toml: sessions.colour is unknown: there is absolute_hours, idle_minutes",
        "portico.toml: sessions.idle_minutes must be a whole number from 1 to 43200, not 0",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    let cases = [
        ("listen = 4", "portico.toml: listen must be a section: [listen]"),
        ("[listen]\nworkers = [4]", "portico.toml: listen.workers must be a string, not [4]"),
        ("[listen]\nworkers = -1", "must be a whole number from 1 to 1024, not -1"),
        ("[proxies]\ntrusted = 4", "portico.toml: proxies.trusted must be a list of texts, not 4"),
        ("[database]\npath = ''", "database.path must name a file"),
        (
            "[redis]\nprefix = 'a {b}'",
            "redis.prefix must have 1 to 64 printable ASCII characters, without space, { and }",
        ),
        ("[pages]\nsupport = ' '", "pages.support must have 1 to 200 characters"),
    ];
    for (toml, problem) in cases {
        let problems = Written::set_up(toml).problems();
        assert!(problems.len() == 1 && problems[0].ends_with(problem), "{problems:?}");
    }
}

#[test]
fn a_session_may_not_idle_longer_than_it_lives() {
    let problems = Written::set_up("[sessions]\nidle_minutes = 61\nabsolute_hours = 1").problems();

    assert_eq!(problems, ["sessions.idle_minutes must not be longer than sessions.absolute_hours"]);
}

#[test]
fn a_missing_public_url_is_asked_for() {
    let problems = Config::load(Sources::default()).unwrap_err();

    assert_eq!(
        problems.to_string(),
        "public_url is missing: set it in portico.toml or as PORTICO_PUBLIC_URL, \
         like https://login.example.com"
    );
}

#[test]
fn a_variable_that_nearly_names_a_key_is_refused_and_others_are_left_alone() {
    let near = Written::set_up("").variable("PORTICO_DATABASE_PATH", "a.db").problems();
    let unknown = Written::set_up("").variable("PORTICO_DATABASE__PAHT", "a.db").problems();
    let from_kubernetes = Written::set_up("")
        .variable("PORTICO_PORT", "tcp://10.0.0.1:80")
        .variable("PORTICO_SERVICE_HOST", "10.0.0.1");

    assert_eq!(near, ["PORTICO_DATABASE_PATH is unknown: did you mean PORTICO_DATABASE__PATH?"]);
    assert_eq!(unknown, ["PORTICO_DATABASE__PAHT is unknown: did you mean path?"]);
    assert!(from_kubernetes.load().is_ok());
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_one_clear_line() {
    let missing = Sources { file: Some("no/such/portico.toml".into()), ..Sources::default() };

    let missing = Config::load(missing).unwrap_err().to_string();
    let broken = Written::toml("public_url = \n").problems();

    assert!(missing.contains("no/such/portico.toml") && missing.contains("not found"), "{missing}");
    assert_eq!(
        broken,
        [
            "portico.toml: TOML parse error at line 1, column 14: string values must be quoted, expected literal string"
        ]
    );
}

#[test]
fn the_master_key_has_one_source() {
    let source = |written: Written| written.load().unwrap().master_key_source();
    let file = |source| match source {
        MasterKeySource::File { path, .. } => path,
        MasterKeySource::Value(_) => panic!("it comes from the environment"),
    };

    let beside = source(Written::set_up("[database]\npath = '/srv/portico/a.db'"));
    let named = source(Written::set_up("[master_key]\nfile = '/etc/portico/key'"));
    let given = source(Written::set_up("").variable("PORTICO_MASTER_KEY__VALUE", KEY));
    let both = Written::set_up("[master_key]\nfile = '/etc/portico/key'")
        .variable("PORTICO_MASTER_KEY__VALUE", KEY)
        .problems();

    assert_eq!(file(beside), PathBuf::from("/srv/portico/master.key"));
    assert_eq!(file(named), PathBuf::from("/etc/portico/key"));
    assert!(matches!(given, MasterKeySource::Value(_)) && given.load().is_ok());
    assert_eq!(
        both,
        ["master_key.file and PORTICO_MASTER_KEY__VALUE are both set: only one may be"]
    );
}

#[test]
fn the_master_key_is_neither_taken_from_a_file_nor_shown() {
    let in_file = Written::set_up(&format!("[master_key]\nvalue = '{KEY}'")).problems();
    let config = Written::set_up("").variable("PORTICO_MASTER_KEY__VALUE", KEY).load().unwrap();

    assert_eq!(
        in_file,
        [
            "portico.toml: master_key.value is a secret, and is taken only from PORTICO_MASTER_KEY__VALUE"
        ]
    );
    let shown =
        format!("{config:?} {} {}", config.masked(), serde_json::to_string(&config).unwrap());
    assert!(shown.contains("value = \"********\"") && !shown.contains(KEY), "{shown}");
}

#[test]
fn a_redis_address_is_shown_without_its_password() {
    for (written, shown) in [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://localhost", "redis://localhost"),
        ("rediss://:hunter2@redis.example.com/3", "rediss://:********@redis.example.com/3"),
        ("redis://portico:hunter2@[::1]:7000", "redis://portico:********@[::1]:7000"),
    ] {
        let config = Written::set_up("").variable("PORTICO_REDIS__URL", written).load().unwrap();

        assert_eq!(config.redis.url.as_ref().unwrap().expose(), written);
        let masked = config.masked();
        assert!(masked.contains(&format!("url = \"{shown}\"")), "{masked}");
        assert!(!format!("{config:?} {masked}").contains("hunter2"));
        assert!(Written::toml(&masked).load().is_ok());
    }
}

#[test]
fn an_address_that_is_no_redis_is_refused_without_being_repeated() {
    for written in [
        "localhost:6379",
        "http://localhost:6379",
        "redis://",
        "redis://:hunter2@localhost:port",
        "redis://localhost/database",
        "redis://localhost/0?protocol=resp9",
        "rediss://localhost/#insecure",
        "unix:///run/redis.sock",
    ] {
        let problems = Written::set_up("").variable("PORTICO_REDIS__URL", written).problems();

        assert_eq!(problems.len(), 1, "{written}");
        let problem = "PORTICO_REDIS__URL must be like redis://127.0.0.1:6379/0, or rediss://";
        assert!(problems[0].starts_with(problem), "{problems:?}");
        assert!(!problems[0].contains("hunter2"), "{problems:?}");
    }
}

#[test]
fn a_postgresql_address_is_shown_without_its_password() {
    for (written, shown) in [
        ("postgres://127.0.0.1/portico", "postgres://127.0.0.1/portico"),
        (
            "postgresql://portico@db.example.com:6432/p",
            "postgresql://portico@db.example.com:6432/p",
        ),
        ("postgres://portico:hunter2@[::1]/portico", "postgres://portico:********@[::1]/portico"),
        (
            "postgres://u:hunter2@a,b/p?sslmode=require",
            "postgres://u:********@a,b/p?sslmode=require",
        ),
        ("postgres://u:hunter%402@/p?host=/run", "postgres://u:********@/p?host=/run"),
    ] {
        let config = Written::set_up("").variable("PORTICO_DATABASE__URL", written).load().unwrap();

        let masked = config.masked();
        assert!(masked.contains(&format!("url = \"{shown}\"")), "{masked}");
        assert!(masked.contains("# path is not set"), "{masked}");
        assert!(!format!("{config:?} {masked} {}", config.database.place()).contains("hunter"));
        assert!(Written::toml(&masked).load().is_ok());
    }
}

#[test]
fn an_address_that_is_no_postgresql_is_refused_without_being_repeated() {
    for written in [
        "localhost:5432",
        "mysql://localhost/portico",
        "postgres://",
        "postgres:///portico",
        "postgres://localhost",
        "postgres://portico:hunter2@localhost:port/portico",
        "postgres://portico:hunter2@3@localhost/portico",
        "postgres://localhost/portico?password=hunter2",
        "postgres://localhost/portico?p%61ssword=hunter2",
        "postgres://localhost/portico?colour=blue",
    ] {
        let problems = Written::set_up("").variable("PORTICO_DATABASE__URL", written).problems();

        assert_eq!(problems.len(), 1, "{written}");
        let problem = "PORTICO_DATABASE__URL must be like postgres://";
        assert!(problems[0].starts_with(problem), "{problems:?}");
        assert!(!problems[0].contains("hunter2"), "{problems:?}");
    }
}

#[test]
fn another_machine_is_spoken_to_by_tls_unless_the_address_says_otherwise() {
    let mode = |url: &str| url.parse::<PostgresUrl>().map(|url| url.server().get_ssl_mode());
    let address = |place: &str| format!("postgres://portico@{place}");

    for place in ["localhost/p", "127.8.9.1/p", "[::1]/p", "/p?host=/run", "db/p?sslmode=disable"] {
        assert_eq!(mode(&address(place)), Ok(SslMode::Disable), "{place}");
    }
    for place in
        ["db/p", "localhost,db/p", "localhost/p?sslmode=require", "db/p?sslmode=verify-full"]
    {
        assert_eq!(mode(&address(place)), Ok(SslMode::Require), "{place}");
    }
    for place in ["db/p?sslmode=prefer", "db/p?sslmode=allow", "db/p?sslmode=", "db/p?sslmode=no"] {
        assert_eq!(mode(&address(place)), Err(NotAPostgresUrl::SslMode), "{place}");
    }
}

#[test]
fn a_database_is_a_file_or_postgresql() {
    let both = Written::set_up("[database]\npath = 'a.db'\nurl = 'postgres://localhost/p'");
    let url = Written::set_up("[database]\nurl = 'postgres://localhost/p'").load().unwrap();

    assert_eq!(
        both.problems(),
        ["database.path and database.url are both set: a file, or a PostgreSQL database"]
    );
    let MasterKeySource::File { path, database } = url.master_key_source() else {
        panic!("it comes from a file")
    };
    assert_eq!((path, database), ("./data/master.key".into(), None));
}

#[test]
fn the_masked_configuration_is_a_configuration() {
    let config = Written::set_up("[listen]\nworkers = 3\n[proxies]\ntrusted = ['10.0.0.0/8']")
        .load()
        .unwrap();

    let again = Written::toml(&config.masked()).load().unwrap();

    assert!(config.masked().contains("[listen]\n"));
    assert_eq!(again.masked(), config.masked());
}

/// The example with its marked value filled in, and each key behind a `#` brought to the front.
fn filled_in(example: &str) -> String {
    let front = |line: &str| match line.strip_prefix('#') {
        Some(key) if key.starts_with(|first: char| first.is_ascii_lowercase()) => key.to_owned(),
        _ => line.to_owned(),
    };
    let lines = example.lines().map(front).collect::<Vec<_>>().join("\n");
    lines.replace("public_url = \"\"", "public_url = \"https://login.example.com\"")
}

#[test]
fn the_example_needs_only_what_it_marks_as_required() {
    let example = Config::example();
    let filled = example.replace("public_url = \"\"", "public_url = \"https://login.example.com\"");

    assert_eq!(example.matches("# REQUIRED").count(), 1);
    assert!(Written::toml(example).load().is_err());
    assert!(Written::toml(&filled).load().is_ok());
}

#[test]
fn the_example_shows_every_key_with_its_default() {
    let shown = filled_in(Config::example()).replace("url = \"postgres", "#url = \"postgres");
    let shown = Written::toml(&shown).load().unwrap();

    let defaults = value::keys(&Config::with_defaults(shown.public_url.clone()));
    for (section, shown) in value::keys(&shown) {
        for (key, default) in defaults[&section].as_object().into_iter().flatten() {
            let has_default = !default.is_null();
            assert!(!has_default || shown[key] == *default, "{section}.{key}");
        }
    }
    let named: BTreeSet<String> = keys_in(&filled_in(Config::example()));
    let existing: BTreeSet<String> = keys_in(&everything_set());
    assert_eq!(named, existing);
}

/// Every key that a file may hold, as TOML.
fn everything_set() -> String {
    let public_url = PublicUrl::parse("https://login.example.com").unwrap();
    let masked = Config::with_defaults(public_url).masked();
    let set = |line: &str| match line.strip_prefix("# ").and_then(|line| line.split_once(' ')) {
        Some((key, _)) if !["value", "operator_token"].contains(&key) => format!("{key} = 1"),
        _ => line.to_owned(),
    };
    masked.lines().map(set).collect::<Vec<_>>().join("\n")
}

fn keys_in(toml: &str) -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in toml.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.insert(format!("{section}.{key}"));
        }
    }
    keys
}
