//! What a source is ready for, in the system's terms, and what an event says of that.

use std::fmt;

use crate::system::PollFlags;
pub(crate) use crate::system::RDHUP;
use mio::event::Event;
use mio::Interest;

pub(crate) const IN: PollFlags = PollFlags::IN;
pub(crate) const OUT: PollFlags = PollFlags::OUT;
pub(crate) const PRI: PollFlags = PollFlags::PRI;
pub(crate) const NOTHING: PollFlags = PollFlags::empty();
/// What is reported whether asked for or not.
pub(crate) const END: PollFlags = PollFlags::ERR.union(PollFlags::HUP);

/// The directions that an operation which would have blocked has shown to be unready.
pub(crate) const READING: PollFlags = IN.union(RDHUP).union(PRI);
pub(crate) const WRITING: PollFlags = OUT;
pub(crate) const UNKNOWN: PollFlags = READING.union(OUT);

/// kqueue has none, on whatever system its model runs.
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(mio_model = "kqueue")
))]
pub(crate) const PRIORITY: Option<Interest> = Some(Interest::PRIORITY);
#[cfg(any(
    not(any(target_os = "linux", target_os = "android")),
    mio_model = "kqueue"
))]
pub(crate) const PRIORITY: Option<Interest> = None;

/// What an interest asks for: who asks for reading, asks for its end, too.
pub(crate) fn flags(interest: Interest) -> PollFlags {
    let mut flags = NOTHING;
    flags.set(IN | RDHUP, interest.is_readable());
    flags.set(OUT, interest.is_writable());
    flags.set(PRI, interest.is_priority());
    flags
}

/// What the `is_*` methods of an event return.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(crate) struct Said(u8);

impl Said {
    pub(crate) const READABLE: Said = Said(1);
    const WRITABLE: Said = Said(1 << 1);
    const READ_CLOSED: Said = Said(1 << 2);
    const WRITE_CLOSED: Said = Said(1 << 3);
    const ERROR: Said = Said(1 << 4);
    const PRIORITY: Said = Said(1 << 5);

    /// What the documentation of `Event` says of these flags.
    pub(crate) fn of(flags: PollFlags) -> Said {
        let has = |wanted: PollFlags| flags.contains(wanted);
        let alone = flags == PollFlags::ERR;
        let hang_up = has(PollFlags::HUP);
        Said::collect([
            (has(IN) || has(PRI), Said::READABLE),
            (has(OUT), Said::WRITABLE),
            (
                hang_up || (has(IN) && flags.intersects(RDHUP)),
                Said::READ_CLOSED,
            ),
            (
                hang_up || has(OUT | PollFlags::ERR) || alone,
                Said::WRITE_CLOSED,
            ),
            (has(PollFlags::ERR), Said::ERROR),
            (has(PRI), Said::PRIORITY),
        ])
    }

    /// Whether it names something to read, and room to write.
    pub(crate) fn directions(self) -> (bool, bool) {
        let has = |one: Said| self.0 & one.0 != 0;
        (has(Said::READABLE), has(Said::WRITABLE))
    }

    fn collect(said: [(bool, Said); 6]) -> Said {
        let set = said.into_iter().filter(|(set, _)| *set);
        Said(set.fold(0, |all, (_, one)| all | one.0))
    }
}

impl From<&Event> for Said {
    fn from(event: &Event) -> Said {
        Said::collect([
            (event.is_readable(), Said::READABLE),
            (event.is_writable(), Said::WRITABLE),
            (event.is_read_closed(), Said::READ_CLOSED),
            (event.is_write_closed(), Said::WRITE_CLOSED),
            (event.is_error(), Said::ERROR),
            (event.is_priority(), Said::PRIORITY),
        ])
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Said::READABLE, "r"),
            (Said::WRITABLE, "w"),
            (Said::READ_CLOSED, "rc"),
            (Said::WRITE_CLOSED, "wc"),
            (Said::ERROR, "e"),
            (Said::PRIORITY, "p"),
        ];
        let said: Vec<&str> = names
            .iter()
            .filter(|(one, _)| self.0 & one.0 != 0)
            .map(|(_, name)| *name)
            .collect();
        write!(f, "[{}]", said.join(" "))
    }
}

/// What can be made of an event of a source whose readiness lay between `least` and `most` when it was reported.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// No such readiness says this.
    Impossible,
    Flags(PollFlags),
    /// More than one does.
    Ambiguous,
}

/// Which readiness between `least` and `most` makes an event say `said`.
pub(crate) fn reading(said: Said, least: PollFlags, most: PollFlags) -> Reading {
    let open = (most - least).bits();
    let mut found = Reading::Impossible;
    let mut subset = open;
    // Every subset of the open bits, the largest first.
    loop {
        let flags = least | PollFlags::from_bits_retain(subset);
        if flags != NOTHING && Said::of(flags) == said {
            // Beside a hang-up, the peer's end makes no difference.
            let counted = match flags.contains(PollFlags::HUP) {
                true => flags - RDHUP,
                false => flags,
            };
            found = match found {
                Reading::Impossible => Reading::Flags(counted),
                Reading::Flags(other) if other == counted => found,
                _ => Reading::Ambiguous,
            };
        }
        if subset == 0 {
            return found;
        }
        subset = (subset - 1) & open;
    }
}

/// The same for an event that is certain to name a direction, and of which no more is known: a source that was ready for
/// no more than `most` of what was asked for. An end is told as readiness.
pub(crate) fn directions(said: Said, asked: PollFlags, most: PollFlags) -> Reading {
    let (reads, writes) = said.directions();
    let may_read = asked.intersects(IN) && most.intersects(IN | RDHUP | END);
    let may_write = asked.intersects(OUT) && most.intersects(OUT | END);
    if !(reads || writes) || reads && !may_read || writes && !may_write {
        Reading::Impossible
    } else {
        Reading::Flags(most)
    }
}
