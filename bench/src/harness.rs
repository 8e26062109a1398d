//! Rounds: every subject does the same work for a moment, one after the other, again and again.
//!
//! The machine may have other things to do, and its clock may change. So a sample is short, a third of a millisecond,
//! most of which nobody interrupts; it counts the time that the thread had a processor, not what the clock on the wall
//! says, where the work does not wait; and the subjects take turns within milliseconds.
//!
//! A sample counts if the core was ours alone, and there are more rounds until that happened often enough: see `quiet.rs`.
//!
//! All of it happens in several processes, one after the other, for the machine's predictors also depend on the addresses
//! that code and data happen to have: those are drawn anew for each process. Of the samples in a process the lower
//! quartile counts, for what disturbs one only makes it longer. What is reported are the median of the ratios in the
//! processes, and their quartiles.

use std::time::{Duration, Instant};

use crate::clock;
use crate::quiet::Core;
use crate::samples::Samples;
use crate::stats::quantile;

/// An operation of one subject, set up.
pub(crate) trait Task {
    /// What has to be there before `run`, and does not count.
    fn prepare(&mut self, _times: u64) {}

    /// The operation, so many times.
    fn run(&mut self, times: u64);

    /// What has to be cleared away after it, and does not count.
    fn finish(&mut self) {}

    /// How long each took since the last call, in nanoseconds, where `run` measures that itself.
    fn taken(&mut self) -> Vec<f64> {
        Vec::new()
    }
}

impl<F: FnMut(u64)> Task for F {
    fn run(&mut self, times: u64) {
        self(times);
    }
}

/// Sets an operation up.
pub(crate) type Make = fn() -> Box<dyn Task>;

/// What counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Clock {
    /// The processor time of the thread.
    Thread,
    /// The time that passes, measured by the task itself for each time the operation is done.
    Each,
}

/// An operation, and how to set it up for each subject.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) clock: Clock,
    /// How often it is done in one sample, where that is not found out.
    pub(crate) times: Option<u64>,
    /// The share of the usual number of rounds, for work that takes long.
    pub(crate) rounds: f64,
    /// Whether instructions and system calls are counted: the work is always the same, and one thread does it.
    pub(crate) counted: bool,
    /// Ours to the published mio, and to libc, at most.
    pub(crate) goal: (Option<f64>, Option<f64>),
    pub(crate) subjects: Vec<(&'static str, Make)>,
}

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) processes: usize,
    /// In each of them, of quiet ones.
    rounds: usize,
    pub(crate) sample: Duration,
}

impl Plan {
    const FULL: Plan = Plan {
        processes: 12,
        rounds: 40,
        sample: Duration::from_micros(300),
    };
    const QUICK: Plan = Plan {
        processes: 4,
        rounds: 12,
        sample: Duration::from_micros(200),
    };

    pub(crate) fn of(quick: bool) -> Plan {
        if quick {
            Plan::QUICK
        } else {
            Plan::FULL
        }
    }

    /// How many quiet rounds of an operation are wanted in a process.
    pub(crate) fn rounds(&self, operation: &Operation) -> usize {
        ((self.rounds as f64 * operation.rounds) as usize).max(2)
    }
}

/// How many times the wanted rounds there are at most.
const MOST: usize = 3;

/// How long a sample waits at most for the core to be ours.
const PATIENCE: Duration = Duration::from_millis(1);

/// What one subject took: nanoseconds for doing it once, a sample for each round; and every single time, where the task
/// measures them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Taken {
    pub(crate) samples: Samples,
    pub(crate) each: Vec<f64>,
}

/// Measures one operation in this process: what each of its subjects took.
pub(crate) fn measure(operation: &Operation, plan: Plan, core: &mut Core) -> Vec<Taken> {
    let mut tasks: Vec<Box<dyn Task>> = operation.subjects.iter().map(|(_, make)| make()).collect();
    let times: Vec<u64> = tasks
        .iter_mut()
        .map(|task| {
            operation
                .times
                .unwrap_or_else(|| calibrate(task.as_mut(), operation.clock, plan.sample))
        })
        .collect();
    let count = tasks.len();
    let mut all = vec![Taken::default(); count];
    let wanted = plan.rounds(operation);
    for round in 0..MOST * wanted {
        for turn in 0..count {
            // Forth and back, and each subject comes first as often as the others: whoever follows one that leaves the
            // caches cold must not always be the same.
            let place = (turn + round / 2) % count;
            let index = if round % 2 == 0 {
                place
            } else {
                count - 1 - place
            };
            let Taken { samples, each } = &mut all[index];
            let task = tasks[index].as_mut();
            let before = core.wait(PATIENCE);
            let nanos = sample(task, operation.clock, times[index], each);
            samples.push(nanos, before && core.is_ours());
        }
        if all.iter().all(|taken| taken.samples.quiet.len() >= wanted) {
            break;
        }
    }
    all
}

/// One sample: nanoseconds for one time.
fn sample(task: &mut dyn Task, counts: Clock, times: u64, each: &mut Vec<f64>) -> f64 {
    task.prepare(times);
    let start = clock::thread();
    task.run(times);
    let spent = clock::thread() - start;
    task.finish();
    match counts {
        Clock::Thread => spent as f64 / times as f64,
        Clock::Each => {
            let taken = task.taken();
            let mut sorted = taken.clone();
            sorted.sort_by(f64::total_cmp);
            each.extend(taken);
            quantile(&sorted, 0.5)
        }
    }
}

/// How often the task fits into a sample.
fn calibrate(task: &mut dyn Task, clock: Clock, sample_time: Duration) -> u64 {
    let mut times = 1;
    loop {
        let start = Instant::now();
        let nanos = sample(task, clock, times, &mut Vec::new()) * times as f64;
        let wanted = sample_time.as_nanos() as f64;
        if nanos > wanted / 2.0 || start.elapsed() > 20 * sample_time || times > 1 << 30 {
            let scaled = times as f64 * wanted / nanos.max(1.0);
            return (scaled as u64).clamp(1, 2 * times);
        }
        times *= 2;
    }
}
