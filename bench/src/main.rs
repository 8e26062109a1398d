//! This crate, the published mio, polling and bare system calls, side by side.
//!
//! `cargo xtask bench` runs it. README.md says what is measured, and how an operation is added.

mod alloc;
mod counts;
mod harness;
mod ops;
mod outcome;
mod stats;
mod subject;
mod table;

use std::process::ExitCode;

use harness::{Operation, Plan};
use outcome::Outcome;

const USAGE: &str = "\
usage: mio-bench [--quick] [OPERATION…]

  Measures the operations whose names contain one of the words, or all, and prints the table.
  --quick        a few seconds instead of minutes
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (flags, words): (Vec<&str>, Vec<&str>) = args
        .iter()
        .map(String::as_str)
        .partition(|arg| arg.starts_with('-'));
    let quick = flags.contains(&"--quick");
    if flags.iter().any(|flag| *flag != "--quick") {
        eprint!("{USAGE}");
        return ExitCode::FAILURE;
    }
    let plan = if quick { Plan::QUICK } else { Plan::FULL };
    match words[..] {
        ["worker", name] => match ops::all().iter().find(|operation| operation.name == name) {
            Some(operation) => match outcome::work(operation, plan) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(&error.to_string()),
            },
            None => fail(&format!("no operation `{name}`")),
        },
        ["marked"] => {
            counts::run_marked();
            ExitCode::SUCCESS
        }
        ["counts"] => match counts::count() {
            Ok(counts) => {
                let memory = ops::memory();
                print!("{}\n{}", table::counts(&counts), table::memory(&memory));
                let over = counts::verdict(&counts, &memory);
                if over.is_empty() {
                    ExitCode::SUCCESS
                } else {
                    fail(&format!("over the limit:\n{}", over.join("\n")))
                }
            }
            Err(message) => fail(&message),
        },
        _ => {
            let chosen = |operation: &Operation| {
                words.is_empty() || words.iter().any(|word| operation.name.contains(word))
            };
            println!("{}", table::head());
            for operation in ops::all().into_iter().filter(chosen) {
                let outcome = Outcome::find(operation, plan, quick);
                println!("{}", table::line(&outcome));
            }
            ExitCode::SUCCESS
        }
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("mio-bench: {message}");
    ExitCode::FAILURE
}
