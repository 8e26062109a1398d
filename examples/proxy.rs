//! Forwards TCP connections to another address, both ways, for any number of clients at once, on one thread.
//!
//! ```text
//! cargo run --example tcp_echo 127.0.0.1:9000
//! cargo run --example proxy 127.0.0.1:9002 127.0.0.1:9000
//!
//! nc -N 127.0.0.1 9002                        # talks to the echo server, through the proxy
//! ```
//!
//! Each direction of a connection is a [`Direction`] of its own: it reads from one side only when everything read before
//! has been written to the other, so it holds at most [`BUFFER`] bytes, and who reads slowly slows down the sender behind
//! the proxy as if there were none. When one side shuts down writing, so does the proxy on the other side, after the last
//! byte; the opposite direction goes on. If the target cannot be reached, the client's connection is closed.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, mem};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

/// The pairs have the other tokens: twice the index for the client, one more for the target.
const LISTENER: Token = Token(usize::MAX);

/// The most that is read at a time, and so the most that one direction can hold: bytes.
const BUFFER: usize = 64 * 1024;

/// How many operations a direction, or the listener, may do before it is the turn of the others.
const TURN: usize = 8;

/// How long to wait before accepting again when the system has refused to.
const RETRY: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let Some((address, target)) = addresses() else {
        eprintln!("usage: proxy LISTEN_ADDRESS:PORT TARGET_ADDRESS:PORT");
        return ExitCode::from(2);
    };
    if let Err(error) = Proxy::listen(address, target).and_then(Proxy::run) {
        eprintln!("proxy: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The addresses on the command line, if the command line makes sense.
fn addresses() -> Option<(SocketAddr, SocketAddr)> {
    let mut arguments = env::args_os().skip(1);
    let address = arguments.next()?.to_str()?.parse().ok()?;
    let target = arguments.next()?.to_str()?.parse().ok()?;
    arguments.next().is_none().then_some((address, target))
}

struct Proxy {
    poll: Poll,
    listener: TcpListener,
    target: SocketAddr,
    /// Somebody may be waiting to be accepted.
    acceptable: bool,
    /// The system has refused to accept who is waiting: when to ask it again.
    retry: Option<Instant>,
    /// By half the token. The empty places are those of `free`.
    pairs: Vec<Option<Pair>>,
    free: Vec<usize>,
    /// Which pairs have something to do, in turn; none stands here twice.
    ready: VecDeque<usize>,
    /// Shared by all: what was read is written, or moved away, before the next one reads.
    buffer: Vec<u8>,
}

impl Proxy {
    fn listen(address: SocketAddr, target: SocketAddr) -> io::Result<Proxy> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Proxy {
            poll,
            listener,
            target,
            acceptable: false,
            retry: None,
            pairs: Vec::new(),
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

            // First note what has happened, then act on it. A pair that is closed by acting leaves no event behind that
            // could be taken for one of its successor with the same tokens.
            for event in &events {
                if event.token() == LISTENER {
                    self.acceptable = true;
                    continue;
                }
                let Token(token) = event.token();
                if let Some(pair) = &mut self.pairs[token / 2] {
                    let side = if token % 2 == 0 {
                        &mut pair.client
                    } else {
                        &mut pair.target
                    };
                    // A hang-up or an error may come alone. Trying tells what it is.
                    let failed = event.is_error();
                    side.readable |= event.is_readable() || event.is_read_closed() || failed;
                    side.writable |= event.is_writable() || event.is_write_closed() || failed;
                    side.broken |= event.is_write_closed();
                    if !mem::replace(&mut pair.queued, true) {
                        self.ready.push_back(token / 2);
                    }
                }
            }
            self.serve();
            if self.acceptable || self.retry.is_some_and(|retry| retry <= Instant::now()) {
                self.accept();
            }
        }
    }

    /// Gives each pair that is ready a turn.
    fn serve(&mut self) {
        for _ in 0..self.ready.len() {
            let Some(index) = self.ready.pop_front() else {
                break;
            };
            let Some(pair) = &mut self.pairs[index] else {
                continue;
            };
            match pair.turn(&mut self.buffer) {
                Ok(Turn::Wait) => pair.queued = false,
                Ok(Turn::More) => self.ready.push_back(index),
                Ok(Turn::End) => self.close(index),
                Err(error) => {
                    eprintln!("proxy: cannot connect to {}: {error}", self.target);
                    self.close(index);
                }
            }
        }
    }

    fn close(&mut self, index: usize) {
        self.pairs[index] = None;
        self.free.push(index);
        // There are descriptors to spare now.
        self.acceptable |= self.retry.is_some();
    }

    /// Accepts who is waiting, up to a turn.
    fn accept(&mut self) {
        for _ in 0..TURN {
            match self.listener.accept() {
                Ok((stream, client)) => {
                    if let Err(error) = self.add(stream) {
                        // Better to send the client away at once than to let it wait for what may never come.
                        eprintln!("proxy: cannot connect {client}: {error}");
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
                    // ask when a pair was closed, and now and then because others may have closed theirs.
                    _ => {
                        if self.retry.is_none() {
                            eprintln!("proxy: cannot accept for now: {error}");
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

    fn add(&mut self, client: TcpStream) -> io::Result<()> {
        let target = TcpStream::connect(self.target)?;
        let index = self.free.last().copied().unwrap_or(self.pairs.len());
        let registry = self.poll.registry();
        let pair = Some(Pair {
            client: Side::register(client, registry, Token(2 * index))?,
            target: Side::register(target, registry, Token(2 * index + 1))?,
            connected: false,
            to_target: Direction::default(),
            to_client: Direction::default(),
            queued: false,
        });
        match self.free.pop() {
            Some(index) => self.pairs[index] = pair,
            None => self.pairs.push(pair),
        }
        Ok(())
    }
}

/// How a turn has ended.
#[derive(PartialEq)]
enum Turn {
    /// The next event tells when there is something to do.
    Wait,
    /// There may be more to do, but others have been waiting.
    More,
    /// There will be nothing to do any more.
    End,
}

struct Side {
    stream: TcpStream,
    /// An edge was seen, and no operation has said `WouldBlock` since.
    readable: bool,
    writable: bool,
    /// Nothing can be written any more.
    broken: bool,
}

impl Side {
    fn register(mut stream: TcpStream, registry: &Registry, token: Token) -> io::Result<Side> {
        // What we write was sent by somebody in this shape: nothing is gained by collecting it.
        stream.set_nodelay(true)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Side {
            stream,
            readable: false,
            writable: false,
            broken: false,
        })
    }
}

struct Pair {
    client: Side,
    target: Side,
    /// The target has accepted. Nothing can be forwarded before; the client's bytes wait in its socket.
    connected: bool,
    to_target: Direction,
    to_client: Direction,
    /// Whether it stands in the proxy's `ready`.
    queued: bool,
}

impl Pair {
    /// Forwards both ways until there is nothing to do without waiting. Fails if the target cannot be reached.
    fn turn(&mut self, buffer: &mut [u8]) -> io::Result<Turn> {
        if !self.connected && !self.connect()? {
            return Ok(Turn::Wait);
        }
        let there = self
            .to_target
            .turn(&mut self.client, &mut self.target, buffer);
        let back = self
            .to_client
            .turn(&mut self.target, &mut self.client, buffer);
        Ok(match (there, back) {
            (Turn::End, Turn::End) => Turn::End,
            (Turn::More, _) | (_, Turn::More) => Turn::More,
            _ => Turn::Wait,
        })
    }

    /// Whether the target is connected by now.
    fn connect(&mut self) -> io::Result<bool> {
        if !self.target.writable {
            return Ok(false);
        }
        if let Some(error) = self.target.stream.take_error()? {
            return Err(error);
        }
        match self.target.stream.peer_addr() {
            Ok(_) => self.connected = true,
            // A false alarm: the event that counts is still to come.
            Err(error) if error.kind() == ErrorKind::NotConnected && !self.target.broken => {
                self.target.writable = false;
            }
            // It may also be that the target has accepted and hung up in the meantime.
            Err(error) => return Err(error),
        }
        Ok(self.connected)
    }
}

/// One way of a pair. An error on either side ends the way on which it was met, not the other: what the other side has
/// sent before it broke still arrives.
#[derive(Default)]
struct Direction {
    /// What was read and could not be written, from `written` on. Never more than one read.
    unwritten: Vec<u8>,
    written: usize,
    over: bool,
}

impl Direction {
    fn turn(&mut self, from: &mut Side, to: &mut Side, buffer: &mut [u8]) -> Turn {
        if self.over {
            return Turn::End;
        }
        for _ in 0..TURN {
            let step = if !self.unwritten.is_empty() {
                self.flush(to)
            } else {
                self.forward(from, to, buffer)
            };
            match step {
                Ok(Turn::More) => {}
                Ok(Turn::Wait) => return Turn::Wait,
                Ok(Turn::End) | Err(_) => {
                    self.end(to);
                    return Turn::End;
                }
            }
        }
        Turn::More
    }

    /// Reads once, writes once, and keeps what could not be written.
    fn forward(&mut self, from: &mut Side, to: &mut Side, buffer: &mut [u8]) -> io::Result<Turn> {
        if !from.readable {
            return Ok(Turn::Wait);
        }
        let bytes = match nonblocking(|| from.stream.read(buffer))? {
            Some(0) => return Ok(Turn::End),
            Some(n) => &buffer[..n],
            None => {
                from.readable = false;
                return Ok(Turn::Wait);
            }
        };
        let written = nonblocking(|| to.stream.write(bytes))?;
        to.writable &= written.is_some();
        self.unwritten
            .extend_from_slice(&bytes[written.unwrap_or(0)..]);
        Ok(Turn::More)
    }

    /// Writes what was kept, or a part of it.
    fn flush(&mut self, to: &mut Side) -> io::Result<Turn> {
        if !to.writable {
            return Ok(Turn::Wait);
        }
        match nonblocking(|| to.stream.write(&self.unwritten[self.written..]))? {
            Some(0) => return Err(ErrorKind::WriteZero.into()),
            Some(n) => self.written += n,
            None => {
                to.writable = false;
                return Ok(Turn::Wait);
            }
        }
        if self.written == self.unwritten.len() {
            self.unwritten.clear();
            self.written = 0;
        }
        Ok(Turn::More)
    }

    fn end(&mut self, to: &Side) {
        self.over = true;
        self.unwritten = Vec::new();
        // Passes the end on. It can only fail if the connection is gone, and then the other side knows already.
        let _ = to.stream.shutdown(Shutdown::Write);
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
