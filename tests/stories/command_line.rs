//! The operator, at the command line.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{Installation, stderr};

const AUTHORITY: &str = "https://login.microsoftonline.com/0f8fad5b-d9cb-469f-a165-70867728950e";

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// An organization `acme`, and a client secret in the file `secret`.
async fn with_acme() -> Installation {
    let installation = Installation::new("");
    installation.write("secret", "s3cr3t-value-of-the-client\n");
    let create = ["organization", "create", "acme", "--domain", "acme.example", "--name", "Acme"];
    installation.succeed(&create).await;
    installation
}

async fn connect(installation: &Installation, authority: &str, more: &[&str]) -> Output {
    let connect = ["organization", "connect", "acme", "--authority", authority];
    let client = ["--client-id", "3fa85f64-5717-4562-b3fc-2c963f66afa6"];
    let secret = ["--client-secret-file", "secret"];
    installation.run(&[&connect[..], &client, &secret, more].concat()).await
}

#[tokio::test]
async fn help_names_every_command() {
    let installation = Installation::new("");

    let help = installation.succeed(&["--help"]).await;

    for command in ["serve", "migrate", "organization", "export", "config", "completions"] {
        assert!(help.contains(command), "{command} is missing: {help}");
    }
}

#[tokio::test]
async fn what_is_not_understood_ends_with_two_and_what_fails_with_one() {
    let installation = Installation::new("");

    for (arguments, code) in [
        (&["--version"][..], 0),
        (&["help", "organization"], 0),
        (&["completions", "bash"], 0),
        (&[], 2),
        (&["sreve"], 2),
        (&["serve", "--prot", "1"], 2),
        (&["serve", "--listen", "everywhere"], 2),
        (&["organization", "create", "No Slug"], 2),
        (&["organization", "create", "acme", "--edition", "gold"], 2),
        (&["organization", "create", "acme", "--domain", "acme"], 2),
        (&["completions", "tcsh"], 2),
        (&["config", "--example", "--json"], 2),
        (&["organization", "show", "nobody"], 1),
        (&["serve", "--config", "nothing.toml"], 1),
    ] {
        let output = installation.run(arguments).await;

        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        let tells = if code == 0 { stdout(&output) } else { stderr(&output) };
        assert!(!tells.trim().is_empty(), "{arguments:?}");
    }
}

#[tokio::test]
async fn the_example_is_a_configuration_once_it_is_filled_in() {
    let installation = Installation::new("");
    let example = installation.succeed(&["config", "--example"]).await;
    assert!(example.contains("REQUIRED") && example.contains("public_url = \"\""), "{example}");
    installation.write("portico.toml", &example);

    let empty = installation.run(&["config"]).await;
    let filled = example.replace("public_url = \"\"", "public_url = \"https://login.example.com\"");
    installation.write("portico.toml", &filled);
    let config = parsed(&installation.succeed(&["config", "--json"]).await);

    assert_eq!(empty.status.code(), Some(1));
    assert!(stderr(&empty).contains("public_url"), "{}", stderr(&empty));
    assert_eq!(config["public_url"], "https://login.example.com");
    assert_eq!(config["listen"]["address"], "127.0.0.1:8080");
}

#[tokio::test]
async fn what_the_configuration_prints_can_be_read_again() {
    let installation = Installation::new("[pages]\nsupport = \"the \\\"desk\\\"\"\n");
    let printed = installation.succeed(&["config"]).await;

    installation.write("portico.toml", &printed);

    assert_eq!(installation.succeed(&["config"]).await, printed);
}

#[tokio::test]
async fn an_unknown_key_is_named_with_the_nearest_that_there_is() {
    for (written, named) in [
        ("[sessions]\nidle_minute = 5\n", "idle_minutes"),
        ("[sesions]\nidle_minutes = 5\n", "sessions"),
        ("[database]\nfile = \"x\"\npaht = \"y\"\n", "path"),
    ] {
        let installation = Installation::new(written);

        let output = installation.run(&["config"]).await;

        assert_eq!(output.status.code(), Some(1), "{written}");
        assert!(stderr(&output).contains(named), "{written}: {}", stderr(&output));
    }
}

#[tokio::test]
async fn every_mistake_of_a_configuration_is_told_at_once() {
    let mistakes = "[sessions]\nidle_minutes = 0\nabsolute_hours = \"long\"\n\
                    [proxies]\ntrusted = [\"everybody\"]\n\
                    [outbound]\nloopback_authorities = [\"10.0.0.1:80\"]\n";
    let installation = Installation::new(mistakes);

    let output = installation.run(&["serve"]).await;

    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    for key in ["idle_minutes", "absolute_hours", "trusted", "loopback_authorities"] {
        assert!(said.contains(key), "{key} is missing: {said}");
    }
    assert!(said.lines().all(|line| line.starts_with("portico: ")), "{said}");
}

#[tokio::test]
async fn the_environment_lies_over_the_file_and_its_secrets_are_masked() {
    let installation = Installation::new("");
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let mut command = installation.command(&["config", "--json"]);
    command.env("PORTICO_SESSIONS__IDLE_MINUTES", "7").env("PORTICO_MASTER_KEY__VALUE", key);

    let output = command.output().await.unwrap();

    let config = parsed(&stdout(&output));
    assert_eq!(config["sessions"]["idle_minutes"].to_string().trim_matches('"'), "7");
    assert_eq!(config["master_key"]["value"], "********");
    assert!(!stdout(&output).contains(key));
}

