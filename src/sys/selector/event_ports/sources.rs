//! Which sources of an event port are associated with it, and which have to be again.
//!
//! Nothing here makes a system call, so all of it is tested on every host; the callers pass in what associates.
//!
//! An association ends with the event that it makes. So each has a *ticket*, a number that is never used again, which
//! comes back with the event. An event whose ticket is not the one that its source holds now is about an association
//! that was replaced or removed, perhaps of an earlier source with the same descriptor. It is dropped, and that is all:
//! what has replaced the association has itself reported what was ready then.
//!
//! An event waits in the port as long as nobody fetches it. If an operation on its source would have blocked meanwhile,
//! it is about the past, or else about what came after. So it is *doubted*, and the system is asked again.
//!
//! A source whose event was taken is *due*: it is associated again at the beginning of the next wait, with what is armed
//! by then. Not at once: a level would be queued while its user has not yet had a chance to end it; and whoever drains a
//! source with edges arms a direction. That, too, makes it due, unless a thread is waiting: it would not come by, so
//! whoever arms associates. While nobody waits, a source that was read and written until both would have blocked is
//! associated once, for both.

use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::table::{requested, Plan, Table};
use crate::sys::selector::{Direction, Wanted};
use crate::Token;

/// How long to wait before trying again to associate what the system has refused.
const PAUSE: Duration = Duration::from_millis(4);

/// The registrations of one queue.
#[derive(Debug, Default)]
pub(super) struct Sources {
    table: Table<Association>,
    /// The descriptors to look at before the next wait, and of which registration. Some may be gone.
    due: Vec<(RawFd, u64)>,
    last_ticket: usize,
    /// Something became due outside of [`answer`](Sources::answer).
    put_off: bool,
}

/// What the kernel has of a source.
#[derive(Clone, Debug)]
struct Association {
    /// Zero without an association.
    ticket: usize,
    asked: PollFlags,
    /// An operation would have blocked since the association was made.
    doubted: bool,
    /// Whether this registration is in the list of those that are due.
    due: bool,
}

impl Default for Association {
    fn default() -> Association {
        Association {
            ticket: 0,
            asked: PollFlags::empty(),
            doubted: false,
            due: false,
        }
    }
}

/// An association that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) fd: RawFd,
    pub(super) flags: PollFlags,
    pub(super) ticket: usize,
}

impl Sources {
    /// Adds a registration.
    pub(super) fn insert<A>(
        &mut self,
        fd: RawFd,
        wanted: Wanted,
        bare: bool,
        associate: A,
    ) -> Result<(), Errno>
    where
        A: FnOnce(&Ask) -> Result<(), Errno>,
    {
        if self.table.get(fd).is_some() {
            return Err(Errno::EXIST);
        }
        let ask = self.ask(fd, requested(wanted.interest));
        // First the system, which knows whether it is a descriptor.
        associate(&ask)?;
        self.table.insert(fd, wanted, bare);
        self.hold(&ask);
        // Twice: between two waits a descriptor may be due, be registered anew, and be due again.
        let room = 2 * self.table.len();
        self.due.reserve(room.saturating_sub(self.due.len()));
        Ok(())
    }

    /// Replaces what is wanted of a descriptor. If the system refuses that, everything is as before.
    pub(super) fn replace<A>(
        &mut self,
        fd: RawFd,
        wanted: Wanted,
        bare: bool,
        associate: A,
    ) -> Result<(), Errno>
    where
        A: FnOnce(&Ask) -> Result<(), Errno>,
    {
        let before = self.table.get(fd).ok_or(Errno::NOENT)?.clone();
        self.table.replace(fd, wanted, bare);
        let ask = self.ask(fd, requested(wanted.interest));
        let result = associate(&ask);
        match result {
            Ok(()) => self.hold(&ask),
            Err(Errno::BADF) => drop(self.table.remove(fd)),
            Err(_) => {
                self.table.restore(before);
                self.put_off(fd);
            }
        }
        result
    }

