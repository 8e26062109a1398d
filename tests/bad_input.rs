//! Mistakes of the caller: each is a clear error or a defined result, never a panic, a hang or somebody else's event.
//!
//! What the kernel can tell is the same in debug and release builds. What only debug builds notice says so.

#![cfg(any(unix, windows))]

#[path = "pair/mod.rs"]
mod pair;

use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::{Backend, Events, Interest, IoSource, Poll, Token, Trigger, Waker};

use pair::{pair, Socket};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

const TRIGGERS: [Trigger; 4] = [
    Trigger::Edge,
    Trigger::Level,
    Trigger::Oneshot,
    Trigger::EdgeOneshot,
];

fn on_each_backend(test: impl Fn(&mut Poll)) {
    for backend in Backend::available() {
        println!("backend: {backend}");
        test(&mut Poll::builder().backend(backend).build().unwrap());
    }
}

/// A source that is writable, and the other end, which keeps it so.
fn writable() -> (IoSource<Socket>, Socket) {
    let (near, far) = pair();
    near.set_nonblocking(true).unwrap();
    (IoSource::new(near), far)
}

/// The tokens of all that is ready now.
fn ready(poll: &mut Poll) -> Vec<Token> {
    let mut events = Events::with_capacity(16);
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    events.iter().map(|event| event.token()).collect()
}

/// Whether the queue knows which descriptors it has, whoever asks. kqueue has a new registration take the place of
/// whatever there was. With AFD a registration is the source's, and each of several has its own.
fn knows_descriptors(poll: &Poll) -> bool {
    !matches!(poll.backend(), Backend::Kqueue | Backend::Afd)
}

#[track_caller]
fn refused<T>(result: io::Result<T>, kind: io::ErrorKind) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(!error.to_string().is_empty());
}

fn register(
    poll: &Poll,
    source: &mut (impl Source + ?Sized),
    token: usize,
    interest: Interest,
) -> io::Result<()> {
    poll.registry().register(source, Token(token), interest)
}

mod registrations {
    use super::*;

    #[test]
    fn twice() {
        on_each_backend(|poll| {
            let (mut source, _peer) = writable();
            register(poll, &mut source, 1, Interest::WRITABLE).unwrap();
            for trigger in TRIGGERS {
                if !knows_descriptors(poll) && !cfg!(debug_assertions) {
                    break; // see below
                }
                let registry = poll.registry().with_trigger(trigger);
                refused(
                    registry.register(&mut source, Token(2), Interest::READABLE),
                    io::ErrorKind::AlreadyExists,
                );
            }
            // The first one is as it was.
            assert_eq!(ready(poll), [Token(1)]);
            poll.registry().deregister(&mut source).unwrap();
            register(poll, &mut source, 2, Interest::WRITABLE).unwrap();
            assert_eq!(ready(poll), [Token(2)]);
        });
    }

    #[test]
    fn the_same_descriptor_by_two_sources() {
        on_each_backend(|poll| {
            let (near, _far) = pair();
            let mut first = IoSource::new(&near);
            let mut second = IoSource::new(&near);
            register(poll, &mut first, 1, Interest::WRITABLE).unwrap();
            if !knows_descriptors(poll) {
                register(poll, &mut second, 2, Interest::WRITABLE).unwrap();
                let expected = match poll.backend() {
                    Backend::Afd => vec![Token(1), Token(2)],
                    _ => vec![Token(2)],
                };
                assert_eq!(ready(poll), expected);
                poll.registry().deregister(&mut second).unwrap();
                assert_eq!(ready(poll), []);
                return;
            }
            refused(
                register(poll, &mut second, 2, Interest::WRITABLE),
                io::ErrorKind::AlreadyExists,
            );
            assert_eq!(ready(poll), [Token(1)]);
            poll.registry().deregister(&mut first).unwrap();
        });
    }

