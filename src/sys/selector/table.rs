//! What a queue remembers of its sources where the system does not, and how it turns the system's levels into edges.
//!
//! Nothing here makes a system call, so all of it is tested on every host. What is asked and answered are the flags of
//! `poll(2)`; event ports speak in them, too.
//!
//! Such a system only knows levels. An edge is emulated by *disarming*: a direction that was reported is not asked for
//! again until it is armed anew. What arms it depends on who does the reading and writing:
//!
//! - An [`IoSource`](crate::IoSource) says when an operation would have blocked, and a stream also when it has moved less
//!   than it was asked for; that arms its direction, and only that one. Nothing is lost: whoever got an edge has to drain
//!   the source, and draining ends with that.
//! - Of a bare descriptor ([`SourceFd`](crate::unix::SourceFd)) nobody says anything. Its directions are asked for
//!   again in the next poll. One that is ready there and then may have been left undrained, or drained and filled
//!   again; it is reported in case, but with growing pauses ([`Pace`]), lest an idle writable descriptor keep its
//!   user's loop spinning. A direction that is found unready starts afresh.
//!
//! `POLLERR` and `POLLHUP` come whether asked for or not. So a source without an armed direction is still in the system
//! call, with nothing asked, until they have come; then it is left out altogether, or the call would not wait any more.
//! (WASI refuses such a question. There it is left out until a direction is armed.)

use std::os::fd::RawFd;
use std::time::Instant;

use rustix::event::PollFlags;

use crate::sys::pace::Pace;
use crate::sys::poll_flags::{ASKS_FOR_NOTHING, NVAL, PRI, RDHUP};
use crate::sys::selector::{Direction, Wanted};
use crate::Interest;

#[cfg(not(test))]
const POLL_RDHUP: PollFlags = RDHUP;
/// As if every system had it, so that the tests are the same on all.
#[cfg(test)]
pub(super) const POLL_RDHUP: PollFlags = if RDHUP.is_empty() {
    PollFlags::from_bits_retain(0x2000)
} else {
    RDHUP
};

const ABSENT: u32 = u32::MAX;

/// The registrations of one queue, in a dense vector that is indexed by descriptor. `S` is what the queue keeps of each
/// beside that.
#[derive(Debug)]
pub(super) struct Table<S = ()> {
    entries: Vec<Entry<S>>,
    /// The position in `entries` of each descriptor, or [`ABSENT`].
    positions: Vec<u32>,
    /// The identity of the next registration.
    next_id: u64,
    #[allow(dead_code)] // not for event ports
    /// Where the next round of reports starts, so that a small capacity serves everybody in turn.
    first: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Entry<S> {
    fd: RawFd,
    /// Tells this registration from an earlier one of the same descriptor.
    id: u64,
    wanted: Wanted,
    armed: PollFlags,
    /// Left out of the system call: a one-shot has fired, or the end was reported.
    silent: bool,
    /// For a bare descriptor with an edge trigger: the pace of `IN`, `OUT` and `PRI`.
    pace: Option<[Pace; 3]>,
    /// New with each registration, and the queue's own.
    #[allow(dead_code)] // `poll(2)` keeps nothing more
    pub(super) state: S,
}

/// A question to the system, and which registration it was asked for.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) fd: RawFd,
    id: u64,
    pub(super) asked: PollFlags,
}

/// How the answers are to be waited for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Do not wait: a direction that was ready last time must first be seen unready.
    pub(super) impatient: bool,
    /// Wait no longer than until then, when a pause ends.
    pub(super) until: Option<Instant>,
}

impl<S> Default for Table<S> {
    fn default() -> Table<S> {
        Table {
            entries: Vec::new(),
            positions: Vec::new(),
            next_id: 0,
            first: 0,
        }
    }
}

impl Plan {
    /// Ends the wait at `time`, unless it ends before that.
    pub(super) fn no_later_than(&mut self, time: Instant) {
        self.until = Some(self.until.map_or(time, |until| until.min(time)));
    }
}

impl<S: Default> Table<S> {
    /// Whether the descriptor has a registration.
    #[allow(dead_code)] // a queue may rely on what the others return
    pub(super) fn contains(&self, fd: RawFd) -> bool {
        self.position(fd).is_some()
    }

    /// Adds a registration; `false` if the descriptor has one.
    pub(super) fn insert(&mut self, fd: RawFd, wanted: Wanted, bare: bool) -> bool {
        if self.position(fd).is_some() {
            return false;
        }
        let index = fd as usize;
        if index >= self.positions.len() {
            self.positions.resize(index + 1, ABSENT);
        }
        // There are fewer descriptors than `RawFd` has values, so the number fits.
        self.positions[index] = self.entries.len() as u32;
        self.entries
            .push(Entry::new(fd, self.next_id, wanted, bare));
        self.next_id += 1;
        true
    }

