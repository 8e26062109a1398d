//! `cargo xtask`: everything that guards this crate, as programs that also run on a developer's machine.

mod bench;
mod cargo;
mod checks;
mod ci;
mod coverage;
mod debian;
mod downstream;
mod failures;
mod features;
mod http;
mod inject;
mod inlining;
mod left_out;
mod linuxes;
mod minimal;
mod models;
mod msrv;
mod sanitize;
mod semver;
mod stress;
mod sysroot;
mod targets;
mod wasi;
mod windows;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci                 every check below up to `package`, then a table of the results
  fmt                rustfmt, without changing a file
  lint               clippy over the whole workspace
  test               the test suites, and in release the tests that only mean something there
  loom               the models of what threads share, checked in every order of their steps
  models             backends of other systems, on models of their kernels
  inlining           the system calls of hot operations stand in the user's own code
  counts             instructions, system calls and allocations of each operation are within their limits
  libc               the test suite with system calls through libc
  posix              the test suite on `poll(2)`, pipes and `fcntl(2)`, as on a Unix that has nothing better
  features           each combination of features: lints, and for some the tests
  docs               the documentation, without a warning
  msrv               a build with the oldest compilers to be had, and clippy's view of `rust-version`
  minimal            a compile with the oldest dependencies that Cargo.toml allows
  windows [PROGRAM…] [-- TEST-ARGS…]
                     the test suite as Windows programs, under Wine
  tokio              the test suite of tokio on this crate, without the examples in its documentation
  semver             no public item of the baseline version is missing or changed
  targets [--all] [--list] [TARGET…]
                     lint the library, its tests and examples for other systems
  linuxes [--list | --packages | --all | TARGET…] [-- TEST-ARGS…]
                     the test suite on i686, musl and, under qemu, aarch64; with `--all` on armv7 and riscv64, too
  deny               licences, sources and advisories of the dependencies (runs cargo-deny)
  package            what would be published, built from its own archive

  bench [--quick] [OPERATION… | servers | udp | return-stack]
                     this crate beside the published mio, polling and bare system calls; all of it makes a record
  downstream [CRATE…] [--poll | --published | --windows] [--no-docs] [--filter TEXT]
                     the test suites of published crates that stand on mio, on this crate; under Wine, on both mios
  http [--quick]     the example `http_hello` before curl, Chromium and wrk, beside itself on the published mio
  coverage           the lines of the library that no test reaches, file by file
  inject             failures of system calls, one at a time, with strace
  sanitize address|memory|thread [TEST-ARGS…]
                     the test suite under a sanitizer
  wasi               a program for WASI preview 1, run by Node.js
  stress [N]         the test suite N times (50 unless told) with every core busy
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        ["ci"] => ci::run(),
        ["targets", ref rest @ ..] => targets::run(rest),
        ["linuxes", ref rest @ ..] => linuxes::run(rest),
        ["stress", ref rest @ ..] => stress::run(rest),
        ["bench", ref rest @ ..] => bench::bench(rest),
        ["http", ref rest @ ..] => http::check(rest),
        ["downstream", ref rest @ ..] => downstream::run(rest),
        ["deny"] => checks::deny(),
        ["coverage"] => coverage::run(),
        ["inject"] => inject::run(),
        ["wasi"] => wasi::run(),
        ["windows", ref rest @ ..] => windows::run(rest),
        ["sanitize", ref rest @ ..] => sanitize::run(rest),
        [name] => match ci::step(name) {
            Some(step) => step(),
            None => Err(format!("unknown command `{name}`\n\n{USAGE}")),
        },
        _ => Err(format!(
            "unexpected arguments: {}\n\n{USAGE}",
            args.join(" ")
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nxtask: {message}");
            ExitCode::FAILURE
        }
    }
}
