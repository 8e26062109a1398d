//! Wakers: no wake is lost, and a repeated one costs next to nothing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{mpsc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Backend, Interest, Token, Trigger, Waker};

use crate::alone::alone;
use crate::bed::{during, said_of, Bed, PATIENCE, TRIGGERS};
use crate::links::Link;
use crate::ready::Ready;
use crate::system::{asleep, this_thread, writes};
use crate::threads::woken;

const WAKER: Token = Token(91);

/// How long a race is run, to be lost or not.
const RACE: Duration = Duration::from_millis(1500);

pub(crate) fn wake_before_a_poll(backend: Backend) {
    let mut bed = Bed::new(backend);
    let waker = Waker::new(bed.registry(), WAKER).unwrap();
    for timeout in [Some(Duration::ZERO), Some(PATIENCE), None] {
        waker.wake().unwrap();
        let seen = bed.turn(timeout);
        assert_eq!(said_of(WAKER, &seen), Some(Ready::READABLE));
        bed.expect_silence();
    }
}

pub(crate) fn wake_during_a_poll(backend: Backend) {
    let mut bed = Bed::new(backend);
    let waker = Waker::new(bed.registry(), WAKER).unwrap();
    for timeout in [
        None,
        Some(PATIENCE),
        Some(PATIENCE - Duration::from_nanos(1)),
    ] {
        let seen = woken(&mut bed, &waker, |bed| bed.turn(timeout));
        assert_eq!(said_of(WAKER, &seen), Some(Ready::READABLE));
    }
}

/// A wake that comes just when the time is over is reported by that poll or by the next.
pub(crate) fn wake_while_the_timeout_fires(backend: Backend) {
    let mut bed = Bed::new(backend);
    let waker = Waker::new(bed.registry(), WAKER).unwrap();
    let (ask, asked) = mpsc::sync_channel::<Instant>(0);
    let end = Instant::now() + RACE / 4;
    thread::scope(|scope| {
        scope.spawn(|| {
            for at in asked {
                while Instant::now() < at {
                    std::hint::spin_loop();
                }
                waker.wake().unwrap();
            }
        });
        let ask = ask; // hung up when this is done
        for round in 0_u64.. {
            let timeout = Duration::from_micros(60);
            // The timer fires up to some 60 µs late; sweep over that.
            let at = Duration::from_micros(60 + round % 80);
            ask.send(Instant::now() + at).unwrap();
            let mut seen = bed.turn(Some(timeout));
            if seen.is_empty() {
                seen = bed.turn(Some(PATIENCE));
            }
            assert_eq!(said_of(WAKER, &seen), Some(Ready::READABLE), "{round}");
            if Instant::now() > end {
                break;
            }
        }
    });
}

/// Ping and pong between two threads: a single wake that is lost stops them.
pub(crate) fn no_wake_is_lost(backend: Backend) {
    let mut bed = Bed::new(backend);
    let waker = Waker::new(bed.registry(), WAKER).unwrap();
    let (ping, pong) = (AtomicU64::new(0), AtomicU64::new(0));
    let end = Instant::now() + RACE;
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1.. {
                ping.store(round, Ordering::Relaxed);
                waker.wake().unwrap();
                let start = Instant::now();
                while pong.load(Ordering::Relaxed) < round {
                    thread::yield_now();
                    if start.elapsed() > PATIENCE {
                        return; // the other side reports it
                    }
                }
                if Instant::now() > end {
                    ping.store(u64::MAX, Ordering::Relaxed);
                    return waker.wake().unwrap();
                }
            }
        });
        let mut seen_last = 0;
        loop {
            let seen = bed.turn(Some(PATIENCE));
            assert_eq!(said_of(WAKER, &seen), Some(Ready::READABLE), "{seen_last}");
            // Relaxed on purpose: what the waking thread wrote must be visible through the wake alone. A wake may be
            // reported twice, so this may be nothing new.
            let round = ping.load(Ordering::Relaxed);
            assert!(round >= seen_last);
            if round == u64::MAX {
                break;
            }
            seen_last = round;
            pong.store(round, Ordering::Relaxed);
        }
    });
}

