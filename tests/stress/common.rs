//! What the scenarios share: processes of their own, time, chance, and pairs of sockets.

use std::collections::hash_map::RandomState;
use std::env;
use std::hash::{BuildHasher, Hasher};
use std::panic;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Backend, IoSource, Poll, Trigger};
#[cfg(not(any(windows, target_os = "fuchsia", target_os = "redox")))]
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};

pub(crate) use crate::pair::Socket;
use crate::{pair, runner};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const TRIGGERS: [Trigger; 4] = [
    Trigger::Edge,
    Trigger::Level,
    Trigger::Oneshot,
    Trigger::EdgeOneshot,
];

/// Names the test that a child process is for.
const CHILD: &str = "MIO_STRESS_CHILD";

/// Runs the `body` of the test `name` in a process of its own.
#[track_caller]
pub(crate) fn in_child(name: &str, body: impl FnOnce()) {
    if env::var_os(CHILD).is_some_and(|child| child == name) {
        // Threads wait for each other, so the first failure is the end.
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |failure| {
            report(failure);
            process::abort();
        }));
        thread::spawn(|| {
            thread::sleep(4 * PATIENCE + 10 * span());
            panic!("hangs");
        });
        return body();
    }
    let program = env::current_exe().unwrap();
    let output = runner::command(program)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, name)
        .env(SEED, seed().to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", output.status);
    assert!(said.contains("1 passed"), "there is no test `{name}`");
}

/// How many rounds there are at least, however slow the machine is: so many that nobody does nothing by chance.
pub(crate) const FEWEST: usize = 30;

/// Runs `scenario` with a queue of each backend of this build.
pub(crate) fn on_each_backend(scenario: impl Fn(Poll)) {
    for backend in Backend::available() {
        let start = Instant::now();
        scenario(open(backend));
        println!("{backend}: {:.1} s", start.elapsed().as_secs_f64());
    }
}

pub(crate) fn open(backend: Backend) -> Poll {
    Poll::builder().backend(backend).build().unwrap()
}

/// How long a scenario goes on with one backend.
pub(crate) fn span() -> Duration {
    match env::var("MIO_STRESS_SECONDS") {
        Ok(text) => Duration::from_secs(text.parse().expect("MIO_STRESS_SECONDS is a number")),
        Err(_) => Duration::from_secs(1),
    }
}

const SEED: &str = "MIO_STRESS_SEED";

/// Where all that is drawn by chance in this process begins.
pub(crate) fn seed() -> u64 {
    static CHOSEN: OnceLock<u64> = OnceLock::new();

    *CHOSEN.get_or_init(|| {
        let seed = match env::var(SEED) {
            Ok(text) => text.parse().expect("MIO_STRESS_SEED is a number"),
            Err(_) => RandomState::new().build_hasher().finish(),
        };
        println!("{SEED}={seed}");
        seed
    })
}

/// A sequence of numbers that look drawn by chance: splitmix64.
pub(crate) struct Random(u64);

impl Random {
    /// The sequence of number `stream`.
    pub(crate) fn new(stream: usize) -> Random {
        let mut random = Random(seed() ^ stream as u64);
        random.0 = random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// What several threads begin together, again and again until the time is over.
///
/// At the end of a round most of them wait for the last one. If that waits for something that was lost, then nothing that
/// the others do can hide it.
pub(crate) struct Rounds {
    barrier: Barrier,
    deadline: Instant,
    begun: AtomicUsize,
    over: AtomicBool,
}

impl Rounds {
    pub(crate) fn of(threads: usize) -> Rounds {
        Rounds {
            barrier: Barrier::new(threads),
            deadline: Instant::now() + span(),
            begun: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        }
    }

    /// Waits for the others. Whether there is another round.
    pub(crate) fn next(&self) -> bool {
        if self.barrier.wait().is_leader() {
            let enough = self.begun.fetch_add(1, SeqCst) >= FEWEST;
            self.over
                .store(enough && Instant::now() >= self.deadline, SeqCst);
        }
        self.barrier.wait();
        !self.over.load(SeqCst)
    }
}

/// Two connected sources.
pub(crate) fn pair() -> (IoSource<Socket>, IoSource<Socket>) {
    let (one, other) = pair::pair();
    one.set_nonblocking(true).unwrap();
    other.set_nonblocking(true).unwrap();
    (IoSource::new(one), IoSource::new(other))
}

/// Waits until `done`, and is to be unparked when that may be so. Fails if it does not come.
#[track_caller]
pub(crate) fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::park_timeout(Duration::from_millis(100));
    }
}

/// Sets how many descriptors this process may have, or as many as the system lets it.
#[cfg(not(any(windows, target_os = "fuchsia", target_os = "redox")))]
pub(crate) fn limit_descriptors(wanted: u64) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let limit = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let current = Some(limit);
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    limit as usize
}

/// These systems have no limit that could be set.
#[cfg(any(windows, target_os = "fuchsia", target_os = "redox"))]
pub(crate) fn limit_descriptors(wanted: u64) -> usize {
    wanted.try_into().unwrap_or(usize::MAX)
}

/// How many descriptors this process has open. Without a `/proc` that says so, how many it has before the first gap.
#[cfg(unix)]
pub(crate) fn open_descriptors() -> usize {
    use std::os::fd::AsRawFd;

    match std::fs::read_dir("/proc/self/fd") {
        Ok(entries) => entries.count(),
        Err(_) => {
            let next = std::fs::File::open("/dev/null").unwrap();
            next.as_raw_fd() as usize
        }
    }
}

/// How many handles this process has open.
#[cfg(windows)]
pub(crate) fn open_descriptors() -> usize {
    use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessHandleCount};

    let mut count = 0;
    // SAFETY: It takes nothing.
    let process = unsafe { GetCurrentProcess() };
    // SAFETY: The number outlives the call.
    let told = unsafe { GetProcessHandleCount(process, &mut count) };
    assert_ne!(told, 0, "{}", std::io::Error::last_os_error());
    count as usize
}
