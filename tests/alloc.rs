//! Nothing on the way between the user's loop and the kernel touches the heap.
//!
//! The allocator of this program counts calls, releases included, thread by thread: the test harness and its other threads
//! do not disturb what is counted here. What may allocate is opening a queue, making an `Events`, and the table that
//! `poll(2)` needs, which grows when more sources are registered than ever before. So each test prepares first, and
//! counts then.

#![cfg(any(unix, windows))]

#[cfg(all(windows, feature = "os-ext"))]
#[path = "alloc/named_pipes.rs"]
mod named_pipes;
#[cfg(all(unix, feature = "net"))]
#[path = "alloc/udp_batch.rs"]
mod udp_batch;
#[cfg(all(windows, feature = "os-ext"))]
#[path = "alloc/wait_handles.rs"]
mod wait_handles;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use mio::{Backend, Events, Interest, IoSource, Poll, Token, Waker};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

struct Counting;

thread_local! {
    // `const` and without a destructor, so that reading it neither allocates nor comes too late.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

impl Counting {
    fn count() {
        // Gone only while the thread ends, when nobody counts any more.
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    }
}

// SAFETY: Everything is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::count();
        // SAFETY: The caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        Counting::count();
        // SAFETY: As above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Counting::count();
        // SAFETY: As above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Counting::count();
        // SAFETY: As above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `operation`, which must not touch the heap.
#[track_caller]
fn quiet<T>(what: &str, operation: impl FnOnce() -> T) -> T {
    let before = CALLS.with(Cell::get);
    let result = operation();
    let calls = CALLS.with(Cell::get) - before;
    assert_eq!(calls, 0, "{what}: calls of the allocator");
    result
}

/// Runs `test` on a queue of each backend of this build.
fn on_each_backend(test: impl Fn(&mut Poll, &mut Events)) {
    for backend in Backend::available() {
        let mut poll = Poll::builder().backend(backend).build().unwrap();
        let mut events = Events::with_capacity(64);
        grow_tables(&mut poll, &mut events);
        test(&mut poll, &mut events);
    }
}

/// Registers more sources, under higher numbers, than any test does.
fn grow_tables(poll: &mut Poll, events: &mut Events) {
    let mut sources = more_sources();
    for source in &mut sources {
        poll.registry()
            .register(source, Token(0), Interest::WRITABLE)
            .unwrap();
    }
    poll.poll(events, Some(PATIENCE)).unwrap();
    for source in &mut sources {
        poll.registry().deregister(source).unwrap();
    }
}

#[cfg(unix)]
fn more_sources() -> Vec<IoSource<std::os::fd::OwnedFd>> {
    let (socket, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
    let high = || rustix::io::fcntl_dupfd_cloexec(&socket, 500).unwrap();
    (0..8).map(|_| IoSource::new(high())).collect()
}

#[cfg(windows)]
fn more_sources() -> Vec<IoSource<std::net::UdpSocket>> {
    let socket = || std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    (0..8).map(|_| IoSource::new(socket())).collect()
}

/// Polls, and there must be an event.
#[allow(dead_code)] // the bare queue has no sources
#[track_caller]
fn await_event(poll: &mut Poll, events: &mut Events) {
    quiet("poll", || poll.poll(events, Some(PATIENCE))).unwrap();
    assert!(!events.is_empty(), "nothing happened");
}

/// Polls without counting until `done`, which is asked first.
#[cfg(feature = "net")]
fn repeat_until(poll: &mut Poll, events: &mut Events, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "nothing happened");
        poll.poll(events, Some(Duration::from_millis(10))).unwrap();
    }
}

/// Otherwise everything below would pass.
#[test]
fn the_allocator_counts() {
    let before = CALLS.with(Cell::get);
    drop(Box::new(1));
    assert_eq!(CALLS.with(Cell::get) - before, 2);
    assert!(std::panic::catch_unwind(|| quiet("a box", || Box::new(1))).is_err());
}

