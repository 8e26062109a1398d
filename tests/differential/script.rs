//! Scripts: what is done to a queue and its sources, in an order that nobody would write by hand.
//!
//! What `{:?}` prints of a script can be pasted into `scripts.rs`. A step that finds nothing to work on (an empty
//! slot, an end that cannot be written to) does nothing, so that every part of a script is a script, too: that is what
//! lets proptest shrink them.

use std::fmt;

use mio::{Interest, Token, Trigger};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::ready::PRIORITY;

/// How many pairs there are at once.
const SLOTS: u8 = 4;
/// How many wakers there are at once.
const WAKERS: u8 = 3;

#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    /// The capacity of the polls that follow the last step.
    pub(crate) room: u8,
}

#[derive(Copy, Clone, Debug)]
pub(crate) enum Step {
    /// Puts a new pair into a slot, after what was there is gone.
    Make(u8, Kind, Flavor),
    Register(End, Wish, Trigger, Name),
    Reregister(End, Wish, Trigger, Name),
    Deregister(End),
    /// One read of at most so many bytes.
    Read(End, u16),
    /// One read through an operation whose direction the crate does not know.
    TryRead(End),
    /// One look at what could be read.
    Peek(End),
    /// Reads until that would block, the stream ends, or fails.
    Drain(End),
    /// One write of so many bytes.
    Write(End, u16),
    /// Writes until that would block, or fails.
    Fill(End),
    /// Sends an out-of-band byte.
    Oob(End),
    Shutdown(End, How),
    /// Closes an end: deregisters it before if the crate does not own the descriptor.
    Close(End),
    /// Duplicates the descriptor of an end. The duplicate stays open when the end is closed.
    Dup(End),
    CloseDups(End),
    MakeWaker(u8, Name),
    Wake(u8),
    DropWaker(u8),
    /// A poll of so much capacity that does not wait.
    Poll(u8),
    /// As `Poll`, but with time to wait if something has to be reported.
    Wait(u8),
    /// A poll of so much capacity, on another thread. The next step is made meanwhile, some microseconds later.
    Meanwhile(u8, u8),
}

/// One end of the pair in a slot. The ends are alike but for pipes, which run from `A` to `B`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    A(u8),
    B(u8),
}

/// What a pair is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unix,
    Tcp,
    Pipe,
    Udp,
    Datagram,
}

/// What the crate knows of an end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// It is of one of the crate's types, if the build has that, and else as `Wrapped`.
    Own,
    /// It is an `IoSource` around a descriptor.
    Wrapped,
    /// It is a descriptor that is registered as `SourceFd`.
    #[cfg(feature = "os-ext")]
    Bare,
}

/// An interest.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Wish {
    R,
    W,
    RW,
    P,
    All,
}

/// Which way an end is shut down.
#[derive(Copy, Clone, Debug)]
pub(crate) enum How {
    Reading,
    Writing,
    Both,
}

/// What a token is to be.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Name {
    /// One that is used nowhere else in the script.
    Fresh,
    /// One of few, so that sources and wakers share it.
    Shared(u8),
    /// One that a careless implementation could take for its own.
    Odd(u8),
}

/// As it is written in `scripts.rs`, whichever way it is asked for.
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.steps.iter().map(|step| format!("{step:?}")).collect();
        write!(f, "run(&[{}], {})", steps.join(", "), self.room)
    }
}

impl End {
    pub(crate) fn slot(self) -> u8 {
        match self {
            End::A(slot) | End::B(slot) => slot,
        }
    }

    pub(crate) fn other(self) -> End {
        match self {
            End::A(slot) => End::B(slot),
            End::B(slot) => End::A(slot),
        }
    }
}

impl Kind {
    /// The nearest to it that this system has.
    pub(crate) fn here(self) -> Kind {
        match self {
            Kind::Unix | Kind::Pipe if cfg!(windows) => Kind::Tcp,
            Kind::Datagram if cfg!(windows) => Kind::Udp,
            kind => kind,
        }
    }

    /// Whether what one end does is seen by the other before the system call returns. TCP and UDP leave it to another
    /// context of the kernel now and then.
    pub(crate) fn is_synchronous(self) -> bool {
        matches!(self, Kind::Unix | Kind::Pipe | Kind::Datagram)
    }

    pub(crate) fn can_read(self, end: End) -> bool {
        self != Kind::Pipe || matches!(end, End::B(_))
    }

    pub(crate) fn can_write(self, end: End) -> bool {
        self != Kind::Pipe || matches!(end, End::A(_))
    }
}

impl Flavor {
    const ALL: &'static [Flavor] = &[
        Flavor::Own,
        Flavor::Wrapped,
        #[cfg(feature = "os-ext")]
        Flavor::Bare,
    ];

    pub(crate) fn is_bare(self) -> bool {
        #[cfg(feature = "os-ext")]
        return self == Flavor::Bare;
        #[cfg(not(feature = "os-ext"))]
        return false;
    }
}

