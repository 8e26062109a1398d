//! One operation each, for `cargo xtask inject`, which runs it under strace and makes a system call of it fail: the error
//! has to surface, and what failed has to work afterwards. Run by themselves, these tests do nothing.
//!
//! Which calls fail is counted for each thread, so the peer's side goes through other system calls: `read` and `write`
//! where a source uses `recvfrom` and `sendto`.

use std::env;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use mio::{Backend, Events, Interest, Poll, Token, Waker};
use rustix::io::{read, write, Errno};

use crate::common::{open_descriptors, pair, PATIENCE};

/// The error that takes the place of a result, if somebody puts it there.
pub(crate) fn injected() -> Option<Errno> {
    let name = env::var("MIO_INJECT").ok()?;
    ERRORS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|&(_, errno)| errno)
        .or_else(|| panic!("unknown error {name}"))
}

const ERRORS: [(&str, Errno); 22] = [
    ("EACCES", Errno::ACCESS),
    ("EADDRINUSE", Errno::ADDRINUSE),
    ("EAGAIN", Errno::AGAIN),
    ("EBADF", Errno::BADF),
    ("ECONNABORTED", Errno::CONNABORTED),
    ("ECONNREFUSED", Errno::CONNREFUSED),
    ("ECONNRESET", Errno::CONNRESET),
    ("EEXIST", Errno::EXIST),
    ("EINTR", Errno::INTR),
    ("EINVAL", Errno::INVAL),
    ("EIO", Errno::IO),
    ("EMFILE", Errno::MFILE),
    ("EMSGSIZE", Errno::MSGSIZE),
    ("ENFILE", Errno::NFILE),
    ("ENOBUFS", Errno::NOBUFS),
    ("ENOENT", Errno::NOENT),
    ("ENOMEM", Errno::NOMEM),
    ("ENOPROTOOPT", Errno::NOPROTOOPT),
    ("ENOSPC", Errno::NOSPC),
    ("ENOSYS", Errno::NOSYS),
    ("EOPNOTSUPP", Errno::OPNOTSUPP),
    ("EPERM", Errno::PERM),
];

/// Opens a queue of the backend that the test is to be run on.
pub(crate) fn open() -> io::Result<Poll> {
    let name = env::var("MIO_INJECT_BACKEND").unwrap_or_default();
    let backend = Backend::available().find(|backend| backend.to_string() == name);
    Poll::builder().backend(backend.unwrap()).build()
}

#[track_caller]
pub(crate) fn fails<T>(errno: Errno, result: io::Result<T>) {
    let error = result.map(drop).expect_err("the error got lost");
    let code = Some(errno.raw_os_error());
    // The system's own, or one that says what that means, with the system's behind it.
    let explained = error.get_ref().and_then(|text| text.source());
    let system = explained.map_or(&error, |source| source.downcast_ref().unwrap());
    assert_eq!(system.raw_os_error(), code, "{error:?}");
    let kind = match errno {
        Errno::EXIST => ErrorKind::AlreadyExists,
        Errno::NOENT => ErrorKind::NotFound,
        Errno::PERM => ErrorKind::PermissionDenied,
        Errno::INTR => ErrorKind::Interrupted,
        _ => return,
    };
    assert_eq!(error.kind(), kind);
}

/// Runs an operation twice, of which the first fails. It must not leave a descriptor behind.
#[track_caller]
pub(crate) fn fails_once<T>(errno: Errno, mut operation: impl FnMut() -> io::Result<T>) -> T {
    let before = open_descriptors();
    fails(errno, operation());
    assert_eq!(open_descriptors(), before, "descriptors");
    operation().unwrap()
}

/// The tokens of all that is ready, of which there must be some.
#[track_caller]
pub(crate) fn ready(poll: &mut Poll) -> Vec<usize> {
    let mut events = Events::with_capacity(8);
    let deadline = Instant::now() + PATIENCE;
    poll.poll_until(&mut events, deadline).unwrap();
    assert!(!events.is_empty(), "nothing happened");
    let mut tokens: Vec<usize> = events.iter().map(|event| event.token().0).collect();
    tokens.sort_unstable();
    tokens
}

