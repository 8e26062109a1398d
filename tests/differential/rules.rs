//! The rules of each backend: when a registration reports, and where the documentation lets the backends differ.
//!
//! [`Rules`] names the differences, and [`Rule`] is what each of them means for one registration. Everything else in
//! this test holds for every backend.

use std::time::{Duration, Instant};

use mio::{Backend, Trigger};

use crate::ready::{END, IN, NOTHING, OUT, RDHUP, READING, WRITING};
use crate::system::{PollFlags, PACED};

/// What the documentation lets a backend do in its own way.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Rules {
    /// What an edge of a source is that tells the crate when it is drained or full.
    edges: Edges,
    /// What an edge of a bare descriptor is.
    bare_edges: Edges,
    /// Whether closing a descriptor leaves its registration alive as long as a duplicate is open.
    pub(crate) duplicates_keep_registrations: bool,
    /// Whether the queue's own descriptor shows that a source is ready. It always shows wakes.
    pub(crate) descriptor_shows_sources: bool,
    /// Whether sources that had to wait for lack of room may have to wait once more when another one is taken out.
    pub(crate) removals_change_turns: bool,
    /// Whether an event says what its source was ready for when the event came into the queue, rather than what it is
    /// ready for now.
    pub(crate) events_wait: bool,
    /// Whether an operation that would have blocked ends such an event.
    pub(crate) waiting_events_go: bool,
    /// Whether levels and one-shots are told of the end of a connection for all that was asked for, as edges are.
    ends_are_whole: bool,
    /// Whether some of the room of a poll may be taken by answers that nobody wants any more.
    pub(crate) room_is_shared: bool,
    /// How much the events say, and about what.
    voice: Voice,
    /// Whether the queue knows what is registered. Otherwise a registration takes the place of whatever there was.
    pub(crate) knows_handles: bool,
}

/// What an event says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// All that the source is ready for, in the flags that `poll(2)` has.
    Flags,
    /// The direction that is ready; how a direction has ended, each system has its own words for. A source that was
    /// registered for both has events for each of them, except for one-shots.
    Directions,
}

#[derive(Copy, Clone, Debug)]
enum Edges {
    /// The kernel sees readiness begin, whoever is behind it.
    Kernel,
    /// A direction that was reported is not looked at before an operation in it would have blocked, or has moved less than
    /// it was asked for.
    Rearmed,
    /// A direction that stays ready is reported again, after pauses of up to 4 ms.
    Paced,
}

impl Rules {
    pub(crate) fn of(backend: Backend) -> Rules {
        match backend {
            Backend::Epoll => Rules {
                edges: Edges::Kernel,
                bare_edges: Edges::Kernel,
                duplicates_keep_registrations: true,
                descriptor_shows_sources: true,
                removals_change_turns: false,
                events_wait: false,
                waiting_events_go: true,
                ends_are_whole: false,
                room_is_shared: false,
                voice: Voice::Flags,
                knows_handles: true,
            },
            Backend::Poll => Rules {
                edges: Edges::Rearmed,
                bare_edges: Edges::Paced,
                duplicates_keep_registrations: false,
                descriptor_shows_sources: false,
                removals_change_turns: true,
                events_wait: false,
                waiting_events_go: true,
                ends_are_whole: false,
                room_is_shared: false,
                voice: Voice::Flags,
                knows_handles: true,
            },
            Backend::EventPorts => Rules {
                edges: Edges::Rearmed,
                bare_edges: Edges::Paced,
                duplicates_keep_registrations: false,
                descriptor_shows_sources: true,
                removals_change_turns: false,
                events_wait: true,
                waiting_events_go: true,
                ends_are_whole: false,
                room_is_shared: false,
                voice: Voice::Flags,
                knows_handles: true,
            },
            Backend::Kqueue => Rules {
                edges: Edges::Kernel,
                bare_edges: Edges::Kernel,
                duplicates_keep_registrations: false,
                descriptor_shows_sources: true,
                removals_change_turns: false,
                events_wait: false,
                waiting_events_go: true,
                ends_are_whole: false,
                room_is_shared: false,
                voice: Voice::Directions,
                knows_handles: false,
            },
            Backend::Afd => Rules {
                edges: Edges::Rearmed,
                bare_edges: Edges::Paced,
                duplicates_keep_registrations: false,
                descriptor_shows_sources: false,
                removals_change_turns: false,
                events_wait: true,
                waiting_events_go: false,
                ends_are_whole: true,
                room_is_shared: true,
                voice: Voice::Flags,
                knows_handles: true,
            },
            _ => panic!("what may differ with {backend} has to be written down here"),
        }
    }

