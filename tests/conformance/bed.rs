//! What a case stands on: a queue of the backend under test, and what can be expected of it.
//!
//! Nothing here waits for time to pass so that something may have happened. Events are waited for until they come, with
//! a limit that only a failure reaches. Silence is the exception: it takes a moment to be believed.

use std::io::{self, ErrorKind, Write as _};
use std::sync::{mpsc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fmt, process, thread};

use mio::{Backend, Events, Interest, Poll, Registry, Token, Trigger};

use crate::alone;
use crate::ready::{Ready, Seen};
use crate::system;

/// How long anything may take that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long nothing has to happen to count as silence.
pub(crate) const SILENCE: Duration = Duration::from_millis(10);

/// How long a case may take.
const LIMIT: Duration = Duration::from_secs(100);

/// Runs a case on a backend, if the system has it.
pub(crate) fn run(backend: Backend, name: &'static str, case: fn(Backend)) {
    match Poll::builder().backend(backend).build() {
        Ok(_) => {
            alone::remember(name);
            let _watched = watch(name);
            case(backend);
        }
        Err(error) if is_denied(&error) && !is_required(backend) => skip(backend, &error),
        Err(error) => panic!("the backend {backend} does not open: {error}"),
    }
}

/// Ends the program with a word if the result is not dropped in time: a poll without a timeout that nothing ends would
/// say nothing.
fn watch(name: &'static str) -> mpsc::Sender<()> {
    let (running, over) = mpsc::channel();
    thread::spawn(move || {
        if over.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = writeln!(io::stderr(), "{name} hangs");
            process::abort();
        }
    });
    running
}

fn is_denied(error: &io::Error) -> bool {
    let denied = matches!(
        error.kind(),
        ErrorKind::Unsupported | ErrorKind::PermissionDenied
    );
    denied || system::is_missing(error)
}

fn is_required(backend: Backend) -> bool {
    let list = env::var("MIO_REQUIRE_BACKENDS").unwrap_or_default();
    let name = backend.to_string();
    list.split(',')
        .map(str::trim)
        .any(|required| required == name || (required == "all" && backend.is_available()))
}

fn skip(backend: Backend, error: &io::Error) {
    static REPORTED: Mutex<Vec<Backend>> = Mutex::new(Vec::new());

    let mut reported = REPORTED.lock().unwrap();
    if !reported.contains(&backend) {
        reported.push(backend);
        // Past the harness, which shows what a test prints only if it fails.
        let _ = writeln!(io::stdout(), "skipped: everything on {backend}: {error}");
    }
}

/// Every backend that can be opened here, to stand beside the one under test.
pub(crate) fn neighbours() -> impl Iterator<Item = Backend> {
    Backend::available().filter(|&backend| Poll::builder().backend(backend).build().is_ok())
}

/// A queue under test.
pub(crate) struct Bed {
    pub(crate) poll: Poll,
    pub(crate) events: Events,
}

impl Bed {
    pub(crate) fn new(backend: Backend) -> Bed {
        Bed::with_capacity(backend, 128)
    }

    pub(crate) fn with_capacity(backend: Backend, capacity: usize) -> Bed {
        let poll = Poll::builder().backend(backend).build().unwrap();
        assert_eq!(poll.backend(), backend);
        Bed {
            poll,
            events: Events::with_capacity(capacity),
        }
    }

    /// The registry for edges, which are the default.
    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    pub(crate) fn with(&self, trigger: Trigger) -> Registry {
        self.poll.registry().with_trigger(trigger)
    }

    /// Polls once.
    #[track_caller]
    pub(crate) fn turn(&mut self, timeout: Option<Duration>) -> Vec<Seen> {
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => self.events.iter().map(Seen::from).collect(),
            // A debugger or a job control shell, perhaps. The suite sends no signals, but from a process of its own.
            Err(error) if error.kind() == ErrorKind::Interrupted => Vec::new(),
            Err(error) => panic!("poll: {error}"),
        }
    }

    /// Polls until `done` says of all the events since that they are enough.
    #[track_caller]
    pub(crate) fn gather<F>(&mut self, wanted: &dyn fmt::Debug, done: F) -> Vec<Seen>
    where
        F: Fn(&[Seen]) -> bool,
    {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while !done(&seen) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "expected {wanted:?}, but there was only {seen:?}"
            );
            seen.extend(self.turn(Some(left)));
        }
        seen
    }

    /// Polls until `token` was reported as `wanted`, by one event or several, and returns all that they said. What
    /// other tokens come meanwhile is of no interest.
    #[track_caller]
    pub(crate) fn expect<R: Into<Ready>>(&mut self, token: Token, wanted: R) -> Ready {
        let wanted = wanted.into();
        let seen = self.gather(&(token, wanted), |seen| {
            said_of(token, seen).is_some_and(|ready| ready.has(wanted))
        });
        said_of(token, &seen).unwrap_or(Ready::ANY)
    }

    /// Polls until each of the tokens has come.
    #[track_caller]
    pub(crate) fn expect_each(&mut self, tokens: &[Token]) -> Vec<Seen> {
        self.gather(&tokens, |seen| {
            tokens.iter().all(|&token| said_of(token, seen).is_some())
        })
    }

    /// Polls until nothing comes any more, which takes fewer polls than anything here could need.
    #[track_caller]
    pub(crate) fn exhaust(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        for _ in 0..1_000 {
            match self.turn(Some(Duration::ZERO)) {
                batch if batch.is_empty() => return seen,
                batch => seen.extend(batch),
            }
        }
        panic!("there is no end of events: {seen:?}");
    }

    /// Nothing comes.
    #[track_caller]
    pub(crate) fn expect_silence(&mut self) {
        let seen = self.turn(Some(SILENCE));
        assert_eq!(seen, [], "expected silence");
    }

    /// Whatever comes, it is not `token` that becomes `unwanted`.
    #[track_caller]
    pub(crate) fn expect_silence_of<R: Into<Ready>>(&mut self, token: Token, unwanted: R) {
        let unwanted = unwanted.into();
        let end = Instant::now() + SILENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            for seen in self.turn(Some(left)) {
                assert!(
                    seen.token != token || !seen.ready.has(unwanted),
                    "expected silence: {seen:?}"
                );
            }
            if left.is_zero() {
                return;
            }
        }
    }
}

/// What the events said of a token, or `None` if they did not name it.
pub(crate) fn said_of(token: Token, seen: &[Seen]) -> Option<Ready> {
    seen.iter()
        .filter(|seen| seen.token == token)
        .map(|seen| seen.ready)
        .reduce(|all, one| all | one)
}

pub(crate) const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

pub(crate) const TRIGGERS: [Trigger; 4] = [
    Trigger::Edge,
    Trigger::Level,
    Trigger::Oneshot,
    Trigger::EdgeOneshot,
];

/// Tells which round of a loop has failed.
pub(crate) struct During(String);

pub(crate) fn during(what: impl fmt::Debug) -> During {
    During(format!("{what:?}"))
}

impl Drop for During {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("this was during {}", self.0);
        }
    }
}