#[test]
fn polling_without_events() {
    on_each_backend(|poll, events| {
        poll.poll(events, Some(Duration::ZERO)).unwrap();
        for timeout in [
            Duration::ZERO,
            Duration::from_millis(1),
            Duration::from_micros(50),
            Duration::from_nanos(1),
        ] {
            quiet("poll", || poll.poll(events, Some(timeout))).unwrap();
            quiet("poll_until", || {
                poll.poll_until(events, Instant::now() + timeout)
            })
            .unwrap();
            assert!(events.is_empty());
        }
    });
}

#[test]
fn waking_and_polling() {
    on_each_backend(|poll, events| {
        let waker = Waker::new(poll.registry(), Token(7)).unwrap();
        // The tables of `poll(2)` are as large afterwards as they will be.
        waker.wake().unwrap();
        poll.poll(events, Some(PATIENCE)).unwrap();
        for timeout in [
            None,
            Some(PATIENCE),
            Some(PATIENCE + Duration::from_nanos(1)),
            Some(Duration::ZERO),
        ] {
            quiet("the first wake", || waker.wake()).unwrap();
            quiet("a repeated wake", || waker.wake()).unwrap();
            quiet("poll", || poll.poll(events, timeout)).unwrap();
            let tokens = quiet("events", || {
                let tokens = events.iter().filter(|event| event.is_readable());
                tokens.map(|event| event.token().0).sum::<usize>()
            });
            assert_eq!(tokens, 7);
        }
        waker.wake().unwrap();
        quiet("poll_until", || poll.poll_until(events, None)).unwrap();
        quiet("clear", || events.clear());
    });
}

/// The registry is a counted reference: handing out another one is no allocation either.
#[test]
fn handles_of_the_registry() {
    on_each_backend(|poll, _| {
        quiet("with_trigger", || {
            drop(poll.registry().with_trigger(mio::Trigger::Level));
            drop(poll.registry().try_clone().unwrap());
        });
    });
}

/// With epoll a waker is a descriptor and two numbers.
#[test]
fn making_a_waker() {
    let poll = Poll::new().unwrap();
    if poll.backend() == Backend::Epoll {
        quiet("Waker::new and drop", || {
            Waker::new(poll.registry(), Token(0)).unwrap();
        });
    }
}

#[cfg(feature = "net")]
mod registering {
    use super::*;
    use mio::net::UdpSocket;
    use mio::Trigger;

    #[test]
    fn with_each_trigger() {
        on_each_backend(|poll, _| {
            let both = Interest::READABLE | Interest::WRITABLE;
            let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let registry = poll.registry();
            registry.register(&mut socket, Token(0), both).unwrap();
            registry.deregister(&mut socket).unwrap();

            quiet("registering directly", || {
                registry.register(&mut socket, Token(1), both).unwrap();
                registry
                    .reregister(&mut socket, Token(2), Interest::READABLE)
                    .unwrap();
                registry.deregister(&mut socket).unwrap();
            });
            for trigger in [
                Trigger::Edge,
                Trigger::Level,
                Trigger::Oneshot,
                Trigger::EdgeOneshot,
            ] {
                quiet("registering with a trigger", || {
                    let registry = registry.with_trigger(trigger);
                    registry.register(&mut socket, Token(1), both).unwrap();
                    registry.reregister(&mut socket, Token(2), both).unwrap();
                    registry.deregister(&mut socket).unwrap();
                });
            }
        });
    }

    // A debug build explains the mistake, and takes memory for that. `cargo xtask test` runs this file in release, too.
    #[cfg(not(debug_assertions))]
    #[test]
    fn in_vain() {
        on_each_backend(|poll, _| {
            let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let registry = poll.registry();
            let registered =
                |socket: &mut UdpSocket| registry.register(socket, Token(1), Interest::READABLE);
            registered(&mut socket).unwrap();
            quiet("registering twice", || registered(&mut socket)).unwrap_err();
            registry.deregister(&mut socket).unwrap();
            quiet("deregistering twice", || registry.deregister(&mut socket)).unwrap_err();
            quiet("reregistering what is not registered", || {
                registry.reregister(&mut socket, Token(1), Interest::READABLE)
            })
            .unwrap_err();
        });
    }

