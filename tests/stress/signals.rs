//! A storm of signals: `poll` says that it was interrupted, `poll_until` does not, and neither loses an event or its time.
//!
//! Rests on signal(7): waiting in epoll or `poll(2)` fails with `EINTR` after a signal handler has run, also one that was
//! installed with `SA_RESTART`.

use std::io::ErrorKind;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};

use crate::common::{in_child, on_each_backend, pair, span, PATIENCE};

/// What a timeout may be late by, on a machine that has much else to do.
const LATE: Duration = Duration::from_secs(10);

#[test]
fn interrupt_poll_and_nothing_else() {
    in_child("signals::interrupt_poll_and_nothing_else", || {
        on_each_backend(|mut poll| {
            storm(|| {
                interrupted(&mut poll);
                on_time(&mut poll);
                nothing_is_lost(&mut poll);
            });
        });
    });
}

/// A signal handler may wake, with the default backend of any system.
#[test]
#[cfg_attr(
    mio_model = "kqueue",
    ignore = "the model of a kernel has locks, for which a handler must not wait"
)]
fn wake_from_their_handler() {
    in_child("signals::wake_from_their_handler", || {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let waker = Waker::new(poll.registry(), Token(1)).unwrap();
        assert!(WAKER.set(waker).is_ok());
        storm(|| {
            let deadline = Instant::now() + span();
            let mut wakes = 0;
            while Instant::now() < deadline {
                poll.poll_until(&mut events, Instant::now() + PATIENCE)
                    .unwrap();
                assert_eq!(events.iter().next().unwrap().token(), Token(1));
                wakes += 1;
            }
            println!("{wakes} wakes");
        });
    });
}

/// Each poll either says that it was interrupted, or has waited for its time.
fn interrupted(poll: &mut Poll) {
    let mut events = Events::with_capacity(4);
    let deadline = Instant::now() + span() / 2;
    let mut interruptions = 0;
    for millis in [1, 3, 10_000].into_iter().cycle() {
        let timeout = Duration::from_millis(millis) + Duration::from_micros(millis % 2 * 70);
        let start = Instant::now();
        match poll.poll(&mut events, Some(timeout)) {
            Ok(()) => assert!(start.elapsed() >= timeout, "too early"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Interrupted, "{error:?}");
                interruptions += 1;
            }
        }
        assert!(events.is_empty(), "nothing is registered");
        if Instant::now() >= deadline && interruptions >= 10 {
            break;
        }
    }
    println!("{interruptions} interruptions");
}

/// A deadline is neither anticipated nor put off.
fn on_time(poll: &mut Poll) {
    let mut events = Events::with_capacity(4);
    let before = SIGNALS.load(SeqCst);
    for micros in [0, 50, 1_000, 1_500, 20_000, 100_000] {
        let deadline = Instant::now() + Duration::from_micros(micros);
        poll.poll_until(&mut events, deadline).unwrap();
        let late = Instant::now().checked_duration_since(deadline);
        assert!(events.is_empty(), "nothing is registered");
        assert!(late.expect("too early") < LATE, "{late:?} too late");
    }
    assert!(SIGNALS.load(SeqCst) > before, "there were no signals");
}

/// A wake and a byte go back and forth.
fn nothing_is_lost(poll: &mut Poll) {
    const BYTE: Token = Token(1);
    const WAKE: Token = Token(2);

    let (mut near, far) = pair();
    poll.registry()
        .register(&mut near, BYTE, Interest::READABLE)
        .unwrap();
    let waker = Waker::new(poll.registry(), WAKE).unwrap();
    let (go, going) = std::sync::mpsc::channel();
    let other = thread::spawn(move || {
        for () in going {
            assert_eq!(rustix::io::write(&*far, &[1]).unwrap(), 1);
            waker.wake().unwrap();
        }
    });
    let mut events = Events::with_capacity(4);
    let deadline = Instant::now() + span() / 2;
    let mut rounds = 0;
    while rounds < 10 || Instant::now() < deadline {
        go.send(()).unwrap();
        let (mut byte, mut wake) = (false, false);
        while !(byte && wake) {
            let latest = Instant::now() + PATIENCE;
            poll.poll_until(&mut events, latest).unwrap();
            assert!(!events.is_empty(), "lost: byte {byte}, wake {wake}");
            for event in &events {
                byte |= event.token() == BYTE && drained(&near);
                wake |= event.token() == WAKE;
            }
        }
        rounds += 1;
    }
    drop(go);
    other.join().unwrap();
    println!("{rounds} rounds");
}

/// Reads until it would block. Whether there was anything.
fn drained(source: &mio::IoSource<std::os::unix::net::UnixStream>) -> bool {
    let mut found = false;
    loop {
        match source.do_read(|fd| Ok(rustix::io::read(fd, &mut [0; 8])?)) {
            Ok(_) => found = true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return found,
            Err(error) => panic!("{error}"),
        }
    }
}

static SIGNALS: AtomicU64 = AtomicU64::new(0);
static WAKER: OnceLock<Waker> = OnceLock::new();

extern "C" fn handler(_: libc::c_int) {
    SIGNALS.fetch_add(1, SeqCst);
    if let Some(waker) = WAKER.get() {
        // A panic must not leave a signal handler; the thread that waits for the wake will notice.
        let _ = waker.wake();
    }
}

/// Runs `body` while signals rain on its thread.
fn storm(body: impl FnOnce()) {
    // SAFETY: All bytes zero is a valid `sigaction`: no flags, and an empty set of signals.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = handler as extern "C" fn(libc::c_int) as usize;
    #[cfg(not(target_os = "nto"))] // which never restarts a call
    {
        action.sa_flags = libc::SA_RESTART;
    }
    // SAFETY: The handler only does what may be done there: it uses atomics and writes to a descriptor.
    let result = unsafe { libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()) };
    assert_eq!(result, 0);
    // SAFETY: It has no conditions.
    let target = unsafe { libc::pthread_self() };
    // A pointer on some systems, which would be kept from the other thread.
    let target = target as usize;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // So that they come at all times of a call.
            for pause in [0, 30, 70, 200, 500, 1_000].into_iter().cycle() {
                if stop.load(SeqCst) {
                    break;
                }
                // SAFETY: The thread lives: it waits for this one at the end of the scope.
                unsafe { libc::pthread_kill(target as libc::pthread_t, libc::SIGUSR1) };
                thread::sleep(Duration::from_micros(pause));
            }
        });
        let _stop = Stop(&stop);
        body();
    });
}

/// Ends the storm, also when the test has failed.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
