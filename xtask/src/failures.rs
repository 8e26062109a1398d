//! What libtest says of tests that failed, kept to be said again where a person looks first: at the end.

use std::sync::{Mutex, PoisonError};

static REPORTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// How much of one test program's report is kept. A backtrace for each of a hundred tests helps nobody.
const LINES: usize = 200;

/// Reads the output of test programs, line by line, and keeps what stands between `failures:` and the closing line.
#[derive(Default)]
pub(crate) struct Reader {
    report: Option<Vec<String>>,
}

impl Reader {
    pub(crate) fn line(&mut self, line: &str) {
        match &mut self.report {
            Some(report) if line.starts_with("test result: ") => {
                report.push(line.to_owned());
                self.keep();
            }
            Some(report) if report.len() < LINES => report.push(line.to_owned()),
            Some(_) => {}
            None if line == "failures:" => self.report = Some(Vec::new()),
            None => {}
        }
    }

    fn keep(&mut self) {
        if let Some(report) = self.report.take() {
            reports().push(report.join("\n"));
        }
    }
}

/// A program that was killed in the middle of its report.
impl Drop for Reader {
    fn drop(&mut self) {
        self.keep();
    }
}

/// Everything that was kept so far.
pub(crate) fn take() -> Vec<String> {
    std::mem::take(&mut *reports())
}

fn reports() -> std::sync::MutexGuard<'static, Vec<String>> {
    REPORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_the_failed_tests_said() {
        let text = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\nwhy\n\n\n\
            failures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed\nmore\nfailures:\ncut off";
        let mut reader = Reader::default();
        text.lines().for_each(|line| reader.line(line));
        drop(reader);
        let reports = take();
        assert_eq!(reports.len(), 2);
        assert!(reports[0].starts_with("\n---- b stdout ----\nwhy\n"));
        assert!(reports[0].ends_with("    b\n\ntest result: FAILED. 1 passed; 1 failed"));
        assert_eq!(reports[1], "cut off");
    }
}
