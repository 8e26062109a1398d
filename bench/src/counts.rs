//! What can be counted: instructions in user space (callgrind), system calls (strace), allocations, memory.
//!
//! This program runs itself under each of the two tools. There it does every operation twice, once more often than the
//! other time, and marks where each begins and ends: for callgrind with a function that it is told to dump at, for strace
//! with a call that fails. What is reported is the difference, divided by how much more often.
//!
//! Counts do not depend on what else the machine does, so they are limits: [`verdict`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::alloc;
use crate::harness::Operation;
use crate::ops::{self, Memory};
use crate::subject::bare::{Calls, Inline};
use crate::table::{LIBC, OURS, PUBLISHED};

/// How often an operation is done, and how much more often the second time.
const TIMES: u64 = 32;

/// So many instructions more than bare calls of libc, at most, for each call.
const ABOVE_LIBC: f64 = 5.0;

/// Where it is more, and what for.
const MORE_ABOVE_LIBC: &[(&str, f64, &str)] = &[
    (
        "wake and poll",
        20.0,
        "the epochs, which spare all but the first of many wakes a system call; covering the return stack, twice",
    ),
    (
        "interest toggled",
        13.0,
        "the question whether the return stack is to be covered, two times three",
    ),
];

/// What takes no system call, although everybody else makes one.
const NO_CALLS: &[&str] = &["repeated wake"];

/// What no file has for a number.
const MARK: i32 = -77_777;

/// What it takes one subject to do an operation once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Count {
    pub(crate) instructions: f64,
    pub(crate) calls: f64,
    pub(crate) allocations: f64,
}

