//! `inject`: system calls fail, one at a time, and the library says so and goes on.
//!
//! strace puts an error in the place of a call's result; the call is not made then. What runs under it is one test of
//! `tests/stress` at a time, which knows what is to happen. Each fault must have struck: a call that the library does not
//! make any more would otherwise go unnoticed.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cargo::{cargo, each, test_programs, Result};
use crate::debian::{self, create};

/// What fails, one case a line: backend; test; errors, each in a run of its own; faults; what strace's log has to hold
/// once.
///
/// A fault is a call and when it fails, as strace counts: the calls of each thread by themselves, of which only one makes
/// those of a test. `1+2` is each first call of two. The error is that of the run unless the fault has its own. A call
/// that the harness of the tests makes, too, is restricted to one `@` kind of file.
const CASES: &str = "
epoll | injected::opening                  | EMFILE ENFILE ENOMEM EPERM        | epoll_create1 1
poll  | injected::opening                  | EMFILE ENFILE ENOMEM              | eventfd2 1
epoll | injected::a_new_waker              | EMFILE ENFILE ENOMEM              | eventfd2 1
epoll | injected::a_new_waker              | ENOMEM ENOSPC                     | epoll_ctl 1

epoll | injected::registering              | EEXIST ENOENT ENOMEM ENOSPC EPERM | epoll_ctl 1
epoll | injected::reregistering            | ENOENT ENOMEM EPERM               | epoll_ctl 2
epoll | injected::deregistering            | ENOENT EBADF                      | epoll_ctl 2

epoll | injected::polling_without_end      | EINTR EBADF                       | epoll_wait 1
epoll | injected::polling_for_milliseconds | EINTR EBADF                       | epoll_wait 1
epoll | injected::polling_for_nanoseconds  | EINTR EBADF                       | epoll_pwait2 1
epoll | injected::polling_until_an_event   | EINTR                             | epoll_wait 1..3
epoll | injected::polling_until_a_deadline | EINTR                             | epoll_pwait2 1..3
poll  | injected::polling_without_end      | EINTR ENOMEM                      | ppoll 1
poll  | injected::polling_for_milliseconds | EINTR ENOMEM                      | ppoll 1
poll  | injected::polling_for_nanoseconds  | EINTR ENOMEM                      | ppoll 1
poll  | injected::polling_until_an_event   | EINTR                             | ppoll 1..3
poll  | injected::polling_until_a_deadline | EINTR                             | ppoll 1..3

epoll | injected::polling_on_an_old_kernel | ENOSYS EPERM | epoll_pwait2 1+                          | epoll_pwait2(; tv_nsec=2500001}, NULL
epoll | injected::polling_on_an_old_kernel | ENOSYS       | epoll_pwait2 1+, epoll_wait 1+2 retval=0 | tv_nsec=2500001}, NULL
epoll | injected::polling_for_nanoseconds  | EINTR ENOMEM | epoll_pwait2 1+ error=ENOSYS, ppoll 1
epoll | injected::polling_for_nanoseconds  | EINTR EBADF  | epoll_pwait2 1+ error=ENOSYS, epoll_wait 1
epoll | injected::polling_until_a_deadline | EINTR        | epoll_pwait2 1+ error=ENOSYS, ppoll 1..3

epoll | injected::waking_in_spite_of_it    | EAGAIN EINTR | write@eventfd 1
poll  | injected::waking_in_spite_of_it    | EAGAIN EINTR | write@eventfd 1
epoll | injected::waking_in_spite_of_it    | EAGAIN EINTR | write@eventfd 1 error=EAGAIN, read@eventfd 1
poll  | injected::waking_in_spite_of_it    | EAGAIN EINTR | read@eventfd 1
epoll | injected::waking                   | EBADF EIO    | write@eventfd 1
poll  | injected::waking                   | EBADF EIO    | write@eventfd 1
epoll | injected::waking                   | EIO          | write@eventfd 1 error=EAGAIN, read@eventfd 1
poll  | injected::polling_without_end      | EIO          | read@eventfd 1
poll  | injected::more_wakes_than_room     | EIO          | write@eventfd 3
poll  | injected::beside_a_poll::registering   | EIO ENOMEM | write@eventfd 1
poll  | injected::beside_a_poll::reregistering | EIO ENOMEM | write@eventfd 1
poll  | injected::beside_a_poll::deregistering | EIO ENOMEM | write@eventfd 1
poll  | injected::blocking_for_no_reason   | EAGAIN       | recvfrom 1

epoll | injected::pipes::making            | EMFILE ENFILE      | pipe2 1
epoll | injected::pipes::changing_mode     | EIO                | ioctl@pipe 1
epoll | injected::pipes::reading           | EINTR EIO          | read@pipe 1+2, readv@pipe 1+2
epoll | injected::pipes::writing           | EINTR EIO ENOBUFS  | write@pipe 1+2, writev@pipe 1+2

