//! Pipes and bare descriptors.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use mio::event::Source;
use mio::unix::pipe::{self, Receiver, Sender};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use super::{near, Link};
use crate::bed::BOTH;
use crate::system::{self, socket_pair, PollFlags};

pub(super) fn links() -> [Link; 5] {
    let (sender, receiver) = pipe::new().unwrap();
    let receiver = Link::of("pipe::Receiver", Interest::READABLE, receiver, sender).stream();

    let (sender, far) = pipe::new().unwrap();
    let mut sender = Link::of("pipe::Sender", Interest::WRITABLE, sender, far).stream();
    sender.hung_up = PollFlags::ERR;

    let (near, far) = socket_pair();
    let socket = bare("SourceFd of a socket", BOTH, near, far);

    let (far, near) = pipe::new().unwrap();
    let reader = bare(
        "SourceFd of a pipe",
        Interest::READABLE,
        near.into(),
        far.into(),
    );

    let (near, far) = pipe::new().unwrap();
    let mut writer = bare(
        "SourceFd of a pipe's sender",
        Interest::WRITABLE,
        near.into(),
        far.into(),
    );
    writer.hung_up = PollFlags::ERR;
    [receiver, sender, socket, reader, writer]
}

/// The links whose source is a bare descriptor.
pub(crate) fn bare_links() -> Vec<Link> {
    let mut links = Vec::from(links());
    links.retain(|link| link.bare);
    links
}

fn bare(name: &'static str, interest: Interest, near: OwnedFd, far: OwnedFd) -> Link {
    let mut link = Link::of(name, interest, Bare::new(near), far);
    link.bare = true;
    link
}

/// A descriptor that is registered through [`SourceFd`].
pub(crate) struct Bare {
    fd: OwnedFd,
    number: RawFd,
}

impl Bare {
    pub(crate) fn new(fd: OwnedFd) -> Bare {
        let number = fd.as_raw_fd();
        Bare { fd, number }
    }
}

impl AsFd for Bare {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Source for Bare {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        SourceFd(&self.number).register(registry, token, interest)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        SourceFd(&self.number).reregister(registry, token, interest)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.number).deregister(registry)
    }
}

near!(
    Bare,
    |bare, buffer| system::read(bare, buffer),
    |bare, bytes| system::write(bare, bytes)
);
near!(
    Receiver,
    |mut receiver, buffer| Read::read(&mut receiver, buffer),
    |_, _| panic!("nobody writes to a receiver")
);
near!(
    Sender,
    |_, _| panic!("nobody reads from a sender"),
    |mut sender, bytes| Write::write(&mut sender, bytes)
);