/// The counts of an operation, subject by subject.
pub(crate) struct Counts {
    pub(crate) name: &'static str,
    pub(crate) subjects: Vec<(&'static str, Count)>,
}

impl Counts {
    pub(crate) fn of(&self, subject: &str) -> Option<Count> {
        let found = self.subjects.iter().find(|(name, _)| *name == subject)?;
        Some(found.1)
    }
}

fn counted() -> impl Iterator<Item = Operation> {
    ops::all().into_iter().filter(|operation| operation.counted)
}

/// Counts everything.
pub(crate) fn count() -> Result<Vec<Counts>, String> {
    let folder = std::env::temp_dir().join(format!("mio-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| at(&folder, &error))?;
    let result = count_in(&folder);
    let _ = fs::remove_dir_all(&folder);
    result
}

fn count_in(folder: &Path) -> Result<Vec<Counts>, String> {
    let dumps = folder.join("callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args([
            "--quiet",
            "--tool=callgrind",
            "--dump-before=mio_bench_mark",
        ])
        .arg(format!("--callgrind-out-file={}", dumps.display()));
    let allocations = marked(&mut valgrind)?;
    let instructions = sections(&instructions(&dumps)?)?;

    let log = folder.join("strace");
    let mut strace = Command::new("strace");
    strace.args(["--quiet=all", "-o"]).arg(&log);
    marked(&mut strace)?;
    let log = fs::read_to_string(&log).map_err(|error| at(&log, &error))?;
    let calls = sections(&calls(&log))?;

    let mut rows = instructions.into_iter().zip(calls).zip(allocations);
    let mut counts = Vec::new();
    for operation in counted() {
        let mut subjects = Vec::new();
        for (name, _) in &operation.subjects {
            let ((instructions, calls), allocations) =
                rows.next().ok_or("a mark has not been found")?;
            subjects.push((
                *name,
                Count {
                    instructions,
                    calls,
                    allocations,
                },
            ));
        }
        counts.push(Counts {
            name: operation.name,
            subjects,
        });
    }
    match rows.next() {
        None => Ok(counts),
        Some(_) => Err("there are more marks than operations".to_owned()),
    }
}

/// Runs this program under `tool`, and returns the allocations, which it counts itself.
fn marked(tool: &mut Command) -> Result<Vec<f64>, String> {
    let name = tool.get_program().to_string_lossy().into_owned();
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = tool
        .arg(program)
        .arg("marked")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{name}: {error}; is it installed?"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| line.parse().map_err(|_| format!("no number: {line}")))
        .collect()
}

/// Does every operation, with marks around it, and prints how often each asked for memory.
pub(crate) fn run_marked() {
    for operation in counted() {
        for (_, make) in &operation.subjects {
            let mut task = make();
            // The first time, functions of libraries are looked up.
            for times in [1, TIMES, 2 * TIMES] {
                task.prepare(times);
                let before = alloc::calls();
                if times > 1 {
                    mio_bench_mark();
                }
                task.run(times);
                if times > 1 {
                    mio_bench_mark();
                }
                let allocations = alloc::calls() - before;
                task.finish();
                if times > TIMES {
                    println!("{}", allocations as f64 / times as f64);
                }
            }
        }
    }
}

/// Ends a section.
#[no_mangle]
#[inline(never)]
extern "C" fn mio_bench_mark() {
    // SAFETY: No file has this number.
    let _ = unsafe { Inline::close(MARK) };
}

/// The instructions of each section, from the dumps in their order.
fn instructions(dumps: &Path) -> Result<Vec<u64>, String> {
    let mut sections = Vec::new();
    for number in 1.. {
        let mut path = dumps.as_os_str().to_owned();
        path.push(format!(".{number}"));
        let path = PathBuf::from(path);
        match fs::read_to_string(&path) {
            Ok(text) => {
                sections.push(total(&text).ok_or_else(|| format!("{}: no total", path.display()))?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(at(&path, &error)),
        }
    }
    Ok(sections)
}

/// The number of instructions in a dump.
fn total(text: &str) -> Option<u64> {
    let find = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let total = find("summary:").or_else(|| find("totals:"))?;
    total.trim().parse().ok()
}

/// The system calls of each section, from strace's log.
fn calls(log: &str) -> Vec<u64> {
    let mut sections = Vec::new();
    let mut count = 0;
    for line in log.lines() {
        if line.starts_with(&format!("close({MARK})")) {
            sections.push(count);
            count = 0;
        } else if !line.starts_with(['+', '-']) {
            count += 1;
        }
    }
    sections
}

/// For each subject of each operation what doing it once adds. Of its four sections, the second and the fourth are what
/// stands between marks.
fn sections(sections: &[u64]) -> Result<Vec<f64>, String> {
    let runs = sections.chunks_exact(4);
    if sections.is_empty() || !runs.remainder().is_empty() {
        return Err(format!("{} marks have been found", sections.len()));
    }
    Ok(runs
        .map(|run| (run[3] as f64 - run[1] as f64) / TIMES as f64)
        .collect())
}

/// What is over its limit.
pub(crate) fn verdict(counts: &[Counts], memory: &[(&str, Memory)]) -> Vec<String> {
    let mut over = Vec::new();
    let of = |wanted: &str| memory.iter().find(|(name, _)| *name == wanted);
    if let (Some((_, ours)), Some((_, published))) = (of(OURS), of(PUBLISHED)) {
        if ours.stream > published.stream || ours.registration > published.registration {
            over.push(format!("memory: {ours:?}, more than {published:?}"));
        }
    }
    for operation in counts {
        let [ours, published, libc, inline] =
            [OURS, PUBLISHED, LIBC, "inline"].map(|name| operation.of(name));
        let (Some(ours), Some(published), Some(libc), Some(inline)) =
            (ours, published, libc, inline)
        else {
            continue;
        };
        let mut limit = |what: &str, ours: f64, limit: f64| {
            if ours > limit + 0.01 {
                over.push(format!(
                    "{}: {ours:.1} {what}, more than {limit:.1}",
                    operation.name
                ));
            }
        };
        limit(
            "instructions (mio 1.2.5)",
            ours.instructions,
            published.instructions,
        );
        let mut more = MORE_ABOVE_LIBC.iter();
        let above = more
            .find(|(name, ..)| *name == operation.name)
            .map_or(ABOVE_LIBC * libc.calls, |(_, above, _)| *above);
        limit(
            "instructions (libc)",
            ours.instructions,
            libc.instructions + above,
        );
        let calls = match NO_CALLS.contains(&operation.name) {
            true => 0.0,
            false => inline.calls.min(published.calls),
        };
        limit("system calls", ours.calls, calls);
        limit("allocations", ours.allocations, 0.0);
    }
    over
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_dump() {
        assert_eq!(
            total("events: Ir\nfn=(1)\n1 2\n\ntotals: 1234\n"),
            Some(1234)
        );
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn reads_a_log() {
        let log = "brk(NULL) = 0x1\nclose(-77777) = -1 EBADF (Bad file descriptor)\nread(3, \"\", 1) = 0\n\
                   read(3, \"\", 1) = 0\nclose(-77777) = -1 EBADF (Bad file descriptor)\n+++ exited with 0 +++\n";
        assert_eq!(calls(log), [1, 2]);
    }

    #[test]
    fn what_doing_it_once_adds() {
        assert_eq!(sections(&[9, 10, 9, 10 + 2 * TIMES]), Ok(vec![2.0]));
        assert!(sections(&[9, 10, 9]).is_err());
        assert!(sections(&[]).is_err());
    }

    #[test]
    fn says_what_is_over_its_limit() {
        let count = |instructions, calls| Count {
            instructions,
            calls,
            allocations: 0.0,
        };
        let named = |name, ours| {
            [Counts {
                name,
                subjects: vec![
                    (OURS, ours),
                    (PUBLISHED, count(40.0, 1.0)),
                    (LIBC, count(20.0, 1.0)),
                    ("inline", count(10.0, 1.0)),
                ],
            }]
        };
        let counts = |ours| named("poll", ours);
        assert_eq!(verdict(&counts(count(25.0, 1.0)), &[]), [""; 0]);
        assert_eq!(verdict(&counts(count(26.0, 1.0)), &[]).len(), 1);
        assert_eq!(verdict(&counts(count(41.0, 2.0)), &[]).len(), 3);
        let wakes = |ours| named(NO_CALLS[0], ours);
        assert_eq!(verdict(&wakes(count(9.0, 0.0)), &[]), [""; 0]);
        assert_eq!(verdict(&wakes(count(9.0, 1.0)), &[]).len(), 1);
    }
}
