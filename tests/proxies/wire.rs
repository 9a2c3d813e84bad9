//! Requests as bytes: what no honest client sends can be sent, too.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request to be written exactly so.
#[derive(Clone, Debug)]
pub struct Request {
    method: &'static str,
    target: String,
    version: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer: its head, and its body as far as it came.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn new(method: &'static str, target: impl Into<String>) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { method, target: target.into(), version: "HTTP/1.1", headers, body }
    }

    pub fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    /// Adds a header, also beside one of the same name.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// As a browser asks for a page.
    #[must_use]
    pub fn navigating(self) -> Self {
        self.header("Accept", "text/html,application/xhtml+xml")
            .header("Sec-Fetch-Mode", "navigate")
    }

    #[must_use]
    pub fn body(self, body: Vec<u8>) -> Self {
        let length = body.len().to_string();
        self.header("Content-Length", length).raw_body(body)
    }

    /// What follows the head, whatever the head says of it.
    #[must_use]
    pub fn raw_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// The answer; the server must give one.
    pub async fn send(self, port: u16) -> Reply {
        let shown = format!("{} {}", self.method, self.target);
        self.try_send(port).await.unwrap_or_else(|| panic!("no answer to {shown}"))
    }

    /// The answer, if there is one.
    pub async fn try_send(self, port: u16) -> Option<Reply> {
        let closes = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection"));
        let request = if closes { self } else { self.header("Connection", "close") };
        let mut stream = request.write(port).await?;
        let mut bytes = Vec::new();
        // A server that refuses halfway resets the connection; what it said before counts.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("it ends");
        Reply::parse(&bytes)
    }

    /// Asks for another protocol: the head of the answer, and the connection.
    pub async fn upgrade(self, port: u16) -> (Reply, TcpStream) {
        let mut stream = self.write(port).await.expect("somebody listens");
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, stream.read_u8()).await.expect("a head ends");
            bytes.push(byte.expect("a head ends"));
        }
        (Reply::parse(&bytes).expect("an answer"), stream)
    }

    /// The statuses of two requests that are sent at once, on one connection.
    pub async fn send_before(self, next: Self, port: u16) -> Vec<u16> {
        let mut stream = self.write(port).await.expect("somebody listens");
        let next = next.header("Connection", "close");
        stream.write_all(&next.into_bytes(port)).await.unwrap();
        let mut bytes = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("it ends").unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let answers = text.split("HTTP/1.1 ").skip(1);
        answers.map(|answer| answer.split(' ').next().unwrap().parse().unwrap()).collect()
    }

    async fn write(self, port: u16) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        // Whoever refuses a request by its head need not read the rest.
        let _ = stream.write_all(&self.into_bytes(port)).await;
        Some(stream)
    }

    fn into_bytes(self, port: u16) -> Vec<u8> {
        let mut head = format!("{} {} {}\r\n", self.method, self.target, self.version);
        let host = ("Host".to_owned(), format!("localhost:{port}"));
        for (name, value) in std::iter::once(&host).chain(&self.headers) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(self.body);
        bytes
    }
}

impl Reply {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, headers: lines.filter_map(field).collect(), body: body.to_owned() })
    }

    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A header's line.
pub fn field(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.to_owned(), value.trim().to_owned()))
}