    /// Removes a registration. Runs `dissociate` if the system may know of it.
    pub(super) fn remove<D>(&mut self, fd: RawFd, dissociate: D) -> Result<(), Errno>
    where
        D: FnOnce() -> Result<(), Errno>,
    {
        let associated = self.table.get(fd).ok_or(Errno::NOENT)?.state.ticket != 0;
        self.table.remove(fd);
        if !associated {
            return Ok(());
        }
        match dissociate() {
            // An event has ended it, and may be on its way.
            Err(Errno::NOENT) => Ok(()),
            result => result,
        }
    }

    /// Arms a direction again. Unless this is `urgent`, the next wait tells the system. An error puts it off.
    pub(super) fn rearm<A>(
        &mut self,
        fd: RawFd,
        direction: Direction,
        urgent: bool,
        associate: A,
    ) -> Result<(), Errno>
    where
        A: FnOnce(&Ask) -> Result<(), Errno>,
    {
        let asks_for_more = self.table.rearm(fd, direction);
        let Some(entry) = self.table.get(fd) else {
            return Ok(());
        };
        if !asks_for_more {
            entry.state.doubted = true;
            return Ok(());
        }
        if !urgent {
            self.make_due(fd);
            return Ok(());
        }
        let armed = entry.armed();
        let ask = self.ask(fd, armed);
        let result = associate(&ask);
        match result {
            Ok(()) => self.hold(&ask),
            Err(_) => self.put_off(fd),
        }
        result
    }

    /// Whether something was put off since this was last asked.
    pub(super) fn has_put_off(&mut self) -> bool {
        std::mem::take(&mut self.put_off)
    }

    /// Whether there is something to look at before a wait.
    pub(super) fn any_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Whether something is due that the port could not show if it were ready now. Without `pauses`, what only waits for
    /// its pace does not count.
    pub(super) fn any_hidden(&mut self, pauses: bool) -> bool {
        let Sources { table, due, .. } = self;
        due.iter().any(|&(fd, id)| match table.get(fd) {
            Some(entry) if entry.id() == id && entry.state.ticket == 0 => {
                pauses || !entry.is_slowed()
            }
            _ => false,
        })
    }

    /// Associates what is due, and says how to wait.
    pub(super) fn associate_due<A>(&mut self, now: Instant, mut associate: A) -> Plan
    where
        A: FnMut(&Ask) -> Result<(), Errno>,
    {
        let mut plan = Plan::default();
        let mut due = std::mem::take(&mut self.due);
        due.retain(|&which| self.associate_one(which, now, &mut plan, &mut associate));
        self.due = due;
        plan
    }

    /// Associates what is due and cannot be queued for what was just reported, because a report disarms it. The rest stays
    /// due.
    pub(super) fn associate_edges<A>(&mut self, now: Instant, mut associate: A)
    where
        A: FnMut(&Ask) -> Result<(), Errno>,
    {
        let mut plan = Plan::default();
        let mut due = std::mem::take(&mut self.due);
        due.retain(|&which| match self.table.get(which.0) {
            Some(entry) if entry.repeats() => true,
            _ => self.associate_one(which, now, &mut plan, &mut associate),
        });
        self.due = due;
    }

