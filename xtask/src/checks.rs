//! The checks that are one or two calls of cargo each.

use crate::cargo::{
    cargo, each, install, output, root, run, tally, target_dir, test as run_tests, Result,
};
use crate::features;

/// Test files that say something else of optimised code: sizes without debug fields, no hidden allocation, and what only the
/// system refuses.
const RELEASE_TESTS: &[&str] = &["sizes", "alloc", "bad_input", "conformance"];

/// The modules whose tests are models for loom.
const MODELS: &[&str] = &[
    "alert::",
    "coalesce::",
    "due::",
    "handshake::",
    "offload::",
    "oneshots::models::",
    "queues::",
    "sent::",
    "watched::",
];

/// What the published archive must hold beside the sources.
const PUBLISHED: &[&str] = &["Cargo.toml", "LICENSE", "README.md", "src/lib.rs"];

/// `fmt`: rustfmt over the workspace.
pub(crate) fn fmt() -> Result {
    run(&mut cargo(&["fmt", "--all", "--check"]))
}

/// `lint`: clippy over the workspace with everything switched on. What depends on features is in [features].
pub(crate) fn lint() -> Result {
    run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))
}

/// `test`: the test suites.
pub(crate) fn test() -> Result {
    // `cargo test` is what README tells people to run. With one failure the other files still have a say.
    let mut runs = vec![vec!["test", "--no-fail-fast"]];
    if !features::default_is_all()? {
        runs.push(vec!["test", "--no-fail-fast", "--all-features"]);
    }
    let release: Vec<&str> = RELEASE_TESTS
        .iter()
        .copied()
        .filter(|name| {
            let tests = root().join("tests");
            tests.join(name).with_extension("rs").exists()
                || tests.join(name).join("main.rs").exists()
        })
        .collect();
    if !release.is_empty() {
        let mut args = vec!["test", "--release", "--all-features", "--no-fail-fast"];
        args.extend(release.iter().flat_map(|name| ["--test", name]));
        runs.push(args);
    }
    runs.push(vec!["test", "--package", "xtask"]);
    each(runs, |args| run_tests(&mut cargo(&args)))
}

/// `loom`: the models of what threads share, in every order that their steps can take.
pub(crate) fn loom() -> Result {
    let (before, _) = tally();
    run_tests(
        cargo(&[
            "test",
            "--release",
            "--lib",
            "--no-default-features",
            "--features",
            "net,poll-backend",
            "--",
        ])
        .args(MODELS)
        .env("RUSTFLAGS", "--cfg loom")
        .env("CARGO_TARGET_DIR", target_dir("loom")),
    )?;
    match tally().0 > before {
        true => Ok(()),
        false => Err("no module of that name has a model".to_owned()),
    }
}

/// `libc`: the test suite in a build whose system calls go through libc, which is what programs that run under a preloaded
/// library need (see the guide's page on interception).
pub(crate) fn libc() -> Result {
    run_tests(
        cargo(&["test", "--no-fail-fast", "--lib", "--tests"])
            .env("RUSTFLAGS", "--cfg rustix_use_libc")
            .env("CARGO_TARGET_DIR", target_dir("libc")),
    )
}

/// `posix`: the test suite in builds that use what any Unix has, in place of what Linux has: `poll(2)`, pipes for wakers,
/// and `fcntl(2)` for each descriptor that is made; and pipes for the wakers of epoll.
pub(crate) fn posix() -> Result {
    let poll = "--cfg mio_unsupported_force_poll_poll --cfg mio_unsupported_force_waker_pipe --cfg mio_model=\"posix\"";
    let pipe = "--cfg mio_unsupported_force_waker_pipe";
    each(
        [
            (poll, &["--lib", "--tests"][..]),
            (pipe, &["--test", "conformance", "--test", "stress"]),
        ],
        |(flags, tests)| {
            run_tests(
                cargo(&["test", "--no-fail-fast"])
                    .args(tests)
                    .env("RUSTFLAGS", flags)
                    .env("CARGO_TARGET_DIR", target_dir("posix")),
            )
        },
    )
}

/// `docs`: the documentation with and without the features, without a warning.
pub(crate) fn docs() -> Result {
    // What is always there may point to what a feature adds. Without the feature that link is plain text.
    let bare = "-D warnings -A rustdoc::broken_intra_doc_links";
    each(
        [
            ("--all-features", "-D warnings"),
            ("--no-default-features", bare),
        ],
        |(features, flags)| {
            run(cargo(&["doc", "--package", "mio", "--no-deps", features])
                .env("RUSTDOCFLAGS", flags))
        },
    )
}

/// `deny`: what deny.toml says of the dependencies.
pub(crate) fn deny() -> Result {
    install("deny", "cargo-deny")?;
    // Apart, because the second one fetches a database from the network.
    each(
        [&["bans", "licenses", "sources"][..], &["advisories"]],
        |checks| run(cargo(&["deny", "--all-features", "check"]).args(checks)),
    )
}

/// `package`: the archive that would be published, what is in it, and that it builds on its own.
pub(crate) fn package() -> Result {
    let mut args = vec!["package", "--package", "mio"];
    // A developer wants to know before committing. In CI a changed file would be one that a check has written.
    if std::env::var_os("CI").is_none() {
        args.push("--allow-dirty");
    }
    let list = output(cargo(&args).arg("--list"))?;
    print!("{list}");
    each(PUBLISHED, |name| {
        match list.lines().any(|line| line == *name) {
            true => Ok(()),
            false => Err(format!("the package lacks {name}")),
        }
    })?;
    run(&mut cargo(&args))
}
