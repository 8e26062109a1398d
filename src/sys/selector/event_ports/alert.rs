//! How a waker gets through to a port that is full: by alert mode, which needs no room.
//!
//! A waker that finds no room for its event notes that it was refused, and then puts the port into alert mode, which ends
//! the wait. The mode is one for all wakers and says nothing of them. So the poller takes the port out of it, and then looks
//! who was refused. In this order none is overlooked: who is refused after that look has raised a new alert.
//!
//! The poller clears the note before it takes the wake. The other way round, a wake that is refused in between would lose
//! its note, and every later one would find it still under way.
//!
//! The tests below run on a model checker: `cargo xtask loom`.

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::sent::Sent;

/// One waker's way into the port.
#[derive(Debug)]
pub(super) struct Way {
    /// Its event in the port, or the alert in the place of it.
    sent: Sent,
    /// The port was full, and was put into alert mode.
    refused: AtomicBool,
}

impl Way {
    pub(super) fn new() -> Way {
        Way {
            sent: Sent::new(),
            refused: AtomicBool::new(false),
        }
    }

    /// A wake. `send` sends the event, and says whether there was room for it; `alert` puts the port into alert mode.
    #[inline]
    pub(super) fn raise<E>(
        &self,
        send: impl FnOnce() -> Result<bool, E>,
        alert: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        self.sent.raise(|| match send()? {
            true => Ok(()),
            false => self.refuse(alert),
        })
    }

    #[cold]
    fn refuse<E>(&self, alert: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        self.refused.store(true, Ordering::Release);
        alert()
    }

    /// The event was fetched. Whether there was a wake since the last time.
    pub(super) fn fetched(&self) -> bool {
        self.sent.take()
    }

    fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
    }

    /// Whether there was a wake since the last time, of a waker that was refused.
    fn serve(&self) -> bool {
        self.refused.store(false, Ordering::Relaxed);
        self.sent.take()
    }
}

/// Takes the port out of alert mode, and reports up to `room` wakers that have put it there. If there are more, they take
/// turns, and the alert stays.
#[cold]
pub(super) fn end<W, E>(
    wakers: &mut [W],
    way: impl Fn(&W) -> &Way,
    mut room: usize,
    mut alert: impl FnMut(bool) -> Result<(), E>,
    mut report: impl FnMut(&W),
) -> Result<(), E> {
    // First this: who is refused from here on raises a new alert.
    alert(false)?;
    for served in 0..wakers.len() {
        if !way(&wakers[served]).was_refused() {
            continue;
        }
        if room == 0 {
            wakers.rotate_left(served);
            return alert(true);
        }
        if way(&wakers[served]).serve() {
            report(&wakers[served]);
            room -= 1;
        }
    }
    Ok(())
}

