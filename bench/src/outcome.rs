//! What came of an operation, and the processes that find it out.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::harness::{measure, Operation, Plan, Taken};
use crate::quiet::Core;
use crate::samples::{Measured, Samples};
use crate::stats::Spread;

/// An operation, and what each of its subjects took.
pub(crate) struct Outcome {
    pub(crate) operation: Operation,
    pub(crate) measured: Measured,
    /// Every single time, sorted, subject by subject, where the task measures them.
    each: Vec<Vec<f64>>,
}

impl Outcome {
    /// Measures in as many processes as the plan says.
    pub(crate) fn find(operation: Operation, quick: bool, core: &mut Core) -> Outcome {
        let plan = Plan::of(quick);
        let mut measured = Measured::new(plan.rounds(&operation).div_ceil(2));
        let mut each = vec![Vec::new(); operation.subjects.len()];
        for _ in 0..plan.processes {
            let mut process = Vec::new();
            for (taken, each) in worker(&operation, quick, core).into_iter().zip(&mut each) {
                process.push(taken.samples);
                each.extend(taken.each);
            }
            measured.push(process);
        }
        for each in &mut each {
            each.sort_by(f64::total_cmp);
        }
        Outcome {
            operation,
            measured,
            each,
        }
    }

    /// The lower quartile of a subject, in nanoseconds.
    pub(crate) fn nanos(&self, subject: &str) -> Option<f64> {
        Some(self.measured.quantile(self.index(subject)?, 0.25))
    }

    /// The ratios of `subject` to `other`, process by process.
    pub(crate) fn ratio(&self, subject: &str, other: &str) -> Option<Spread> {
        let (ours, theirs) = (self.index(subject)?, self.index(other)?);
        Some(self.measured.ratio(ours, theirs))
    }

    /// Every single time that `subject` took, sorted.
    pub(crate) fn each(&self, subject: &str) -> Option<&[f64]> {
        Some(&self.each[self.index(subject)?])
    }

    fn index(&self, subject: &str) -> Option<usize> {
        let mut subjects = self.operation.subjects.iter();
        subjects.position(|(name, _)| *name == subject)
    }
}

/// Runs this program again, to measure one operation.
fn worker(operation: &Operation, quick: bool, core: &mut Core) -> Vec<Taken> {
    let program = std::env::current_exe().expect("the program is running");
    let mut command = Command::new(program);
    command.args(["worker", operation.name, &core.fastest().to_string()]);
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
    let mut lines = text.lines();
    let fastest = lines.next().expect("a line").parse().expect("a number");
    *core = Core::known(fastest);
    let taken: Vec<Taken> = lines.map(parse).collect();
    assert_eq!(taken.len(), operation.subjects.len());
    taken
}

/// Measures one operation and prints what the core's arithmetic took when it was fastest; then a line for each subject: its
/// quiet samples, a semicolon, the disturbed ones, a semicolon, each single time.
pub(crate) fn work(operation: &Operation, plan: Plan, mut core: Core) -> io::Result<()> {
    let all = measure(operation, plan, &mut core);
    let mut out = io::stdout().lock();
    writeln!(out, "{}", core.fastest())?;
    for taken in all {
        writeln!(out, "{}", format(&taken))?;
    }
    Ok(())
}

fn format(taken: &Taken) -> String {
    let Samples { quiet, disturbed } = &taken.samples;
    [quiet, disturbed, &taken.each]
        .map(|values| {
            let words: Vec<String> = values.iter().map(f64::to_string).collect();
            words.join(" ")
        })
        .join(";")
}

fn parse(line: &str) -> Taken {
    let mut lists = line.split(';').map(|words| {
        words
            .split_whitespace()
            .map(|word| word.parse().expect("a number"))
            .collect()
    });
    let mut next = || lists.next().expect("three lists");
    Taken {
        samples: Samples {
            quiet: next(),
            disturbed: next(),
        },
        each: next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_as_it_went() {
        let taken = Taken {
            samples: Samples {
                quiet: vec![1.5, 2.0],
                disturbed: vec![3.5],
            },
            each: vec![3.25],
        };
        assert_eq!(parse(&format(&taken)), taken);
        assert_eq!(parse(&format(&Taken::default())), Taken::default());
    }
}
