//! Feature `log`: registrations are traced, and cost nothing when nobody listens.

#![cfg(all(feature = "log", any(unix, windows)))]

#[path = "pair/mod.rs"]
mod pair;

use std::cell::{Cell, RefCell};
use std::io;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};
use mio::event::Source;
use mio::{Backend, Interest, IoSource, Poll, Registry, Token, Trigger};

use pair::{pair, Socket};

/// Keeps what each thread says, so that the test harness and other tests do not mix in.
struct Recorder;

thread_local! {
    static RECORDS: RefCell<Vec<(Level, String, String)>> = const { RefCell::new(Vec::new()) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
    /// The recorder does not want to hear of this thread.
    static DEAF: Cell<bool> = const { Cell::new(false) };
}

impl Log for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        CALLS.with(|calls| calls.set(calls.get() + 1));
        !DEAF.with(Cell::get)
    }

    fn log(&self, record: &Record<'_>) {
        CALLS.with(|calls| calls.set(calls.get() + 1));
        let entry = (
            record.level(),
            record.target().to_owned(),
            record.args().to_string(),
        );
        RECORDS.with(|records| records.borrow_mut().push(entry));
    }

    fn flush(&self) {}
}

/// Sets the level, which is one for the whole process, for as long as the guard lives.
fn at(level: LevelFilter) -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    static INSTALL: Once = Once::new();

    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    INSTALL.call_once(|| log::set_logger(&Recorder).unwrap());
    log::set_max_level(level);
    guard
}

/// What this thread has said since the last time.
fn said() -> Vec<(Level, String, String)> {
    RECORDS.with(|records| records.take())
}

fn source() -> (IoSource<Socket>, Socket) {
    let (near, far) = pair();
    near.set_nonblocking(true).unwrap();
    (IoSource::new(near), far)
}

/// The one record since the last time has all the words.
#[track_caller]
fn hinted(words: &[&str]) {
    let said = said();
    let [(Level::Debug, target, message)] = &said[..] else {
        panic!("{said:?}");
    };
    assert!(target.starts_with("mio::"), "{target}");
    for word in words {
        assert!(message.contains(word), "{word} is not in: {message}");
    }
}

#[test]
fn each_change_of_a_registration_is_a_trace() {
    let _level = at(LevelFilter::Trace);
    for backend in Backend::available() {
        let poll = Poll::builder().backend(backend).build().unwrap();
        let (mut source, _peer) = source();
        let registry = poll.registry();
        said();

        registry
            .register(&mut source, Token(4711), Interest::READABLE)
            .unwrap();
        registry
            .with_trigger(Trigger::Level)
            .reregister(
                &mut source,
                Token(4712),
                Interest::READABLE | Interest::WRITABLE,
            )
            .unwrap();
        registry.deregister(&mut source).unwrap();

        let said = said();
        assert_eq!(said.len(), 3, "{said:?}");
        for (level, target, _) in &said {
            assert_eq!(*level, Level::Trace);
            assert!(target.starts_with("mio::"), "{target}");
        }
        // Who reads it wants to know what was asked for; the wording is free.
        let expected: [&[&str]; 3] = [
            &["register", "4711", "READABLE", "Edge"],
            &["reregister", "4712", "READABLE", "WRITABLE", "Level"],
            &["deregister"],
        ];
        for ((_, _, message), words) in said.iter().zip(expected) {
            for word in words {
                assert!(message.contains(word), "{word} is not in: {message}");
            }
        }
    }
}

/// The trace is written by the registry, so every crate's sources have it.
#[test]
fn sources_of_other_crates_are_traced_too() {
    struct Foreign;

    impl Source for Foreign {
        fn register(&mut self, _: &Registry, _: Token, _: Interest) -> io::Result<()> {
            Err(io::ErrorKind::Other.into())
        }

        fn reregister(&mut self, _: &Registry, _: Token, _: Interest) -> io::Result<()> {
            Err(io::ErrorKind::Other.into())
        }

        fn deregister(&mut self, _: &Registry) -> io::Result<()> {
            Err(io::ErrorKind::Other.into())
        }
    }

    let _level = at(LevelFilter::Trace);
    let poll = Poll::new().unwrap();
    said();
    let registry = poll.registry();
    let mut source: Box<dyn Source> = Box::new(Foreign);
    registry
        .register(&mut source, Token(1), Interest::READABLE)
        .unwrap_err();
    registry
        .reregister(&mut source, Token(2), Interest::READABLE)
        .unwrap_err();
    registry.deregister(&mut source).unwrap_err();
    assert_eq!(said().len(), 3);
}

