//! A loop to run operations in, and addresses.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
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

/// Whether the error of a socket is told as an error, and not as something to read and to write alone.
pub(crate) const TELLS_ERRORS: bool = !cfg!(any(
    mio_model = "solaris",
    target_os = "illumos",
    target_os = "solaris"
));

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

    /// Polls until each of `all` was true of an event with `token`. It may take several: a backend can report the
    /// directions apart.
    #[track_caller]
    pub(crate) fn expect_each(&mut self, token: usize, all: &[fn(&Event) -> bool]) {
        let mut missing = all.to_vec();
        while !missing.is_empty() {
            self.turn();
            for event in &self.events {
                missing.retain(|is| event.token() != Token(token) || !is(event));
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

/// Runs `body`, which is all of the test `name`, where what is closed is closed at once: in a process that starts no others.
/// Until it has become another program, a new process has a copy of every descriptor, and other tests start some.
#[track_caller]
pub(crate) fn undisturbed(name: &str, body: impl FnOnce()) {
    #[cfg(not(any(windows, target_os = "fuchsia", target_os = "redox")))]
    crate::own_process::in_own_process(name, body);
    #[cfg(any(windows, target_os = "fuchsia", target_os = "redox"))] // where no test starts one
    {
        let _ = name;
        body();
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
pub(crate) fn os_error<T>(result: io::Result<T>, code: Code) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(code.raw_os_error()), "{error:?}");
}

#[cfg(unix)]
pub(crate) use rustix::io::Errno as Code;

/// A number of Windows Sockets.
#[cfg(windows)]
#[derive(Copy, Clone)]
pub(crate) struct Code(i32);

#[cfg(windows)]
impl Code {
    pub(crate) const MSGSIZE: Code = Code(windows_sys::Win32::Networking::WinSock::WSAEMSGSIZE);
    pub(crate) const NETUNREACH: Code =
        Code(windows_sys::Win32::Networking::WinSock::WSAENETUNREACH);
    pub(crate) const SHUTDOWN: Code = Code(windows_sys::Win32::Networking::WinSock::WSAESHUTDOWN);

    fn raw_os_error(self) -> i32 {
        self.0
    }
}

/// Writing after the end of writing: Unix calls it a broken pipe, Windows has a number of its own.
#[track_caller]
pub(crate) fn shut_down<T>(result: io::Result<T>) {
    #[cfg(unix)]
    refused(result, io::ErrorKind::BrokenPipe);
    #[cfg(windows)]
    os_error(result, Code::SHUTDOWN);
}

/// A port whose owner does not want to hear of anybody, so that the kernel answers that nobody is there. It is connected to
/// itself: one that is merely free could be somebody else's by the time it is used.
pub(crate) fn deaf(any: SocketAddr) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(any).unwrap();
    let address = socket.local_addr().unwrap();
    socket.connect(address).unwrap();
    (socket, address)
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
