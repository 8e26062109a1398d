//! One registration, and one waker, as the model sees them.

use std::time::Instant;

use mio::{Token, Trigger};

use crate::attribution::Fate;
use crate::batch::Batch;
use crate::ready::{directions, reading, Reading, Said, END, IN, NOTHING};
use crate::rules::{told, Rule, Voice};
use crate::script::Wish;
use crate::system::PollFlags;

/// What is wanted of a source.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) token: Token,
    pub(crate) wish: Wish,
    pub(crate) trigger: Trigger,
    pub(crate) bare: bool,
    pub(crate) synchronous: bool,
    /// A pipe without a reader: where each direction has events of its own, its end is told of both at once.
    pub(crate) is_broken: bool,
}

/// One registration.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) id: usize,
    pub(super) wanted: Wanted,
    pub(super) asked: PollFlags,
    pub(super) voice: Voice,
    pub(super) rule: Rule,
    /// How ready the source was when it was last looked at.
    pub(super) level: PollFlags,
    /// All that it was ready for since it was registered, or since a poll began on another thread.
    pub(super) peak: PollFlags,
    /// What an event may say that has been in the queue since before, if that is possible.
    pub(super) waiting: Option<PollFlags>,
    /// Whether an operation that would have blocked puts an end to that.
    pub(super) waiting_goes: bool,
    /// A one-shot that has reported.
    pub(super) fired: bool,
    /// Events that could have been of this registration or of another one have made its state unknown.
    pub(super) uncertain: bool,
    pub(super) promised: PollFlags,
}

/// One waker.
#[derive(Clone, Debug)]
pub(super) struct Wake {
    pub(super) id: usize,
    pub(super) token: Token,
    /// How often it was used.
    pub(super) count: usize,
    pub(super) pending: bool,
    pub(super) uncertain: bool,
}

impl Watch {
    pub(super) fn seen(&self, level: PollFlags) -> PollFlags {
        level & (self.asked | END)
    }

    /// What an event would mean if it was of this registration, and returned not later than `now`.
    pub(super) fn reading(&self, said: Said, after: PollFlags, now: Instant) -> Reading {
        if self.uncertain {
            return self.loose_reading(said, after | self.waiting.unwrap_or(NOTHING));
        }
        if self.fired || (self.wanted.synchronous && !self.rule.allows()) {
            return Reading::Impossible;
        }
        match self.waiting {
            _ if self.voice == Voice::Directions => {
                let most = self.rule.most(self.asked, self.seen(after), now);
                directions(said, self.asked, most)
            }
            None => {
                let least = self.rule.least(self.asked, self.seen(self.level));
                let most = self.rule.most(self.asked, self.seen(after), now);
                reading(said, least & most, most)
            }
            Some(waiting) => {
                let most = self.rule.most(self.asked, self.seen(after | waiting), now);
                reading(said, NOTHING, most)
            }
        }
    }

    /// The same, if all that is known is that the source was ready for some of `level`.
    pub(super) fn loose_reading(&self, said: Said, level: PollFlags) -> Reading {
        let reading = match self.voice {
            Voice::Flags => reading(said, NOTHING, told(self.seen(level), self.asked)),
            Voice::Directions => directions(said, self.asked, self.seen(level)),
        };
        match reading {
            Reading::Impossible => Reading::Impossible,
            _ if self.fired => Reading::Impossible,
            _ => Reading::Ambiguous,
        }
    }

    /// What the source was ready for while a poll was running on another thread.
    pub(super) fn possible(&self) -> PollFlags {
        match self.wanted.synchronous {
            true => self.peak | self.waiting.unwrap_or(NOTHING),
            false => PollFlags::all(),
        }
    }

    /// Whether the rule asks for an event, as ready as the source is now.
    pub(super) fn owes(&self) -> bool {
        !self.fired && !self.uncertain && self.rule.owes(self.asked, self.seen(self.level))
    }

    /// Whether it is a one-shot that has reported one direction, and of which the other one may still be in the kernel.
    pub(super) fn may_hide(&self) -> bool {
        (self.fired || self.uncertain) && self.wanted.trigger.is_oneshot()
    }

    /// Whether that event has to be in the next poll that has room. What is done in another context of the kernel may
    /// be visible before the queue has been told.
    pub(super) fn must(&self) -> bool {
        self.wanted.synchronous && self.owes()
    }

    pub(super) fn is_unmet(&self) -> bool {
        !self.fired && !self.uncertain && self.promised.intersects(self.level)
    }

    /// An operation in these directions would have blocked. Nothing came after it if it `was_last`.
    pub(super) fn blocked(&mut self, directions: PollFlags, was_last: bool) {
        let directions = directions & self.asked;
        if was_last && self.waiting_goes && self.waiting.is_some() && !self.wanted.bare {
            self.waiting = Some(self.level);
        }
        // A level is reported anyway, and a one-shot not before it was reregistered.
        if self.wanted.trigger == Trigger::Edge && directions != NOTHING {
            // There are ends of which every read would block, and which are ready all the same.
            self.promised |= directions - self.level;
            if !self.level.intersects(END) {
                self.promised |= END;
            }
        }
        self.rule.blocked(self.asked, directions);
    }

    /// A poll has come to this.
    pub(super) fn note(&mut self, fate: Fate, reading: Reading, batch: Batch<'_>) {
        if fate == Fate::Reported && self.waiting.is_some() {
            self.waiting = Some(self.level);
        }
        match (fate, reading) {
            (Fate::Silent, _) if batch.is_full() => {}
            (Fate::Silent, _) => self.rule.looked(self.seen(self.level)),
            (Fate::Reported, Reading::Flags(flags)) => {
                self.fired = self.wanted.trigger.is_oneshot();
                self.rule.looked(self.seen(self.level) | flags);
                self.rule.reported(flags, batch.began);
                self.promised -= flags;
                if flags.intersects(END) {
                    // Whoever hears of the end has to try everything.
                    self.promised = NOTHING;
                }
            }
            _ => self.note_loosely(fate),
        }
    }

    /// A poll has come to this, and more is not known.
    pub(super) fn note_loosely(&mut self, fate: Fate) {
        match fate {
            Fate::Silent => {}
            Fate::Reported if self.wanted.trigger.is_oneshot() => self.fired = true,
            Fate::Reported | Fate::Unknown => {
                // A level has no state.
                self.uncertain = self.wanted.trigger != Trigger::Level;
                self.promised = NOTHING;
            }
        }
    }
}

impl Wake {
    pub(super) fn owes(&self) -> bool {
        self.pending && !self.uncertain
    }

    pub(super) fn reading(&self, said: Said) -> Reading {
        if self.pending && said == Said::READABLE {
            Reading::Flags(IN)
        } else {
            Reading::Impossible
        }
    }

    pub(super) fn note(&mut self, fate: Fate) {
        match fate {
            Fate::Reported => self.pending = false,
            Fate::Unknown => self.uncertain = true,
            Fate::Silent => {}
        }
    }
}