/// Registers, is told of a byte and of a wake, and deregisters.
#[track_caller]
fn works(poll: &mut Poll) {
    let (mut near, far) = pair();
    let registry = poll.registry().try_clone().unwrap();
    registry
        .register(&mut near, Token(101), Interest::READABLE)
        .unwrap();
    let waker = Waker::new(&registry, Token(102)).unwrap();
    waker.wake().unwrap();
    write(&*far, &[1]).unwrap();
    let mut tokens = ready(poll);
    if tokens.len() == 1 {
        tokens.extend(ready(poll));
        tokens.sort_unstable();
    }
    assert_eq!(tokens, [101, 102]);
    assert_eq!(near.do_read(|fd| Ok(read(fd, &mut [0; 8])?)).unwrap(), 1);
    registry.deregister(&mut near).unwrap();
}

#[test]
#[ignore = "cargo xtask inject"]
fn opening() {
    let Some(errno) = injected() else { return };
    works(&mut fails_once(errno, open));
}

#[test]
#[ignore = "cargo xtask inject"]
fn a_new_waker() {
    let Some(errno) = injected() else { return };
    let mut poll = open().unwrap();
    let waker = fails_once(errno, || Waker::new(poll.registry(), Token(1)));
    waker.wake().unwrap();
    assert_eq!(ready(&mut poll), [1]);
    works(&mut poll);
}

#[test]
#[ignore = "cargo xtask inject"]
fn registering() {
    let Some(errno) = injected() else { return };
    let mut poll = open().unwrap();
    let (mut source, _peer) = pair();
    fails_once(errno, || {
        let registry = poll.registry();
        registry.register(&mut source, Token(1), Interest::WRITABLE)
    });
    assert_eq!(ready(&mut poll), [1]);
    works(&mut poll);
}

/// A registration that could not be changed is what it was before.
#[test]
#[ignore = "cargo xtask inject"]
fn reregistering() {
    let Some(errno) = injected() else { return };
    let mut poll = open().unwrap();
    let (mut source, _peer) = pair();
    let registry = poll.registry().try_clone().unwrap();
    registry
        .register(&mut source, Token(1), Interest::WRITABLE)
        .unwrap();
    fails(
        errno,
        registry.reregister(&mut source, Token(2), Interest::READABLE),
    );
    assert_eq!(ready(&mut poll), [1]);
    registry
        .reregister(&mut source, Token(2), Interest::WRITABLE)
        .unwrap();
    assert_eq!(ready(&mut poll), [2]);
    works(&mut poll);
}

#[test]
#[ignore = "cargo xtask inject"]
fn deregistering() {
    let Some(errno) = injected() else { return };
    let mut poll = open().unwrap();
    let (mut source, _peer) = pair();
    let registry = poll.registry().try_clone().unwrap();
    registry
        .register(&mut source, Token(1), Interest::WRITABLE)
        .unwrap();
    fails(errno, registry.deregister(&mut source));
    assert_eq!(ready(&mut poll), [1]);
    registry.deregister(&mut source).unwrap();
    works(&mut poll);
}

/// A change that a waiting `poll(2)` could not be told of has not been made.
#[cfg(target_os = "linux")]
mod beside_a_poll {
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::sync::mpsc;
    use std::{fs, thread};

    use mio::{IoSource, Registry};

    use super::*;

    type Source = IoSource<UnixStream>;

    /// Runs `change` on a source, which is registered for writing if `registered` says so, while another thread polls;
    /// first it fails, and `still` says what the registration is then; then it works.
    fn change(
        registered: bool,
        change: impl Fn(&Registry, &mut Source) -> io::Result<()>,
        still: impl Fn(&Registry, &mut Source),
    ) {
        let Some(errno) = injected() else { return };
        let mut poll = open().unwrap();
        let (mut source, _peer) = pair();
        let registry = poll.registry().try_clone().unwrap();
        if registered {
            // Its report disarms it: the other thread is to wait.
            registry
                .register(&mut source, Token(1), Interest::WRITABLE)
                .unwrap();
            assert_eq!(ready(&mut poll), [1]);
        }
        let waker = Waker::new(&registry, Token(9)).unwrap();
        let (tell, told) = mpsc::channel();
        let poller = thread::spawn(move || {
            tell.send(fs::read_link("/proc/thread-self").unwrap())
                .unwrap();
            assert_eq!(ready(&mut poll), [9]);
            poll
        });
        let thread = Path::new("/proc").join(told.recv().unwrap());
        let start = Instant::now();
        while !in_poll(&fs::read_to_string(thread.join("syscall")).unwrap()) {
            assert!(start.elapsed() < PATIENCE, "it does not poll");
            thread::yield_now();
        }
        fails(errno, change(&registry, &mut source));
        still(&registry, &mut source);
        waker.wake().unwrap();
        let mut poll = poller.join().unwrap();
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
        if registered {
            registry.deregister(&mut source).unwrap();
        }
        works(&mut poll);
    }