#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use loom::sync::atomic::AtomicUsize;
    use loom::thread;
    use std::sync::Arc;

    /// Two wakers and a port. Work is handed over beside it, as weakly as can be: the wakes have to make it visible.
    struct Model {
        ways: [Arc<Way>; 2],
        work: [AtomicUsize; 2],
        /// The waker that is used for each piece of work. It is done when this one is reported.
        used: [usize; 2],
        has_room: AtomicBool,
        packets: [AtomicBool; 2],
        alert: AtomicBool,
    }

    /// What the poller keeps.
    struct Poller {
        wakers: [(usize, Arc<Way>); 2],
        done: [bool; 2],
    }

    impl Poller {
        fn new(model: &Model) -> Poller {
            Poller {
                wakers: [0, 1].map(|waker| (waker, Arc::clone(&model.ways[waker]))),
                done: [false; 2],
            }
        }
    }

    impl Model {
        fn new(used: [usize; 2]) -> Arc<Model> {
            Arc::new(Model {
                ways: [Arc::new(Way::new()), Arc::new(Way::new())],
                work: [AtomicUsize::new(0), AtomicUsize::new(0)],
                used,
                has_room: AtomicBool::new(false),
                packets: [AtomicBool::new(false), AtomicBool::new(false)],
                alert: AtomicBool::new(false),
            })
        }

        fn submit(&self, item: usize) {
            self.work[item].store(1, Ordering::Relaxed);
            let waker = self.used[item];
            let result: Result<(), ()> = self.ways[waker].raise(
                || {
                    let sent = self.has_room.load(Ordering::Acquire);
                    if sent {
                        self.packets[waker].swap(true, Ordering::AcqRel);
                    }
                    Ok(sent)
                },
                || self.alert(true),
            );
            result.unwrap();
        }

        fn alert(&self, on: bool) -> Result<(), ()> {
            self.alert.swap(on, Ordering::AcqRel);
            Ok(())
        }

        /// A poll that does not wait, with room for so many events.
        fn poll(&self, poller: &mut Poller, room: usize) {
            let mut reported = [false; 2];
            // In alert mode the port says nothing else.
            if self.alert.load(Ordering::Acquire) {
                end(
                    &mut poller.wakers,
                    |(_, way)| way,
                    room,
                    |on| self.alert(on),
                    |(waker, _)| reported[*waker] = true,
                )
                .unwrap();
            } else {
                for (waker, packet) in self.packets.iter().enumerate() {
                    if packet.load(Ordering::Acquire) {
                        packet.swap(false, Ordering::AcqRel);
                        reported[waker] = self.ways[waker].fetched();
                    }
                }
            }
            for (item, waker) in self.used.into_iter().enumerate() {
                if reported[waker] {
                    poller.done[item] |= self.work[item].load(Ordering::Relaxed) == 1;
                }
            }
        }
    }

    fn submitter(model: &Arc<Model>, item: usize) -> thread::JoinHandle<()> {
        let model = Arc::clone(model);
        thread::spawn(move || model.submit(item))
    }

    /// Both items are submitted while somebody polls, by these wakers.
    fn both_are_served(used: [usize; 2]) {
        loom::model(move || {
            let model = Model::new(used);
            let threads = [submitter(&model, 0), submitter(&model, 1)];
            let mut poller = Poller::new(&model);
            model.poll(&mut poller, 8);
            for thread in threads {
                thread.join().unwrap();
            }
            model.poll(&mut poller, 8);
            assert_eq!(poller.done, [true; 2]);
        });
    }

    #[test]
    fn nobody_who_was_refused_is_overlooked() {
        both_are_served([0, 1]);
    }

    /// The second wake may find the first one under way, taken, or half taken.
    #[test]
    fn no_wake_is_lost_to_an_earlier_one() {
        both_are_served([0, 0]);
    }

    /// Polls with room for one event: each of them is served within two, and nothing is left of the alert.
    #[test]
    fn they_take_turns() {
        loom::model(|| {
            let model = Model::new([0, 1]);
            let thread = submitter(&model, 1);
            model.submit(0);
            let mut poller = Poller::new(&model);
            model.poll(&mut poller, 1);
            thread.join().unwrap();
            model.poll(&mut poller, 1);
            model.poll(&mut poller, 1);
            assert_eq!(poller.done, [true; 2]);
            assert!(!model.alert.load(Ordering::Relaxed));
        });
    }

    /// The port gets room while wakers use it, so one wake is refused and the next one is sent, or the other way round.
    #[test]
    fn a_port_that_gets_room_loses_no_wake() {
        loom::model(|| {
            let model = Model::new([0, 0]);
            let threads = [submitter(&model, 0), submitter(&model, 1)];
            let mut poller = Poller::new(&model);
            model.has_room.store(true, Ordering::Release);
            model.poll(&mut poller, 8);
            for thread in threads {
                thread.join().unwrap();
            }
            // An alert first, then what is in the port.
            model.poll(&mut poller, 8);
            model.poll(&mut poller, 8);
            assert_eq!(poller.done, [true; 2]);
        });
    }

    /// A wake that could be made in neither way is no wake, and the next one is.
    #[test]
    fn a_failure_leaves_nothing_behind() {
        loom::model(|| {
            let model = Model::new([0, 1]);
            assert!(model.ways[0].raise(|| Err(()), || Ok(())).is_err());
            assert!(model.ways[0].raise(|| Ok(false), || Err(())).is_err());
            model.submit(0);
            let mut poller = Poller::new(&model);
            model.poll(&mut poller, 8);
            assert_eq!(poller.done, [true, false]);
        });
    }
}
