//! Every kind of source that this build has, each with another end that makes it ready.

#[cfg(feature = "net")]
mod net;
#[cfg(all(unix, feature = "os-ext"))]
mod os_ext;

use std::io;
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::{Interest, IoSource};

use crate::bed::{during, BOTH, PATIENCE};
use crate::system::{self, socket_pair, AsFd, BorrowedFd, OwnedFd, PollFlags};

#[cfg(feature = "net")]
pub(crate) use self::net::{tcp_pair, udp_pair};
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) use self::os_ext::bare_links;

/// A source under test, and what it is connected to.
pub(crate) struct Link {
    pub(crate) name: &'static str,
    /// The directions that the source has.
    pub(crate) interest: Interest,
    /// Whether the source is a bare descriptor, of whose reads and writes a queue learns nothing.
    pub(crate) bare: bool,
    /// Whether the source is a stream of this crate, which sees that it moved less than it was asked for.
    pub(crate) is_stream: bool,
    /// Whether writing to the source can be made to block.
    pub(crate) fills: bool,
    /// What the system says of the source once the other end is closed.
    pub(crate) hung_up: PollFlags,
    pub(crate) near: Box<dyn Near>,
    far: Option<OwnedFd>,
}

/// The end that is registered.
pub(crate) trait Near: Send + Sync {
    fn source(&mut self) -> &mut dyn Source;
    fn fd(&self) -> BorrowedFd<'_>;
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl dyn Near {
    /// The number by which the system knows the source.
    pub(crate) fn number(&self) -> i64 {
        system::number(self.fd())
    }
}

impl Link {
    /// A socket pair in an [`IoSource`], which every build has.
    pub(crate) fn new() -> Link {
        let (near, far) = socket_pair();
        Link::of("IoSource", BOTH, IoSource::new(near), far)
    }

    pub(crate) fn of(
        name: &'static str,
        interest: Interest,
        near: impl Near + 'static,
        far: impl Into<OwnedFd>,
    ) -> Link {
        Link {
            name,
            interest,
            bare: false,
            is_stream: false,
            fills: interest.is_writable(),
            hung_up: PollFlags::HUP,
            near: Box::new(near),
            far: Some(far.into()),
        }
    }

    /// The same, of a stream of this crate.
    #[cfg(any(feature = "net", feature = "os-ext"))]
    fn stream(self) -> Link {
        Link {
            is_stream: true,
            ..self
        }
    }

    /// The same, to be registered for `interest`.
    #[cfg(feature = "net")]
    pub(crate) fn asking(self, interest: Interest) -> Link {
        Link { interest, ..self }
    }

    pub(crate) fn source(&mut self) -> &mut dyn Source {
        self.near.source()
    }

    /// The other end.
    #[track_caller]
    pub(crate) fn far(&self) -> BorrowedFd<'_> {
        self.far.as_ref().expect("the far end is closed").as_fd()
    }

    /// Makes the source readable: the other end writes `n` bytes.
    #[track_caller]
    pub(crate) fn feed(&self, n: usize) {
        write_whole(self.far(), n);
        wait_for(self.near.fd(), PollFlags::IN);
    }

    /// Reads until it would block, and returns how much there was.
    #[track_caller]
    pub(crate) fn drain(&self) -> usize {
        let mut buffer = [0; 16 * 1024];
        let mut total = 0;
        loop {
            match self.near.read(&mut buffer) {
                Ok(0) => panic!("the end of {}", self.name),
                Ok(n) => total += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return total,
                Err(error) => panic!("{}: {error}", self.name),
            }
        }
    }

    /// Writes until it would block, and goes on doing so: TCP takes more once the peer's kernel has what was sent.
    #[track_caller]
    pub(crate) fn fill(&self) {
        loop {
            match self.near.write(&[7; 8 * 1024]) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !is_ready(self.near.fd(), PollFlags::OUT, Duration::from_millis(5)) {
                        return;
                    }
                }
                Err(error) => panic!("{}: {error}", self.name),
            }
        }
    }

    /// Makes the source writable again: the other end reads everything.
    #[track_caller]
    pub(crate) fn relieve(&self) {
        let _during = during(self.name);
        relieve(self.near.fd(), self.far());
    }

    /// Whether each read takes what one write has sent.
    pub(crate) fn is_datagram(&self) -> bool {
        self.hung_up.is_empty()
    }

    /// Closes the other end.
    #[track_caller]
    pub(crate) fn hang_up(&mut self) {
        drop(self.far.take());
        if !self.hung_up.is_empty() {
            wait_for(self.near.fd(), self.hung_up);
        }
    }
}