    /// Whether what `/proc` says of a thread is that it waits in `ppoll(2)`.
    fn in_poll(syscall: &str) -> bool {
        let number = syscall.split(' ').next().unwrap();
        number.parse() == Ok(libc::SYS_ppoll)
    }

    #[test]
    #[ignore = "cargo xtask inject"]
    fn registering() {
        let register = |registry: &Registry, source: &mut Source| {
            registry.register(source, Token(1), Interest::READABLE)
        };
        change(false, register, |registry, source| {
            let absent = registry.deregister(source).unwrap_err();
            assert_eq!(absent.kind(), ErrorKind::NotFound);
            register(registry, source).unwrap();
            registry.deregister(source).unwrap();
        });
    }

    #[test]
    #[ignore = "cargo xtask inject"]
    fn reregistering() {
        // The new registration would be reported.
        change(
            true,
            |registry, source| registry.reregister(source, Token(2), Interest::WRITABLE),
            |_, _| {},
        );
    }

    #[test]
    #[ignore = "cargo xtask inject"]
    fn deregistering() {
        change(
            true,
            |registry, source| registry.deregister(source),
            |_, _| {},
        );
    }
}

/// What waited while a poll failed is there for the next one.
fn polling_for(timeout: Option<Duration>) {
    let Some(errno) = injected() else { return };
    let mut poll = open().unwrap();
    let mut events = Events::with_capacity(8);
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    waker.wake().unwrap();
    fails(errno, poll.poll(&mut events, timeout));
    assert!(events.is_empty());
    waker.wake().unwrap();
    assert_eq!(ready(&mut poll), [1]);
    works(&mut poll);
}

#[test]
#[ignore = "cargo xtask inject"]
fn polling_without_end() {
    polling_for(None);
}

#[test]
#[ignore = "cargo xtask inject"]
fn polling_for_milliseconds() {
    polling_for(Some(Duration::from_millis(7)));
}

#[test]
#[ignore = "cargo xtask inject"]
fn polling_for_nanoseconds() {
    polling_for(Some(Duration::from_nanos(2_500_001)));
}

#[test]
#[ignore = "cargo xtask inject"]
fn polling_until_an_event() {
    if injected().is_none() {
        return;
    }
    let mut poll = open().unwrap();
    let mut events = Events::with_capacity(8);
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    waker.wake().unwrap();
    poll.poll_until(&mut events, None).unwrap();
    assert_eq!(events.len(), 1);
    works(&mut poll);
}

#[test]
#[ignore = "cargo xtask inject"]
fn polling_until_a_deadline() {
    if injected().is_none() {
        return;
    }
    let mut poll = open().unwrap();
    let mut events = Events::with_capacity(8);
    let deadline = Instant::now() + Duration::from_millis(20);
    poll.poll_until(&mut events, deadline).unwrap();
    assert!(Instant::now() >= deadline, "too early");
    assert!(events.is_empty());
    works(&mut poll);
}

/// Without `epoll_pwait2` a timeout is as exact: what `ppoll` is asked for stands in strace's log.
#[test]
#[ignore = "cargo xtask inject"]
fn polling_on_an_old_kernel() {
    if injected().is_none() {
        return;
    }
    let mut poll = open().unwrap();
    let mut events = Events::with_capacity(8);
    for nanos in [2_500_001, 300_000, 1] {
        let timeout = Duration::from_nanos(nanos);
        let start = Instant::now();
        poll.poll(&mut events, Some(timeout)).unwrap();
        assert!(start.elapsed() >= timeout, "too early");
        assert!(events.is_empty());
    }
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    // No whole numbers of milliseconds, so on the same way; and the second is a deadline that no clock could show.
    for timeout in [PATIENCE + Duration::from_nanos(1), Duration::MAX] {
        waker.wake().unwrap();
        poll.poll(&mut events, Some(timeout)).unwrap();
        assert_eq!(events.len(), 1);
    }
    works(&mut poll);
}