    pub(crate) fn voice(&self) -> Voice {
        self.voice
    }

    /// The parts of a registration that report by themselves: what each of them asks for.
    pub(crate) fn parts(&self, is_whole: bool, asked: PollFlags) -> Vec<PollFlags> {
        if self.voice == Voice::Flags || is_whole {
            return vec![asked];
        }
        let directions = [asked & READING, asked & WRITING];
        directions
            .into_iter()
            .filter(|asked| !asked.is_empty())
            .collect()
    }

    /// The rule of a new registration, whose source is as ready as `level`.
    pub(crate) fn rule(
        &self,
        trigger: Trigger,
        bare: bool,
        asked: PollFlags,
        level: PollFlags,
    ) -> Rule {
        // A one-shot that has not fired reports what it finds. It makes no difference whether it waits for an edge,
        // since being ready at the beginning counts as one.
        if trigger != Trigger::Edge {
            return Rule::WhileReady {
                ends_are_whole: self.ends_are_whole,
            };
        }
        match if bare { self.bare_edges } else { self.edges } {
            Edges::Kernel => Rule::Kernel {
                fresh: level & (asked | END),
                touched: true,
            },
            Edges::Rearmed => Rule::Rearmed {
                armed: asked,
                silent: false,
            },
            Edges::Paced => Rule::Paced(Default::default()),
        }
    }
}

/// When one registration reports, and what an event of it says.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    WhileReady {
        /// The end of a connection is told for all that was asked for.
        ends_are_whole: bool,
    },
    Kernel {
        /// What has begun since the last event, and lasts.
        fresh: PollFlags,
        /// Something was done to the source or its peer since the last event. More data or more room may count as an
        /// edge, so extra events are possible; after nothing at all they are not.
        touched: bool,
    },
    Rearmed {
        armed: PollFlags,
        /// An error or a hang-up was reported, which cannot be left out of the question by itself.
        silent: bool,
    },
    /// Of each of [`PACED`].
    Paced([Pace; PACED.len()]),
}

/// How soon a direction that stays ready is reported again: at once after the first report, later after pauses.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Pace {
    /// How many reports there were at most since the direction was seen unready by a poll.
    most: u8,
    /// How many there were at least.
    least: u8,
    /// When the last of these was made, or a little earlier.
    last: Option<Instant>,
}

impl Pace {
    /// Whether it is certain that the next poll looks at it.
    fn is_due(&self) -> bool {
        self.most < 2
    }

    /// Whether it is certain that nobody has looked before `now`.
    fn is_paused(&self, now: Instant) -> bool {
        let pause = Duration::from_millis(match self.least {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            _ => 4,
        });
        self.last.is_some_and(|last| now < last + pause)
    }

    fn reported(&mut self, certain: bool, when: Instant) {
        self.most = self.most.saturating_add(1);
        if certain {
            self.least = self.least.saturating_add(1);
            self.last = Some(when);
        }
    }
}

impl Rule {
    /// The least that an event says if the source is ready for `seen`, which are flags that this registration can see.
    /// Empty if there need be no event.
    pub(crate) fn least(&self, asked: PollFlags, seen: PollFlags) -> PollFlags {
        match self {
            Rule::WhileReady {
                ends_are_whole: true,
            } if seen.intersects(END) => told(seen, asked),
            Rule::WhileReady { .. } | Rule::Kernel { .. } => seen,
            Rule::Rearmed { silent: true, .. } => NOTHING,
            Rule::Rearmed { armed, .. } => told(seen & (*armed | END), asked),
            Rule::Paced(paces) => among(seen, asked, paces, Pace::is_due),
        }
    }

