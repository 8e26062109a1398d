//! This crate, the published mio, polling and bare system calls, side by side.
//!
//! `cargo xtask bench` runs it. README.md says what is measured, and how an operation is added.

mod alloc;
mod clock;
mod counts;
mod harness;
mod ops;
mod outcome;
mod plot;
mod quiet;
mod record;
mod return_stack;
mod samples;
mod server;
mod stats;
mod subject;
mod table;
mod whole;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use harness::{Operation, Plan};
use outcome::Outcome;
use quiet::Core;
use record::Record;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\
usage: mio-bench [--quick] [OPERATION…]
       mio-bench [--quick] servers
       mio-bench [--quick] return-stack
       mio-bench counts
       mio-bench [--quick] record FOLDER

  Measures the operations whose names contain one of the words, or all of them; whole servers; what can be counted, and
  fails if it is over its limits; or all of that, and writes a record of it. Or what returns cost behind a system call.
  --quick   less often
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (flags, words): (Vec<&str>, Vec<&str>) = args
        .iter()
        .map(String::as_str)
        .partition(|arg| arg.starts_with('-'));
    if flags.iter().any(|flag| *flag != "--quick") {
        eprint!("{USAGE}");
        return ExitCode::FAILURE;
    }
    match run(&words, !flags.is_empty()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mio-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str], quick: bool) -> Result {
    match *words {
        // How this program calls itself.
        ["worker", name, fastest] => {
            let mut operations = ops::all().into_iter().chain(return_stack::operations());
            let operation = operations.find(|operation| operation.name == name);
            let core = Core::known(fastest.parse()?);
            outcome::work(
                &operation.ok_or("no such operation")?,
                Plan::of(quick),
                core,
            )?;
        }
        ["marked"] => counts::run_marked(),
        ["serve", name] => server::run(name)?,
        ["load", port, connections] => server::load(port.parse()?, connections.parse()?)?,

        ["return-stack"] => {
            return_stack::run(quick);
        }
        ["servers"] => {
            servers(quick, &mut Core::new())?;
        }
        ["counts"] => {
            let counts = counts::count()?;
            let memory = ops::memory();
            print!("{}\n{}", table::counts(&counts), table::memory(&memory));
            let over = counts::verdict(&counts, &memory);
            if !over.is_empty() {
                return Err(format!("over the limit:\n{}", over.join("\n")).into());
            }
        }
        ["record", folder] => {
            let load = record::load();
            let mut core = Core::new();
            let record = Record {
                outcomes: operations(&[], quick, &mut core),
                wholes: servers(quick, &mut core)?,
                counts: counts::count()?,
                memory: ops::memory(),
                load,
            };
            let path = record.write(Path::new(folder))?;
            println!("\n{}", path.display());
        }
        _ => {
            operations(words, quick, &mut Core::new());
        }
    }
    Ok(())
}

/// Measures the operations with one of the words in their names, and prints them.
fn operations(words: &[&str], quick: bool, core: &mut Core) -> Vec<Outcome> {
    let chosen = |operation: &Operation| {
        words.is_empty() || words.iter().any(|word| operation.name.contains(word))
    };
    println!("{}", table::head());
    let find = |operation| {
        let outcome = Outcome::find(operation, quick, core);
        println!("{}", table::line(&outcome));
        outcome
    };
    ops::all().into_iter().filter(chosen).map(find).collect()
}

/// Measures whole servers, and prints them.
fn servers(quick: bool, core: &mut Core) -> Result<Vec<whole::Whole>> {
    let plan = if quick {
        whole::Plan::QUICK
    } else {
        whole::Plan::FULL
    };
    let others = tokio_servers()?;
    let mut wholes = Vec::new();
    for connections in whole::CONNECTIONS {
        let whole = whole::measure(connections, &others, plan, core)?;
        print!("{}", table::servers(&whole));
        wholes.push(whole);
    }
    Ok(wholes)
}

/// tokio's servers, which have been built beside this program.
fn tokio_servers() -> Result<Vec<(String, PathBuf)>> {
    let this = std::env::current_exe()?;
    let servers = [
        ("tokio on mio", "tokio-echo-this"),
        ("tokio on mio 1.2.5", "tokio-echo-published"),
    ];
    let found = servers.map(|(name, program)| (name.to_owned(), this.with_file_name(program)));
    match found.iter().find(|(_, path)| !path.exists()) {
        None => Ok(found.into()),
        Some((_, path)) => Err(format!("{} has not been built", path.display()).into()),
    }
}
