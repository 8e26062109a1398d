//! Two backends in one build, of which each queue uses one, chosen when it is opened.
//!
//! A build with one backend does not compile this file: its selector *is* that backend, and nothing is chosen.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::sys::selector::{Direction, Selector, Target, Wanted};
use crate::{Backend, Interest, Token, Trigger};

/// A queue, or the signal of a queue, of backend `A` (the default one) or `B`.
pub(crate) enum Either<A, B> {
    A(A),
    B(B),
}

use Either::{A as InA, B as InB};

impl<A: fmt::Debug, B: fmt::Debug> fmt::Debug for Either<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InA(a) => a.fmt(f),
            InB(b) => b.fmt(f),
        }
    }
}

impl<A, B> Selector for Either<A, B>
where
    A: Selector,
    B: Selector<Event = A::Event, State = A::State>,
{
    const DEFAULT: Backend = A::DEFAULT;
    const KNOWS_HANDLES: bool = A::KNOWS_HANDLES && B::KNOWS_HANDLES;
    const MOST_EVENTS: usize = if A::MOST_EVENTS < B::MOST_EVENTS {
        A::MOST_EVENTS
    } else {
        B::MOST_EVENTS
    };

    type Event = A::Event;
    type State = A::State;
    type Signal = Either<A::Signal, B::Signal>;

    fn supports(backend: Backend) -> bool {
        A::supports(backend) || B::supports(backend)
    }

    fn open(backend: Backend) -> io::Result<Self> {
        if A::supports(backend) {
            A::open(backend).map(InA)
        } else {
            B::open(backend).map(InB)
        }
    }

    fn backend(&self) -> Backend {
        match self {
            InA(a) => a.backend(),
            InB(b) => b.backend(),
        }
    }

    #[inline]
    fn select(&self, events: &mut Vec<Self::Event>, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            InA(a) => a.select(events, timeout),
            InB(b) => b.select(events, timeout),
        }
    }

    #[inline]
    fn register(&self, target: Target<'_, Self::State>, wanted: Wanted) -> io::Result<()> {
        match self {
            InA(a) => a.register(target, wanted),
            InB(b) => register(b, target, wanted.token, wanted.interest, wanted.trigger),
        }
    }

    #[inline]
    fn reregister(&self, target: Target<'_, Self::State>, wanted: Wanted) -> io::Result<()> {
        match self {
            InA(a) => a.reregister(target, wanted),
            InB(b) => reregister(b, target, wanted.token, wanted.interest, wanted.trigger),
        }
    }

    #[inline]
    fn deregister(&self, target: Target<'_, Self::State>) -> io::Result<()> {
        match self {
            InA(a) => a.deregister(target),
            InB(b) => b.deregister(target),
        }
    }

    #[inline]
    fn tracks_sources() -> bool {
        A::tracks_sources() || B::tracks_sources()
    }

    fn rearm(target: Target<'_, Self::State>, direction: Direction) {
        A::rearm(target, direction);
        B::rearm(target, direction);
    }

    fn closing(target: Target<'_, Self::State>) {
        A::closing(target);
        B::closing(target);
    }

    fn signal(&self, token: Token) -> io::Result<Self::Signal> {
        match self {
            InA(a) => a.signal(token).map(InA),
            InB(b) => b.signal(token).map(InB),
        }
    }

    #[inline]
    fn raise(&self, signal: &Self::Signal) -> io::Result<()> {
        match (self, signal) {
            (InA(a), InA(signal)) => a.raise(signal),
            (InB(b), InB(signal)) => b.raise(signal),
            _ => unreachable!("a signal stays with the queue that made it"),
        }
    }

    fn retire(&self, signal: &Self::Signal) {
        match (self, signal) {
            (InA(a), InA(signal)) => a.retire(signal),
            (InB(b), InB(signal)) => b.retire(signal),
            _ => unreachable!("a signal stays with the queue that made it"),
        }
    }
}

impl<A: AsFd, B: AsFd> AsFd for Either<A, B> {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            InA(a) => a.as_fd(),
            InB(b) => b.as_fd(),
        }
    }
}

// What is wanted goes to the second backend in registers. A structure would be written to memory before it is known which
// backend it is for.

#[inline(never)]
fn register<S: Selector>(
    selector: &S,
    target: Target<'_, S::State>,
    token: Token,
    interest: Interest,
    trigger: Trigger,
) -> io::Result<()> {
    let wanted = Wanted {
        token,
        interest,
        trigger,
    };
    selector.register(target, wanted)
}

#[inline(never)]
fn reregister<S: Selector>(
    selector: &S,
    target: Target<'_, S::State>,
    token: Token,
    interest: Interest,
    trigger: Trigger,
) -> io::Result<()> {
    let wanted = Wanted {
        token,
        interest,
        trigger,
    };
    selector.reregister(target, wanted)
}