/// The kernel is told again when it could not take the wake.
#[test]
#[ignore = "cargo xtask inject"]
fn waking_in_spite_of_it() {
    if injected().is_none() {
        return;
    }
    let mut poll = open().unwrap();
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    for _ in 0..3 {
        waker.wake().unwrap();
        assert_eq!(ready(&mut poll), [1]);
    }
    works(&mut poll);
}

/// Two wakers, and room for one event: the second is not lost when the queue cannot say that it still waits.
#[test]
#[ignore = "cargo xtask inject"]
fn more_wakes_than_room() {
    if injected().is_none() {
        return;
    }
    let mut poll = open().unwrap();
    let wakers = [1, 2].map(|token| Waker::new(poll.registry(), Token(token)).unwrap());
    for waker in &wakers {
        waker.wake().unwrap();
    }
    let mut events = Events::with_capacity(1);
    let mut tokens = [1, 2].map(|_| {
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        events.get(0).expect("lost").token().0
    });
    tokens.sort_unstable();
    assert_eq!(tokens, [1, 2]);
    works(&mut poll);
}

/// A wake that failed does not count as one.
#[test]
#[ignore = "cargo xtask inject"]
fn waking() {
    let Some(errno) = injected() else { return };
    let mut poll = open().unwrap();
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    fails_once(errno, || waker.wake());
    assert_eq!(ready(&mut poll), [1]);
    works(&mut poll);
}

/// `poll(2)` arms an edge when a read would block, also if that comes as a surprise.
#[test]
#[ignore = "cargo xtask inject"]
fn blocking_for_no_reason() {
    if injected().is_none() {
        return;
    }
    let mut poll = open().unwrap();
    let (mut near, far) = pair();
    poll.registry()
        .register(&mut near, Token(1), Interest::READABLE)
        .unwrap();
    write(&*far, &[1]).unwrap();
    assert_eq!(ready(&mut poll), [1]);
    let receive = |flags| {
        let received = near.do_read(|fd| Ok(rustix::net::recv(fd, &mut [0; 8], flags)?));
        received.map(|(n, _)| n)
    };
    fails(Errno::AGAIN, receive(rustix::net::RecvFlags::empty()));
    assert_eq!(ready(&mut poll), [1]);
    assert_eq!(receive(rustix::net::RecvFlags::empty()).unwrap(), 1);
    works(&mut poll);
}

// strace, and pipes with a name that it knows, are Linux's.
#[cfg(all(feature = "os-ext", target_os = "linux"))]
mod pipes {
    use std::io::{IoSlice, IoSliceMut, Read, Write};

    use mio::unix::pipe::{self, Receiver, Sender};
    use rustix::fs::{mknodat, open, FileType, Mode, OFlags, CWD};

    use super::*;

    #[test]
    #[ignore = "cargo xtask inject"]
    fn making() {
        let Some(errno) = injected() else { return };
        fails_once(errno, pipe::new);
    }

    /// The two ends of a pipe that has a name, by which strace knows it.
    fn named() -> (Sender, Receiver) {
        let path = env::var_os("MIO_INJECT_FIFO").unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let open = || {
            let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
            open(&path, flags, Mode::empty()).unwrap()
        };
        (Sender::from(open()), Receiver::from(open()))
    }

    #[test]
    #[ignore = "cargo xtask inject"]
    fn changing_mode() {
        let Some(errno) = injected() else { return };
        let (sender, _receiver) = named();
        fails_once(errno, || sender.set_nonblocking(true));
    }

    #[test]
    #[ignore = "cargo xtask inject"]
    fn reading() {
        let Some(errno) = injected() else { return };
        let (mut sender, mut receiver) = named();
        sender.write_all(&[1, 2, 3, 4]).unwrap();
        let mut two = [0; 2];
        fails_once(errno, || receiver.read(&mut two));
        assert_eq!(two, [1, 2]);
        fails_once(errno, || {
            receiver.read_vectored(&mut [IoSliceMut::new(&mut two)])
        });
        assert_eq!(two, [3, 4]);
    }

    #[test]
    #[ignore = "cargo xtask inject"]
    fn writing() {
        let Some(errno) = injected() else { return };
        let (mut sender, mut receiver) = named();
        fails_once(errno, || sender.write(&[1, 2]));
        fails_once(errno, || sender.write_vectored(&[IoSlice::new(&[3])]));
        let mut three = [0; 3];
        receiver.read_exact(&mut three).unwrap();
        assert_eq!(three, [1, 2, 3]);
    }
}