    #[test]
    fn that_are_not_there() {
        on_each_backend(|poll| {
            let registry = poll.registry().try_clone().unwrap();
            let (mut source, _peer) = writable();
            let tells = poll.backend() != Backend::Kqueue;
            let absent = |source: &mut IoSource<Socket>| {
                let missing = io::ErrorKind::NotFound;
                if tells {
                    refused(
                        registry.reregister(source, Token(1), Interest::WRITABLE),
                        missing,
                    );
                }
                refused(registry.deregister(source), missing);
            };
            absent(&mut source);
            register(poll, &mut source, 1, Interest::WRITABLE).unwrap();
            registry.deregister(&mut source).unwrap();
            absent(&mut source);
            assert_eq!(ready(poll), []);
            // None of this has harmed the source.
            register(poll, &mut source, 2, Interest::WRITABLE).unwrap();
            assert_eq!(ready(poll), [Token(2)]);
        });
    }
}

mod tokens {
    use super::*;

    #[test]
    fn of_any_value() {
        let pointer: *const u8 = &7;
        let values = [
            0,
            1,
            usize::MAX,
            usize::MAX - 1,
            usize::MAX / 2,
            usize::MAX / 2 + 1,
            1 << 31,
            u32::MAX as usize,
            pointer as usize,
        ];
        on_each_backend(|poll| {
            for value in values {
                let (mut source, _peer) = writable();
                register(poll, &mut source, value, Interest::WRITABLE).unwrap();
                assert_eq!(ready(poll), [Token(value)]);
                poll.registry()
                    .reregister(&mut source, Token(!value), Interest::WRITABLE)
                    .unwrap();
                assert_eq!(ready(poll), [Token(!value)]);

                let waker = Waker::new(poll.registry(), Token(value)).unwrap();
                waker.wake().unwrap();
                assert_eq!(ready(poll), [Token(value)]);
            }
        });
    }

    #[test]
    fn shared_by_everybody() {
        on_each_backend(|poll| {
            let (mut first, _peer) = writable();
            let (mut second, _peer) = writable();
            let waker = Waker::new(poll.registry(), Token(5)).unwrap();
            register(poll, &mut first, 5, Interest::WRITABLE).unwrap();
            register(poll, &mut second, 5, Interest::WRITABLE).unwrap();
            waker.wake().unwrap();
            assert_eq!(ready(poll), [Token(5); 3]);
        });
    }
}

mod capacities {
    use super::*;

    /// The kernel refuses to fill more than `i32::MAX` bytes. Memory that is not touched costs nothing.
    #[cfg(target_pointer_width = "64")]
    #[test]
    fn beyond_what_the_kernel_can_fill() {
        on_each_backend(|poll| {
            let (mut source, _peer) = writable();
            register(poll, &mut source, 1, Interest::WRITABLE).unwrap();
            let mut events = Events::with_capacity(i32::MAX as usize / 12 + 1);
            for timeout in [Duration::ZERO, Duration::from_micros(50)] {
                poll.poll(&mut events, Some(timeout)).unwrap();
            }
        });
    }

    /// Nothing can be returned, so nothing is waited for; and what is ready stays so.
    #[test]
    fn of_zero() {
        on_each_backend(|poll| {
            let (mut source, _peer) = writable();
            register(poll, &mut source, 1, Interest::WRITABLE).unwrap();
            let waker = Waker::new(poll.registry(), Token(2)).unwrap();
            waker.wake().unwrap();

            let mut none = Events::with_capacity(0);
            assert_eq!(none.capacity(), 0);
            let start = Instant::now();
            for timeout in [
                Some(Duration::ZERO),
                Some(PATIENCE),
                Some(Duration::MAX),
                None,
            ] {
                poll.poll(&mut none, timeout).unwrap();
                poll.poll_until(&mut none, timeout.and_then(|t| start.checked_add(t)))
                    .unwrap();
                assert!(none.is_empty());
            }
            assert!(start.elapsed() < PATIENCE, "it has waited");
            waker.wake().unwrap();

            let mut tokens = ready(poll);
            tokens.sort();
            assert_eq!(tokens, [Token(1), Token(2)]);
        });
    }

