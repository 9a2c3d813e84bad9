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
    pub body: Vec<u8>,
}

/// An application that says yes to everything and echoes what comes after an upgrade.
pub struct Application {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Seen {
    /// Every value of a header, however its name is spelt: with `-`, `_` or a space, in any case.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let plain = |name: &str| name.trim().to_ascii_lowercase().replace(['_', ' '], "-");
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
    let upgrades = !seen.values("upgrade").is_empty();
    if seen.target != READY {
        kept.lock().unwrap().push(seen);
    }
    if upgrades {
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
        return;
    }
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 24\r\n\
                  Connection: close\r\n\r\n<h1>The application</h1>";
    let _ = stream.write_all(answer.as_bytes()).await;
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
    assert!(seen.values("transfer-encoding").is_empty(), "bodies come with their length: {seen:?}");
    let length = seen.values("content-length").first().map_or(0, |length| length.parse().unwrap());
    while seen.body.len() < length {
        if stream.read_buf(&mut seen.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(seen)
}