    #[test]
    fn dropping_a_registered_source() {
        on_each_backend(|poll, _| {
            let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            poll.registry()
                .register(&mut socket, Token(0), Interest::READABLE)
                .unwrap();
            quiet("drop", || drop(socket));
        });
    }
}

#[cfg(feature = "net")]
mod tcp {
    use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
    use std::net::Shutdown;

    use super::*;
    use mio::net::{TcpListener, TcpStream};

    fn would_block<T>(what: &str, operation: impl FnOnce() -> std::io::Result<T>) {
        let kind = quiet(what, || operation().map(drop).unwrap_err().kind());
        assert_eq!(kind, ErrorKind::WouldBlock, "{what}");
    }

    #[test]
    fn from_connect_to_drop() {
        on_each_backend(|poll, events| {
            let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let address = quiet("local_addr", || listener.local_addr()).unwrap();
            let registry = poll.registry().try_clone().unwrap();
            registry
                .register(&mut listener, Token(0), Interest::READABLE)
                .unwrap();
            would_block("accept", || listener.accept());

            let mut client = quiet("connect", || TcpStream::connect(address)).unwrap();
            registry
                .register(
                    &mut client,
                    Token(1),
                    Interest::READABLE | Interest::WRITABLE,
                )
                .unwrap();
            repeat_until(poll, events, || client.peer_addr().is_ok());
            quiet("take_error", || {
                assert!(client.take_error().unwrap().is_none())
            });
            quiet("peer_addr", || client.peer_addr()).unwrap();

            let mut accepted = None;
            repeat_until(poll, events, || {
                accepted = quiet("accept", || listener.accept()).ok();
                accepted.is_some()
            });
            let (mut server, _) = accepted.unwrap();

            let mut buffer = [0; 64];
            would_block("read", || client.read(&mut buffer));
            would_block("peek", || client.peek(&mut buffer));
            would_block("try_io", || {
                client.try_io(|| Err::<(), _>(ErrorKind::WouldBlock.into()))
            });
            assert_eq!(quiet("write", || server.write(b"hello")).unwrap(), 5);
            let words = [IoSlice::new(b"good "), IoSlice::new(b"bye")];
            let written = quiet("write_vectored", || server.write_vectored(&words));
            assert_eq!(written.unwrap(), 8);
            quiet("flush", || server.flush()).unwrap();

            repeat_until(poll, events, || {
                matches!(quiet("peek", || client.peek(&mut buffer)), Ok(13))
            });
            assert_eq!(quiet("read", || client.read(&mut buffer[..5])).unwrap(), 5);
            let (left, right) = buffer.split_at_mut(4);
            let mut halves = [IoSliceMut::new(left), IoSliceMut::new(right)];
            let read = quiet("read_vectored", || client.read_vectored(&mut halves));
            assert_eq!(read.unwrap(), 8);
            would_block("read_vectored", || client.read_vectored(&mut halves));

            quiet("shutdown", || server.shutdown(Shutdown::Write)).unwrap();
            quiet("drop", || drop((client, server, listener)));
        });
    }

    #[test]
    fn writing_into_a_full_buffer() {
        on_each_backend(|poll, _| {
            let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            peer.set_nonblocking(true).unwrap();
            let mut stream = TcpStream::from_std(peer);
            poll.registry()
                .register(&mut stream, Token(0), Interest::WRITABLE)
                .unwrap();
            let bytes = vec![0; 1 << 16];
            let buffers = [IoSlice::new(&bytes)];
            until_it_blocks("write", || stream.write(&bytes));
            until_it_blocks("write_vectored", || stream.write_vectored(&buffers));
        });
    }

