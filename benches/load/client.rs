//! The load: keep-alive connections, each with one request under way at any time.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// Connections in all.
pub const CONNECTIONS: usize = 32;

const THREADS: usize = 2;

/// No answer takes longer unless the server is lost.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One request, over and over, and what every answer to it must be.
pub struct Load {
    address: SocketAddr,
    request: Vec<u8>,
    expected: Expected,
}

#[derive(Clone, Copy)]
struct Expected {
    status_line: &'static [u8],
    /// How one of the header lines begins.
    header: &'static [u8],
}

impl Load {
    /// The same bytes as in [`Self::let_in`], to a server that does not look at them.
    pub fn let_in_by_bare(address: SocketAddr, cookie: &str) -> Self {
        let expected = Expected { header: b"content-length: 0\r\n", ..Expected::LET_IN };
        Self { expected, ..Self::let_in(address, cookie) }
    }

    /// Of somebody who is signed in and has the role asked for.
    pub fn let_in(address: SocketAddr, cookie: &str) -> Self {
        let request = request(address, &format!("cookie: {cookie}\r\n"));
        Self { address, request, expected: Expected::LET_IN }
    }

    /// Of nobody.
    pub fn refused(address: SocketAddr) -> Self {
        Self { address, request: request(address, ""), expected: Expected::REFUSED }
    }

    /// Opens the connections, and sees that each of them answers.
    pub fn connect(&self) -> io::Result<Client<'_>> {
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let mut connection = Connection::open(self)?;
            connection.ask()?;
            connection.hear()?;
            connections.push(connection);
        }
        Ok(Client { connections })
    }
}

impl Expected {
    const LET_IN: Self =
        Self { status_line: b"HTTP/1.1 200 OK\r\n", header: b"x-portico-role: User\r\n" };
    const REFUSED: Self = Self {
        status_line: b"HTTP/1.1 401 Unauthorized\r\n",
        header: b"content-type: application/json",
    };
}

fn request(address: SocketAddr, more: &str) -> Vec<u8> {
    format!("GET /auth/check?role=User HTTP/1.1\r\nhost: {address}\r\n{more}\r\n").into_bytes()
}

/// Open connections.
pub struct Client<'load> {
    connections: Vec<Connection<'load>>,
}

/// What came back.
#[derive(Clone, Copy)]
pub struct Answered {
    /// How many answers, all as expected.
    pub count: u32,
    /// In what time.
    pub elapsed: Duration,
}

impl Client<'_> {
    /// Asks for as long as `length`.
    ///
    /// # Errors
    /// At the first answer that is not as expected, or late.
    pub fn run(mut self, length: Duration) -> io::Result<Answered> {
        let begin = Instant::now();
        let each = CONNECTIONS / THREADS;
        let counts = thread::scope(|scope| {
            let shares = self.connections.chunks_mut(each);
            let threads: Vec<_> =
                shares.map(|share| scope.spawn(move || ask_until(share, begin + length))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("a client does not panic"))
                .sum::<io::Result<u32>>()
        });
        Ok(Answered { count: counts?, elapsed: begin.elapsed() })
    }
}

/// How many answers came.
///
/// The thread waits for its connections in turn; the server always has the requests of the others.
fn ask_until(connections: &mut [Connection<'_>], end: Instant) -> io::Result<u32> {
    let mut count = 0;
    for connection in &mut *connections {
        connection.ask()?;
    }
    while Instant::now() < end {
        for connection in &mut *connections {
            connection.hear()?;
            connection.ask()?;
            count += 1;
        }
    }
    for connection in &mut *connections {
        connection.hear()?;
        count += 1;
    }
    Ok(count)
}

struct Connection<'load> {
    stream: TcpStream,
    load: &'load Load,
    buffer: [u8; 4096],
}

impl<'load> Connection<'load> {
    fn open(load: &'load Load) -> io::Result<Self> {
        let stream = TcpStream::connect(load.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, load, buffer: [0; 4096] })
    }

    fn ask(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.load.request)
    }

    /// Reads one answer and holds it against what is expected.
    fn hear(&mut self) -> io::Result<()> {
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..])?;
            filled += read;
            let answer = &self.buffer[..filled];
            match is_whole_and_has(answer, self.load.expected.header) {
                Some(true) if answer.starts_with(self.load.expected.status_line) => return Ok(()),
                None if read > 0 => {}
                _ => return Err(io::Error::other(String::from_utf8_lossy(answer).into_owned())),
            }
        }
    }
}

/// Whether a header line begins with `header`; `None` while the answer is not whole.
fn is_whole_and_has(answer: &[u8], header: &[u8]) -> Option<bool> {
    let (mut head, mut body, mut found) = (0, 0, false);
    for line in answer.split_inclusive(|byte| *byte == b'\n') {
        head += line.len();
        found |= line.starts_with(header);
        if let Some(length) = line.strip_prefix(b"content-length: ") {
            body = number(length);
        }
        if line == b"\r\n" {
            return (answer.len() == head + body).then_some(found);
        }
    }
    None
}

fn number(digits: &[u8]) -> usize {
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}
