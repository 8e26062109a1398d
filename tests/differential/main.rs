//! Random scripts, run on every backend of this machine in lock-step and held against a plain model.
//!
//! Each backend gets a queue and a set of sources of its own. After each step the system is asked, descriptor by
//! descriptor, how ready the sources are. From that and from what was done the model (`model.rs`) knows which events
//! the queue has to report, and which it must not. What backends may differ in stands in `rules.rs`, nowhere else.
//!
//! A script that fails is shrunk to a small one, printed together with what happened, and remembered in
//! `regressions.txt`. It can be pasted into `scripts.rs`, where those are kept that say something in general.
//!
//! `PROPTEST_CASES` asks for another number of scripts.

#![cfg(any(unix, windows))]

mod attribution;
mod batch;
mod ends;
mod history;
mod model;
mod ready;
mod rules;
mod script;
mod scripts;
mod system;
mod world;

use std::io::ErrorKind;

use mio::Backend;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestCaseError};

use history::{Failure, Outcome};
use script::{Script, Step};
use world::World;

/// As many as take a debug build some ten seconds. Under Wine each step takes longer.
const CASES: u32 = if cfg!(windows) { 150 } else { 3_000 };

/// How often a script may come too late before that is held against it: machines stop for seconds now and then.
const TOLERANCE: usize = 2;

fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: match std::env::var_os("PROPTEST_CASES") {
            Some(_) => default.cases,
            None => CASES,
        },
        max_shrink_iters: 20_000,
        max_shrink_time: 180_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/differential/regressions.txt"
        )))),
        ..default
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_backend_keeps_to_the_model(script in script::script()) {
        run(&script).map_err(TestCaseError::fail)?;
    }
}

/// Runs a script on every backend. An error is a broken promise, and how it came about.
fn run(script: &Script) -> Result<(), String> {
    let mut late = 0;
    loop {
        match attempt(script) {
            Ok(()) => return Ok(()),
            Err(Failure::Late(_)) if late < TOLERANCE => late += 1,
            Err(Failure::Wrong(report) | Failure::Late(report)) => return Err(report),
        }
    }
}

fn attempt(script: &Script) -> Result<(), Failure> {
    let mut worlds: Vec<World> = Backend::available().filter_map(open).collect();
    for (number, &step) in script.steps.iter().enumerate() {
        let mut outcomes = Vec::new();
        for world in &mut worlds {
            outcomes.push(world.step(number, step)?);
        }
        agree(step, &outcomes)?;
    }
    for world in &mut worlds {
        world.settle(script.room)?;
    }
    Ok(())
}

/// A queue of this backend, unless the system refuses it.
fn open(backend: Backend) -> Option<World> {
    match World::new(backend) {
        Ok(world) => Some(world),
        Err(error) if error.kind() == ErrorKind::Unsupported => None,
        Err(error) => panic!("the backend {backend} does not open: {error}"),
    }
}

/// What a step comes to does not depend on who watches.
fn agree(step: Step, outcomes: &[Outcome]) -> Result<(), String> {
    match outcomes.windows(2).find(|pair| pair[0] != pair[1]) {
        Some(pair) => Err(format!("{step:?} came to {pair:?}")),
        None => Ok(()),
    }
}
