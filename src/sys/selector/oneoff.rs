//! What `poll_oneoff` is asked, and what its answers mean: WASI preview 1.
//!
//! Rests on the definition of `wasi_snapshot_preview1`: the layout of its records, and that a call waits until at least one
//! of its subscriptions has occurred. A subscription is to one direction of a descriptor, or to a time. It can only be
//! made for a direction: of a descriptor of which neither is asked for, nothing is learned, not even its end.
//!
//! Nothing here makes a system call, so it is tested on every host.

use std::os::fd::RawFd;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;

use crate::sys::poll_flags::NVAL;

/// What one call asks.
#[derive(Debug)]
pub(crate) struct Oneoff {
    subscriptions: Vec<Subscription>,
    events: Vec<Event>,
    /// What became of each question, in their order.
    answers: Vec<PollFlags>,
}

/// `subscription`, with its union for both kinds that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Subscription {
    userdata: u64,
    tag: u8,
    about: About,
}

/// `subscription_clock`, of which `subscription_fd_readwrite` is the first field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
struct About {
    /// The clock, or the descriptor.
    id: u32,
    /// Nanoseconds.
    timeout: u64,
    precision: u64,
    flags: u16,
}

/// `event`.
#[derive(Clone, Debug, Default)]
#[repr(C)]
pub(crate) struct Event {
    userdata: u64,
    error: u16,
    tag: u8,
    /// `event_fd_readwrite`.
    ready: Ready,
}

#[derive(Clone, Debug, Default)]
#[repr(C)]
struct Ready {
    bytes: u64,
    flags: u16,
}

/// `eventtype`.
const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;

/// `clockid`: the one that nobody sets.
const MONOTONIC: u32 = 1;

/// `eventrwflags`: the other end is closed.
const HANGUP: u16 = 1;

/// `errno`: not a descriptor.
const BADF: u16 = 8;

/// Who has asked for the time. There are fewer questions than that.
const NOBODY: u64 = u64::MAX;

impl Oneoff {
    pub(crate) const fn new() -> Oneoff {
        Oneoff {
            subscriptions: Vec::new(),
            events: Vec::new(),
            answers: Vec::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.subscriptions.clear();
        self.answers.clear();
    }

    /// Asks one thing more.
    pub(crate) fn push(&mut self, fd: RawFd, flags: PollFlags) {
        let userdata = self.answers.len() as u64;
        self.answers.push(PollFlags::empty());
        for (flag, tag) in [(PollFlags::IN, FD_READ), (PollFlags::OUT, FD_WRITE)] {
            if flags.intersects(flag) {
                // What is no descriptor is no other one for it.
                let id = u32::try_from(fd).unwrap_or(u32::MAX);
                self.subscriptions.push(Subscription {
                    userdata,
                    tag,
                    about: About {
                        id,
                        ..About::default()
                    },
                });
            }
        }
    }

    /// Waits until there is something to say. `call` is the system's: it has room for as many events as there are
    /// subscriptions, and returns how many it has written.
    pub(crate) fn wait<C>(&mut self, timeout: Option<Duration>, call: C) -> Result<(), Errno>
    where
        C: FnOnce(&[Subscription], &mut [Event]) -> Result<usize, Errno>,
    {
        self.subscriptions
            .extend(timeout.map(Subscription::to_time));
        let number = self.subscriptions.len();
        self.events.resize(number, Event::default());
        let answered = call(&self.subscriptions, &mut self.events)?;
        for event in self.events.iter().take(answered) {
            let asker = usize::try_from(event.userdata).ok();
            if let Some(answer) = asker.and_then(|index| self.answers.get_mut(index)) {
                *answer |= event.flags();
            }
        }
        Ok(())
    }

    /// The answers, in the order of the questions.
    pub(crate) fn answers(&self) -> impl Iterator<Item = PollFlags> + '_ {
        self.answers.iter().copied()
    }
}

impl Subscription {
    /// `timeout` from now. What does not fit is longer than five centuries.
    fn to_time(timeout: Duration) -> Subscription {
        Subscription {
            userdata: NOBODY,
            tag: CLOCK,
            about: About {
                id: MONOTONIC,
                timeout: u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX),
                ..About::default()
            },
        }
    }
}

