//! `models`: backends of other systems, on a model of what their kernels do.
//!
//! A model stands in for the system's calls and follows its manuals. The backend above it is the code that the system
//! gets. The cfg exists for this alone: no build that it is not given to has any of it.

use crate::cargo::{cargo, each, run, target_dir, test, Result};

/// A build with a model in it.
struct Model {
    name: &'static str,
    rustflags: &'static str,
    /// What `cargo test` is told to run.
    tests: &'static [&'static str],
}

const MODELS: &[Model] = &[
    Model {
        name: "event-ports",
        rustflags: r#"--cfg mio_model="event_ports""#,
        tests: &["--lib", "--tests"],
    },
    // With the flags of Solaris where Linux has others. The differential test knows Linux's, and this `poll(2)` allocates.
    Model {
        name: "event-ports-solaris",
        rustflags: r#"--cfg mio_model="event_ports" --cfg mio_model="solaris""#,
        tests: &[
            "--lib",
            "--test=conformance",
            "--test=sockets",
            "--test=bad_input",
            "--test=examples",
            "--test=stress",
        ],
    },
    Model {
        name: "kqueue",
        rustflags: r#"--cfg mio_model="kqueue""#,
        tests: &[
            "--lib",
            "--test=conformance",
            "--test=differential",
            "--test=log",
            "--test=no_features",
            "--test=sizes",
            "--test=sockets",
            "--test=bad_input",
            "--test=examples",
            "--test=stress",
            "--test=udp_batch",
        ],
    },
    // As on NetBSD and OpenBSD.
    Model {
        name: "kqueue-pipe",
        rustflags: r#"--cfg mio_model="kqueue" --cfg mio_unsupported_force_waker_pipe"#,
        tests: &[
            "--lib",
            "--test=conformance",
            "--test=sockets",
            "--test=stress",
        ],
    },
];

pub(crate) fn check() -> Result {
    each(MODELS, |model| {
        let in_it = |args: &[&str]| {
            let mut command = cargo(args);
            command
                .env("RUSTFLAGS", model.rustflags)
                .env("CARGO_TARGET_DIR", target_dir("models").join(model.name));
            command
        };
        // No other build has the model, so nobody else lints it. Without the features it may be the only backend.
        let lint = |what: &[&str]| {
            run(in_it(&["clippy", "--quiet", "--package", "mio"])
                .args(what)
                .args(["--", "-D", "warnings"]))
        };
        let run_tests = ["test", "--no-fail-fast", "--all-features"];
        lint(&["--all-targets", "--all-features"])
            .and_then(|()| lint(&["--lib", "--no-default-features"]))
            .and_then(|()| test(in_it(&run_tests).args(model.tests)))
            .map_err(|message| format!("the model {}: {message}", model.name))
    })
}