/// The classic: eight threads put work into a queue and wake, one takes everything out and polls. Nothing may be left
/// lying while everybody waits.
pub(crate) fn no_work_is_stranded(backend: Backend) {
    const THREADS: usize = 8;
    let mut bed = Bed::with_capacity(backend, 2);
    let wakers: Vec<Waker> = (0..3)
        .map(|index| Waker::new(bed.registry(), Token(WAKER.0 + index)).unwrap())
        .collect();
    let work = Mutex::new(VecDeque::new());
    let done = [(); THREADS].map(|()| AtomicUsize::new(0));
    let stop = AtomicBool::new(false);
    let end = Instant::now() + RACE;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (wakers, work, done, stop) = (&wakers, &work, &done, &stop);
            scope.spawn(move || {
                for round in 1.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    work.lock().unwrap().push_back(thread);
                    wakers[(thread + round) % wakers.len()].wake().unwrap();
                    // Now and then everybody waits until all of it is done: then the queue must not sleep on anything.
                    if round % 4 == 0 {
                        while done[thread].load(Ordering::Relaxed) < round {
                            if stop.load(Ordering::Relaxed) {
                                return;
                            }
                            thread::yield_now();
                        }
                    }
                }
            });
        }
        let mut stranded = false;
        while Instant::now() < end {
            stranded = bed.turn(Some(PATIENCE)).is_empty();
            if stranded {
                break;
            }
            while let Some(thread) = pop(&work) {
                done[thread].fetch_add(1, Ordering::Relaxed);
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(!stranded, "left in the queue: {:?}", work.lock().unwrap());
    });
}

fn pop(work: &Mutex<VecDeque<usize>>) -> Option<usize> {
    work.lock().unwrap().pop_front()
}

/// Any number of wakes amounts to an event, and to one system call that writes.
pub(crate) fn repeated_wakes_are_coalesced(backend: Backend) {
    let mut bed = Bed::new(backend);
    let wakers = [0, 1].map(|index| Waker::new(bed.registry(), Token(WAKER.0 + index)).unwrap());
    for round in 0..5 {
        let before = writes();
        for _ in 0..1_000 {
            wakers.iter().for_each(|waker| waker.wake().unwrap());
        }
        if let (Some(before), Some(after)) = (before, writes()) {
            let writes = after - before;
            // The first wake has to reach the kernel: somebody may watch the queue's descriptor.
            assert!(
                (1..=wakers.len() as u64).contains(&writes),
                "{writes} writes in round {round}"
            );
        }
        let seen = bed.expect_each(&[WAKER, Token(WAKER.0 + 1)]);
        assert_eq!(seen.len(), 2, "{seen:?}");
        if round % 2 == 0 {
            bed.expect_silence();
        }
    }
}

/// A poll that found nothing has not taken the wake that others rely on, and a poll that was full has not either.
pub(crate) fn wakes_between_other_events(backend: Backend) {
    let mut bed = Bed::with_capacity(backend, 1);
    let waker = Waker::new(bed.registry(), WAKER).unwrap();
    let mut link = Link::new();
    link.feed(1);
    bed.with(Trigger::Level)
        .register(link.source(), Token(1), Interest::READABLE)
        .unwrap();
    for wakes in 0..6 {
        for _ in 0..wakes {
            waker.wake().unwrap();
            bed.turn(Some(PATIENCE));
        }
        waker.wake().unwrap();
        bed.expect(WAKER, Ready::READABLE);
    }
    link.drain();
    bed.turn(Some(Duration::ZERO));
    assert_eq!(bed.turn(Some(Duration::ZERO)), []);
    waker.wake().unwrap();
    assert_eq!(bed.turn(Some(PATIENCE)).len(), 1);
}

/// Woken again while the event of the last wake is being worked on: the next poll returns at once.
pub(crate) fn woken_again_before_the_next_poll(backend: Backend) {
    let mut bed = Bed::new(backend);
    let waker = Waker::new(bed.registry(), WAKER).unwrap();
    waker.wake().unwrap();
    for _ in 0..10 {
        let seen = bed.turn(Some(PATIENCE));
        assert_eq!(said_of(WAKER, &seen), Some(Ready::READABLE));
        for event in &bed.events {
            assert_eq!(event.token(), WAKER);
            waker.wake().unwrap();
        }
    }
}

/// Each waker has an event of its own, whatever the others do, and several threads may share one.
pub(crate) fn several_wakers(backend: Backend) {
    let mut bed = Bed::new(backend);
    let tokens = [0, 1, 2, 3, 4].map(|index| Token(WAKER.0 + index));
    let wakers = tokens.map(|token| Waker::new(bed.registry(), token).unwrap());
    for turn in 0..tokens.len() {
        wakers[turn].wake().unwrap();
        let other = (turn + 2) % tokens.len();
        wakers[other].wake().unwrap();
        let seen = bed.expect_each(&[tokens[turn], tokens[other]]);
        assert_eq!(seen.len(), 2, "{seen:?}");
        bed.expect_silence();
    }

    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                barrier.wait();
                wakers.iter().for_each(|waker| waker.wake().unwrap());
            });
        }
        bed.expect_each(&tokens);
    });
}

