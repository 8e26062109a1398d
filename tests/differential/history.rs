//! What has happened to a queue, for the report of a failure.

use std::fmt::Write as _;
use std::io::ErrorKind;

use mio::Backend;

use crate::batch::Seen;
use crate::script::{End, Step};
use crate::system::PollFlags;

/// What a step came to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There was nothing to do it with.
    Skipped,
    /// What differs from one time to the next.
    Done,
    Result(Result<usize, ErrorKind>),
}

/// Why a script fails, and how it came about.
#[derive(Debug)]
pub(crate) enum Failure {
    Wrong(String),
    /// It took longer than it should. That may be the machine's fault.
    Late(String),
}

impl From<String> for Failure {
    fn from(what: String) -> Failure {
        Failure::Wrong(what)
    }
}

#[derive(Debug)]
pub(crate) enum Entry {
    Step(usize, Step),
    Outcome(Outcome),
    Level(End, PollFlags),
    Events(Vec<Seen>),
}

/// What was done and seen, kept as it is until somebody asks.
#[derive(Debug, Default)]
pub(crate) struct History(Vec<Entry>);

impl History {
    pub(crate) fn push(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    /// A failure with all that has led to it.
    pub(crate) fn report(&self, backend: Backend, failure: Failure) -> Failure {
        match failure {
            Failure::Wrong(what) => Failure::Wrong(self.tell(backend, &what)),
            Failure::Late(what) => Failure::Late(self.tell(backend, &what)),
        }
    }

    fn tell(&self, backend: Backend, what: &str) -> String {
        let mut report = format!("{backend}: {what}\n");
        for entry in &self.0 {
            let _ = match entry {
                Entry::Step(number, step) => write!(report, "\n{number:4}. {step:?}"),
                Entry::Outcome(Outcome::Skipped) => write!(report, " (skipped)"),
                Entry::Outcome(Outcome::Done) => Ok(()),
                Entry::Outcome(Outcome::Result(result)) => write!(report, " = {result:?}"),
                Entry::Level(end, level) => write!(report, "\n        {end:?}: {level:?}"),
                Entry::Events(events) => write!(report, "\n        {events:?}"),
            };
        }
        report
    }
}
