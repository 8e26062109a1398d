//! Cases that need a process of their own.
//!
//! Some concern what all threads of a process share: its descriptor numbers, its signals, its memory when it forks. And
//! some look for silence after a descriptor was closed without being deregistered: epoll is silent once *every* copy of
//! the descriptor is closed, and when another case starts a process, there are copies from its `fork` to its `exec`.

use std::cell::Cell;
use std::env;

use crate::runner;

/// Set in the process that runs one case alone.
const ALONE: &str = "MIO_CONFORMANCE_ALONE";

thread_local! {
    static NAME: Cell<&'static str> = const { Cell::new("") };
}

/// Notes which case this thread runs, under its name in the test harness.
pub(crate) fn remember(name: &'static str) {
    let name = name.split_once("::").map_or(name, |(_program, name)| name);
    NAME.with(|current| current.set(name));
}

/// Runs the rest of the current case in a process that runs nothing else.
#[track_caller]
pub(crate) fn alone(case: impl FnOnce()) {
    if env::var_os(ALONE).is_some() {
        return case();
    }
    let name = NAME.with(Cell::get);
    let output = runner::command(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{name}, alone: {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}
