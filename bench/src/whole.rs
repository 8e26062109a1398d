//! Whole servers: each subject's echo server, and tokio's, under the same load, in turn.
//!
//! A server and what puts load on it are two processes. Those of all subjects are there at the same time, and work one
//! after the other, for a moment each, a few rounds long. Then others take their places, for addresses are drawn anew for
//! each process, and what a system call takes depends on them. What counts is the processor time of the server for each
//! request, and how many requests it answers.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::clock;
use crate::server;
use crate::stats::{quantile, ratios, Spread};

/// How many connections there are.
pub(crate) const CONNECTIONS: [usize; 4] = [1, 64, 512, 5_000];

/// How many rounds the same processes work for. Of these the lower quartile is taken.
const GROUP: usize = 4;

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
        millis: 100,
    };
    pub(crate) const QUICK: Plan = Plan {
        groups: 3,
        millis: 30,
    };
}

/// What came of one number of connections.
pub(crate) struct Whole {
    pub(crate) connections: usize,
    pub(crate) servers: Vec<Served>,
}

/// What a server did, round by round.
pub(crate) struct Served {
    pub(crate) name: String,
    /// Nanoseconds of processor time for a request.
    pub(crate) nanos: Vec<f64>,
    /// Requests in a second.
    pub(crate) throughput: Vec<f64>,
}

impl Served {
    fn new(name: &str) -> Served {
        Served {
            name: name.to_owned(),
            nanos: Vec::new(),
            throughput: Vec::new(),
        }
    }
}

impl Whole {
    /// The number of connections, in words.
    pub(crate) fn title(&self) -> String {
        match self.connections {
            1 => "1 connection".to_owned(),
            many => format!("{many} connections"),
        }
    }

    fn served(&self, name: &str) -> Option<&Served> {
        self.servers.iter().find(|served| served.name == name)
    }

    /// Nanoseconds for a request: the lower quartile.
    pub(crate) fn nanos(&self, name: &str) -> Option<f64> {
        let mut sorted = self.served(name)?.nanos.clone();
        sorted.sort_by(f64::total_cmp);
        Some(quantile(&sorted, 0.25))
    }

    /// Requests in a second: the upper quartile.
    pub(crate) fn throughput(&self, name: &str) -> Option<f64> {
        let mut sorted = self.served(name)?.throughput.clone();
        sorted.sort_by(f64::total_cmp);
        Some(quantile(&sorted, 0.75))
    }

    /// The ratios of processor time, of which each group of processes has one.
    pub(crate) fn ratio(&self, name: &str, other: &str) -> Option<Spread> {
        let (ours, theirs) = (self.served(name)?, self.served(other)?);
        Some(ratios(&ours.nanos, &theirs.nanos, GROUP))
    }
}

/// Measures all servers: those of this program, and `others`, which are programs with a name.
pub(crate) fn measure(
    connections: usize,
    others: &[(String, PathBuf)],
    plan: Plan,
) -> io::Result<Whole> {
    let mut servers: Vec<Served> = server::names()
        .map(Served::new)
        .chain(others.iter().map(|(name, _)| Served::new(name)))
        .collect();
    for group in 0..plan.groups {
        let mut pairs = start_all(connections, others)?;
        for round in 0..=GROUP {
            for turn in 0..pairs.len() {
                let place = (turn + group + round / 2) % pairs.len();
                let index = if round % 2 == 0 {
                    place
                } else {
                    pairs.len() - 1 - place
                };
                let (nanos, throughput) = pairs[index].work(plan.millis)?;
                // The first round warms up.
                if round > 0 {
                    servers[index].nanos.push(nanos);
                    servers[index].throughput.push(throughput);
                }
            }
        }
    }
    Ok(Whole {
        connections,
        servers,
    })
}

/// Starts a server of each kind, in the order of their names.
fn start_all(connections: usize, others: &[(String, PathBuf)]) -> io::Result<Vec<Pair>> {
    let this = std::env::current_exe()?;
    let own = server::names().map(|name| {
        let mut command = Command::new(&this);
        command.args(["serve", name]);
        command
    });
    own.chain(others.iter().map(|(_, program)| Command::new(program)))
        .map(|mut command| Pair::start(&mut command, connections))
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
    fn start(server: &mut Command, connections: usize) -> io::Result<Pair> {
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
