//! Starting programs of this build, which under an emulator the system cannot start by their name alone.

use std::ffi::{OsStr, OsString};
use std::process::Command;

/// The emulator and its arguments, separated by spaces: what cargo knows as the target's runner.
const RUNNER: &str = "MIO_TEST_RUNNER";

/// `program`, ready for arguments of its own.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut words = words(program);
    let mut command = Command::new(words.remove(0));
    command.args(words);
    command
}

/// The words with which a shell starts `program`.
pub(crate) fn words(program: impl AsRef<OsStr>) -> Vec<OsString> {
    let runner = std::env::var(RUNNER).unwrap_or_default();
    let mut words: Vec<OsString> = runner.split_whitespace().map(OsString::from).collect();
    words.push(program.as_ref().to_owned());
    words
}