    /// The most that it says if it was returned not later than `now`. Empty if there can be none.
    pub(crate) fn most(&self, asked: PollFlags, seen: PollFlags, now: Instant) -> PollFlags {
        match self {
            Rule::Paced(paces) => among(seen, asked, paces, |pace| !pace.is_paused(now)),
            _ => self.least(asked, seen),
        }
    }

    /// Whether an event has to come now.
    pub(crate) fn owes(&self, asked: PollFlags, seen: PollFlags) -> bool {
        match *self {
            Rule::Kernel { fresh, .. } => seen.intersects(fresh),
            _ => self.least(asked, seen) != NOTHING,
        }
    }

    /// Whether an event may come now, if the source is ready at all.
    pub(crate) fn allows(&self) -> bool {
        match *self {
            Rule::Kernel { fresh, touched } => touched || fresh != NOTHING,
            _ => true,
        }
    }

    /// Something was done to the source or its peer.
    pub(crate) fn touch(&mut self) {
        if let Rule::Kernel { touched, .. } = self {
            *touched = true;
        }
    }

    /// The source is now ready for `seen`, and `risen` of that is new.
    pub(crate) fn change(&mut self, seen: PollFlags, risen: PollFlags) {
        match self {
            Rule::Kernel { fresh, .. } => *fresh = (*fresh | risen) & seen,
            Rule::Paced(paces) => {
                for (direction, pace) in PACED.into_iter().zip(paces) {
                    if !seen.intersects(direction | END) {
                        // A poll may have noticed.
                        pace.least = 0;
                    }
                }
            }
            Rule::WhileReady { .. } | Rule::Rearmed { .. } => {}
        }
    }

    /// An operation in these directions would have blocked.
    pub(crate) fn blocked(&mut self, asked: PollFlags, directions: PollFlags) {
        if let Rule::Rearmed { armed, silent, .. } = self {
            if directions.intersects(asked - *armed) {
                *armed |= directions & asked;
                *silent = false;
            }
        }
    }

    /// A poll that began at `when` has reported `flags`.
    pub(crate) fn reported(&mut self, flags: PollFlags, when: Instant) {
        match self {
            Rule::WhileReady { .. } => {}
            Rule::Kernel { fresh, touched } => {
                *fresh = NOTHING;
                *touched = false;
            }
            Rule::Rearmed { armed, silent, .. } => {
                *armed -= flags;
                if flags.intersects(END) {
                    *armed = NOTHING;
                    *silent = true;
                }
            }
            Rule::Paced(paces) => {
                let broken = flags.intersects(END);
                for (direction, pace) in PACED.into_iter().zip(paces) {
                    if broken || flags.intersects(direction) {
                        // An end is told for directions, too, that were not looked at.
                        pace.reported(!broken || pace.is_due(), when);
                    }
                }
            }
        }
    }

    /// A poll has looked at the source, which was ready for no more than `seen`.
    pub(crate) fn looked(&mut self, seen: PollFlags) {
        if let Rule::Paced(paces) = self {
            for (direction, pace) in PACED.into_iter().zip(paces) {
                if pace.is_due() && !seen.intersects(direction | END) {
                    *pace = Pace::default();
                }
            }
        }
    }
}

/// What of `seen` is said if only those directions are looked at whose pace allows it.
fn among(
    seen: PollFlags,
    asked: PollFlags,
    paces: &[Pace],
    allows: impl Fn(&Pace) -> bool,
) -> PollFlags {
    let looked_at = PACED
        .into_iter()
        .zip(paces)
        .filter(|(_, pace)| allows(pace))
        .fold(NOTHING, |all, (direction, _)| all | direction);
    // An end shows itself when any direction is looked at.
    match looked_at & (asked | END) {
        none if none.is_empty() => NOTHING,
        some => told(seen & (some | END), asked),
    }
}

/// What is said of `seen`: an error or a hang-up is told as readiness in each direction that was `asked` for, and the end
/// of the peer's stream as something to read.
pub(crate) fn told(seen: PollFlags, asked: PollFlags) -> PollFlags {
    let mut said = seen;
    said.set(IN, seen.intersects(IN | RDHUP));
    if seen.intersects(END) {
        said |= asked & (IN | OUT);
    }
    said
}
