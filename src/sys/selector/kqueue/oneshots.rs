//! The one-shot registrations of a queue: which of them have reported. No system calls: tested on every host.
//!
//! kqueue's one-shots are those of a filter, ours are those of a registration. A source that is registered for both
//! directions has two entries in the kernel, and each of them would report once. So:
//!
//! - The first event of a registration is reported. If that of the other filter is in the same batch, both become one. If
//!   it comes later it is dropped: whoever registers anew is told again what is ready.
//! - An event has to be told from those of an earlier registration of the same descriptor, which another thread may
//!   have replaced after the kernel had given the event out. So the kernel is given a number that no other registration
//!   of this queue has, instead of the token, and the token is kept here.
//!
//! A table by descriptor. An entry of a descriptor that was closed without a word stays until the number is registered
//! again: harmless, since the kernel has forgotten its entries, and nothing finds it but by its number.

use std::io;
use std::sync::PoisonError;

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, Ordering};
#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard};

use crate::Token;

/// The table as threads share it: behind a lock, which nobody takes before the first one-shot.
///
/// What is in the table is changed together with what the kernel has, under the lock. A poller that was given an event of
/// a one-shot takes the lock to look it up, and so finds the registration that the event is of. Whether there is something
/// to look up it learns from the events.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    table: Mutex<Oneshots>,
    /// Whether anything was ever put into it. Relaxed: whoever has to know of a one-shot got its source, by some way that
    /// synchronises, from the thread that has registered it. To others late news do no harm: they leave a record that
    /// nothing finds, since the kernel has forgotten its number.
    any: AtomicBool,
}

/// The registrations, by descriptor.
#[derive(Debug, Default)]
pub(crate) struct Oneshots {
    entries: Vec<Option<Entry>>,
    last_id: usize,
    /// The number of the present batch of events.
    batch: u64,
}

#[derive(Copy, Clone, Debug)]
pub(crate) struct Entry {
    id: usize,
    token: Token,
    kind: Kind,
    reported: Option<Place>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A one-shot.
    Oneshot,
    /// The writing end of a pipe whose other end is gone, which is watched for reading in its place.
    End {
        /// Reported for as long as it is registered, and not once.
        lasts: bool,
        /// Reading is wanted besides.
        reads: bool,
    },
}

/// Where an event was put.
#[derive(Copy, Clone, Debug)]
struct Place {
    batch: u64,
    index: usize,
}

/// What to do with an event.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Report(Token, Kind),
    /// It belongs to the event that was put there.
    Join(usize),
    Drop,
}

impl Lookups {
    /// Whether there may be one-shots.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Oneshots> {
        // No invariant is broken where a panic could happen under the lock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A one-shot is to be registered.
    pub(crate) fn begin(&self) -> MutexGuard<'_, Oneshots> {
        self.any.store(true, Ordering::Relaxed);
        self.lock()
    }

    /// `apply` has the kernel put something that is no one-shot in the place of whatever there was.
    ///
    /// Under the lock, or another thread's one-shot could be made between the two steps: it would stay in the kernel, and
    /// its record would go.
    #[inline]
    pub(crate) fn replace<T>(
        &self,
        fd: usize,
        apply: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        if self.any() {
            let mut table = self.lock();
            let result = apply();
            table.remove(fd);
            return result;
        }
        apply()
    }
}

impl Oneshots {
    /// A number for a registration that is about to be made.
    fn next_id(&mut self) -> usize {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }

    /// Makes a registration in the place of whatever there was. `apply` has the kernel do it, under the number that it is
    /// given, and says whether it did.
    pub(crate) fn make(
        &mut self,
        fd: usize,
        token: Token,
        kind: Kind,
        apply: impl FnOnce(usize) -> io::Result<bool>,
    ) -> io::Result<bool> {
        let id = self.next_id();
        let made = apply(id);
        // What was registered before is gone in any case.
        self.remove(fd);
        if let Ok(true) = made {
            self.insert(fd, id, token, kind);
        }
        made
    }

    fn insert(&mut self, fd: usize, id: usize, token: Token, kind: Kind) {
        if fd >= self.entries.len() {
            self.entries.resize(fd + 1, None);
        }
        self.entries[fd] = Some(Entry {
            id,
            token,
            kind,
            reported: None,
        });
    }

