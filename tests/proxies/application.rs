//! The application behind the proxy, which keeps every request as it arrived.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::wire;

/// A public page that is asked for until the proxy runs, and not kept.
pub const READY: &str = "/public/ready";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    /// As it came: in chunks, if it says so.
    pub body: Vec<u8>,
}

/// An application that says yes to everything, also to an upgrade to any protocol, and echoes what
/// comes after it.
pub struct Application {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Seen {
    /// Every value of a header, however its name is spelt: in any case, and, as CGI reads it, with
    /// any sign in place of `-`.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let plain = |name: &str| {
            let sign = |letter: char| !letter.is_ascii_alphanumeric();
            name.trim().to_ascii_lowercase().replace(sign, "-")
        };
        let found = self.headers.iter().filter(|(found, _)| plain(found) == plain(name));
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// The headers that tell of a person, without those that are empty; sorted.
    pub fn identity(&self) -> Vec<(String, &str)> {
        let mut told: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
            .filter(|(name, value)| name.contains("portico") && !value.is_empty())
            .collect();
        told.sort();
        told
    }
}

impl Application {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { port, seen }
    }

    /// What arrived so far, which is forgotten by it.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// The one request that arrived since this was last asked.
    pub fn take_one(&self) -> Seen {
        let mut seen = self.take_seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }
}

/// Answers one request, and closes; or echoes.
async fn serve(mut stream: TcpStream, kept: Arc<Mutex<Vec<Seen>>>) {
    let Some(seen) = read(&mut stream).await else { return };
    let upgrade = seen.values("upgrade").join(", ").to_lowercase();
    if seen.target != READY {
        kept.lock().unwrap().push(seen);
    }
    if !upgrade.is_empty() {
        let chosen = if upgrade.contains("h2c") { "h2c" } else { "websocket" };
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {chosen}\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        );
        let _ = stream.write_all(head.as_bytes()).await;
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
        return;
    }
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 24\r\n\
                  Connection: close\r\n\r\n<h1>The application</h1>";
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// Whether a body in chunks is whole, with what stands behind it.
fn ends(body: &[u8]) -> bool {
    body.ends_with(b"0\r\n\r\n")
        || (body.ends_with(b"\r\n\r\n") && body.windows(5).any(|window| window == b"\r\n0\r\n"))
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let mut seen = Seen {
        method: first.next()?.to_owned(),
        target: first.next()?.to_owned(),
        headers: lines.filter_map(wire::field).collect(),
        body: bytes[end + 4..].to_vec(),
    };
    while !seen.values("transfer-encoding").is_empty() && !ends(&seen.body) {
        if stream.read_buf(&mut seen.body).await.ok()? == 0 {
            return None;
        }
    }
    let length = seen.values("content-length").first().map_or(0, |length| length.parse().unwrap());
    while seen.body.len() < length {
        if stream.read_buf(&mut seen.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(seen)
}