    /// Replaces what is wanted of a descriptor and arms it; `false` if it has no registration.
    pub(super) fn replace(&mut self, fd: RawFd, wanted: Wanted, bare: bool) -> bool {
        match self.position(fd) {
            Some(position) => {
                // A new identity: answers to what was asked before are about the old registration.
                self.entries[position] = Entry::new(fd, self.next_id, wanted, bare);
                self.next_id += 1;
                true
            }
            None => false,
        }
    }

    /// Removes a registration; `false` if there is none.
    pub(super) fn remove(&mut self, fd: RawFd) -> bool {
        match self.position(fd) {
            Some(position) => {
                self.entries.swap_remove(position);
                self.positions[fd as usize] = ABSENT;
                if let Some(moved) = self.entries.get(position) {
                    self.positions[moved.fd as usize] = position as u32;
                }
                true
            }
            None => false,
        }
    }

    /// Arms a direction again; `true` if that asks for more than before.
    pub(super) fn rearm(&mut self, fd: RawFd, direction: Direction) -> bool {
        let Some(position) = self.position(fd) else {
            return false;
        };
        let entry = &mut self.entries[position];
        if entry.wanted.trigger.is_oneshot() {
            return false;
        }
        let flags = match direction {
            Direction::Read => PollFlags::IN | POLL_RDHUP | PRI,
            Direction::Write => PollFlags::OUT,
            Direction::Unknown => PollFlags::all(),
        };
        let armed = entry.armed | (flags & requested(entry.wanted.interest));
        if armed == entry.armed {
            return false;
        }
        entry.armed = armed;
        entry.silent = false;
        true
    }

    /// Takes the system's answer to a question, and returns the event that it makes, if any.
    ///
    /// The registration may have changed since it was asked: what counts is what is wanted now.
    pub(super) fn answer(
        &mut self,
        question: &Question,
        answer: PollFlags,
        now: Instant,
    ) -> Option<(Wanted, PollFlags)> {
        let position = self.position(question.fd)?;
        let entry = &mut self.entries[position];
        if entry.id != question.id {
            return None;
        }
        if answer.intersects(NVAL) {
            // Closed without a word. epoll would have forgotten it, too.
            self.remove(question.fd);
            return None;
        }
        let event = entry.event(answer & (question.asked | PollFlags::ERR | PollFlags::HUP));
        let broken = answer.intersects(PollFlags::ERR | PollFlags::HUP);
        let reported = if broken { question.asked } else { answer };
        entry.note(question.asked, reported, now);
        event.map(|flags| (entry.wanted, flags))
    }

    fn position(&self, fd: RawFd) -> Option<usize> {
        let position = *self.positions.get(usize::try_from(fd).ok()?)?;
        (position != ABSENT).then_some(position as usize)
    }
}

/// What a queue needs that asks its system about all sources at once.
#[allow(dead_code)] // that is `poll(2)`
impl<S: Default> Table<S> {
    /// Appends what to ask the system now, starting with the source whose turn it is.
    pub(super) fn questions(&self, now: Instant, questions: &mut Vec<Question>) -> Plan {
        let mut plan = Plan::default();
        questions.reserve(self.entries.len());
        for index in 0..self.entries.len() {
            let entry = &self.entries[(self.first + index) % self.entries.len()];
            questions.extend(entry.question(now, &mut plan));
        }
        plan
    }

    /// Starts the next round with the source of `question`, whose turn it is.
    pub(super) fn start_with(&mut self, question: &Question) {
        if let Some(position) = self.position(question.fd) {
            self.first = position;
        }
    }
}

/// What a queue needs that tells its system of each source by itself.
#[allow(dead_code)] // that is event ports
impl<S: Default> Table<S> {
    /// How many registrations there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The registration of a descriptor.
    pub(super) fn get(&mut self, fd: RawFd) -> Option<&mut Entry<S>> {
        let position = self.position(fd)?;
        self.entries.get_mut(position)
    }

    /// Undoes a [`replace`](Table::replace).
    pub(super) fn restore(&mut self, before: Entry<S>) {
        if let Some(entry) = self.get(before.fd) {
            *entry = before;
        }
    }
}

