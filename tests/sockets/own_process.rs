//! Tests in processes of their own.

use std::env;
use std::ffi::OsStr;
use std::process::{Output, Stdio};

use crate::runner;

/// Runs `body` in a process of its own, which is this program running the test `name` again, alone.
///
/// For what belongs to a whole process, such as limits, signals and inherited descriptors.
#[track_caller]
pub(crate) fn in_own_process(name: &str, body: impl FnOnce()) {
    if let Some(output) = own_process(name, body) {
        assert!(output.status.success(), "{}", show(&output));
    }
}

/// As [`in_own_process`], for processes that may end badly. `None` in the process itself.
pub(crate) fn own_process(name: &str, body: impl FnOnce()) -> Option<Output> {
    const NAME: &str = "MIO_TEST_IN_OWN_PROCESS";

    if env::var_os(NAME).as_deref() == Some(OsStr::new(name)) {
        body();
        return None;
    }
    let program = env::current_exe().unwrap();
    let output = runner::command(&program)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(NAME, name)
        .stdin(Stdio::null())
        .output();
    let loader = program.file_name().unwrap().to_string_lossy();
    let output = match output {
        Ok(output) if !loader.starts_with("ld-") => output,
        // Under an emulator or a loader that was called by name, this program cannot be started as it is.
        result => {
            println!("skipped: no second process ({program:?}, {result:?})");
            return None;
        }
    };
    let ran = String::from_utf8_lossy(&output.stdout).contains("running 1 test");
    assert!(ran, "no test `{name}`: {}", show(&output));
    Some(output)
}

pub(crate) fn show(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
