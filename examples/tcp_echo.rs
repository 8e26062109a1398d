//! Echoes over TCP what it receives, for any number of clients at once, on one thread.
//!
//! ```text
//! cargo run --example tcp_echo                # listens on 127.0.0.1:9000
//! cargo run --example tcp_echo 127.0.0.1:0    # on a free port, which it prints
//!
//! nc -N 127.0.0.1 9000                        # type lines, get them back; Ctrl-D ends it
//! nc -N 127.0.0.1 9000 < file | cmp - file    # any amount, unchanged
//! ```
//!
//! A client that sends without reading is not read from while anything waits to be echoed to it. So it costs at most
//! [`BUFFER`] bytes here, its own writes block in the end, and nobody else notices. A client that has shut down its
//! writing side still gets the rest.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, mem};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

/// The connections have the other tokens, each its index.
const LISTENER: Token = Token(usize::MAX);

/// The most that is read at a time, and so the most that can be left unsent of a connection: bytes.
const BUFFER: usize = 64 * 1024;

/// How many operations a connection, or the listener, may do before it is the turn of the others.
const TURN: usize = 8;

/// How long to wait before accepting again when the system has refused to.
const RETRY: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let Some(address) = address() else {
        eprintln!("usage: tcp_echo [ADDRESS:PORT]");
        return ExitCode::from(2);
    };
    if let Err(error) = Server::listen(address).and_then(Server::run) {
        eprintln!("tcp_echo: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The address that the command line asks for, if the command line makes sense.
fn address() -> Option<SocketAddr> {
    let mut arguments = env::args_os().skip(1);
    let address = match arguments.next() {
        Some(argument) => argument.to_str()?.parse().ok()?,
        None => SocketAddr::from(([127, 0, 0, 1], 9000)),
    };
    arguments.next().is_none().then_some(address)
}

struct Server {
    poll: Poll,
    listener: TcpListener,
    /// Somebody may be waiting to be accepted.
    acceptable: bool,
    /// The system has refused to accept who is waiting: when to ask it again.
    retry: Option<Instant>,
    /// By token. The empty places are those of `free`.
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Who has something to do, in turn; nobody stands here twice.
    ready: VecDeque<usize>,
    /// Shared by all: what a connection has read is sent, or moved away, before the next one reads.
    buffer: Vec<u8>,
}

impl Server {
    fn listen(address: SocketAddr) -> io::Result<Server> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Server {
            poll,
            listener,
            acceptable: false,
            retry: None,
            connections: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            buffer: vec![0; BUFFER],
        })
    }

    fn run(mut self) -> io::Result<()> {
        let mut out = io::stdout();
        writeln!(out, "listening on {}", self.listener.local_addr()?)?;
        out.flush()?;

        let mut events = Events::with_capacity(1024);
        let past = Instant::now();
        loop {
            // Edges are reported once. Whoever had to stop halfway is in `ready`, and the poll must not wait then.
            let busy = self.acceptable || !self.ready.is_empty();
            let deadline = if busy { Some(past) } else { self.retry };
            self.poll.poll_until(&mut events, deadline)?;

            // First note what has happened, then act on it. A connection that is closed by acting leaves no event behind
            // that could be taken for one of its successor with the same token.
            for event in &events {
                if event.token() == LISTENER {
                    self.acceptable = true;
                    continue;
                }
                let Token(index) = event.token();
                if let Some(connection) = &mut self.connections[index] {
                    // A hang-up or an error may come alone. Trying tells what it is.
                    let failed = event.is_error();
                    connection.readable |= event.is_readable() || event.is_read_closed() || failed;
                    connection.writable |= event.is_writable() || event.is_write_closed() || failed;
                    if !mem::replace(&mut connection.queued, true) {
                        self.ready.push_back(index);
                    }
                }
            }
            self.serve();
            if self.acceptable || self.retry.is_some_and(|retry| retry <= Instant::now()) {
                self.accept();
            }
        }
    }

    /// Gives each connection that is ready a turn.
    fn serve(&mut self) {
        for _ in 0..self.ready.len() {
            let Some(index) = self.ready.pop_front() else {
                break;
            };
            let Some(connection) = &mut self.connections[index] else {
                continue;
            };
            match connection.turn(&mut self.buffer) {
                Ok(Turn::Wait) => connection.queued = false,
                Ok(Turn::More) => self.ready.push_back(index),
                // A client that resets its connection is no trouble of ours: an error ends it just as well.
                Ok(Turn::End) | Err(_) => {
                    self.connections[index] = None;
                    self.free.push(index);
                    // There is a descriptor to spare now.
                    self.acceptable |= self.retry.is_some();
                }
            }
        }
    }

    /// Accepts who is waiting, up to a turn.
    fn accept(&mut self) {
        for _ in 0..TURN {
            match self.listener.accept() {
                Ok((stream, address)) => {
                    if let Err(error) = self.add(stream) {
                        eprintln!("tcp_echo: cannot serve {address}: {error}");
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        self.acceptable = false;
                        self.retry = None;
                        return;
                    }
                    // This one is gone (on Windows: reset). There may be others.
                    ErrorKind::ConnectionAborted
                    | ErrorKind::ConnectionReset
                    | ErrorKind::Interrupted => {}
                    // Most likely we have run out of descriptors (or the system has, or out of memory). Whoever waits
                    // stays in the backlog, and no edge will tell of them again. To ask at once would be a busy loop, so
                    // ask when a connection was closed, and now and then because others may have closed theirs.
                    _ => {
                        if self.retry.is_none() {
                            eprintln!("tcp_echo: cannot accept for now: {error}");
                        }
                        self.acceptable = false;
                        self.retry = Some(Instant::now() + RETRY);
                        return;
                    }
                },
            }
        }
        self.acceptable = true;
    }

    fn add(&mut self, mut stream: TcpStream) -> io::Result<()> {
        // What we send is complete as it is: there is nothing to collect before it goes.
        stream.set_nodelay(true)?;
        let index = self.free.last().copied().unwrap_or(self.connections.len());
        // Both directions once and for all: an edge costs nothing until it comes, changing the registration a system call.
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut stream, Token(index), interest)?;
        let connection = Some(Connection::new(stream));
        match self.free.pop() {
            Some(index) => self.connections[index] = connection,
            None => self.connections.push(connection),
        }
        Ok(())
    }
}