epoll | injected_sockets::making           | EMFILE ENFILE ENOBUFS EACCES | socket 1+2
epoll | injected_sockets::binding          | EADDRINUSE EACCES            | bind 1+2
epoll | injected_sockets::listening        | EADDRINUSE                   | listen 1+2
epoll | injected_sockets::listening_on_tcp | ENOMEM                       | setsockopt 1+2
epoll | injected_sockets::pairing          | EMFILE ENFILE                | socketpair 1+2
epoll | injected_sockets::connecting       | ECONNREFUSED EACCES          | connect 1+2
epoll | injected_sockets::accepting        | EMFILE ENFILE ECONNABORTED EINTR ENOBUFS | accept4 1+2
epoll | injected_sockets::receiving        | EINTR ECONNRESET ENOBUFS     | recvfrom 1+2
epoll | injected_sockets::sending          | EINTR ECONNRESET ENOBUFS     | sendto 1+2
epoll | injected_sockets::receiving_into_several_buffers | EINTR ECONNRESET ENOBUFS | readv 1+2
epoll | injected_sockets::sending_from_several_buffers   | EINTR ECONNRESET ENOBUFS | sendmsg 1+2

epoll | injected_udp::cutting_segments            | EIO EINVAL EMSGSIZE     | sendmsg 1
epoll | injected_udp::cutting_segments_in_a_batch | EIO EINVAL EMSGSIZE     | sendmmsg 2
epoll | injected_udp::marking                     | EINVAL ENOPROTOOPT EOPNOTSUPP EPERM | sendmsg 1
epoll | injected_udp::marking_segments            | EINVAL                  | sendmsg 1 error=EINVAL, sendmmsg 2
epoll | injected_udp::no_batches                  | ENOSYS EPERM            | sendmmsg 1
epoll | injected_udp::sending                     | EPERM ENOBUFS EAGAIN EINTR | sendmmsg 3
epoll | injected_udp::sending_segments            | EPERM EAGAIN            | sendmmsg 3
poll  | injected_udp::blocking_in_the_middle      | EAGAIN                  | sendmmsg 3
epoll | injected_udp::receiving                   | ECONNREFUSED EINTR      | recvmmsg 2
epoll | injected_udp::receiving_one_by_one        | ECONNREFUSED EINTR      | recvmsg 2
epoll | injected_udp::receiving                   | ECONNREFUSED            | recvmmsg 2..5
epoll | injected_udp::receiving_no_more           | EIO                     | recvmmsg 2+
poll  | injected_udp::giving_up_on_receiving      | EIO                     | recvmmsg 2..18
";

/// `inject`.
pub(crate) fn run() -> Result {
    run_with(&[])
}

/// The same, with these variables for cargo and for the tests.
pub(crate) fn run_with(environment: &[(String, String)]) -> Result {
    debian::provide("strace", "strace")?;
    let permitted = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=none", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !permitted {
        println!("skipped: this system permits no ptrace");
        return Ok(());
    }
    let cases = cases()?;
    let tests = Tests::build(environment)?;
    each(&cases, |case| {
        each(&case.errors, |error| tests.run(case, error))
    })?;
    let runs: usize = cases.iter().map(|case| case.errors.len()).sum();
    println!("{runs} failures of system calls, each survived");
    Ok(())
}

/// The program of the tests, to be run under strace.
struct Tests<'a> {
    program: PathBuf,
    environment: &'a [(String, String)],
    /// For what strace writes, and for a pipe.
    folder: PathBuf,
}

impl Tests<'_> {
    fn build(environment: &[(String, String)]) -> Result<Tests<'_>> {
        let mut build = cargo(&["test", "--test", "stress", "--all-features"]);
        build.envs(environment.iter().map(|(name, value)| (name, value)));
        let program = test_programs(&mut build)?.swap_remove(0);
        let name = format!("mio-xtask-inject-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        create(&folder)?;
        Ok(Tests {
            program,
            environment,
            // strace compares names without links.
            folder: folder.canonicalize().map_err(|error| error.to_string())?,
        })
    }

    /// Runs a case with one of its errors, and says how it went.
    fn run(&self, case: &Case, error: &str) -> Result {
        let calls: Vec<&str> = case.faults.iter().map(|fault| fault.call).collect();
        let calls = calls.join(", ");
        let what = format!("{:<5} {error:<12} {calls:<22} {}", case.backend, case.test);
        match self.trace(case, error) {
            Ok(()) => {
                println!("ok      {what}");
                Ok(())
            }
            Err(message) => {
                println!("FAILED  {what}\n{message}");
                Err(what)
            }
        }
    }

    fn trace(&self, case: &Case, error: &str) -> Result {
        let log = self.folder.join("log");
        let pipe = self.folder.join("pipe");
        let _ = fs::remove_file(&pipe);
        // Killed, for strace lets go of its program when it is asked to end.
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", "120", "strace", "-f", "-qq", "-o"]);
        command.arg(&log).args(["-e", "trace=%desc,%network"]);
        for fault in &case.faults {
            command.arg("-e").arg(fault.expression(error));
            match fault.file {
                None => {}
                Some("eventfd") => drop(command.args(["-P", "anon_inode:[eventfd]"])),
                Some("pipe") => drop(command.arg("-P").arg(&pipe)),
                Some(kind) => return Err(format!("unknown kind of file `{kind}`")),
            }
        }
        let output = command
            .arg(&self.program)
            .args([case.test, "--exact", "--ignored", "--nocapture"])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("MIO_INJECT", error)
            .env("MIO_INJECT_BACKEND", case.backend)
            .env("MIO_INJECT_FIFO", &pipe)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("timeout: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let log = fs::read_to_string(&log).unwrap_or_default();
        let verdict = if output.status.success() && said.contains("1 passed") {
            case.check(&log)
        } else {
            Err(output.status.to_string())
        };
        let complained = String::from_utf8_lossy(&output.stderr);
        verdict.map_err(|reason| format!("{said}{complained}{log}{reason}"))
    }
}