    /// What was sent may make room some time later, also if nobody reads: the peer's system takes it, and says so.
    fn until_it_blocks(what: &str, mut write: impl FnMut() -> std::io::Result<usize>) {
        let error = loop {
            if let Err(error) = quiet(what, &mut write) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{what}");
    }
}

#[cfg(feature = "net")]
mod udp {
    use super::*;
    use mio::net::UdpSocket;

    #[test]
    fn from_bind_to_drop() {
        on_each_backend(|poll, events| {
            let any = "127.0.0.1:0".parse().unwrap();
            let left = quiet("bind", || UdpSocket::bind(any)).unwrap();
            let mut right = UdpSocket::bind(any).unwrap();
            poll.registry()
                .register(&mut right, Token(0), Interest::READABLE)
                .unwrap();
            let to = right.local_addr().unwrap();
            let mut buffer = [0; 64];
            quiet("recv_from", || right.recv_from(&mut buffer)).unwrap_err();

            quiet("send_to", || left.send_to(b"hello", to)).unwrap();
            repeat_until(poll, events, || {
                quiet("peek_from", || right.peek_from(&mut buffer)).is_ok()
            });
            quiet("recv_from", || right.recv_from(&mut buffer)).unwrap();

            quiet("connect", || left.connect(to)).unwrap();
            right.connect(left.local_addr().unwrap()).unwrap();
            quiet("send", || left.send(b"hello")).unwrap();
            repeat_until(poll, events, || {
                quiet("peek", || right.peek(&mut buffer)).is_ok()
            });
            quiet("recv", || right.recv(&mut buffer)).unwrap();
            quiet("recv", || right.recv(&mut buffer)).unwrap_err();
            quiet("drop", || drop((left, right)));
        });
    }
}

#[cfg(all(unix, feature = "net"))]
mod unix_sockets {
    use std::io::{Read, Write};

    use super::*;
    // Not the standard library's, which the rest of this file uses.
    use mio::net::{UnixDatagram, UnixListener, UnixStream};

    #[test]
    fn streams() {
        on_each_backend(|poll, events| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("socket");
            let mut listener = quiet("bind", || UnixListener::bind(&path)).unwrap();
            poll.registry()
                .register(&mut listener, Token(0), Interest::READABLE)
                .unwrap();
            quiet("accept", || listener.accept()).map(drop).unwrap_err();

            let mut client = quiet("connect", || UnixStream::connect(&path)).unwrap();
            await_event(poll, events);
            let (mut server, address) = quiet("accept", || listener.accept()).unwrap();
            assert!(address.as_pathname().is_none());

            let mut buffer = [0; 8];
            quiet("read", || client.read(&mut buffer)).unwrap_err();
            assert_eq!(quiet("write", || server.write(b"hello")).unwrap(), 5);
            assert_eq!(quiet("read", || client.read(&mut buffer)).unwrap(), 5);
            quiet("drop", || drop((client, server, listener)));
            quiet("pair", || UnixStream::pair().map(drop)).unwrap();
        });
    }

