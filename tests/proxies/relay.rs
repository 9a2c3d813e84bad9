//! What stands between the proxy and Portico: it keeps what the proxy says, and can be slow.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
    time::sleep,
};

/// How Portico seems from the proxy.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    Prompt,
    /// Answers come this much later.
    Slow(Duration),
    /// Connections are taken, and nothing is answered.
    Silent,
    /// Of an answer only so many bytes come, before the connection ends.
    Cut(usize),
}

/// A stretch of road to Portico.
pub struct Relay {
    pub port: u16,
    shared: Arc<Shared>,
    /// The listener and its connections, which end with it.
    _tasks: JoinSet<()>,
}

struct Shared {
    mood: Mutex<Mood>,
    said: Mutex<Vec<u8>>,
}

impl Relay {
    pub async fn start(portico: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared =
            Arc::new(Shared { mood: Mutex::new(Mood::Prompt), said: Mutex::new(Vec::new()) });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, portico, Arc::clone(&shared)));
        Self { port, shared, _tasks: tasks }
    }

    pub fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// What the proxy said to Portico so far, which is forgotten by it.
    pub fn take_said(&self) -> String {
        let said = std::mem::take(&mut *self.shared.said.lock().unwrap());
        String::from_utf8_lossy(&said).into_owned()
    }
}

async fn accept(listener: TcpListener, portico: u16, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let far = TcpStream::connect(("127.0.0.1", portico)).await;
        let Ok(far) = far else { continue };
        let (near_reader, near_writer) = near.into_split();
        let (far_reader, far_writer) = far.into_split();
        connections.spawn(ask(near_reader, far_writer, Arc::clone(&shared)));
        connections.spawn(answer(far_reader, near_writer, Arc::clone(&shared)));
    }
}

async fn ask(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: Arc<Shared>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        shared.said.lock().unwrap().extend(&bytes[..length]);
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

async fn answer(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: Arc<Shared>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let mood = *shared.mood.lock().unwrap();
        match mood {
            Mood::Prompt => {}
            Mood::Slow(by) => sleep(by).await,
            Mood::Silent => std::future::pending().await,
            Mood::Cut(after) => {
                let _ = to.write_all(&bytes[..length.min(after)]).await;
                return;
            }
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
