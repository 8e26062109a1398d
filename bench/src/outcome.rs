//! What came of an operation, and the processes that find it out.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::harness::{measure, Operation, Plan, Samples};
use crate::stats::{quantile, ratios, Spread};

/// An operation, and what each of its subjects took.
pub(crate) struct Outcome {
    pub(crate) operation: Operation,
    pub(crate) samples: Vec<Samples>,
    processes: usize,
}

impl Outcome {
    /// Measures in as many processes as the plan says.
    pub(crate) fn find(operation: Operation, plan: Plan, quick: bool) -> Outcome {
        let mut samples = vec![Samples::default(); operation.subjects.len()];
        for _ in 0..plan.processes {
            for (all, new) in samples.iter_mut().zip(worker(&operation, quick)) {
                all.rounds.extend(new.rounds);
                all.each.extend(new.each);
            }
        }
        for Samples { each, .. } in &mut samples {
            each.sort_by(f64::total_cmp);
        }
        Outcome {
            operation,
            samples,
            processes: plan.processes,
        }
    }

    /// The lower quartile of a subject, in nanoseconds.
    pub(crate) fn nanos(&self, subject: &str) -> Option<f64> {
        let mut sorted = self.samples(subject)?.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        Some(quantile(&sorted, 0.25))
    }

    /// The ratios of `subject` to `other`, process by process.
    pub(crate) fn ratio(&self, subject: &str, other: &str) -> Option<Spread> {
        let (ours, theirs) = (self.samples(subject)?, self.samples(other)?);
        let group = ours.rounds.len() / self.processes;
        Some(ratios(&ours.rounds, &theirs.rounds, group))
    }

    /// What `subject` took.
    pub(crate) fn samples(&self, subject: &str) -> Option<&Samples> {
        let mut subjects = self.operation.subjects.iter();
        let index = subjects.position(|(name, _)| *name == subject)?;
        self.samples.get(index)
    }
}

/// Runs this program again, to measure one operation.
fn worker(operation: &Operation, quick: bool) -> Vec<Samples> {
    let program = std::env::current_exe().expect("the program is running");
    let mut command = Command::new(program);
    command.args(["worker", operation.name]);
    if quick {
        command.arg("--quick");
    }
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        operation.name,
        output.status
    );
    let text = String::from_utf8(output.stdout).expect("numbers");
    let samples: Vec<Samples> = text.lines().map(parse).collect();
    assert_eq!(samples.len(), operation.subjects.len());
    samples
}

/// Measures one operation and prints a line for each subject: the rounds, a semicolon, each single time.
pub(crate) fn work(operation: &Operation, plan: Plan) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for samples in measure(operation, plan) {
        writeln!(out, "{}", format(&samples))?;
    }
    Ok(())
}

fn format(samples: &Samples) -> String {
    let list = |values: &[f64]| {
        let words: Vec<String> = values.iter().map(f64::to_string).collect();
        words.join(" ")
    };
    format!("{};{}", list(&samples.rounds), list(&samples.each))
}

fn parse(line: &str) -> Samples {
    let (rounds, each) = line.split_once(';').expect("a semicolon");
    let list = |words: &str| {
        words
            .split_whitespace()
            .map(|word| word.parse().expect("a number"))
            .collect()
    };
    Samples {
        rounds: list(rounds),
        each: list(each),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_as_it_went() {
        let samples = Samples {
            rounds: vec![1.5, 2.0],
            each: vec![3.25],
        };
        assert_eq!(parse(&format(&samples)), samples);
        assert_eq!(parse(&format(&Samples::default())), Samples::default());
    }
}