    /// Whether the source stays due: because the system has refused it, or because its directions have a pace.
    fn associate_one<A>(
        &mut self,
        (fd, id): (RawFd, u64),
        now: Instant,
        plan: &mut Plan,
        associate: &mut A,
    ) -> bool
    where
        A: FnMut(&Ask) -> Result<(), Errno>,
    {
        let Some(entry) = self.table.get(fd).filter(|entry| entry.id() == id) else {
            return false;
        };
        let slowed = entry.is_slowed();
        entry.state.due = slowed;
        let Some(question) = entry.question(now, plan) else {
            return slowed;
        };
        if entry.state.ticket != 0 && entry.state.asked == question.asked {
            return slowed; // whoever drained the source has armed it
        }
        let ask = self.ask(fd, question.asked);
        match associate(&ask) {
            Ok(()) => {
                self.hold(&ask);
                slowed
            }
            Err(Errno::BADF) => {
                // Closed without a word. The kernel has forgotten it, too.
                self.table.remove(fd);
                false
            }
            // Nothing is armed, and only what comes unasked is waited for. No manual says that a system may refuse that;
            // should one do so, trying again is no help. Whoever arms a direction hears of the end, too.
            Err(Errno::INVAL) if ask.flags.is_empty() => slowed,
            Err(_) => {
                plan.no_later_than(now + PAUSE);
                if let Some(entry) = self.table.get(fd) {
                    entry.state.ticket = 0;
                    entry.state.due = true;
                }
                true
            }
        }
    }

    /// Takes an event, and returns what to report, if anything. Runs `look` to see what a source is ready for now, of
    /// the flags that were asked for.
    pub(super) fn answer<L>(
        &mut self,
        (fd, ticket): (RawFd, usize),
        mut flags: PollFlags,
        now: Instant,
        look: L,
    ) -> Option<(Token, PollFlags)>
    where
        L: FnOnce(RawFd, PollFlags) -> Option<PollFlags>,
    {
        let entry = self.table.get(fd)?;
        if ticket == 0 || entry.state.ticket != ticket {
            return None;
        }
        entry.state.ticket = 0;
        let question = entry.asked(entry.state.asked);
        if entry.state.doubted {
            flags = look(fd, question.asked).unwrap_or(flags);
        }
        let event = self.table.answer(&question, flags, now);
        self.make_due(fd);
        event.map(|(wanted, flags)| (wanted.token, flags))
    }

    /// The port was seen empty. So what was asked of bare descriptors, and has not come, was not ready.
    pub(super) fn port_is_empty(&mut self, now: Instant) {
        for &(fd, id) in &self.due {
            match self.table.get(fd) {
                Some(entry) if entry.id() == id && entry.state.ticket != 0 => {
                    entry.note(entry.state.asked, PollFlags::empty(), now);
                }
                _ => {}
            }
        }
    }

    /// The system has refused an association for the time being. What it has now it does not say.
    fn put_off(&mut self, fd: RawFd) {
        if let Some(entry) = self.table.get(fd) {
            entry.state.ticket = 0;
        }
        self.make_due(fd);
        self.put_off = true;
    }

    /// Puts a source on the list of those that are due, unless it is there or has nothing to ask.
    fn make_due(&mut self, fd: RawFd) {
        if let Some(entry) = self.table.get(fd) {
            if !entry.is_silent() && !entry.state.due {
                entry.state.due = true;
                let which = (fd, entry.id());
                if self.due.len() == self.due.capacity() {
                    self.forget_what_is_gone();
                }
                self.due.push(which);
            }
        }
    }

    /// There is room for two of each registration. So if there is none left, half of the list are registrations that are
    /// gone: sources were registered anew and armed many times with no wait in between.
    #[cold]
    fn forget_what_is_gone(&mut self) {
        let Sources { table, due, .. } = self;
        due.retain(|&(fd, id)| table.get(fd).is_some_and(|entry| entry.id() == id));
    }

    /// An association with a ticket of its own.
    fn ask(&mut self, fd: RawFd, flags: PollFlags) -> Ask {
        // Zero is taken. The numbers do not come round: that would take centuries.
        self.last_ticket += 1;
        Ask {
            fd,
            flags,
            ticket: self.last_ticket,
        }
    }

    /// The system has made an association.
    fn hold(&mut self, ask: &Ask) {
        if let Some(entry) = self.table.get(ask.fd) {
            entry.state.ticket = ask.ticket;
            entry.state.asked = ask.flags;
            entry.state.doubted = false;
        }
    }
}

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "arming_tests.rs"]
mod arming_tests;