impl Event {
    /// As `poll(2)` would say it. Whoever is told of an error tries, and gets it.
    fn flags(&self) -> PollFlags {
        let ready = match (self.error, self.tag) {
            (BADF, _) => return NVAL,
            (0, FD_READ) => PollFlags::IN,
            (0, FD_WRITE) => PollFlags::OUT,
            _ => return PollFlags::ERR,
        };
        if self.ready.flags & HANGUP != 0 {
            ready | PollFlags::HUP
        } else {
            ready
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::size_of;

    const IN: PollFlags = PollFlags::IN;
    const OUT: PollFlags = PollFlags::OUT;

    /// Bytes from the beginning of the whole to a part of it.
    fn offset<T, P>(whole: &T, part: &P) -> usize {
        let [whole, part]: [*const u8; 2] = [(whole as *const T).cast(), (part as *const P).cast()];
        part as usize - whole as usize
    }

    fn event(userdata: u64, error: u16, tag: u8, flags: u16) -> Event {
        Event {
            userdata,
            error,
            tag,
            ready: Ready { bytes: 1, flags },
        }
    }

    /// The answers to `questions` if the system writes `events`.
    fn answers(questions: &[(RawFd, PollFlags)], events: &[Event]) -> Vec<PollFlags> {
        let mut asks = Oneoff::new();
        for &(fd, flags) in questions {
            asks.push(fd, flags);
        }
        asks.wait(None, |_, room| {
            room[..events.len()].clone_from_slice(events);
            Ok(events.len())
        })
        .unwrap();
        asks.answers().collect()
    }

    /// The numbers are those of the definition.
    #[test]
    fn records_are_laid_out_as_they_are_defined() {
        if std::mem::align_of::<u64>() < 8 {
            return; // 32-bit x86, whose compilers pack what WebAssembly's do not
        }
        let it = Subscription::to_time(Duration::ZERO);
        assert_eq!(size_of::<Subscription>(), 48);
        assert_eq!(offset(&it, &it.tag), 8);
        assert_eq!(offset(&it, &it.about.id), 16);
        assert_eq!(offset(&it, &it.about.timeout), 24);
        assert_eq!(offset(&it, &it.about.precision), 32);
        assert_eq!(offset(&it, &it.about.flags), 40);

        let it = Event::default();
        assert_eq!(size_of::<Event>(), 32);
        assert_eq!(offset(&it, &it.error), 8);
        assert_eq!(offset(&it, &it.tag), 10);
        assert_eq!(offset(&it, &it.ready.bytes), 16);
        assert_eq!(offset(&it, &it.ready.flags), 24);
    }

    #[test]
    fn each_direction_is_a_subscription() {
        let mut asks = Oneoff::new();
        for (fd, flags) in [(7, IN | OUT), (8, PollFlags::empty()), (9, OUT)] {
            asks.push(fd, flags);
        }
        asks.wait(None, |asked, room| {
            let asked: Vec<_> = asked
                .iter()
                .map(|asked| (asked.userdata, asked.tag, asked.about.id))
                .collect();
            assert_eq!(asked, [(0, FD_READ, 7), (0, FD_WRITE, 7), (2, FD_WRITE, 9)]);
            assert_eq!(room.len(), 3);
            Ok(0)
        })
        .unwrap();
        assert_eq!(asks.answers().collect::<Vec<_>>(), [PollFlags::empty(); 3]);
    }

    #[test]
    fn time_is_asked_for_in_nanoseconds() {
        for (timeout, nanoseconds) in [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_micros(50), 50_000),
            (Duration::from_secs(3), 3_000_000_000),
            (Duration::MAX, u64::MAX),
        ] {
            let mut asks = Oneoff::new();
            asks.wait(Some(timeout), |asked, room| {
                assert_eq!((asked.len(), room.len()), (1, 1));
                assert_eq!((asked[0].tag, asked[0].about.id), (CLOCK, MONOTONIC));
                assert_eq!(asked[0].about.timeout, nanoseconds);
                // From now, and not later than that.
                assert_eq!((asked[0].about.flags, asked[0].about.precision), (0, 0));
                room[0] = event(asked[0].userdata, 0, CLOCK, 0);
                Ok(1)
            })
            .unwrap();
            assert_eq!(asks.answers().count(), 0);
        }
    }

    #[test]
    fn a_direction_is_ready_or_broken() {
        let both = [(7, IN | OUT), (9, IN | OUT)];
        let none = PollFlags::empty();
        for (events, said) in [
            (vec![event(1, 0, FD_READ, 0)], [none, IN]),
            (vec![event(0, 0, FD_WRITE, 0)], [OUT, none]),
            (
                vec![event(0, 0, FD_WRITE, 0), event(0, 0, FD_READ, 0)],
                [IN | OUT, none],
            ),
            (
                vec![event(1, 0, FD_READ, HANGUP)],
                [none, IN | PollFlags::HUP],
            ),
            (vec![event(0, BADF, FD_READ, 0)], [NVAL, none]),
            (vec![event(0, 64, FD_WRITE, 0)], [PollFlags::ERR, none]),
            // A time and something unknown are nobody's answers.
            (
                vec![event(NOBODY, 0, CLOCK, 0), event(2, 0, FD_READ, 0)],
                [none; 2],
            ),
        ] {
            assert_eq!(answers(&both, &events), said, "{events:?}");
        }
    }

    #[test]
    fn questions_do_not_outlive_their_call() {
        let mut asks = Oneoff::new();
        asks.push(7, IN);
        let timeout = Some(Duration::from_secs(1));
        asks.wait(timeout, |_, _| Ok(0)).unwrap();
        asks.clear();
        asks.push(8, OUT);
        asks.wait(None, |asked, _| {
            assert_eq!((asked.len(), asked[0].about.id), (1, 8));
            Ok(0)
        })
        .unwrap();
        assert_eq!(asks.answers().count(), 1);
    }

    #[test]
    fn an_error_of_the_call_is_returned() {
        let mut asks = Oneoff::new();
        assert_eq!(asks.wait(None, |_, _| Err(Errno::INVAL)), Err(Errno::INVAL));
    }
}