    #[test]
    fn that_no_memory_can_have() {
        let made = catch_unwind(|| Events::with_capacity(usize::MAX));
        assert!(made.is_err(), "documented to panic");
    }
}

mod timeouts {
    use super::*;

    /// No deadline that a clock could show.
    #[test]
    fn without_end() {
        on_each_backend(|poll| {
            let waker = Waker::new(poll.registry(), Token(1)).unwrap();
            let mut events = Events::with_capacity(4);
            for timeout in [
                Duration::MAX,
                Duration::from_secs(u64::MAX),
                Duration::from_secs(i64::MAX as u64),
                Duration::from_secs(i32::MAX as u64),
                Duration::from_millis(i32::MAX as u64 + 1),
                Duration::from_millis(u32::MAX as u64 + 1),
            ] {
                waker.wake().unwrap();
                poll.poll(&mut events, Some(timeout)).unwrap();
                assert_eq!(events.len(), 1, "{timeout:?}");
            }
        });
    }

    #[test]
    fn in_the_past() {
        on_each_backend(|poll| {
            let mut events = Events::with_capacity(4);
            let start = Instant::now();
            let past = start.checked_sub(Duration::from_secs(1));
            poll.poll_until(&mut events, past.unwrap_or(start)).unwrap();
            assert!(events.is_empty());
            assert!(start.elapsed() < PATIENCE, "it has waited");
        });
    }
}

mod backends {
    use super::*;

    #[test]
    fn that_this_build_does_not_have() {
        for backend in [
            Backend::Epoll,
            Backend::Kqueue,
            Backend::EventPorts,
            Backend::Poll,
            Backend::Afd,
            Backend::Wasi,
        ] {
            let opened = Poll::builder().backend(backend).build();
            if backend.is_available() {
                assert_eq!(opened.unwrap().backend(), backend);
            } else {
                let error = opened.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::Unsupported);
                assert!(error.to_string().contains(&backend.to_string()), "{error}");
            }
        }
    }
}

/// Two queues and one source. Release builds leave it to the kernel, which allows it.
mod another_queue {
    use super::*;

    #[cfg(debug_assertions)]
    #[test]
    fn is_a_clear_error() {
        on_each_backend(|here| {
            for backend in Backend::available() {
                let mut there = Poll::builder().backend(backend).build().unwrap();
                let (mut source, _peer) = writable();
                register(here, &mut source, 1, Interest::WRITABLE).unwrap();

                let error = register(&there, &mut source, 2, Interest::WRITABLE).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
                assert!(error.to_string().contains("another `Poll`"), "{error}");
                let registry = there.registry();
                let wanted = (Token(2), Interest::WRITABLE);
                let error = registry
                    .reregister(&mut source, wanted.0, wanted.1)
                    .unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::NotFound);
                assert!(error.to_string().contains("another `Poll`"), "{error}");
                let error = registry.deregister(&mut source).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::NotFound);

                assert_eq!(ready(here), [Token(1)]);
                assert_eq!(ready(&mut there), []);

                // Properly moved, it works there.
                here.registry().deregister(&mut source).unwrap();
                register(&there, &mut source, 2, Interest::WRITABLE).unwrap();
                assert_eq!(ready(&mut there), [Token(2)]);
                assert_eq!(ready(here), []);
            }
        });
    }

    #[cfg(debug_assertions)]
    #[test]
    fn is_possible_after_a_registration_that_failed() {
        on_each_backend(|here| {
            if !knows_descriptors(here) {
                return; // none failed
            }
            let there = Poll::new().unwrap();
            let (near, _far) = pair();
            let mut first = IoSource::new(&near);
            register(here, &mut first, 1, Interest::WRITABLE).unwrap();
            let mut second = IoSource::new(&near);
            register(here, &mut second, 2, Interest::WRITABLE).unwrap_err();
            register(&there, &mut second, 2, Interest::WRITABLE).unwrap();
        });
    }

    /// What was registered with a queue that is gone is registered nowhere.
    #[test]
    fn is_possible_after_the_first_is_gone() {
        on_each_backend(|here| {
            for backend in Backend::available() {
                let (mut source, _peer) = writable();
                let gone = Poll::builder().backend(backend).build().unwrap();
                register(&gone, &mut source, 1, Interest::WRITABLE).unwrap();
                drop(gone);
                register(here, &mut source, 2, Interest::WRITABLE).unwrap();
                assert_eq!(ready(here), [Token(2)]);
            }
        });
    }

    #[test]
    fn never_breaks_anything() {
        on_each_backend(|here| {
            for backend in Backend::available() {
                let mut there = Poll::builder().backend(backend).build().unwrap();
                let (mut source, _peer) = writable();
                register(here, &mut source, 1, Interest::WRITABLE).unwrap();
                // Whether it is allowed or not:
                let _ = register(&there, &mut source, 2, Interest::WRITABLE);
                let _ = there
                    .registry()
                    .reregister(&mut source, Token(3), Interest::WRITABLE);
                assert_eq!(ready(here), [Token(1)]);
                let _ = there.registry().deregister(&mut source);
                assert_eq!(ready(&mut there), []);
                drop(source);
                assert_eq!(ready(here), []);
            }
        });
    }
}

