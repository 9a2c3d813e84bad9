//! A proxy that runs a recipe.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::{application::READY, wire::Request};

/// How long a proxy may take until it passes requests on.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Nginx,
    Caddy,
    Haproxy,
    Traefik,
    Envoy,
}

/// Where a recipe's addresses lie in a test.
#[derive(Clone, Copy)]
pub struct Ports {
    /// Where browsers come.
    pub proxy: u16,
    pub portico: u16,
    pub application: u16,
}

/// A text of the recipe that a story has otherwise: which file, the recipe's text, the story's.
pub type Change = (&'static str, &'static str, &'static str);

/// A running proxy with a folder of its own; killed when it is dropped.
pub struct Proxy {
    child: Child,
    folder: TempDir,
}

impl Proxy {
    /// Starts the proxy and waits until it passes requests on.
    pub async fn start(kind: Kind, ports: Ports, changes: &[Change]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let arguments = kind.install(folder.path(), ports);
        for (name, theirs, ours) in changes {
            let installed = fs::read_to_string(folder.path().join(name)).unwrap();
            Recipe(installed).with(theirs, ours).write(folder.path(), name);
        }
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(program(kind.program()))
            .args(arguments)
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true)
            .spawn();
        let mut proxy = Self { child: child.unwrap(), folder };
        proxy.is_ready(ports.proxy).await;
        proxy
    }

    async fn is_ready(&mut self, port: u16) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = Request::get(READY).try_send(port).await;
            if answer.is_some_and(|answer| answer.status == 200) {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{ended:?}: {}", self.log());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the proxy wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Kind {
    const fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
            Self::Haproxy => "haproxy",
            Self::Traefik => "traefik",
            Self::Envoy => "envoy",
        }
    }

    /// Writes the recipe into the folder, with the test's addresses in place of its own; how the
    /// proxy is started there, in the foreground and as one process.
    fn install(self, folder: &Path, ports: Ports) -> Vec<&'static str> {
        match self {
            Self::Nginx => install_nginx(folder, ports),
            Self::Caddy => install_caddy(folder, ports),
            Self::Haproxy => install_haproxy(folder, ports),
            Self::Traefik => install_traefik(folder, ports),
            Self::Envoy => install_envoy(folder, ports),
        }
    }
}

fn install_nginx(folder: &Path, ports: Ports) -> Vec<&'static str> {
    let recipe = Recipe::read("nginx.conf")
        .upstreams(ports)
        .with("listen 443 ssl;", &format!("listen 127.0.0.1:{};", ports.proxy))
        .with("    ssl_certificate     /etc/ssl/portal.example.com.pem;\n", "")
        .with("    ssl_certificate_key /etc/ssl/portal.example.com.key;\n", "")
        .with("portal.example.com", "localhost");
    recipe.write(folder, "portal.conf");
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {name};\n"))
        .concat();
    let around = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}include portal.conf;\n}}\n"
    );
    fs::write(folder.join("nginx.conf"), around).unwrap();
    vec!["-p", ".", "-e", "stderr", "-c", "nginx.conf"]
}

fn install_caddy(folder: &Path, ports: Ports) -> Vec<&'static str> {
    let site = format!("http://localhost:{} {{\n\tbind 127.0.0.1\n", ports.proxy);
    let recipe = Recipe::read("Caddyfile").upstreams(ports).with("portal.example.com {\n", &site);
    let options = "{\n\tadmin off\n}\n";
    Recipe(options.to_owned() + &recipe.0).write(folder, "Caddyfile");
    vec!["run", "--config", "Caddyfile"]
}

fn install_haproxy(folder: &Path, ports: Ports) -> Vec<&'static str> {
    let bind = format!("bind 127.0.0.1:{}", ports.proxy);
    Recipe::read("haproxy.cfg")
        .upstreams(ports)
        .with("bind :443 ssl crt /etc/ssl/portal.example.com.pem", &bind)
        .with("/etc/haproxy/auth.lua", "auth.lua")
        .write(folder, "haproxy.cfg");
    Recipe::read("auth.lua")
        .with("127.0.0.1:8080", &format!("127.0.0.1:{}", ports.portico))
        .write(folder, "auth.lua");
    vec!["-db", "-f", "haproxy.cfg"]
}

fn install_traefik(folder: &Path, ports: Ports) -> Vec<&'static str> {
    let recipe = Recipe::read("traefik.yml")
        .with("\":443\"", &format!("127.0.0.1:{}", ports.proxy))
        .with("      tls: {}\n", "")
        .with("/etc/traefik/traefik-dynamic.yml", "traefik-dynamic.yml");
    let options = "global:\n  checkNewVersion: false\n  sendAnonymousUsage: false\n";
    Recipe(options.to_owned() + &recipe.0).write(folder, "traefik.yml");
    let tls = "tls:
  certificates:
    - certFile: /etc/ssl/portal.example.com.pem
      keyFile: /etc/ssl/portal.example.com.key
";
    Recipe::read("traefik-dynamic.yml")
        .upstreams(ports)
        .with(tls, "")
        .with("portal.example.com", "localhost")
        .write(folder, "traefik-dynamic.yml");
    vec!["--configFile=traefik.yml"]
}

fn install_envoy(folder: &Path, ports: Ports) -> Vec<&'static str> {
    let tls = "        - transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
              common_tls_context:
                tls_certificates:
                  - certificate_chain: { filename: /etc/ssl/portal.example.com.pem }
                    private_key: { filename: /etc/ssl/portal.example.com.key }
          filters:";
    let socket = |port| format!("address: 127.0.0.1, port_value: {port} ");
    Recipe::read("envoy.yaml")
        .with("address: 0.0.0.0, port_value: 443 ", &socket(ports.proxy))
        .with("address: 127.0.0.1, port_value: 8080 ", &socket(ports.portico))
        .with("address: 127.0.0.1, port_value: 3000 ", &socket(ports.application))
        .with(tls, "        - filters:")
        .with("portal.example.com", "localhost")
        .write(folder, "envoy.yaml");
    vec!["-c", "envoy.yaml", "--disable-hot-restart", "--concurrency", "1", "-l", "error"]
}

/// A file of `docs/forward-auth/`.
struct Recipe(String);

impl Recipe {
    fn read(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/forward-auth");
        Self(fs::read_to_string(folder.join(name)).unwrap())
    }

    /// With one text, which must be there, in place of another.
    fn with(self, theirs: &str, ours: &str) -> Self {
        assert!(self.0.contains(theirs), "the recipe has no `{theirs}`");
        Self(self.0.replace(theirs, ours))
    }

    fn upstreams(self, ports: Ports) -> Self {
        self.with("127.0.0.1:8080", &format!("127.0.0.1:{}", ports.portico))
            .with("127.0.0.1:3000", &format!("127.0.0.1:{}", ports.application))
    }

    fn write(self, folder: &Path, name: &str) {
        fs::write(folder.join(name), self.0).unwrap();
    }
}

/// Where a proxy lies: what `tests/run` unpacked, or what the machine has.
fn program(name: &str) -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let mut folders = std::iter::once(tools).chain(std::env::split_paths(&path)).chain(system);
    let found = folders.find(|folder| folder.join(name).is_file());
    found.map_or_else(
        || panic!("{name} is not installed here: run tests/run, which installs it"),
        |folder| folder.join(name),
    )
}