    #[test]
    fn a_peer_with_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("peer");
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let client =
            socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        client
            .bind(&socket2::SockAddr::unix(&path).unwrap())
            .unwrap();
        client
            .connect(&socket2::SockAddr::unix(folder.path().join("socket")).unwrap())
            .unwrap();
        let (_, address) = quiet("accept", || listener.accept()).unwrap();
        assert_eq!(address.as_pathname(), Some(path.as_path()));
    }

    #[test]
    fn datagrams() {
        on_each_backend(|poll, events| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("socket");
            let mut receiver = quiet("bind", || UnixDatagram::bind(&path)).unwrap();
            poll.registry()
                .register(&mut receiver, Token(0), Interest::READABLE)
                .unwrap();
            let mut buffer = [0; 8];
            quiet("recv_from", || receiver.recv_from(&mut buffer)).unwrap_err();

            let sender = quiet("unbound", UnixDatagram::unbound).unwrap();
            quiet("send_to", || sender.send_to(b"hello", &path)).unwrap();
            await_event(poll, events);
            let received = quiet("recv_from", || receiver.recv_from(&mut buffer));
            assert_eq!(received.unwrap().0, 5);

            quiet("connect", || sender.connect(&path)).unwrap();
            quiet("send", || sender.send(b"hello")).unwrap();
            assert_eq!(quiet("recv", || receiver.recv(&mut buffer)).unwrap(), 5);
            quiet("recv", || receiver.recv(&mut buffer)).unwrap_err();
            quiet("drop", || drop((sender, receiver)));
            quiet("pair", || UnixDatagram::pair().map(drop)).unwrap();
        });
    }
}

#[cfg(all(unix, feature = "os-ext"))]
mod pipes {
    use std::io::{IoSlice, IoSliceMut, Read, Write};
    use std::os::fd::AsRawFd;

    use super::*;
    use mio::unix::{pipe, SourceFd};

    #[test]
    fn from_new_to_drop() {
        on_each_backend(|poll, events| {
            quiet("new", || pipe::new().map(drop)).unwrap();
            let (mut sender, mut receiver) = pipe::new().unwrap();
            poll.registry()
                .register(&mut receiver, Token(0), Interest::READABLE)
                .unwrap();
            let mut buffer = [0; 8];
            quiet("read", || receiver.read(&mut buffer)).unwrap_err();
            quiet("write", || sender.write(b"hello")).unwrap();
            await_event(poll, events);
            assert_eq!(quiet("read", || receiver.read(&mut buffer)).unwrap(), 5);

            let halves = [IoSlice::new(b"he"), IoSlice::new(b"llo")];
            quiet("write_vectored", || sender.write_vectored(&halves)).unwrap();
            let (left, right) = buffer.split_at_mut(2);
            let mut halves = [IoSliceMut::new(left), IoSliceMut::new(right)];
            let read = quiet("read_vectored", || receiver.read_vectored(&mut halves));
            assert_eq!(read.unwrap(), 5);

            // Only who has drained the pipe is owed another edge.
            quiet("read", || receiver.read(&mut [0])).unwrap_err();
            quiet("drop", || drop(sender));
            await_event(poll, events);
            assert_eq!(quiet("read", || receiver.read(&mut buffer)).unwrap(), 0);
            quiet("drop", || drop(receiver));
        });
    }

    #[test]
    fn writing_into_a_full_pipe() {
        let (mut sender, _receiver) = pipe::new().unwrap();
        let bytes = vec![0; 1 << 16];
        while sender.write(&bytes).is_ok() {}
        quiet("write", || sender.write(&bytes)).unwrap_err();
    }

    #[test]
    fn a_bare_descriptor() {
        on_each_backend(|poll, events| {
            let (mut sender, mut receiver) = pipe::new().unwrap();
            let fd = receiver.as_raw_fd();
            let registry = poll.registry().try_clone().unwrap();
            let register = || registry.register(&mut SourceFd(&fd), Token(3), Interest::READABLE);
            register().unwrap();
            poll.poll(events, Some(Duration::ZERO)).unwrap();
            registry.deregister(&mut SourceFd(&fd)).unwrap();

            quiet("register", register).unwrap();
            sender.write_all(b"x").unwrap();
            // Undrained, so that `poll(2)` goes through all of its pauses.
            for _ in 0..8 {
                let timeout = Some(Duration::from_millis(5));
                quiet("poll", || poll.poll(events, timeout)).unwrap();
            }
            receiver.read_exact(&mut [0]).unwrap();
            quiet("deregister", || registry.deregister(&mut SourceFd(&fd))).unwrap();
        });
    }
}
