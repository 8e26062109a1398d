//! The operations.

mod classic;
mod fds;
mod many;
mod memory;
mod queue;
pub(crate) mod sockets;
mod time;
mod wake;

pub(crate) use self::memory::Memory;
use crate::harness::{Clock, Operation, Task};
use crate::subject::bare::{Epoll, Inline, Libc};
use crate::subject::mio::{Mio, MioPoll, Published};
use crate::subject::polling::Polling;
use crate::subject::Subject;

/// One operation: its name, the function `module::make` that returns a [`Task`] for the subject that is its type
/// parameter, and what is done. For all subjects, or for those in brackets.
macro_rules! operation {
    ($name:literal, $module:ident::$make:ident, $about:expr) => {
        operation!($name, $module::$make, $about, [
            Mio, Published, Epoll<Libc>, Epoll<Inline>, Polling, MioPoll
        ])
    };
    ($name:literal, $module:ident::$make:ident, $about:expr, [$($subject:ty),*]) => {
        Operation {
            name: $name,
            about: $about,
            clock: Clock::Thread,
            times: None,
            rounds: 1.0,
            counted: true,
            goal: (None, None),
            subjects: vec![$((
                <$subject as Subject>::NAME,
                || -> Box<dyn Task> { Box::new($module::$make::<$subject>()) },
            )),*],
        }
    };
}

/// What a registered source takes, subject by subject.
pub(crate) fn memory() -> Vec<(&'static str, Memory)> {
    macro_rules! of {
        ($($subject:ty),*) => {
            vec![$((<$subject as Subject>::NAME, memory::memory::<$subject>())),*]
        };
    }
    of!(Mio, Published, Epoll<Libc>, Polling, MioPoll)
}

/// All of them, in the order of the report.
pub(crate) fn all() -> Vec<Operation> {
    let mut operations = queue_and_sockets();
    operations.extend(wakes_and_time());
    operations.extend(crowds());
    operations
}

#[rustfmt::skip] // a table
fn queue_and_sockets() -> Vec<Operation> {
    vec![
        operation!("empty poll", queue::empty_poll, "a poll that does not wait; nothing is registered").goal(0.70, 0.72),
        operation!("one event, pipe", queue::pipe, "std's write into a pipe, poll, std's read"),
        operation!("one event, Unix socket", queue::unix, "the same with a pair of Unix sockets").goal(0.97, 0.98),
        operation!("one event, UDP", queue::udp, "the same with UDP: `send` and `recv`"),
        operation!("one event, TCP", queue::tcp, "the same with TCP"),
        operation!("register and deregister", queue::register, "a TCP stream").goal(0.93, 0.95),
        operation!("reregister", queue::reregister, "a TCP stream, with what it has already"),
        operation!("interest toggled", queue::toggle, "reading; reading and writing; and back: two calls"),
        operation!("read that would block", sockets::would_block, "a TCP stream's `read`").goal(0.70, 0.71),
        operation!("TCP round trip", sockets::tcp_round_trip, "64 bytes there and back: write, poll, read, twice").goal(0.82, 0.83),
        operation!("Unix round trip", sockets::unix_round_trip, "the same over a pair of Unix sockets"),
        operation!("UDP round trip", sockets::udp_round_trip, "the same with `send_to` and `recv_from`").goal(0.85, 0.86),
        operation!("accept, register, close", sockets::accept, "TCP connections that wait in the backlog").goal(0.97, 0.98),
    ]
}

#[rustfmt::skip] // a table
fn wakes_and_time() -> Vec<Operation> {
    vec![
        operation!("wake and poll", wake::wake_and_poll, "one thread wakes itself").goal(0.75, 0.78),
        operation!("repeated wake", wake::repeated, "a wake without a poll in between").goal(0.05, 0.05),
        operation!("wake across threads", wake::across, "from before `wake` until `poll` has returned on the other thread").each(20),
        operation!("timeout of 50 µs", time::micros_50, "how long the poll takes").each(2).goal_to_mio(0.15),
        operation!("timeout of 1 ms", time::milli_1, "how long the poll takes").each(1).share(0.25),
    ]
}

#[rustfmt::skip] // a table
fn crowds() -> Vec<Operation> {
    const ACTIVE: &str = "eventfds: write to 100, poll, read them";

    vec![
        operation!("100 active of 1,000", many::active_1_000, ACTIVE).once(1.0).goal(1.0, 1.0),
        operation!("100 active of 10,000", many::active_10_000, ACTIVE).once(0.25),
        operation!("100 active of 15,000", many::active_15_000, ACTIVE).once(0.25).goal(1.0, 1.0),
        operation!("libevent's classic", classic::chain, "500 pairs, 100 active, 1,000 bytes handed on").once(0.25).times(2),
    ]
}

impl Operation {
    /// At most so much of what the published mio takes, and of what libc takes.
    fn goal(mut self, to_mio: f64, to_libc: f64) -> Operation {
        self.goal = (Some(to_mio), Some(to_libc));
        self
    }

    fn goal_to_mio(mut self, to_mio: f64) -> Operation {
        self.goal = (Some(to_mio), None);
        self
    }

    fn times(mut self, times: u64) -> Operation {
        self.times = Some(times);
        self
    }

    /// The task measures each of so many times.
    fn each(mut self, times: u64) -> Operation {
        self.clock = Clock::Each;
        self.times = Some(times);
        self.counted = false;
        self
    }

    /// Takes long, and needs that share of the rounds only.
    fn share(mut self, rounds: f64) -> Operation {
        self.rounds = rounds;
        self
    }

    /// What is done is long enough for a sample by itself, or long to prepare.
    fn once(mut self, rounds: f64) -> Operation {
        self.rounds = rounds;
        self.times = Some(10);
        self.counted = false;
        self
    }
}