impl<S> Entry<S> {
    fn new(fd: RawFd, id: u64, wanted: Wanted, bare: bool) -> Entry<S>
    where
        S: Default,
    {
        let paced = bare && wanted.trigger.is_edge() && !wanted.trigger.is_oneshot();
        Entry {
            fd,
            id,
            wanted,
            armed: requested(wanted.interest),
            silent: false,
            pace: paced.then(<[Pace; 3]>::default),
            state: S::default(),
        }
    }

    /// What to ask the system of this source now, if anything; what that means for the wait is added to `plan`.
    pub(super) fn question(&self, now: Instant, plan: &mut Plan) -> Option<Question> {
        let mut asked = self.armed;
        for (flag, pace) in self.paces() {
            match pace.until {
                Some(until) if until > now => {
                    asked -= flag & self.armed;
                    plan.no_later_than(until);
                }
                _ => plan.impatient |= self.armed.intersects(flag) && pace.reports > 0,
            }
        }
        if self.pace.is_some() && !asked.contains(PollFlags::IN) {
            asked -= POLL_RDHUP;
        }
        let muted = asked.is_empty() && (self.pace.is_some() || !ASKS_FOR_NOTHING);
        (!self.silent && !muted).then_some(Question {
            fd: self.fd,
            id: self.id,
            asked,
        })
    }

    fn paces(&self) -> impl Iterator<Item = (PollFlags, &Pace)> {
        DIRECTIONS.into_iter().zip(self.pace.iter().flatten())
    }

    /// The event that an answer makes, and what it disarms.
    fn event(&mut self, answer: PollFlags) -> Option<PollFlags> {
        let mut flags = answer & (self.armed | PollFlags::ERR | PollFlags::HUP | POLL_RDHUP);
        if self.silent || flags.is_empty() {
            return None;
        }
        if flags.intersects(POLL_RDHUP) {
            // The end can be read. epoll says both, too.
            flags |= PollFlags::IN;
        }
        let trigger = self.wanted.trigger;
        if trigger.is_oneshot() {
            self.armed = PollFlags::empty();
            self.silent = true;
        } else if trigger.is_edge() {
            let broken = flags.intersects(PollFlags::ERR | PollFlags::HUP);
            if broken {
                // Whatever was reported before: the state is another one now, and this comes unasked until the source is
                // left out. So every direction has to be tried. epoll says the same.
                flags |= requested(self.wanted.interest) - PRI - POLL_RDHUP;
            }
            if self.pace.is_none() {
                self.armed -= flags;
                self.silent = broken;
                if broken {
                    self.armed = PollFlags::empty();
                }
            }
        }
        Some(flags)
    }

    /// Slows down the reported directions of a bare descriptor, and lets the silent ones start afresh.
    pub(super) fn note(&mut self, asked: PollFlags, reported: PollFlags, now: Instant) {
        for (flag, pace) in DIRECTIONS.into_iter().zip(self.pace.iter_mut().flatten()) {
            if reported.intersects(flag) {
                pace.reported(now);
            } else if asked.intersects(flag) {
                *pace = Pace::default();
            }
        }
    }
}

/// As above.
#[allow(dead_code)] // as above
impl<S> Entry<S> {
    /// Tells this registration from others of the same descriptor.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The question that was about these flags, if the registration is the same still.
    pub(super) fn asked(&self, asked: PollFlags) -> Question {
        Question {
            fd: self.fd,
            id: self.id,
            asked,
        }
    }

    /// The flags that an event may come for, those apart that come unasked.
    pub(super) fn armed(&self) -> PollFlags {
        self.armed
    }

    /// Whether the system is not to be asked, not even for what it says unasked.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    /// Whether a direction may be reported again without having been armed in between.
    pub(super) fn repeats(&self) -> bool {
        self.pace.is_some() || !self.wanted.trigger.is_edge()
    }

    /// Whether a direction was reported and not seen unready since, of a descriptor whose directions have a pace.
    pub(super) fn is_slowed(&self) -> bool {
        self.paces().any(|(_, pace)| pace.reports > 0)
    }
}

const DIRECTIONS: [PollFlags; 3] = [PollFlags::IN, PollFlags::OUT, PRI];

/// What an interest asks `poll(2)` for. The end of the stream is an edge of its own: it comes although reading was
/// reported before.
pub(super) fn requested(interest: Interest) -> PollFlags {
    let mut flags = PollFlags::empty();
    if interest.is_readable() {
        flags |= PollFlags::IN | POLL_RDHUP;
    }
    if interest.is_writable() {
        flags |= PollFlags::OUT;
    }
    if interest.is_priority() {
        flags |= PRI;
    }
    flags
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
