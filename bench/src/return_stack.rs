//! What returns cost behind a system call, by how deep they go and how much of the return stack was covered before.
//!
//! ```sh
//! cargo xtask bench return-stack       # half a minute
//! cargo xtask bench return-stack --quick
//! ```
//!
//! Measured as README.md says. The loops make inline system calls; behind each of these, so many calls to the next
//! instruction push addresses over those that the kernel may have left. README.md has what came of it.

use std::hint::black_box;
use std::io::ErrorKind;
use std::time::Duration;

use crate::harness::{Clock, Make, Operation, Task};
use crate::ops::sockets::{tcp_pair, tcp_round_trip};
use crate::outcome::Outcome;
use crate::quiet::Core;
use crate::subject::bare::{Epoll, Inline, Libc};
use crate::subject::{Source, Stream, Subject, Want};

type Queue = Epoll<Inline>;
type Tcp = <Queue as Subject>::Tcp;

const WORDS: [&str; 4] = ["no words", "8 words", "16 words", "32 words"];
const DEPTHS: [&str; 5] = ["depth 0", "depth 1", "depth 8", "depth 16", "depth 24"];

/// Each number of words with each depth.
macro_rules! subjects {
    ($make:ident) => {{
        let mut subjects = Subjects::new();
        subjects!($make, subjects, "no words", 0);
        subjects!($make, subjects, "8 words", 8);
        subjects!($make, subjects, "16 words", 16);
        subjects!($make, subjects, "32 words", 32);
        subjects
    }};
    ($make:ident, $subjects:ident, $words:literal, $number:literal) => {
        subjects!($make, $subjects, $words, $number, 0);
        subjects!($make, $subjects, $words, $number, 1);
        subjects!($make, $subjects, $words, $number, 8);
        subjects!($make, $subjects, $words, $number, 16);
        subjects!($make, $subjects, $words, $number, 24);
    };
    ($make:ident, $subjects:ident, $words:literal, $number:literal, $depth:literal) => {
        $subjects.push((concat!($words, ", depth ", $depth), || {
            Box::new($make::<$number>($depth))
        }));
    };
}

type Subjects = Vec<(&'static str, Make)>;

/// The operations, for each number of words and each depth a subject.
pub(crate) fn operations() -> [Operation; 3] {
    let operation = |name, about, subjects: Subjects| Operation {
        name,
        about,
        clock: Clock::Thread,
        times: None,
        rounds: 1.0,
        counted: false,
        goal: (None, None),
        subjects,
    };
    let mut round_trips = subjects!(round_trip);
    round_trips.push((LIBC, || Box::new(tcp_round_trip::<Epoll<Libc>>())));
    [
        operation(
            "returns: round trip",
            "TCP: write, poll, read, twice; reading in a function of that depth",
            round_trips,
        ),
        operation(
            "returns: read that would block",
            "TCP, in a function of that depth",
            subjects!(would_block),
        ),
        operation(
            "returns: empty poll",
            "in a function of that depth",
            subjects!(empty_poll),
        ),
    ]
}

const LIBC: &str = "through libc";

/// Measures them, and prints a table of each.
pub(crate) fn run(quick: bool) {
    let mut core = Core::new();
    for operation in operations() {
        report(&Outcome::find(operation, quick, &mut core));
    }
}

/// Nanoseconds, and in brackets how many times those with 16 words and no return.
fn report(outcome: &Outcome) {
    let operation = &outcome.operation;
    println!("{}, nanoseconds: {}", operation.name, operation.about);
    print!("{:<12}", "");
    for depth in DEPTHS {
        print!(" {depth:>15}");
    }
    println!();
    let cell = |name: &str| {
        let nanos = outcome.nanos(name)?;
        let ratio = outcome.ratio(name, "16 words, depth 0")?.middle;
        Some(format!("{nanos:.0} ({ratio:.2})"))
    };
    for words in WORDS {
        print!("{words:<12}");
        for depth in DEPTHS {
            let cell = cell(&format!("{words}, {depth}")).expect("a subject");
            print!(" {cell:>15}");
        }
        println!();
    }
    if let Some(cell) = cell(LIBC) {
        println!("{LIBC:<12} {cell:>15}");
    }
    println!("    {}\n", outcome.measured.remark());
}

/// Pushes so many addresses that nothing returns to, and takes them off the stack in memory.
#[inline(always)]
fn cover<const WORDS: usize>() {
    // SAFETY: The stack is as it was in the end, and without `nostack` nothing of the caller's is kept below it. The program
    // has no shadow stack.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            ".rept {words}",
            "call 2f",
            "int3",
            "2:",
            ".endr",
            "add rsp, 8 * {words}",
            words = const WORDS,
            options(readonly),
        );
    }
}

/// `operation`, so many functions further down, each of which returns.
#[inline(never)]
fn below<R>(depth: usize, operation: &mut impl FnMut() -> R) -> R {
    if depth > 1 {
        return black_box(below(depth - 1, operation));
    }
    operation()
}

#[inline(always)]
fn at_depth<R>(depth: usize, mut operation: impl FnMut() -> R) -> R {
    if depth == 0 {
        operation()
    } else {
        below(depth, &mut operation)
    }
}

fn empty_poll<const WORDS: usize>(depth: usize) -> impl Task {
    let mut queue = Queue::open(64);
    move |times: u64| {
        for _ in 0..times {
            at_depth(depth, || {
                assert_eq!(queue.poll(Some(Duration::ZERO)), 0);
                cover::<WORDS>();
            });
        }
    }
}

fn would_block<const WORDS: usize>(depth: usize) -> impl Task {
    let (mut near, far, _) = pair();
    move |times: u64| {
        let _ = &far;
        let mut buffer = [0; 64];
        for _ in 0..times {
            at_depth(depth, || {
                let result = near.read(&mut buffer);
                cover::<WORDS>();
                assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
            });
        }
    }
}

fn round_trip<const WORDS: usize>(depth: usize) -> impl Task {
    let (mut near, mut far, mut queue) = pair();
    move |times: u64| {
        let mut buffer = [0; 64];
        for _ in 0..times {
            assert_eq!(near.write(&buffer).unwrap(), buffer.len());
            cover::<WORDS>();
            assert_eq!(queue.poll(None), 1);
            cover::<WORDS>();
            at_depth(depth, || {
                assert_eq!(far.read(&mut buffer).unwrap(), buffer.len());
                cover::<WORDS>();
            });
            assert_eq!(far.write(&buffer).unwrap(), buffer.len());
            cover::<WORDS>();
            assert_eq!(queue.poll(None), 1);
            cover::<WORDS>();
            at_depth(depth, || {
                assert_eq!(near.read(&mut buffer).unwrap(), buffer.len());
                cover::<WORDS>();
            });
        }
    }
}

/// Two ends of a connection, which are registered.
fn pair() -> (Tcp, Tcp, Queue) {
    let (near, far) = tcp_pair();
    let queue = Queue::open(64);
    let [near, far] = [near, far].map(|stream| {
        let mut stream = Queue::tcp(stream);
        stream.register(&queue, 1, Want::Read);
        stream
    });
    (near, far, queue)
}
