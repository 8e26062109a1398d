//! Whole servers: each subject's echo server, and tokio's, under the same load, in turn.
//!
//! A server and what puts load on it are two processes. Those of all subjects are there all the time, and work one after
//! the other, for a moment each, again and again. What counts is the processor time of the server for each request, and
//! how many requests it answers.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::clock;
use crate::server;
use crate::stats::{quantile, ratios, Spread};

/// How many connections there are.
pub(crate) const CONNECTIONS: [usize; 4] = [1, 64, 512, 5_000];

/// Of so many rounds the lower quartile is taken.
const GROUP: usize = 4;

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) millis: u64,
}

impl Plan {
    pub(crate) const FULL: Plan = Plan {
        rounds: 24,
        millis: 100,
    };
    pub(crate) const QUICK: Plan = Plan {
        rounds: 8,
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

    /// The ratios of processor time, a few rounds at a time.
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
    let this = std::env::current_exe()?;
    let mut pairs = Vec::new();
    for name in server::names() {
        let mut command = Command::new(&this);
        command.args(["serve", name]);
        pairs.push(Pair::start(name, &mut command, connections)?);
    }
    for (name, program) in others {
        pairs.push(Pair::start(name, &mut Command::new(program), connections)?);
    }
    let count = pairs.len();
    for round in 0..=plan.rounds {
        for turn in 0..count {
            let place = (turn + round / 2) % count;
            let index = if round % 2 == 0 {
                place
            } else {
                count - 1 - place
            };
            pairs[index].work(plan.millis, round > 0)?;
        }
    }
    Ok(Whole {
        connections,
        servers: pairs.into_iter().map(Pair::finish).collect(),
    })
}

/// A server, and what puts load on it.
struct Pair {
    server: Process,
    load: Process,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    served: Served,
}

impl Pair {
    fn start(name: &str, server: &mut Command, connections: usize) -> io::Result<Pair> {
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
            served: Served {
                name: name.to_owned(),
                nanos: Vec::new(),
                throughput: Vec::new(),
            },
        };
        pair.answer()?;
        Ok(pair)
    }

    /// Works for so long. The first time warms up.
    fn work(&mut self, millis: u64, counts: bool) -> io::Result<()> {
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
        if counts {
            self.served.nanos.push(spent as f64 / requests);
            self.served.throughput.push(requests / (nanos / 1e9));
        }
        Ok(())
    }

    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            let end = self.load.0.wait()?;
            let name = &self.served.name;
            return Err(io::Error::other(format!("the load on {name}: {end}")));
        }
        Ok(line)
    }

    fn finish(self) -> Served {
        self.served
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
