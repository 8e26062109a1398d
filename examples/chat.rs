//! A chat room over TCP and a Unix socket: what one client says all the others hear.
//!
//! ```text
//! cargo run --example chat                          # listens on 127.0.0.1:9001
//! cargo run --example chat 127.0.0.1:9001 ./chat    # and on a Unix socket
//!
//! nc 127.0.0.1 9001                                 # the first line is your name; Ctrl-C leaves
//! nc -U ./chat
//! ```
//!
//! Two kinds of sockets are served by the same code: whatever implements [`Source`] can be registered, trait objects too.
//!
//! Everything is bounded. A line of more than [`LINE`] bytes is not passed on. What others say waits for a client that
//! does not read; when more than [`QUEUE`] bytes do, the client is disconnected, or the slowest would decide how fast the
//! others may talk.

use std::collections::VecDeque;
use std::fmt::{Display, Write as _};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, mem};

use mio::event::Source;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

/// The longest line that is passed on: bytes.
const LINE: usize = 1024;

/// The longest name: bytes.
const NAME: usize = 24;

/// The most that waits for a client: bytes.
const QUEUE: usize = 256 * 1024;

/// How much is read at a time: bytes. Little, because each byte may be sent to very many.
const BUFFER: usize = 4096;

/// How often one may read in a turn: for what there is, to see that it is all, and to find that it is.
const READS: usize = 3;

/// How many are let in through a door before others get a turn.
const TURN: usize = 8;

