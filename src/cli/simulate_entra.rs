//! `portico simulate-entra`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context as _;
use serde_json::json;

use crate::{
    cli::{faults, say, stop_signal::stop_signal},
    domain::{clock::Clock, secret::Secret},
    simulator::{
        Fault, JobSettings, Platform, ScimCredential, ScimTarget, SimulatedEntra, SimulatedTenant,
        SimulatorOptions, TenantSeed,
    },
};

#[derive(clap::Args)]
pub struct Arguments {
    /// Listen on this port; 0 takes a free one
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// Listen on this address
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    bind: IpAddr,
    /// Let others reach it, who could then sign in as anybody
    #[arg(long)]
    allow_everybody_to_sign_in: bool,
    /// A sample tenant NAME.example with people of every kind; may be repeated [default: contoso]
    #[arg(long, value_name = "NAME", conflicts_with = "seed")]
    tenant: Vec<String>,
    /// A JSON file with the tenants, their people and app registrations
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// A redirect URI of platform Web for every app registration; may be repeated
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// A redirect URI of platform Mobile and desktop; may be repeated
    #[arg(long, value_name = "URI")]
    public_redirect_uri: Vec<String>,
    /// Break it on purpose; `--list-faults` tells how
    #[arg(long, value_name = "NAME")]
    fault: Option<Fault>,
    /// List the faults and stop
    #[arg(long)]
    list_faults: bool,
    /// Provision the first tenant's people to this SCIM URL
    #[arg(long, value_name = "URL", requires = "scim_password_file")]
    scim_url: Option<String>,
    /// The file with the SCIM Password
    #[arg(long, value_name = "FILE", requires = "scim_url")]
    scim_password_file: Option<PathBuf>,
    /// Seconds between two provisioning cycles
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..))]
    provision_every: u64,
    /// Print JSON on one line once it listens
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.list_faults {
        faults::list();
        return Ok(());
    }
    let simulator = SimulatedEntra::start(SimulatorOptions {
        bind: SocketAddr::new(arguments.bind, arguments.port),
        allow_non_loopback: arguments.allow_everybody_to_sign_in,
        tenants: tenants(&arguments)?,
        clock: Clock::system(),
    })
    .context("run it on loopback, or say --allow-everybody-to-sign-in")?;
    simulator.faults().set(arguments.fault);
    for tenant in simulator.tenants() {
        register(&tenant, &arguments)?;
    }
    print(&simulator, arguments.json);
    let provisioning = match &arguments.scim_url {
        Some(url) => Some(tokio::spawn(provision(&simulator, url, &arguments)?)),
        None => None,
    };
    stop_signal().await?;
    if let Some(provisioning) = provisioning {
        provisioning.abort();
    }
    simulator.stop().await;
    Ok(())
}

fn tenants(arguments: &Arguments) -> anyhow::Result<Vec<TenantSeed>> {
    if let Some(file) = &arguments.seed {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        return serde_json::from_str(&text).with_context(|| format!("in {}", file.display()));
    }
    let names = match arguments.tenant.as_slice() {
        [] => vec!["contoso".to_owned()],
        names => names.to_vec(),
    };
    Ok(names.iter().map(|name| TenantSeed::sample(name)).collect())
}

fn register(tenant: &SimulatedTenant, arguments: &Arguments) -> anyhow::Result<()> {
    let web = arguments.redirect_uri.iter().map(|uri| (uri, Platform::Web));
    let public = arguments.public_redirect_uri.iter().map(|uri| (uri, Platform::PublicClient));
    for (uri, platform) in web.chain(public) {
        for application in tenant.applications() {
            tenant
                .register_redirect_uri(application.client_id, uri, platform)
                .with_context(|| uri.clone())?;
        }
    }
    Ok(())
}

fn print(simulator: &SimulatedEntra, as_json: bool) {
    let tenants: Vec<_> = simulator.tenants().iter().map(description).collect();
    if as_json {
        say(&json!({ "origin": simulator.origin(), "tenants": tenants }).to_string());
        return;
    }
    for tenant in &tenants {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        say(&format!("Authority      {}", text(&tenant["authority"])));
        for application in tenant["applications"].as_array().into_iter().flatten() {
            say(&format!("Client ID      {}", text(&application["client_id"])));
            say(&format!("Client secret  {}", text(&application["client_secret"])));
        }
        for person in tenant["people"].as_array().into_iter().flatten() {
            let (name, password) = (text(&person["username"]), text(&person["password"]));
            say(&format!("  {name:<32} {password}"));
        }
        say("");
    }
    say(&format!("Ready. Switch faults: curl -d name=FAULT {}/control/fault", simulator.origin()));
}

fn description(tenant: &SimulatedTenant) -> serde_json::Value {
    let applications = tenant.applications().into_iter().map(|application| {
        json!({
            "name": application.display_name,
            "client_id": application.client_id.to_string(),
            "client_secret": application.secrets.first().map(Secret::expose),
        })
    });
    let people = tenant.people().into_iter().map(|person| {
        json!({
            "username": person.preferred_username(),
            "password": person.password.expose(),
            "name": person.display_name,
            "object_id": person.oid.to_string(),
            "enabled": person.account_enabled,
        })
    });
    json!({
        "tenant_id": tenant.id().to_string(),
        "domain": tenant.domain(),
        "authority": tenant.authority(),
        "applications": applications.collect::<Vec<_>>(),
        "people": people.collect::<Vec<_>>(),
    })
}

/// Runs provisioning cycles until it is aborted; what fails is printed and tried again.
fn provision(
    simulator: &SimulatedEntra,
    url: &str,
    arguments: &Arguments,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let file = arguments.scim_password_file.as_ref().context("--scim-password-file is missing")?;
    let password =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let credential = ScimCredential::Bearer(Secret::new(password.trim()));
    let target = ScimTarget { url: url.to_owned(), credential, feature_flag: false };
    let tenant = simulator.tenants().into_iter().next().context("there is no tenant")?;
    let application = tenant.applications().into_iter().next();
    let client_id = application.context("the tenant has no app registration")?.client_id;
    let pause = Duration::from_secs(arguments.provision_every);
    let job = tenant.begin_provisioning(client_id, JobSettings::new(target));
    Ok(async move {
        if let Err(error) = job.test_connection().await {
            eprintln!("portico: Test Connection: {error}");
        }
        loop {
            for failure in job.cycle().await.failures() {
                let (action, person) = (failure.action, &failure.name);
                eprintln!("portico: provisioning: {action:?} {person}: {}", failure.detail);
            }
            tokio::time::sleep(pause).await;
        }
    })
}