/// One link of every kind.
pub(crate) fn links() -> Vec<Link> {
    let links = [Link::new()].into_iter();
    #[cfg(feature = "net")]
    let links = links.chain(net::links());
    #[cfg(all(unix, feature = "os-ext"))]
    let links = links.chain(os_ext::links());
    links.collect()
}

/// The link of this name.
#[cfg(any(feature = "net", feature = "os-ext"))]
pub(crate) fn named(name: &str) -> Link {
    let mut links = links();
    links.retain(|link| link.name == name);
    links.remove(0)
}

/// One link of every kind that can be read.
pub(crate) fn readers() -> Vec<Link> {
    let mut links = links();
    links.retain(|link| link.interest.is_readable());
    links
}

/// One link of every kind whose writes can be made to block.
pub(crate) fn writers() -> Vec<Link> {
    let mut links = links();
    links.retain(|link| link.fills);
    links
}

#[track_caller]
pub(crate) fn write_whole(fd: impl AsFd, n: usize) {
    assert_eq!(system::write(fd, &vec![7; n]).unwrap(), n);
}

/// Reads everything at `far`, so that `near` has room.
#[track_caller]
pub(crate) fn relieve(near: impl AsFd, far: impl AsFd) {
    let deadline = Instant::now() + PATIENCE;
    let mut buffer = [0; 16 * 1024];
    loop {
        match system::read(&far, &mut buffer) {
            Ok(n) => assert_ne!(n, 0, "the end"),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if is_ready(&near, PollFlags::OUT, Duration::from_millis(1)) {
                    return;
                }
                assert!(Instant::now() < deadline, "does not become writable");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Whether the system says that a descriptor is ready, or becomes so in time.
pub(crate) fn is_ready(fd: impl AsFd, flags: PollFlags, timeout: Duration) -> bool {
    system::poll(fd, flags, timeout).contains(flags)
}

/// Waits until the system says that a descriptor is ready: what a queue is asked for after this is nothing new.
#[track_caller]
pub(crate) fn wait_for(fd: impl AsFd, flags: PollFlags) {
    assert!(is_ready(fd, flags, PATIENCE), "no {flags:?} in time");
}

/// Waits until the other end of what `fd` is connected to is closed.
#[track_caller]
pub(crate) fn wait_for_hang_up(fd: impl AsFd) {
    // Depending on what it is, this is the end of a stream, a hang-up or an error. All but the first come unasked.
    let said = system::poll(fd, system::PEER_WROTE_ALL, PATIENCE);
    assert!(!said.is_empty(), "the other end is open");
}

/// `Near` for a source that has its descriptor itself, and the two ways to use it.
#[cfg(any(feature = "net", feature = "os-ext"))]
macro_rules! near {
    ($source:ty, $read:expr, $write:expr) => {
        impl $crate::links::Near for $source {
            fn source(&mut self) -> &mut dyn ::mio::event::Source {
                self
            }

            fn fd(&self) -> $crate::system::BorrowedFd<'_> {
                $crate::system::AsFd::as_fd(self)
            }

            fn read(&self, buffer: &mut [u8]) -> ::std::io::Result<usize> {
                let read: fn(&$source, &mut [u8]) -> ::std::io::Result<usize> = $read;
                read(self, buffer)
            }

            fn write(&self, bytes: &[u8]) -> ::std::io::Result<usize> {
                let write: fn(&$source, &[u8]) -> ::std::io::Result<usize> = $write;
                write(self, bytes)
            }
        }
    };
}
#[cfg(any(feature = "net", feature = "os-ext"))]
pub(crate) use near;

impl Near for IoSource<OwnedFd> {
    fn source(&mut self) -> &mut dyn Source {
        self
    }

    fn fd(&self) -> BorrowedFd<'_> {
        (**self).as_fd()
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.do_read(|fd| system::read(fd, buffer))
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.do_write(|fd| system::write(fd, bytes))
    }
}