/// How a turn has ended.
enum Turn {
    /// The next event tells when there is something to do.
    Wait,
    /// There may be more to do, but others have been waiting.
    More,
    /// The connection is over.
    End,
}

struct Connection {
    stream: TcpStream,
    /// An edge was seen, and no operation has said `WouldBlock` since.
    readable: bool,
    writable: bool,
    /// Whether it stands in the server's `ready`.
    queued: bool,
    /// What was read and could not be sent, from `sent` on. Never more than one read: see [`turn`](Connection::turn).
    unsent: Vec<u8>,
    sent: usize,
}

impl Connection {
    fn new(stream: TcpStream) -> Connection {
        Connection {
            stream,
            readable: false,
            writable: false,
            queued: false,
            unsent: Vec::new(),
            sent: 0,
        }
    }

    /// Echoes until it would have to wait, or others have waited long enough.
    fn turn(&mut self, buffer: &mut [u8]) -> io::Result<Turn> {
        for _ in 0..TURN {
            if !self.unsent.is_empty() {
                // The backpressure: no reading before everything is sent, however much there is to read.
                if !self.writable {
                    return Ok(Turn::Wait);
                }
                self.flush()?;
            } else if self.readable {
                match nonblocking(|| self.stream.read(buffer))? {
                    // The client is done with sending, and everything has been echoed.
                    Some(0) => return Ok(Turn::End),
                    Some(n) => self.send(&buffer[..n])?,
                    None => self.readable = false,
                }
            } else {
                return Ok(Turn::Wait);
            }
        }
        Ok(Turn::More)
    }

    /// Sends `bytes`, and keeps those that do not go now.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sent = match nonblocking(|| self.stream.write(bytes))? {
            Some(n) => n,
            None => {
                self.writable = false;
                0
            }
        };
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    /// Sends what was kept, or a part of it.
    fn flush(&mut self) -> io::Result<()> {
        match nonblocking(|| self.stream.write(&self.unsent[self.sent..]))? {
            Some(0) => return Err(ErrorKind::WriteZero.into()),
            Some(n) => self.sent += n,
            None => self.writable = false,
        }
        if self.sent == self.unsent.len() {
            self.unsent.clear();
            self.sent = 0;
        }
        Ok(())
    }
}

/// `None` if the operation would block. Does it again if a signal got in its way.
fn nonblocking<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<Option<T>> {
    loop {
        match operation() {
            Ok(value) => return Ok(Some(value)),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return Ok(None),
                ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}