/// Not even asked whether it wants to hear: the message is not put together either.
#[test]
fn nobody_who_does_not_listen_is_bothered() {
    for level in [LevelFilter::Off, LevelFilter::Info] {
        let _level = at(level);
        let poll = Poll::new().unwrap();
        let (mut source, _peer) = source();
        said();
        let before = CALLS.with(Cell::get);
        let registry = poll.registry();
        registry
            .register(&mut source, Token(1), Interest::READABLE)
            .unwrap();
        registry
            .reregister(&mut source, Token(2), Interest::READABLE)
            .unwrap();
        registry.deregister(&mut source).unwrap();
        assert_eq!(CALLS.with(Cell::get) - before, 0, "{level}");
        assert_eq!(said(), []);
    }
}

/// What happens thousands of times a second is not traced: it would bury the rest.
#[test]
fn polling_and_waking_say_nothing() {
    let _level = at(LevelFilter::Trace);
    for backend in Backend::available() {
        let mut poll = Poll::builder().backend(backend).build().unwrap();
        let mut events = mio::Events::with_capacity(4);
        let waker = mio::Waker::new(poll.registry(), Token(1)).unwrap();
        said();
        for _ in 0..3 {
            waker.wake().unwrap();
            poll.poll(&mut events, None).unwrap();
        }
        assert_eq!(said(), []);
    }
}

/// The system's error: this one, or the one that it explains.
fn systems(error: &io::Error) -> &io::Error {
    match error.get_ref().and_then(|text| text.source()) {
        Some(source) => source.downcast_ref().unwrap(),
        None => error,
    }
}

/// The error itself stays the system's, for those who look at its number. In a debug build it is the source of one that
/// says as much as the log.
#[test]
fn what_is_refused_comes_with_a_hint() {
    let _level = at(LevelFilter::Debug);
    for backend in Backend::available() {
        let poll = Poll::builder().backend(backend).build().unwrap();
        let (mut source, _peer) = source();
        let registry = poll.registry();
        said();

        let both = Interest::READABLE | Interest::WRITABLE;
        if backend != Backend::Kqueue {
            let error = registry
                .reregister(&mut source, Token(1), both)
                .unwrap_err();
            let system = systems(&error).to_string();
            hinted(&["reregister", "not registered here", &system]);
        }
        registry.deregister(&mut source).unwrap_err();
        hinted(&["deregister", "not registered here"]);
        registry.register(&mut source, Token(1), both).unwrap();
        assert_eq!(said(), []);
        if backend == Backend::Kqueue {
            continue; // to which registering and reregistering are the same
        }
        let error = registry.register(&mut source, Token(1), both).unwrap_err();
        let explained = error.get_ref().is_some();
        assert_eq!(explained, cfg!(debug_assertions), "{error:?}");
        let number = systems(&error).raw_os_error();
        assert!(number.is_some() || cfg!(windows), "{error:?}");
        hinted(&["register", "already", "`reregister`"]);

        #[cfg(unix)]
        if backend == Backend::Epoll {
            // What else could be said of it, that it would block, is beside the point then.
            let mut file = IoSource::new(tempfile::tempfile().unwrap());
            registry.register(&mut file, Token(2), both).unwrap_err();
            hinted(&["register", "regular file"]);
        }
    }
}

