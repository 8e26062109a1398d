//! An HTTP/1.1 server that says hello, on one thread.
//!
//! ```text
//! cargo run --release --example http_hello                # listens on 127.0.0.1:9003
//! cargo run --release --example http_hello 127.0.0.1:0    # on a free port, which it prints
//!
//! curl -i http://127.0.0.1:9003/                          # or any browser
//! wrk -c 64 http://127.0.0.1:9003/
//! ```
//!
//! It knows of HTTP what a server cannot do without: connections that are kept or closed as version and `Connection` say,
//! pipelined requests, `GET` and `HEAD`, bodies that are skipped, and an answer to everything that it does not
//! understand. The parser is the `httparse` crate, and `httpdate` writes dates.
//!
//! A connection costs next to no memory while nothing is under way, and at most [`BUFFER`] bytes of an unfinished request
//! plus the answers to one buffer full of requests otherwise: nothing is read before they are sent. It has no timeouts,
//! which a server on the open internet needs.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, mem};

use httparse::{Header, Request, Status, EMPTY_HEADER};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

/// The connections have the other tokens, each its index.
const LISTENER: Token = Token(usize::MAX);

/// The most that is read at a time, and so the longest head of a request: bytes.
const BUFFER: usize = 16 * 1024;

/// How many headers a request may have.
const HEADERS: usize = 64;

const CLOSE: &str = "Connection: close\r\n";

/// How much is still read of what a client sends after the last answer: bytes.
const LINGER: usize = 1024 * 1024;

/// How many operations a connection, or the listener, may do before it is the turn of the others.
const TURN: usize = 8;