impl Wish {
    /// Where there is no priority, it is not asked for.
    pub(crate) fn interest(self) -> Interest {
        let both = Interest::READABLE | Interest::WRITABLE;
        match self {
            Wish::R => Interest::READABLE,
            Wish::W => Interest::WRITABLE,
            Wish::RW => both,
            Wish::P => PRIORITY.unwrap_or(Interest::READABLE),
            Wish::All => PRIORITY.map_or(both, |priority| both | priority),
        }
    }
}

impl Name {
    /// The token, of which `Fresh` makes one that belongs to the step.
    pub(crate) fn token(self, step: usize) -> Token {
        match self {
            Name::Fresh => Token(1000 + step),
            Name::Shared(n) => Token(1 + usize::from(n)),
            Name::Odd(n) => {
                Token([0, usize::MAX, usize::MAX - 1, isize::MIN as usize][usize::from(n % 4)])
            }
        }
    }
}

pub(crate) fn script() -> impl Strategy<Value = Script> {
    let pair = || {
        let kind = prop_oneof![
            5 => Just(Kind::Unix),
            4 => Just(Kind::Pipe),
            3 => Just(Kind::Datagram),
            2 => Just(Kind::Tcp),
            1 => Just(Kind::Udp),
        ];
        (kind, select(Flavor::ALL))
    };
    let step = prop_oneof![
        1 => (0..SLOTS, pair()).prop_map(|(slot, (kind, flavor))| Step::Make(slot, kind, flavor)),
        9 => registration(),
        13 => transfer(),
        3 => ending(),
        3 => waking(),
        7 => polling(),
    ];
    // Most steps need something to work on, so that comes first.
    let begin = vec(pair(), 1..=usize::from(SLOTS));
    (begin, vec(step, 1..60), 1_u8..=16).prop_map(|(begin, steps, room)| {
        let make = |(slot, (kind, flavor))| Step::Make(slot, kind, flavor);
        Script {
            steps: (0..).zip(begin).map(make).chain(steps).collect(),
            room,
        }
    })
}

fn registration() -> impl Strategy<Value = Step> {
    let wish = || {
        prop_oneof![
            4 => Just(Wish::R),
            3 => Just(Wish::W),
            4 => Just(Wish::RW),
            1 => Just(Wish::P),
            2 => Just(Wish::All),
        ]
    };
    let trigger = || {
        prop_oneof![
            5 => Just(Trigger::Edge),
            3 => Just(Trigger::Level),
            2 => Just(Trigger::Oneshot),
            2 => Just(Trigger::EdgeOneshot),
        ]
    };
    let wanted = move || (end(), wish(), trigger(), name());
    prop_oneof![
        5 => wanted().prop_map(|(end, wish, trigger, name)| Step::Register(end, wish, trigger, name)),
        3 => wanted().prop_map(|(end, wish, trigger, name)| Step::Reregister(end, wish, trigger, name)),
        1 => end().prop_map(Step::Deregister),
    ]
}

fn transfer() -> impl Strategy<Value = Step> {
    let some = || prop_oneof![4 => 1_u16..=8, 1 => 1_u16..=6000];
    prop_oneof![
        3 => (end(), some()).prop_map(|(end, n)| Step::Read(end, n)),
        1 => end().prop_map(Step::TryRead),
        1 => end().prop_map(Step::Peek),
        6 => end().prop_map(Step::Drain),
        6 => (end(), some()).prop_map(|(end, n)| Step::Write(end, n)),
        3 => end().prop_map(Step::Fill),
        2 => end().prop_map(Step::Oob),
    ]
}

fn ending() -> impl Strategy<Value = Step> {
    let how = select(&[How::Reading, How::Writing, How::Both][..]);
    prop_oneof![
        4 => (end(), how).prop_map(|(end, how)| Step::Shutdown(end, how)),
        3 => end().prop_map(Step::Close),
        2 => end().prop_map(Step::Dup),
        1 => end().prop_map(Step::CloseDups),
    ]
}

fn waking() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..WAKERS, name()).prop_map(|(waker, name)| Step::MakeWaker(waker, name)),
        6 => (0..WAKERS).prop_map(Step::Wake),
        1 => (0..WAKERS).prop_map(Step::DropWaker),
    ]
}

fn polling() -> impl Strategy<Value = Step> {
    let room = || prop_oneof![3 => 1_u8..=3, 1 => 1_u8..=64];
    prop_oneof![
        8 => room().prop_map(Step::Poll),
        4 => room().prop_map(Step::Wait),
        2 => (room(), prop_oneof![Just(0), 0_u8..=200])
            .prop_map(|(room, micros)| Step::Meanwhile(room, micros)),
    ]
}

fn end() -> impl Strategy<Value = End> {
    (0..SLOTS, any::<bool>()).prop_map(|(slot, b)| if b { End::B(slot) } else { End::A(slot) })
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        6 => Just(Name::Fresh),
        1 => (0_u8..2).prop_map(Name::Shared),
        1 => (0_u8..4).prop_map(Name::Odd),
    ]
}
