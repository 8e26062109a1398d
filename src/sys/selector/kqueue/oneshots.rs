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

use crate::Token;

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

impl Oneshots {
    /// A number for a registration that is about to be made.
    pub(crate) fn next_id(&mut self) -> usize {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }

    /// The registration was made. To be called before an event of it can be looked up.
    pub(crate) fn insert(&mut self, fd: usize, id: usize, token: Token, kind: Kind) {
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

    pub(crate) fn remove(&mut self, fd: usize) {
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