/// A source that panics while it registers takes nothing with it.
#[test]
fn a_source_that_panics() {
    struct Panics;

    impl Source for Panics {
        fn register(&mut self, _: &mio::Registry, _: Token, _: Interest) -> io::Result<()> {
            panic!("as it was told to")
        }

        fn reregister(&mut self, _: &mio::Registry, _: Token, _: Interest) -> io::Result<()> {
            panic!("as it was told to")
        }

        fn deregister(&mut self, _: &mio::Registry) -> io::Result<()> {
            panic!("as it was told to")
        }
    }

    on_each_backend(|poll| {
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            register(poll, &mut Panics, 0, Interest::READABLE)
        }));
        assert!(attempt.is_err());
        let (mut source, _peer) = writable();
        register(poll, &mut source, 1, Interest::WRITABLE).unwrap();
        assert_eq!(ready(poll), [Token(1)]);
    });
}

/// Descriptors by their number, which may be any.
#[cfg(all(unix, feature = "os-ext"))]
mod descriptors {
    use std::fs::File;
    use std::os::fd::{AsRawFd, RawFd};

    use super::*;
    use mio::unix::SourceFd;
    use rustix::io::Errno;

    #[track_caller]
    fn bad_descriptor(result: io::Result<()>) {
        let error = result.unwrap_err();
        let code = Some(Errno::BADF.raw_os_error());
        assert_eq!(error.raw_os_error(), code, "{error:?}");
    }

    /// A number that nobody opens: others take the lowest that is free.
    fn closed() -> RawFd {
        let file = File::open("/dev/null").unwrap();
        let high = rustix::io::fcntl_dupfd_cloexec(&file, 700).unwrap();
        high.as_raw_fd()
    }

    #[test]
    fn below_zero() {
        on_each_backend(|poll| {
            for fd in [-1, -2, -100, RawFd::MIN] {
                let mut source = SourceFd(&fd);
                let registry = poll.registry();
                bad_descriptor(registry.register(&mut source, Token(1), Interest::READABLE));
                bad_descriptor(registry.reregister(&mut source, Token(1), Interest::READABLE));
                bad_descriptor(registry.deregister(&mut source));
            }
            assert_eq!(ready(poll), []);
        });
    }