/// How long to wait before accepting again when the system has refused to.
const RETRY: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let Some((address, path)) = addresses() else {
        eprintln!("usage: chat [ADDRESS:PORT [PATH]]");
        return ExitCode::from(2);
    };
    if let Err(error) = Room::open(address, path).and_then(Room::run) {
        eprintln!("chat: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The addresses that the command line asks for, if the command line makes sense.
fn addresses() -> Option<(SocketAddr, Option<PathBuf>)> {
    let mut arguments = env::args_os().skip(1);
    let address = match arguments.next() {
        Some(argument) => argument.to_str()?.parse().ok()?,
        None => SocketAddr::from(([127, 0, 0, 1], 9001)),
    };
    let path = arguments.next().map(PathBuf::from);
    arguments.next().is_none().then_some((address, path))
}

/// A connection of any kind.
trait Stream: Read + Write + Source {}

impl<T: Read + Write + Source> Stream for T {}

/// A socket of any kind that guests come through.
trait Listener: Source {
    fn accept(&self) -> io::Result<Box<dyn Stream>>;
}

impl Listener for TcpListener {
    fn accept(&self) -> io::Result<Box<dyn Stream>> {
        let (stream, _) = TcpListener::accept(self)?;
        // Lines are to go at once. Should that fail, they go a little later.
        let _ = stream.set_nodelay(true);
        Ok(Box::new(stream))
    }
}

struct Door {
    listener: Box<dyn Listener>,
    /// Somebody may be waiting to be let in.
    acceptable: bool,
    /// The system has refused to accept who is waiting: when to ask it again.
    retry: Option<Instant>,
}

struct Room {
    poll: Poll,
    /// By token. The guests' tokens follow.
    doors: Vec<Door>,
    /// By token. The empty places are those of `free`.
    guests: Vec<Option<Guest>>,
    free: Vec<usize>,
    /// Who has something to hear or to say, in turn; nobody stands here twice.
    ready: VecDeque<usize>,
    /// Who has more to say, but has to let the others speak first.
    later: VecDeque<usize>,
    buffer: Vec<u8>,
    /// What is being announced.
    message: String,
    _file: Option<local::SocketFile>,
}

impl Room {
    fn open(address: SocketAddr, path: Option<PathBuf>) -> io::Result<Room> {
        let mut room = Room {
            poll: Poll::new()?,
            doors: Vec::new(),
            guests: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            later: VecDeque::new(),
            buffer: vec![0; BUFFER],
            message: String::new(),
            _file: None,
        };
        let tcp = TcpListener::bind(address).map_err(|error| about(address, &error))?;
        let address = tcp.local_addr()?;
        room.add_door(Box::new(tcp))?;
        if let Some(path) = &path {
            let (unix, file) =
                local::listen(path).map_err(|error| about(path.display(), &error))?;
            room._file = Some(file);
            room.add_door(unix)?;
        }

        let mut out = io::stdout();
        writeln!(out, "listening on {address}")?;
        if let Some(path) = &path {
            writeln!(out, "listening on {}", path.display())?;
        }
        out.flush()?;
        Ok(room)
    }

    fn add_door(&mut self, mut listener: Box<dyn Listener>) -> io::Result<()> {
        let token = Token(self.doors.len());
        self.poll
            .registry()
            .register(&mut *listener, token, Interest::READABLE)?;
        self.doors.push(Door {
            listener,
            acceptable: false,
            retry: None,
        });
        Ok(())
    }

    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let past = Instant::now();
        loop {
            // Edges are reported once: what was left undone must not be waited for.
            let busy = !self.ready.is_empty() || self.doors.iter().any(|door| door.acceptable);
            let retry = self.doors.iter().filter_map(|door| door.retry).min();
            self.poll
                .poll_until(&mut events, if busy { Some(past) } else { retry })?;

            // First note what has happened, then act on it. A guest who leaves by acting leaves no event behind that could
            // be taken for one of the next guest with the same token.
            for event in &events {
                let Token(token) = event.token();
                let Some(index) = token.checked_sub(self.doors.len()) else {
                    self.doors[token].acceptable = true;
                    continue;
                };
                if let Some(guest) = &mut self.guests[index] {
                    // A hang-up or an error may come alone. Trying tells what it is.
                    let failed = event.is_error();
                    guest.readable |= event.is_readable() || event.is_read_closed() || failed;
                    guest.writable |= event.is_writable() || event.is_write_closed() || failed;
                    guest.enqueue(index, &mut self.ready);
                }
            }
            self.serve();
            for index in 0..self.doors.len() {
                let door = &self.doors[index];
                if door.acceptable || door.retry.is_some_and(|retry| retry <= Instant::now()) {
                    self.accept(index);
                }
            }
        }
    }

    /// Gives each guest who is ready a turn, and each guest who hears something by that.
    fn serve(&mut self) {
        while let Some(index) = self.ready.pop_front() {
            match self.turn(index) {
                Ok(Turn::Wait) => {}
                Ok(Turn::More) => self.later.push_back(index),
                // A guest whose connection breaks has left like any other.
                Ok(Turn::Leave) | Err(_) => self.leave(index),
            }
        }
        mem::swap(&mut self.ready, &mut self.later);
    }

    /// Lets a guest speak, then hear what is queued.
    fn turn(&mut self, index: usize) -> io::Result<Turn> {
        let turn = self.listen(index)?;
        let Some(guest) = &mut self.guests[index] else {
            return Ok(Turn::Leave);
        };
        guest.flush()?;
        if guest.too_slow {
            return Ok(Turn::Leave);
        }
        // A Unix socket becomes writable anew whenever the other end reads. Nobody wants to know, but who has to wait.
        let waiting = !guest.unsent.is_empty();
        if guest.waiting != waiting {
            guest.waiting = waiting;
            let token = Token(self.doors.len() + index);
            self.poll
                .registry()
                .reregister(&mut *guest.stream, token, interest(waiting))?;
        }
        guest.queued = matches!(turn, Turn::More);
        Ok(turn)
    }

    fn listen(&mut self, index: usize) -> io::Result<Turn> {
        for _ in 0..READS {
            let Some(guest) = &mut self.guests[index] else {
                return Ok(Turn::Leave);
            };
            if !guest.readable {
                return Ok(Turn::Wait);
            }
            match nonblocking(|| guest.stream.read(&mut self.buffer))? {
                Some(0) => return Ok(Turn::Leave),
                Some(n) => self.hear(index, n),
                None => guest.readable = false,
            }
        }
        Ok(Turn::More)
    }

    /// Takes in the first `n` bytes of the buffer, which a guest has said.
    fn hear(&mut self, index: usize, n: usize) {
        let buffer = mem::take(&mut self.buffer);
        for piece in buffer[..n].split_inclusive(|&byte| byte == b'\n') {
            self.hear_piece(index, piece);
        }
        self.buffer = buffer;
    }

    /// Takes in a piece of what a guest says: a line, or a part of one.
    fn hear_piece(&mut self, index: usize, piece: &[u8]) {
        let Some(guest) = &mut self.guests[index] else {
            return;
        };
        guest.keep(piece);
        if !piece.ends_with(b"\n") {
            return;
        }
        if mem::take(&mut guest.overlong) {
            guest.tell("* Shorter lines, please: that one was not passed on.\n");
            return;
        }
        self.message.clear();
        if !guest.name.is_empty() {
            self.message.push_str(&guest.name);
            self.message.push_str(": ");
        }
        let start = self.message.len();
        // No control characters: they could rearrange somebody's terminal.
        let text = String::from_utf8_lossy(&guest.line);
        let text = text.chars().filter(|symbol| !symbol.is_control());
        self.message.extend(text);
        guest.line.clear();
        if start == 0 {
            self.welcome(index);
        } else if self.message.len() > start {
            self.message.push('\n');
            self.announce(index);
        }
    }

    /// Gives a guest the name that is in `message`, if it will do.
    fn welcome(&mut self, index: usize) {
        let name = self.message.trim().to_owned();
        let others = self.guests.iter().flatten();
        let others = others.filter(|other| !other.name.is_empty());
        let taken = others.clone().any(|other| other.name == name);
        let others = others.count();
        let Some(guest) = &mut self.guests[index] else {
            return;
        };
        self.message.clear();
        if name.is_empty() || name.len() > NAME || taken {
            guest.tell("* Another name, please: shorter, or not taken yet.\n");
            return;
        }
        // Writing to a string does not fail.
        let _ = writeln!(self.message, "* Welcome, {name}. Others here: {others}.");
        guest.tell(&self.message);
        self.message.clear();
        let _ = writeln!(self.message, "* {name} has come.");
        guest.name = name;
        self.announce(index);
    }

    /// Tells all guests that have a name, but the one from whom it comes, what is in `message`.
    fn announce(&mut self, from: usize) {
        for (index, place) in self.guests.iter_mut().enumerate() {
            match place {
                Some(guest) if index != from && !guest.name.is_empty() => {
                    guest.tell(&self.message);
                    guest.enqueue(index, &mut self.ready);
                }
                _ => {}
            }
        }
    }

    fn leave(&mut self, index: usize) {
        let Some(guest) = self.guests[index].take() else {
            return;
        };
        self.free.push(index);
        // There is a descriptor to spare now.
        for door in &mut self.doors {
            door.acceptable |= door.retry.is_some();
        }
        if !guest.name.is_empty() {
            let name = &guest.name;
            self.message.clear();
            let _ = if guest.too_slow {
                writeln!(self.message, "* {name} was too slow.")
            } else {
                writeln!(self.message, "* {name} has left.")
            };
            self.announce(index);
        }
    }

    /// Lets in who is waiting at a door, up to a turn.
    fn accept(&mut self, door: usize) {
        for _ in 0..TURN {
            let door = &mut self.doors[door];
            match door.listener.accept() {
                Ok(stream) => {
                    if let Err(error) = self.add(stream) {
                        eprintln!("chat: cannot let somebody in: {error}");
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        door.acceptable = false;
                        door.retry = None;
                        return;
                    }
                    // This one is gone (on Windows: reset). There may be others.
                    ErrorKind::ConnectionAborted
                    | ErrorKind::ConnectionReset
                    | ErrorKind::Interrupted => {}
                    // Most likely we have run out of descriptors (or the system has, or out of memory). Whoever waits
                    // stays in the backlog, and no edge will tell of them again. To ask at once would be a busy loop, so
                    // ask when a guest has left, and now and then because others may have closed descriptors.
                    _ => {
                        if door.retry.is_none() {
                            eprintln!("chat: cannot accept for now: {error}");
                        }
                        door.acceptable = false;
                        door.retry = Some(Instant::now() + RETRY);
                        return;
                    }
                },
            }
        }
        self.doors[door].acceptable = true;
    }

    fn add(&mut self, mut stream: Box<dyn Stream>) -> io::Result<()> {
        let index = self.free.last().copied().unwrap_or(self.guests.len());
        let token = Token(self.doors.len() + index);
        self.poll
            .registry()
            .register(&mut *stream, token, interest(false))?;
        let mut guest = Guest::new(stream);
        guest.tell("* Your name, please.\n");
        guest.enqueue(index, &mut self.ready);
        match self.free.pop() {
            Some(index) => self.guests[index] = Some(guest),
            None => self.guests.push(Some(guest)),
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
    /// The guest is gone, or has to go.
    Leave,
}

struct Guest {
    stream: Box<dyn Stream>,
    /// Empty until it is given.
    name: String,
    /// An edge was seen, and no operation has said `WouldBlock` since.
    readable: bool,
    /// The same; a new connection always is.
    writable: bool,
    /// Whether it is registered for writing.
    waiting: bool,
    /// Whether it stands in the room's `ready` or `later`.
    queued: bool,
    /// A line whose end has not come yet, unless it has become too long.
    line: Vec<u8>,
    overlong: bool,
    /// What the guest has not been sent yet.
    unsent: VecDeque<u8>,
    too_slow: bool,
}

impl Guest {
    fn new(stream: Box<dyn Stream>) -> Guest {
        Guest {
            stream,
            name: String::new(),
            readable: false,
            writable: true,
            waiting: false,
            queued: false,
            line: Vec::new(),
            overlong: false,
            unsent: VecDeque::new(),
            too_slow: false,
        }
    }

    fn enqueue(&mut self, index: usize, ready: &mut VecDeque<usize>) {
        if !mem::replace(&mut self.queued, true) {
            ready.push_back(index);
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        self.overlong |= self.line.len() + piece.len() > LINE;
        if self.overlong {
            self.line.clear();
        } else {
            self.line.extend_from_slice(piece);
        }
    }

    /// Queues a message. Whoever has not taken the earlier ones when the queue is full has to go.
    fn tell(&mut self, message: &str) {
        let full = |guest: &Guest| guest.unsent.len() + message.len() > QUEUE;
        if full(self) && (self.flush().is_err() || full(self)) {
            self.too_slow = true;
        } else {
            self.unsent.extend(message.as_bytes());
        }
    }

    /// Sends what is queued, as far as it goes.
    fn flush(&mut self) -> io::Result<()> {
        while self.writable && !self.unsent.is_empty() {
            let (bytes, _) = self.unsent.as_slices();
            match nonblocking(|| self.stream.write(bytes))? {
                Some(0) => return Err(ErrorKind::WriteZero.into()),
                Some(n) => drop(self.unsent.drain(..n)),
                None => self.writable = false,
            }
        }
        Ok(())
    }
}

/// Everybody may speak; only who has to wait for that wants to know when there is room to write.
fn interest(waiting: bool) -> Interest {
    if waiting {
        Interest::READABLE | Interest::WRITABLE
    } else {
        Interest::READABLE
    }
}

/// Says what an error is about: the system's errors do not.
fn about(name: impl Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
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

/// Sockets that are files.
#[cfg(unix)]
mod local {
    use std::fs;
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::FileTypeExt;
    use std::path::{Path, PathBuf};

    use mio::net::{UnixListener, UnixStream};

    use super::{Listener, Stream};

    impl Listener for UnixListener {
        fn accept(&self) -> io::Result<Box<dyn Stream>> {
            let (stream, _) = UnixListener::accept(self)?;
            Ok(Box::new(stream))
        }
    }

    /// Listens on a new file at `path`. A socket that is there already and that nobody listens on was left by a program
    /// that has been killed, and is replaced. (Two programs that do this at the same moment may replace each other's; a
    /// lock would prevent it.)
    pub(super) fn listen(path: &Path) -> io::Result<(Box<dyn Listener>, SocketFile)> {
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && is_stale(path) => {
                fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            result => result?,
        };
        Ok((Box::new(listener), SocketFile(path.to_owned())))
    }

    /// Whether a socket is there, and nobody behind it. Any other file is somebody's.
    fn is_stale(path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
            && UnixStream::connect(path)
                .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    }

    /// Removes the file when the program ends by itself. If it is killed, the next one has to.
    pub(super) struct SocketFile(PathBuf);

    impl Drop for SocketFile {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }
}

#[cfg(not(unix))]
mod local {
    use std::io::{self, ErrorKind};
    use std::path::Path;

    use super::Listener;

    pub(super) enum SocketFile {}

    pub(super) fn listen(_: &Path) -> io::Result<(Box<dyn Listener>, SocketFile)> {
        Err(ErrorKind::Unsupported.into())
    }
}
