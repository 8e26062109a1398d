//! Copies of the process, and signals to it.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Backend, Interest, Token, Waker};

use crate::alone::alone;
use crate::bed::{during, Bed, PATIENCE};
use crate::links::Link;
use crate::raw;

const WAKER: Token = Token(usize::MAX);

/// A child that drops all it has got from its parent leaves the parent's registrations alone, in whatever order.
#[cfg(not(any(target_os = "tvos", target_os = "watchos")))]
pub(crate) fn child_drops_everything(backend: Backend) {
    use rustix::process::{waitpid, WaitOptions};

    use crate::bed::TRIGGERS;
    use crate::links::links;
    use crate::ready::Ready;

    alone(|| {
        for trigger in TRIGGERS {
            for order in 0..3 {
                let _during = during((trigger, order));
                let bed = Bed::new(backend);
                let waker = Waker::new(bed.registry(), WAKER).unwrap();
                let mut links = links();
                let tokens: Vec<Token> = (0..links.len()).map(Token).collect();
                for (link, &token) in links.iter_mut().zip(&tokens) {
                    let interest = link.interest;
                    if !interest.is_readable() {
                        link.fill();
                    }
                    let interest = interest.remove(Interest::WRITABLE).unwrap_or(interest);
                    bed.with(trigger)
                        .register(link.source(), token, interest)
                        .unwrap();
                }
                let mut parts = Some((bed, waker, links));
                let child = raw::fork(|| {
                    let (bed, waker, links) = parts.take().unwrap();
                    match order {
                        0 => drop((bed, waker, links)),
                        1 => drop((links, waker, bed)),
                        _ => drop((waker, bed, links)),
                    }
                });
                let (_, status) = waitpid(Some(child), WaitOptions::empty()).unwrap().unwrap();
                assert_eq!(status.exit_status(), Some(0));

                let (mut bed, waker, links) = parts.unwrap();
                for link in &links {
                    if link.interest.is_readable() {
                        link.feed(1);
                    } else {
                        link.relieve();
                    }
                }
                bed.expect_each(&tokens);
                waker.wake().unwrap();
                bed.expect(WAKER, Ready::READABLE);
            }
        }
    });
}

/// Runs `case` on this thread, which gets signals all the while.
fn in_a_storm(case: impl FnOnce()) {
    alone(|| {
        raw::handle_alarms();
        let target = raw::this_thread();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    raw::alarm(target);
                    thread::sleep(Duration::from_micros(300));
                }
            });
            let storm = Over(&over);
            case();
            drop(storm);
        });
    });
}

/// Ends a storm, also when the case fails: its thread is waited for.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A handler has run, and the user may want to see to what it has noted.
pub(crate) fn poll_reports_signals(backend: Backend) {
    in_a_storm(|| {
        let mut bed = Bed::new(backend);
        let mut link = Link::new();
        bed.registry()
            .register(link.source(), Token(1), Interest::READABLE)
            .unwrap();
        for timeout in [
            None,
            Some(PATIENCE),
            Some(PATIENCE + Duration::from_nanos(1)),
        ] {
            let _during = during(timeout);
            let result = bed.poll.poll(&mut bed.events, timeout);
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Interrupted);
            assert!(bed.events.is_empty());
        }
    });
}

/// A deadline is the same time, however often the wait for it was interrupted.
pub(crate) fn poll_until_outlasts_signals(backend: Backend) {
    in_a_storm(|| {
        let mut bed = Bed::new(backend);
        for millis in [0, 5, 60] {
            let deadline = Instant::now() + Duration::from_millis(millis);
            bed.poll.poll_until(&mut bed.events, deadline).unwrap();
            assert!(bed.events.is_empty());
            assert!(Instant::now() >= deadline);
            assert!(Instant::now() < deadline + PATIENCE / 2);
        }
    });
}

/// No event and no wake goes with an interrupted poll.
pub(crate) fn signals_take_no_events(backend: Backend) {
    in_a_storm(|| {
        let mut bed = Bed::new(backend);
        let mut link = Link::new();
        let waker = Waker::new(bed.registry(), WAKER).unwrap();
        bed.registry()
            .register(link.source(), Token(1), Interest::READABLE)
            .unwrap();
        let end = Instant::now() + Duration::from_millis(200);
        while Instant::now() < end {
            let (link, waker) = (&link, &waker);
            thread::scope(|scope| {
                scope.spawn(|| {
                    crate::system::write(link.far(), b"x").unwrap();
                    waker.wake().unwrap();
                });
                let mut missing = vec![Token(1), WAKER];
                while !missing.is_empty() {
                    let deadline = Instant::now() + PATIENCE;
                    bed.poll.poll_until(&mut bed.events, deadline).unwrap();
                    assert!(!bed.events.is_empty(), "{missing:?}");
                    for event in &bed.events {
                        missing.retain(|&token| token != event.token());
                    }
                }
            });
            assert_eq!(link.drain(), 1);
        }
    });
}