#[tokio::test]
async fn an_organization_is_created_once() {
    let installation = with_acme().await;
    let domain = ["organization", "create", "other", "--domain", "ACME.example"];

    let slug_taken = installation.run(&["organization", "create", "acme"]).await;
    let domain_taken = installation.run(&domain).await;
    let listed = parsed(&installation.succeed(&["organization", "list", "--json"]).await);

    assert_eq!((slug_taken.status.code(), domain_taken.status.code()), (Some(1), Some(1)));
    assert!(stderr(&slug_taken).contains("another organization has this slug"));
    assert!(stderr(&domain_taken).contains("one of the domains belongs to another organization"));
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["slug"], "acme");
    assert_eq!(listed[0]["display_name"], "Acme");
    assert_eq!(listed[0]["domains"], json!(["acme.example"]));
}

#[tokio::test]
async fn a_connector_comes_with_everything_that_is_to_be_pasted() {
    let installation = with_acme().await;

    let output = connect(&installation, AUTHORITY, &["--json"]).await;

    let created = parsed(&stdout(&output));
    let id = created["connector"].as_str().unwrap();
    let origin = &installation.origin;
    assert_eq!(created["redirect_uri"], format!("{origin}/oidc/{id}/callback"));
    assert_eq!(created["scim_url"], format!("{origin}/scim/v2/{id}"));
    assert_eq!(created["scim_username"], "scim-acme");
    let shown = parsed(&installation.succeed(&["organization", "show", "acme", "--json"]).await);
    assert_eq!(shown["connectors"][0]["connector"], id);
    assert_eq!(shown["people"], 0);
    let password = created["scim_password"].as_str().unwrap();
    assert!(!shown.to_string().contains(password));
}

#[tokio::test]
async fn no_secret_lies_open_in_the_database() {
    let installation = with_acme().await;
    let output = connect(&installation, AUTHORITY, &["--json"]).await;
    let password = parsed(&stdout(&output))["scim_password"].as_str().unwrap().to_owned();

    let folder = installation.path("data");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in [password.as_str(), "s3cr3t-value-of-the-client"] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{} holds a secret", path.display());
        }
    }
}

#[tokio::test]
async fn an_authority_that_is_no_single_tenants_is_refused_with_what_to_paste() {
    let installation = with_acme().await;

    for (authority, told) in [
        ("https://login.microsoftonline.com/common", "Directory (tenant) ID"),
        ("https://login.microsoftonline.com/organizations/v2.0", "Directory (tenant) ID"),
        ("https://login.microsoftonline.com/consumers", "Directory (tenant) ID"),
        ("https://login.microsoftonline.com/", "Directory (tenant) ID"),
        (
            "https://login.microsoftonline.com.evil.example/0f8fad5b-d9cb-469f-a165-70867728950e",
            "is not a Microsoft sign-in address",
        ),
        (
            "http://login.microsoftonline.com/0f8fad5b-d9cb-469f-a165-70867728950e",
            "begins with https://",
        ),
        ("http://127.0.0.1:1/0f8fad5b-d9cb-469f-a165-70867728950e", "begins with https://"),
        ("acme", "https://login.microsoftonline.com/"),
    ] {
        let output = connect(&installation, authority, &[]).await;

        assert_eq!(output.status.code(), Some(1), "{authority}: {}", stdout(&output));
        let said = stderr(&output);
        assert!(said.contains(told), "{authority}: {said}");
    }
    let shown = parsed(&installation.succeed(&["organization", "show", "acme", "--json"]).await);
    assert_eq!(shown["connectors"], json!([]));
}

#[tokio::test]
async fn a_connector_needs_a_secret_and_an_edition_that_has_connectors() {
    let installation = with_acme().await;
    installation.write("empty", " \n");
    installation.succeed(&["organization", "create", "small", "--edition", "standard"]).await;
    let connect = |slug: &'static str, secret: &'static str| {
        [
            "organization",
            "connect",
            slug,
            "--authority",
            AUTHORITY,
            "--client-id",
            "x",
            "--client-secret-file",
            secret,
        ]
    };

    for (slug, secret, said) in [
        ("acme", "nothing", "nothing"),
        ("acme", "empty", "the client secret is empty"),
        ("small", "secret", "connectors need enterprise"),
        ("nobody", "secret", "there is no organization nobody"),
    ] {
        let output = installation.run(&connect(slug, secret)).await;

        assert_eq!(output.status.code(), Some(1), "{slug} {secret}");
        assert!(stderr(&output).contains(said), "{slug} {secret}: {}", stderr(&output));
    }
}

#[tokio::test]
async fn who_waits_to_be_linked_is_listed() {
    let installation = with_acme().await;

    let listed = installation.succeed(&["organization", "links", "acme"]).await;
    let nobody =
        installation.run(&["organization", "links", "acme", "--approve", "7K3M-Q9RT"]).await;

    assert_eq!(listed, "Nobody waits.\n");
    assert_eq!(nobody.status.code(), Some(1));
    assert!(stderr(&nobody).contains("nobody waits under the number 7K3M-Q9RT"));
}

#[tokio::test]
async fn migrating_twice_is_harmless() {
    let installation = Installation::new("");

    let first = installation.succeed(&["migrate"]).await;

    assert_eq!(installation.succeed(&["migrate"]).await, first);
}
