//! A loop to run operations in, addresses, and child processes.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use mio::event::{Event, Source};
use mio::{Backend, Events, Interest, Poll, Registry, Token};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// A queue and its events.
pub(crate) struct Loop {
    pub(crate) poll: Poll,
    pub(crate) events: Events,
}

/// Runs `test` in a loop over each backend of the build.
pub(crate) fn on_each_backend(test: impl Fn(&mut Loop)) {
    for backend in Backend::available() {
        println!("backend: {backend}");
        test(&mut Loop {
            poll: Poll::builder().backend(backend).build().unwrap(),
            events: Events::with_capacity(64),
        });
    }
}

impl Loop {
    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    #[track_caller]
    pub(crate) fn register(
        &self,
        source: &mut (impl Source + ?Sized),
        token: usize,
        interest: Interest,
    ) {
        self.registry()
            .register(source, Token(token), interest)
            .unwrap();
    }

    /// Polls until there are events.
    #[track_caller]
    pub(crate) fn turn(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        self.poll.poll_until(&mut self.events, deadline).unwrap();
        assert!(!self.events.is_empty(), "nothing happened");
    }

    /// Runs `operation` until it no longer would block, and polls in between.
    #[track_caller]
    pub(crate) fn finish<T>(
        &mut self,
        mut operation: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match operation() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.turn(),
                result => return result,
            }
        }
    }

    /// Polls until there is an event with `token` of which `is` holds.
    #[track_caller]
    pub(crate) fn expect(&mut self, token: usize, is: impl Fn(&Event) -> bool) {
        loop {
            self.turn();
            let mut events = self.events.iter();
            if events.any(|event| event.token() == Token(token) && is(event)) {
                return;
            }
        }
    }

    /// Whether there is an event with `token` now, of which `is` holds.
    pub(crate) fn has_now(&mut self, token: usize, is: impl Fn(&Event) -> bool) -> bool {
        self.poll
            .poll(&mut self.events, Some(Duration::ZERO))
            .unwrap();
        let mut events = self.events.iter();
        events.any(|event| event.token() == Token(token) && is(event))
    }
}

#[track_caller]
pub(crate) fn refused<T>(result: io::Result<T>, kind: io::ErrorKind) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
}

#[track_caller]
pub(crate) fn would_block<T>(result: io::Result<T>) {
    refused(result, io::ErrorKind::WouldBlock);
}

/// For errors that the oldest compiler has no kind for.
#[track_caller]
pub(crate) fn os_error<T>(result: io::Result<T>, errno: rustix::io::Errno) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(
        error.raw_os_error(),
        Some(errno.raw_os_error()),
        "{error:?}"
    );
}

/// An IPv4 address of this host, with a port that the system picks.
pub(crate) fn any_v4() -> SocketAddr {
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)
}

/// The same of each family that this machine has.
pub(crate) fn each_family() -> Vec<SocketAddr> {
    let mut families = vec![any_v4()];
    families.extend(any_v6());
    families
}

/// The same of IPv6, if this machine has it.
pub(crate) fn any_v6() -> Option<SocketAddr> {
    let address = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 0);
    match UdpSocket::bind(address) {
        Ok(_) => Some(address),
        Err(error) => {
            println!("skipped: no IPv6 here ({error})");
            None
        }
    }
}

/// The unspecified address of the same family.
pub(crate) fn unspecified(address: SocketAddr) -> IpAddr {
    match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

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
    let output = Command::new(&program)
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