    #[test]
    fn not_open() {
        on_each_backend(|poll| {
            for fd in [closed(), RawFd::MAX] {
                for trigger in TRIGGERS {
                    let registry = poll.registry().with_trigger(trigger);
                    let mut source = SourceFd(&fd);
                    bad_descriptor(registry.register(&mut source, Token(1), Interest::READABLE));
                    // There is no registration, and no descriptor: either is a good reason.
                    assert!(registry
                        .reregister(&mut source, Token(1), Interest::READABLE)
                        .is_err());
                    assert!(registry.deregister(&mut source).is_err());
                }
            }
            assert_eq!(ready(poll), []);
        });
    }

    /// Closed without a word to the queue: it forgets it.
    #[test]
    fn closed_while_registered() {
        on_each_backend(|poll| {
            for trigger in TRIGGERS {
                let (near, _far) = pair();
                let high = rustix::io::fcntl_dupfd_cloexec(&near, 800).unwrap();
                // A duplicate would keep the registration alive.
                drop(near);
                let fd = high.as_raw_fd();
                let registry = poll.registry().with_trigger(trigger);
                registry
                    .register(&mut SourceFd(&fd), Token(1), Interest::WRITABLE)
                    .unwrap();
                drop(high);
                assert_eq!(ready(poll), [], "{trigger:?}");
                assert!(registry.deregister(&mut SourceFd(&fd)).is_err());
            }
        });
    }

    /// What is always ready is refused by epoll, at once, and always ready for `poll(2)`.
    #[test]
    fn of_what_cannot_be_waited_for() {
        on_each_backend(|poll| {
            let folder = File::open("/").unwrap();
            let file = tempfile::tempfile().unwrap();
            let null = File::open("/dev/null").unwrap();
            for mut always in [folder, file, null].map(IoSource::new) {
                let fd = always.as_raw_fd();
                let both = Interest::READABLE | Interest::WRITABLE;
                if poll.backend() == Backend::Epoll {
                    let denied = io::ErrorKind::PermissionDenied;
                    refused(register(poll, &mut always, 1, both), denied);
                    refused(register(poll, &mut SourceFd(&fd), 1, both), denied);
                    assert_eq!(ready(poll), []);
                } else if poll.backend() == Backend::Kqueue {
                    // Each kind of file has its own answer. No hang and no panic, whatever it is.
                    if register(poll, &mut always, 1, both).is_ok() {
                        ready(poll);
                        poll.registry().deregister(&mut always).unwrap();
                    }
                    assert_eq!(ready(poll), []);
                } else {
                    register(poll, &mut always, 1, both).unwrap();
                    assert_eq!(ready(poll), [Token(1)]);
                    poll.registry().deregister(&mut always).unwrap();
                    register(poll, &mut SourceFd(&fd), 2, both).unwrap();
                    assert_eq!(ready(poll), [Token(2)]);
                    poll.registry().deregister(&mut SourceFd(&fd)).unwrap();
                    assert_eq!(ready(poll), []);
                }
            }
        });
    }

    #[test]
    fn of_the_queue_itself() {
        on_each_backend(|poll| {
            let fd = poll.as_raw_fd();
            let result = register(poll, &mut SourceFd(&fd), 1, Interest::READABLE);
            if poll.backend() == Backend::Epoll {
                refused(result, io::ErrorKind::InvalidInput);
            }
            // No hang and no panic, whatever the answer was.
            let waker = Waker::new(poll.registry(), Token(2)).unwrap();
            waker.wake().unwrap();
            assert!(ready(poll).contains(&Token(2)));
        });
    }

    /// Two queues that watch each other would wait for each other for ever.
    #[test]
    fn of_queues_in_a_circle() {
        let one = Poll::new().unwrap();
        let other = Poll::new().unwrap();
        let (fd, other_fd) = (one.as_raw_fd(), other.as_raw_fd());
        register(&one, &mut SourceFd(&other_fd), 1, Interest::READABLE).unwrap();
        let closed = register(&other, &mut SourceFd(&fd), 1, Interest::READABLE);
        if one.backend() == Backend::Epoll {
            let code = Some(Errno::LOOP.raw_os_error());
            assert_eq!(closed.unwrap_err().raw_os_error(), code);
        }
    }
}