/// Who has a bare descriptor looks for numbers. So the error is the system's in a debug build, too, and the log alone says
/// more.
#[cfg(all(unix, feature = "os-ext"))]
#[test]
fn what_is_refused_of_a_bare_descriptor_keeps_its_number() {
    use std::os::fd::AsRawFd;

    use mio::unix::SourceFd;
    use rustix::io::Errno;

    #[track_caller]
    fn refused(result: io::Result<()>, errno: Errno, words: &[&str]) {
        let number = result.unwrap_err().raw_os_error();
        assert_eq!(number, Some(errno.raw_os_error()));
        hinted(words);
    }

    let _level = at(LevelFilter::Debug);
    for backend in Backend::available() {
        let poll = Poll::builder().backend(backend).build().unwrap();
        let registry = poll.registry();
        let (source, _peer) = source();
        let fd = source.as_raw_fd();
        let mut bare = SourceFd(&fd);
        said();

        let none = registry.register(&mut SourceFd(&-1), Token(0), Interest::READABLE);
        refused(none, Errno::BADF, &["register"]);
        let gone = registry.deregister(&mut bare);
        refused(gone, Errno::NOENT, &["deregister", "not registered here"]);
        if backend == Backend::Kqueue {
            continue; // to which registering and reregistering are the same
        }
        let changed = registry.reregister(&mut bare, Token(1), Interest::READABLE);
        refused(changed, Errno::NOENT, &["not registered here"]);
        let mut register = || registry.register(&mut bare, Token(1), Interest::READABLE);
        register().unwrap();
        refused(register(), Errno::EXIST, &["already", "`reregister`"]);

        if backend == Backend::Epoll {
            let file = tempfile::tempfile().unwrap();
            let fd = file.as_raw_fd();
            let denied = registry.register(&mut SourceFd(&fd), Token(2), Interest::READABLE);
            refused(denied, Errno::PERM, &["register", "regular file"]);
        }
    }
}

/// Nothing is wrong with it for the system. It is for whoever waits for an event. (Windows does not tell whether a socket
/// blocks.)
#[cfg(unix)]
#[test]
fn what_cannot_work_is_told() {
    let _level = at(LevelFilter::Debug);
    for backend in Backend::available() {
        let poll = Poll::builder().backend(backend).build().unwrap();
        let registry = poll.registry().try_clone().unwrap();
        let (mut source, _peer) = source();
        said();

        source.set_nonblocking(false).unwrap();
        registry
            .register(&mut source, Token(4713), Interest::READABLE)
            .unwrap();
        hinted(&["4713", "blocking mode"]);
        registry.deregister(&mut source).unwrap();
        source.set_nonblocking(true).unwrap();

        drop(poll);
        registry
            .register(&mut source, Token(4714), Interest::READABLE)
            .unwrap();
        hinted(&["4714", "`Poll`", "dropped"]);
    }
}

#[test]
fn a_backend_that_does_not_open_is_told() {
    let _level = at(LevelFilter::Debug);
    let missing = if Backend::Afd.is_available() {
        Backend::Kqueue
    } else {
        Backend::Afd
    };
    said();
    let error = Poll::builder().backend(missing).build().unwrap_err();
    hinted(&[&missing.to_string(), "does not open", &error.to_string()]);
}

/// A logger may listen at a level, and not to this crate. Then nobody looks for what could be wrong.
#[cfg(unix)]
#[test]
fn what_cannot_work_is_not_told_to_the_deaf() {
    let _level = at(LevelFilter::Debug);
    for backend in Backend::available() {
        let poll = Poll::builder().backend(backend).build().unwrap();
        let (mut source, _peer) = source();
        source.set_nonblocking(false).unwrap();
        said();
        DEAF.with(|deaf| deaf.set(true));
        let result = poll
            .registry()
            .register(&mut source, Token(4715), Interest::READABLE);
        DEAF.with(|deaf| deaf.set(false));
        result.unwrap();
        assert_eq!(said(), []);
    }
}

/// Nobody knows what else the caller may have done. The system's error is told all the same.
#[cfg(all(unix, feature = "os-ext"))]
#[test]
fn what_is_refused_for_another_reason_is_told_without_a_hint() {
    let _level = at(LevelFilter::Debug);
    let poll = Poll::new().unwrap();
    said();
    // More than a process may have open.
    let error = poll
        .registry()
        .register(
            &mut mio::unix::SourceFd(&i32::MAX),
            Token(1),
            Interest::READABLE,
        )
        .unwrap_err();
    let system = systems(&error);
    let number = rustix::io::Errno::BADF.raw_os_error();
    assert_eq!(system.raw_os_error(), Some(number), "{error:?}");
    hinted(&["register", &system.to_string()]);
}