impl Drop for Tests<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A line of [`CASES`].
struct Case {
    backend: &'static str,
    test: &'static str,
    errors: Vec<&'static str>,
    faults: Vec<Fault>,
    log: Vec<&'static str>,
}

/// The lines of [`CASES`].
fn cases() -> Result<Vec<Case>> {
    CASES
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| Case::parse(line).ok_or_else(|| format!("no case: {line}")))
        .collect()
}

impl Case {
    fn parse(line: &'static str) -> Option<Case> {
        let mut columns = line.split('|').map(str::trim);
        Some(Case {
            backend: columns.next()?,
            test: columns.next()?,
            errors: columns.next()?.split_whitespace().collect(),
            faults: columns
                .next()?
                .split(',')
                .map(Fault::parse)
                .collect::<Option<_>>()?,
            log: columns
                .next()
                .map_or_else(Vec::new, |texts| texts.split("; ").collect()),
        })
    }

    /// Whether every fault has struck, and the log holds what it should.
    fn check(&self, log: &str) -> Result {
        let struck = |fault: &&Fault| {
            log.lines().any(|line| {
                line.ends_with("(INJECTED)") && fault.names().any(|name| line.contains(name))
            })
        };
        if let Some(fault) = self.faults.iter().find(|fault| !struck(fault)) {
            return Err(format!("`{}` was not called", fault.call));
        }
        for text in &self.log {
            let times = log.matches(text).count();
            if times != 1 {
                return Err(format!("`{text}` was there {times} times"));
            }
        }
        Ok(())
    }
}

struct Fault {
    call: &'static str,
    file: Option<&'static str>,
    when: &'static str,
    /// `error=` or `retval=`, if not the error of the run.
    result: Option<&'static str>,
}

impl Fault {
    fn parse(text: &'static str) -> Option<Fault> {
        let mut words = text.split_whitespace();
        let call = words.next()?;
        let (call, file) = match call.split_once('@') {
            Some((call, file)) => (call, Some(file)),
            None => (call, None),
        };
        let fault = Fault {
            call,
            file,
            when: words.next()?,
            result: words.next(),
        };
        words.next().is_none().then_some(fault)
    }

    /// The names that the call has, depending on the architecture.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let other = (self.call == "epoll_wait").then_some("epoll_pwait");
        std::iter::once(self.call).chain(other)
    }

    /// The option of strace.
    fn expression(&self, error: &str) -> String {
        // A name with a question mark may be unknown to the architecture.
        let names: Vec<String> = self.names().map(|name| format!("?{name}")).collect();
        let result = match self.result {
            Some(result) => result.to_owned(),
            None => format!("error={error}"),
        };
        format!("inject={}:{result}:when={}", names.join(","), self.when)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_case() {
        let cases = cases().unwrap();
        assert!(cases.len() > 40);
        for case in &cases {
            assert!(!case.errors.is_empty(), "{}", case.test);
            assert!(case.errors.iter().all(|error| error.starts_with('E')));
        }
    }

    #[test]
    fn faults_in_the_words_of_strace() {
        let fault = |text| Fault::parse(text).unwrap().expression("EIO");
        assert_eq!(fault("read@pipe 1+2"), "inject=?read:error=EIO:when=1+2");
        assert_eq!(
            fault("epoll_wait 1 retval=0"),
            "inject=?epoll_wait,?epoll_pwait:retval=0:when=1"
        );
        assert!(Fault::parse("read").is_none());
    }

    #[test]
    fn a_fault_that_has_not_struck_is_noticed() {
        let case = Case::parse("epoll | a::b | EIO | read 1, write 1 | once").unwrap();
        let read = "1 read(3) = -1 EIO (INJECTED)";
        assert!(case.check(read).is_err());
        let both = format!("{read}\n1 write(3) = -1 EIO (INJECTED)");
        assert!(case.check(&both).is_err());
        assert_eq!(case.check(&format!("{both}\nonce")), Ok(()));
    }
}