/// The trigger of a registry is for sources: a waker is used again and again, whichever it was made through.
pub(crate) fn triggers_are_not_for_wakers(backend: Backend) {
    let mut bed = Bed::new(backend);
    for trigger in TRIGGERS {
        let _during = during(trigger);
        let waker = Waker::new(&bed.with(trigger), WAKER).unwrap();
        for _ in 0..3 {
            waker.wake().unwrap();
            assert_eq!(bed.expect(WAKER, Ready::ANY), Ready::READABLE);
            bed.expect_silence();
        }
    }
}

/// A waker that is gone is not spoken of again, and its wake goes with it. The others stay.
pub(crate) fn dropped_with_a_wake_pending(backend: Backend) {
    alone(|| {
        let mut bed = Bed::new(backend);
        let kept = Waker::new(bed.registry(), Token(1)).unwrap();
        for round in 0..10 {
            let waker = Waker::new(bed.registry(), WAKER).unwrap();
            if round % 2 == 0 {
                kept.wake().unwrap();
            }
            waker.wake().unwrap();
            drop(waker);
            if round % 2 == 0 {
                assert_eq!(bed.expect(Token(1), Ready::ANY), Ready::READABLE);
            }
            let seen = bed.turn(Some(Duration::from_millis(1)));
            assert_eq!(seen, []);
        }
    });
}

/// A waker may be made, used and dropped while the poller waits.
pub(crate) fn made_and_dropped_during_a_poll(backend: Backend) {
    let mut bed = Bed::new(backend);
    let registry = bed.registry().try_clone().unwrap();
    let poller = this_thread();
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            asleep(poller);
            drop(Waker::new(&registry, Token(1)).unwrap());
            let waker = Waker::new(&registry, WAKER).unwrap();
            waker.wake().unwrap();
            waker
        });
        let seen = bed.turn(Some(PATIENCE));
        drop(thread.join().unwrap());
        assert_eq!(said_of(WAKER, &seen), Some(Ready::READABLE));
        assert_eq!(said_of(Token(1), &seen), None);
    });
}

/// An `eventfd(2)` cannot count further than to its maximum. A wake must neither fail nor block nor be lost there.
#[cfg(target_os = "linux")]
pub(crate) fn counter_at_its_maximum(backend: Backend) {
    use rustix::process::{getpid, pidfd_getfd, pidfd_open, PidfdFlags, PidfdGetfdFlags};

    alone(|| {
        let before = eventfds();
        let mut bed = Bed::new(backend);
        let waker = Waker::new(bed.registry(), WAKER).unwrap();
        // A descriptor that is known by its number only, without a doubt about who owns it.
        let duplicate = |number| {
            let own = pidfd_open(getpid(), PidfdFlags::empty())?;
            pidfd_getfd(own, number, PidfdGetfdFlags::empty())
        };
        for _ in 0..3 {
            for number in eventfds().iter().filter(|fd| !before.contains(fd)) {
                let Ok(counter) = duplicate(*number) else {
                    return; // an old kernel, or a sandbox
                };
                let most = (u64::MAX - 1).to_ne_bytes();
                if rustix::io::write(&counter, &most).is_err() {
                    rustix::io::read(&counter, &mut [0; 8]).unwrap();
                    rustix::io::write(&counter, &most).unwrap();
                }
            }
            // What was written to the counter is an edge already.
            bed.turn(Some(Duration::ZERO));
            for _ in 0..2 {
                waker.wake().unwrap();
                let seen = bed.turn(Some(PATIENCE));
                assert_eq!(said_of(WAKER, &seen), Some(Ready::READABLE));
            }
        }
    });
}

/// A pipe in the place of a counter is full some day, unless the poller empties it. The wake that finds it so must be
/// reported like any other.
#[cfg(any(
    mio_unsupported_force_waker_pipe,
    target_os = "netbsd",
    target_os = "openbsd"
))]
pub(crate) fn more_wakes_than_a_pipe_holds(backend: Backend) {
    /// Pipes hold 64 KiB at most, unless somebody has asked for more.
    const WAKES: usize = 2 * 65_536 + 10;

    let mut bed = Bed::new(backend);
    let waker = Waker::new(bed.registry(), WAKER).unwrap();
    for wake in 0..WAKES {
        waker.wake().unwrap();
        let seen = bed.turn(Some(PATIENCE));
        assert_eq!(said_of(WAKER, &seen), Some(Ready::READABLE), "{wake}");
    }
    bed.expect_silence();
}

/// The descriptors of this process that are an `eventfd(2)`.
#[cfg(target_os = "linux")]
fn eventfds() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter(|entry| {
            let link = std::fs::read_link(entry.path()).unwrap_or_default();
            link.to_string_lossy().contains("[eventfd]")
        })
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}
