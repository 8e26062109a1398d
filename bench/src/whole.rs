//! Whole servers: each subject's echo server, and tokio's, under the same load, in turn.
//!
//! A server and what puts load on it are two processes, each on a processor of its own if there are two. Those of all
//! subjects are there at the same time, and work one after the other, for a moment each. A moment counts if both cores
//! were ours alone before and after it. Then other processes take their places, for addresses are drawn anew for
//! each, and what a system call takes depends on them. What counts is the processor time of the server for each request,
//! and how many requests it answers.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::Pid;
use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};

use crate::clock;
use crate::quiet::Core;
use crate::samples::{Measured, Samples};
use crate::server;
use crate::stats::Spread;

/// How many connections there are.
pub(crate) const CONNECTIONS: [usize; 4] = [1, 64, 512, 5_000];

/// How many quiet rounds the same processes work for, and how many they get at most.
const ROUNDS: usize = 8;
const MOST: usize = 3 * ROUNDS;

/// How long a moment is put off at most for the cores to be ours.
const PATIENCE: Duration = Duration::from_millis(5);

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How often the processes are started anew.
    pub(crate) groups: usize,
    pub(crate) millis: u64,
}

impl Plan {
    pub(crate) const FULL: Plan = Plan {
        groups: 9,
        millis: 30,
    };
    pub(crate) const QUICK: Plan = Plan {
        groups: 3,
        millis: 10,
    };
}

/// What came of one number of connections.
pub(crate) struct Whole {
    pub(crate) connections: usize,
    /// The servers.
    pub(crate) names: Vec<String>,
    /// Nanoseconds of processor time for a request.
    pub(crate) measured: Measured,
    /// Requests in a second.
    throughput: Measured,
}

impl Whole {
    /// The number of connections, in words.
    pub(crate) fn title(&self) -> String {
        match self.connections {
            1 => "1 connection".to_owned(),
            many => format!("{many} connections"),
        }
    }

    /// Nanoseconds for a request: the lower quartile.
    pub(crate) fn nanos(&self, name: &str) -> Option<f64> {
        Some(self.measured.quantile(self.index(name)?, 0.25))
    }

    /// Requests in a second: the upper quartile.
    pub(crate) fn throughput(&self, name: &str) -> Option<f64> {
        Some(self.throughput.quantile(self.index(name)?, 0.75))
    }

    /// The ratios of processor time, of which each group of processes has one.
    pub(crate) fn ratio(&self, name: &str, other: &str) -> Option<Spread> {
        let (ours, theirs) = (self.index(name)?, self.index(other)?);
        Some(self.measured.ratio(ours, theirs))
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
}

/// Measures all servers: those of this program, and `others`, which are programs with a name.
pub(crate) fn measure(
    connections: usize,
    others: &[(String, PathBuf)],
    plan: Plan,
    core: &mut Core,
) -> io::Result<Whole> {
    let mut whole = Whole {
        connections,
        names: server::names()
            .map(str::to_owned)
            .chain(others.iter().map(|(name, _)| name.clone()))
            .collect(),
        measured: Measured::new(ROUNDS / 2),
        throughput: Measured::new(ROUNDS / 2),
    };
    let cores = Cores::allowed()?;
    for group in 0..plan.groups {
        let mut pairs = start_all(connections, others, &cores)?;
        let mut nanos = vec![Samples::default(); pairs.len()];
        let mut throughput = nanos.clone();
        for round in 0..=MOST {
            for turn in 0..pairs.len() {
                let place = (turn + group + round / 2) % pairs.len();
                let index = if round % 2 == 0 {
                    place
                } else {
                    pairs.len() - 1 - place
                };
                let before = cores.are_ours(core)?;
                let worked = pairs[index].work(plan.millis)?;
                let quiet = before && cores.are_ours(core)?;
                // The first round warms up.
                if round > 0 {
                    nanos[index].push(worked.0, quiet);
                    throughput[index].push(worked.1, quiet);
                }
            }
            if nanos.iter().all(|samples| samples.quiet.len() >= ROUNDS) {
                break;
            }
        }
        whole.measured.push(nanos);
        whole.throughput.push(throughput);
    }
    Ok(whole)
}

/// The two processors that a server and its load have, which may be one and the same.
struct Cores {
    all: CpuSet,
    server: CpuSet,
    load: CpuSet,
}

impl Cores {
    /// Of those that this process may use.
    fn allowed() -> io::Result<Cores> {
        let all = sched_getaffinity(None)?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|number| all.is_set(*number));
        let first = allowed.next().unwrap_or(0);
        let second = allowed.next().unwrap_or(first);
        let only = |number| {
            let mut set = CpuSet::new();
            set.set(number);
            set
        };
        Ok(Cores {
            all,
            server: only(first),
            load: only(second),
        })
    }

    /// Whether both run at full speed. Waits a little if they do not.
    fn are_ours(&self, core: &mut Core) -> io::Result<bool> {
        let mut ours = true;
        for set in [&self.load, &self.server] {
            sched_setaffinity(None, set)?;
            ours &= core.wait(PATIENCE);
        }
        sched_setaffinity(None, &self.all)?;
        Ok(ours)
    }
}

/// Starts a server of each kind, in the order of their names.
fn start_all(
    connections: usize,
    others: &[(String, PathBuf)],
    cores: &Cores,
) -> io::Result<Vec<Pair>> {
    let this = std::env::current_exe()?;
    let own = server::names().map(|name| {
        let mut command = Command::new(&this);
        command.args(["serve", name]);
        command
    });
    own.chain(others.iter().map(|(_, program)| Command::new(program)))
        .map(|mut command| Pair::start(&mut command, connections, cores))
        .collect()
}

/// A server, and what puts load on it.
struct Pair {
    server: Process,
    load: Process,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Pair {
    fn start(server: &mut Command, connections: usize, cores: &Cores) -> io::Result<Pair> {
        let mut server = Process(server.stdout(Stdio::piped()).spawn()?);
        let mut port = String::new();
        BufReader::new(server.0.stdout.take().expect("piped")).read_line(&mut port)?;
        let mut load = Process(
            Command::new(std::env::current_exe()?)
                .args(["load", port.trim(), &connections.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?,
        );
        for (process, set) in [(&server, &cores.server), (&load, &cores.load)] {
            sched_setaffinity(Some(Pid::from_child(&process.0)), set)?;
        }
        let mut pair = Pair {
            orders: load.0.stdin.take().expect("piped"),
            answers: BufReader::new(load.0.stdout.take().expect("piped")),
            server,
            load,
        };
        pair.answer()?;
        Ok(pair)
    }

    /// Works for so long. Returns the nanoseconds of processor time for a request, and the requests in a second.
    fn work(&mut self, millis: u64) -> io::Result<(f64, f64)> {
        let before = clock::process(self.server.0.id())?;
        writeln!(self.orders, "{millis}")?;
        let answer = self.answer()?;
        let spent = clock::process(self.server.0.id())? - before;
        let (requests, nanos) = answer
            .trim()
            .split_once(' ')
            .and_then(|(requests, nanos)| {
                Some((requests.parse::<f64>().ok()?, nanos.parse::<f64>().ok()?))
            })
            .ok_or_else(|| io::Error::other(format!("no numbers: {answer}")))?;
        Ok((spent as f64 / requests, requests / (nanos / 1e9)))
    }

    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            let end = self.load.0.wait()?;
            return Err(io::Error::other(format!("the load on a server: {end}")));
        }
        Ok(line)
    }
}

/// A process that ends with this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