/// How long to wait before accepting again when the system has refused to.
const RETRY: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let Some(address) = address() else {
        eprintln!("usage: http_hello [ADDRESS:PORT]");
        return ExitCode::from(2);
    };
    if let Err(error) = Server::listen(address).and_then(Server::run) {
        eprintln!("http_hello: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The address that the command line asks for, if the command line makes sense.
fn address() -> Option<SocketAddr> {
    let mut arguments = env::args_os().skip(1);
    let address = match arguments.next() {
        Some(argument) => argument.to_str()?.parse().ok()?,
        None => SocketAddr::from(([127, 0, 0, 1], 9003)),
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
    /// Shared by all: who has to wait takes its bytes along.
    input: Vec<u8>,
    output: Output,
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
            input: vec![0; BUFFER],
            output: Output::new(),
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
        self.output.set_date();
        for _ in 0..self.ready.len() {
            let Some(index) = self.ready.pop_front() else {
                break;
            };
            let Some(connection) = &mut self.connections[index] else {
                continue;
            };
            match connection.turn(&mut self.input, &mut self.output) {
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
                        eprintln!("http_hello: cannot serve {address}: {error}");
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
                            eprintln!("http_hello: cannot accept for now: {error}");
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
        // Answers are complete as they are: there is nothing to collect before they go.
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

/// Where a connection is in its life.
enum Phase {
    /// Reading requests. Of the one before, so many bytes of body are still to be skipped, and maybe it was the last.
    Serving { skip: u64, last: bool },
    /// The last answer is given, sent or not.
    Answered,
    /// It is sent, and the client knows that it was the last; so many bytes more are read from the client. Closing with
    /// something unread would reset the connection, and take the answer from a client that has not read it yet.
    Lingering { left: usize },
}

struct Connection {
    stream: TcpStream,
    /// An edge was seen, and no operation has said `WouldBlock` since.
    readable: bool,
    writable: bool,
    /// Whether it stands in the server's `ready`.
    queued: bool,
    phase: Phase,
    /// The beginning of a request whose head is not complete.
    partial: Vec<u8>,
    /// Answers that could not be sent, from `sent` on.
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
            phase: Phase::Serving {
                skip: 0,
                last: false,
            },
            partial: Vec::new(),
            unsent: Vec::new(),
            sent: 0,
        }
    }

    /// Answers until it would have to wait, or others have waited long enough.
    fn turn(&mut self, input: &mut [u8], output: &mut Output) -> io::Result<Turn> {
        for _ in 0..TURN {
            if !self.unsent.is_empty() {
                // The backpressure: no reading before everything is sent, however much there is to read.
                if !self.writable {
                    return Ok(Turn::Wait);
                }
                self.flush()?;
                continue;
            }
            if matches!(self.phase, Phase::Answered) {
                self.stream.shutdown(Shutdown::Write)?;
                self.phase = Phase::Lingering { left: LINGER };
            }
            if !self.readable {
                return Ok(Turn::Wait);
            }
            // The new bytes go behind those that were left.
            let old = self.partial.len();
            input[..old].copy_from_slice(&self.partial);
            let new = match nonblocking(|| self.stream.read(&mut input[old..]))? {
                Some(0) => return Ok(Turn::End),
                Some(n) => n,
                None => {
                    self.readable = false;
                    continue;
                }
            };
            if let Phase::Lingering { left } = &mut self.phase {
                match left.checked_sub(new) {
                    Some(less) => *left = less,
                    None => return Ok(Turn::End),
                }
                continue;
            }
            output.bytes.clear();
            let used = self.answer_all(&input[..old + new], output);
            self.partial.clear();
            self.partial.extend_from_slice(&input[used..old + new]);
            self.send(&output.bytes)?;
        }
        Ok(Turn::More)
    }

    /// Answers the requests in `bytes`, and tells how many bytes it is done with.
    fn answer_all(&mut self, bytes: &[u8], output: &mut Output) -> usize {
        let mut used = 0;
        while let Phase::Serving { skip, last } = &mut self.phase {
            let left = bytes.len() - used;
            let skipped = usize::try_from(*skip).map_or(left, |skip| skip.min(left));
            used += skipped;
            *skip -= skipped as u64;
            if *skip == 0 && *last {
                self.phase = Phase::Answered;
            } else if used == bytes.len() {
                break;
            } else {
                match answer(&bytes[used..], output) {
                    Answer::Incomplete => return used,
                    Answer::Given { head, body, keep } => {
                        used += head;
                        *skip = body;
                        *last = !keep;
                    }
                    Answer::Refused => self.phase = Phase::Answered,
                }
            }
        }
        // Either all was used, or the last answer is given, and what follows is of no interest.
        bytes.len()
    }

    /// Sends `bytes`, and keeps those that do not go now.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
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

/// The answers to one buffer full of requests.
struct Output {
    bytes: Vec<u8>,
    /// What their `Date` says, and the second for which that was written.
    date: String,
    second: u64,
}

impl Output {
    fn new() -> Output {
        Output {
            bytes: Vec::new(),
            date: httpdate::fmt_http_date(UNIX_EPOCH),
            second: 0,
        }
    }

    /// Reads the clock. A date is written once a second.
    fn set_date(&mut self) {
        let now = SystemTime::now();
        // A clock that stands before 1970 is not set.
        let second = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        if second != self.second {
            self.date = httpdate::fmt_http_date(now);
            self.second = second;
        }
    }
}

/// What has become of a request.
enum Answer {
    /// There is more of it to come.
    Incomplete,
    /// It is answered, its head was so long, and its body follows.
    Given { head: usize, body: u64, keep: bool },
    /// It is answered, and nobody knows where the next one would begin.
    Refused,
}

/// Answers the request that `bytes` begin with.
fn answer(bytes: &[u8], output: &mut Output) -> Answer {
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut request = Request::new(&mut headers);
    let refusal = match request.parse(bytes) {
        Ok(Status::Complete(head)) => match answer_head(&request, output) {
            Ok((body, keep)) => return Answer::Given { head, body, keep },
            Err(refusal) => refusal,
        },
        Ok(Status::Partial) if bytes.len() < BUFFER => return Answer::Incomplete,
        Ok(Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            "431 Request Header Fields Too Large"
        }
        Err(httparse::Error::Version) => "505 HTTP Version Not Supported",
        Err(_) => "400 Bad Request",
    };
    let bodiless = request.method == Some("HEAD");
    respond(output, refusal, ["", CLOSE], "Sorry.\n", bodiless);
    Answer::Refused
}

/// Answers a request whose head is complete, and tells how long its body is and whether the connection is kept. Or tells
/// what is wrong with it.
fn answer_head(
    request: &Request<'_, '_>,
    output: &mut Output,
) -> Result<(u64, bool), &'static str> {
    let headers = &*request.headers;
    let newer = request.version == Some(1);

    // Chunked bodies, most of all: they would have to be parsed to be skipped.
    if values(headers, "Transfer-Encoding").next().is_some() {
        return Err("501 Not Implemented");
    }
    if newer && values(headers, "Host").count() != 1 {
        return Err("400 Bad Request");
    }
    let body = content_length(headers).ok_or("400 Bad Request")?;
    if body > 0 && newer && has_word(headers, "Expect", "100-continue") {
        // Now the client has to send its body, so we know where the next request begins.
        output
            .bytes
            .extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    let keep = if newer {
        !has_word(headers, "Connection", "close")
    } else {
        has_word(headers, "Connection", "keep-alive")
    };
    // What goes without saying differs between the versions.
    let connection = match (keep, newer) {
        (true, true) => "",
        (true, false) => "Connection: keep-alive\r\n",
        (false, _) => CLOSE,
    };
    let method = request.method.unwrap_or_default();
    let (status, allow, text) = match (method, path(request.path.unwrap_or_default())) {
        ("GET" | "HEAD", "/") => ("200 OK", "", "Hello, world!\n"),
        ("GET" | "HEAD", _) => ("404 Not Found", "", "There is nothing here.\n"),
        _ => (
            "405 Method Not Allowed",
            "Allow: GET, HEAD\r\n",
            "GET or HEAD, please.\n",
        ),
    };
    respond(output, status, [allow, connection], text, method == "HEAD");
    Ok((body, keep))
}

/// The path that a request's target names, also where the target is a whole URL.
fn path(target: &str) -> &str {
    let scheme = target.get(..7).unwrap_or_default();
    let target = if scheme.eq_ignore_ascii_case("http://") {
        target[7..]
            .find('/')
            .map_or("/", |authority| &target[7 + authority..])
    } else {
        target
    };
    target.split('?').next().unwrap_or_default()
}

/// The length of the body, if the headers agree on one.
fn content_length(headers: &[Header<'_>]) -> Option<u64> {
    let mut length = None;
    for value in values(headers, "Content-Length") {
        // Digits alone: a sign would be a number to `parse`, and something else to the server behind the next proxy.
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let this = value.parse().ok().filter(|_| digits)?;
        if length.replace(this).is_some_and(|other| other != this) {
            return None;
        }
    }
    Some(length.unwrap_or(0))
}

/// Whether the list in the headers `name` has `word`.
fn has_word(headers: &[Header<'_>], name: &str, word: &str) -> bool {
    values(headers, name)
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(word))
}

/// The values of the headers `name`; one that is no text counts as empty.
fn values<'a>(headers: &'a [Header<'_>], name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| std::str::from_utf8(header.value).unwrap_or_default())
}

/// Writes an answer. To `HEAD`, everything but the text itself.
fn respond(output: &mut Output, status: &str, fields: [&str; 2], text: &str, head: bool) {
    let [allow, connection] = fields;
    let length = text.len();
    let Output { bytes, date, .. } = output;
    // Writing to memory does not fail.
    let _ = write!(
        bytes,
        "HTTP/1.1 {status}\r\n\
         Date: {date}\r\n\
         Content-Type: text/plain\r\n\
         Content-Length: {length}\r\n\
         {allow}{connection}\r\n"
    );
    if !head {
        bytes.extend_from_slice(text.as_bytes());
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