    fn remove(&mut self, fd: usize) {
        if let Some(entry) = self.entries.get_mut(fd) {
            *entry = None;
        }
    }

    /// What follows was returned by the kernel at once.
    pub(crate) fn begin_batch(&mut self) {
        self.batch += 1;
    }

    /// The kernel has returned an event of the registration `id`, which would be put at `index` of the batch.
    pub(crate) fn event(&mut self, fd: usize, id: usize, index: usize) -> Fate {
        let batch = self.batch;
        let Some(Some(entry)) = self.entries.get_mut(fd) else {
            return Fate::Drop;
        };
        if entry.id != id {
            return Fate::Drop;
        }
        match entry.reported {
            Some(place) if place.batch == batch => Fate::Join(place.index),
            Some(_) if !matches!(entry.kind, Kind::End { lasts: true, .. }) => Fate::Drop,
            _ => {
                entry.reported = Some(Place { batch, index });
                Fate::Report(entry.token, entry.kind)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FD: usize = 7;

    fn registered(kind: Kind) -> (Oneshots, usize) {
        let mut oneshots = Oneshots::default();
        let id = oneshots.next_id();
        oneshots.insert(FD, id, Token(70), kind);
        oneshots.begin_batch();
        (oneshots, id)
    }

    #[test]
    fn the_first_event_is_reported_under_the_token() {
        let (mut oneshots, id) = registered(Kind::Oneshot);
        assert_eq!(
            oneshots.event(FD, id, 3),
            Fate::Report(Token(70), Kind::Oneshot)
        );
    }

    #[test]
    fn the_other_direction_joins_it_in_the_same_batch() {
        let (mut oneshots, id) = registered(Kind::Oneshot);
        oneshots.event(FD, id, 3);
        assert_eq!(oneshots.event(FD, id, 4), Fate::Join(3));
    }

    #[test]
    fn the_other_direction_is_dropped_in_a_later_batch() {
        let (mut oneshots, id) = registered(Kind::Oneshot);
        oneshots.event(FD, id, 0);
        for _ in 0..3 {
            oneshots.begin_batch();
            assert_eq!(oneshots.event(FD, id, 0), Fate::Drop);
        }
    }

    #[test]
    fn a_new_registration_reports_again() {
        let (mut oneshots, old) = registered(Kind::Oneshot);
        oneshots.event(FD, old, 0);
        let new = oneshots.next_id();
        oneshots.insert(FD, new, Token(71), Kind::Oneshot);
        assert_eq!(
            oneshots.event(FD, new, 0),
            Fate::Report(Token(71), Kind::Oneshot)
        );
    }

    /// Another thread has registered anew between the kernel's answer and the look into the table. The old event must
    /// not spend the new registration.
    #[test]
    fn an_event_of_an_earlier_registration_is_dropped_and_spends_nothing() {
        let (mut oneshots, old) = registered(Kind::Oneshot);
        let new = oneshots.next_id();
        oneshots.insert(FD, new, Token(71), Kind::Oneshot);
        assert_eq!(oneshots.event(FD, old, 0), Fate::Drop);
        assert_eq!(
            oneshots.event(FD, new, 0),
            Fate::Report(Token(71), Kind::Oneshot)
        );
    }

    #[test]
    fn an_event_of_nothing_is_dropped() {
        let (mut oneshots, id) = registered(Kind::Oneshot);
        oneshots.remove(FD);
        for fd in [FD, FD + 1, 1000, usize::MAX] {
            assert_eq!(oneshots.event(fd, id, 0), Fate::Drop);
            oneshots.remove(fd);
        }
    }

    #[test]
    fn an_end_is_reported_once_or_in_each_batch() {
        for (lasts, times) in [(false, 1), (true, 4)] {
            let reads = false;
            let kind = Kind::End { lasts, reads };
            let (mut oneshots, id) = registered(kind);
            let mut reported = 0;
            for _ in 0..4 {
                oneshots.begin_batch();
                reported += i32::from(oneshots.event(FD, id, 0) == Fate::Report(Token(70), kind));
            }
            assert_eq!(reported, times);
        }
    }

    #[test]
    fn every_registration_has_a_number_of_its_own() {
        let mut oneshots = Oneshots::default();
        let ids: Vec<_> = (0..100).map(|_| oneshots.next_id()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    const FD: usize = 0;

    /// A queue with one descriptor, which is always ready. The kernel has one entry for it, and gives its number and
    /// whether that is to be looked up.
    struct Model {
        lookups: Lookups,
        kernel: Mutex<Option<(usize, bool)>>,
    }

    impl Model {
        fn new() -> Arc<Model> {
            Arc::new(Model {
                lookups: Lookups::default(),
                kernel: Mutex::default(),
            })
        }

        fn apply(&self, entry: Option<(usize, bool)>) {
            *self.kernel.lock().unwrap() = entry;
        }

        fn put_oneshot(&self, token: usize) {
            let mut table = self.lookups.begin();
            let made = table.make(FD, Token(token), Kind::Oneshot, |id| {
                self.apply(Some((id, true)));
                Ok(true)
            });
            assert!(made.unwrap());
        }

        fn put_edge(&self, token: usize) {
            let put = || {
                self.apply(Some((token, false)));
                Ok(())
            };
            self.lookups.replace(FD, put).unwrap();
        }

        fn remove(&self) {
            let remove = || {
                self.apply(None);
                Ok(())
            };
            self.lookups.replace(FD, remove).unwrap();
        }

        /// The token of an event, if there is one. A one-shot is spent.
        fn poll(&self) -> Option<usize> {
            let (number, looked_up) = {
                let mut kernel = self.kernel.lock().unwrap();
                let event = (*kernel)?;
                if event.1 {
                    *kernel = None;
                }
                event
            };
            if !looked_up {
                return Some(number);
            }
            let mut table = self.lookups.lock();
            table.begin_batch();
            match table.event(FD, number, 0) {
                Fate::Report(token, _) => Some(token.0),
                _ => None,
            }
        }
    }

    fn in_a_thread(
        model: &Arc<Model>,
        run: impl FnOnce(&Model) + 'static,
    ) -> thread::JoinHandle<()> {
        let model = Arc::clone(model);
        thread::spawn(move || run(&model))
    }

    #[test]
    fn whoever_has_an_event_finds_its_registration() {
        loom::model(|| {
            let model = Model::new();
            let thread = in_a_thread(&model, |model| model.put_oneshot(1));
            let early = model.poll();
            thread.join().unwrap();
            let late = model.poll();
            assert_eq!((early.or(late), early.and(late)), (Some(1), None));
        });
    }

    /// Two threads register one bare descriptor, in either order, and with one-shots before or without.
    #[test]
    fn one_of_two_registrations_stands() {
        for before in [false, true] {
            loom::model(move || {
                let model = Model::new();
                if before {
                    model.put_oneshot(9);
                }
                let threads = [
                    in_a_thread(&model, |model| model.put_oneshot(1)),
                    in_a_thread(&model, |model| model.put_edge(2)),
                ];
                for thread in threads {
                    thread.join().unwrap();
                }
                let stands = model.poll();
                assert!(matches!(stands, Some(1 | 2)), "{stands:?}");
            });
        }
    }

    #[test]
    fn a_reregistration_beside_a_poll_is_reported() {
        loom::model(|| {
            let model = Model::new();
            model.put_oneshot(1);
            let thread = in_a_thread(&model, |model| model.put_oneshot(2));
            let early = model.poll();
            thread.join().unwrap();
            let late = model.poll();
            assert!(early == Some(2) || late == Some(2), "{early:?} {late:?}");
        });
    }

    /// What another thread has registered, and handed over, is gone without a trace.
    #[test]
    fn a_source_that_was_handed_over_is_forgotten() {
        for edge in [false, true] {
            loom::model(move || {
                let model = Model::new();
                let thread = in_a_thread(&model, |model| model.put_oneshot(1));
                thread.join().unwrap();
                let thread = in_a_thread(&model, move |model| match edge {
                    true => model.put_edge(2),
                    false => model.remove(),
                });
                thread.join().unwrap();
                assert_eq!(model.poll(), edge.then_some(2));
                assert_eq!(model.lookups.lock().event(FD, 1, 0), Fate::Drop);
            });
        }
    }

    #[test]
    fn nothing_is_heard_of_it_later() {
        loom::model(|| {
            let model = Model::new();
            model.put_oneshot(1);
            let thread = in_a_thread(&model, |model| model.remove());
            let early = model.poll();
            assert!(matches!(early, None | Some(1)), "{early:?}");
            thread.join().unwrap();
            assert_eq!(model.poll(), None);
        });
    }
}
