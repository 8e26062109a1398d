//! [`UdpSocket`].

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{self, SocketAddr};

use super::udp::{Config, Dscp, Offload, ReceiveMeta, Transmit};
use crate::io_source::IoSource;
use crate::sys::{datagrams, lend, socket, AsHandle as _, Lent, OwnedHandle};

/// How many errors in a row a batch of receives goes on after, once it has something. Windows has one for each datagram
/// that found nobody, and they stand before what has arrived since. One that never ends must not hold up the caller.
const MAX_FAILURES: usize = 16;

/// A UDP socket.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use mio::{net::UdpSocket, Events, Interest, Poll, Token};
/// use std::io::ErrorKind;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
///
/// let client = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
/// let mut server = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
/// poll.registry().register(&mut server, Token(0), Interest::READABLE)?;
/// client.send_to(b"hello", server.local_addr()?)?;
///
/// poll.poll(&mut events, None)?;
/// let mut buffer = [0; 1500];
/// // One event may stand for many datagrams.
/// loop {
///     match server.recv_from(&mut buffer) {
///         Ok((n, from)) => println!("{n} bytes from {from}"),
///         Err(error) if error.kind() == ErrorKind::WouldBlock => break,
///         Err(error) => return Err(error),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct UdpSocket {
    pub(super) inner: IoSource<OwnedHandle>,
}

impl UdpSocket {
    /// Binds a socket to `address`. With port 0 the system picks a free one: see
    /// [`local_addr`](UdpSocket::local_addr).
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse), [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable),
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) for a privileged port, too many open files.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// println!("bound to {}", socket.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
        socket::udp_bind(address).map(UdpSocket::from)
    }

    /// Takes over a socket of the standard library, which must be in
    /// [non-blocking mode](net::UdpSocket::set_nonblocking) already.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_nonblocking(true)?;
    /// let socket = UdpSocket::from_std(socket);
    /// # drop(socket);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn from_std(socket: net::UdpSocket) -> UdpSocket {
        UdpSocket {
            inner: IoSource::new(socket.into()),
        }
    }

    /// The address that the socket is bound to.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// assert_ne!(socket.local_addr()?.port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.std().local_addr()
    }

    /// The address that the socket is [connected](UdpSocket::connect) to.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if it is not.
    ///
    /// # Examples
    ///
    /// There is one at [`connect`](UdpSocket::connect).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.std().peer_addr()
    }

    /// Sends a datagram to `target`. It goes as a whole or not at all. May be empty.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when the send buffer is full, OS error `EMSGSIZE` for a datagram that is
    /// too large, and an ICMP error about an earlier one to the same target if the socket is connected.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// # let other = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// # let target = other.local_addr()?;
    /// assert_eq!(socket.send_to(b"hello", target)?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline(always)]
    pub fn send_to(&self, datagram: &[u8], target: SocketAddr) -> io::Result<usize> {
        let result = socket::send_to(self.inner.as_handle(), datagram, target);
        self.inner.after_write(result)
    }

    /// Receives a datagram, and tells its length and its sender. What does not fit into `buffer` is lost.
    ///
    /// | | Unix | Windows |
    /// | --- | --- | --- |
    /// | the datagram is longer than the buffer | it is cut off | it is cut off, and the call fails: OS error 10040 (`WSAEMSGSIZE`) |
    /// | nobody has received an earlier one | an error if the socket is connected | [`ConnectionReset`](io::ErrorKind::ConnectionReset), connected or not, unless switched off: `mio::windows::UdpSocketExt` |
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none, and those above.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    /// use std::io::ErrorKind;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let mut buffer = [0; 1500];
    /// match socket.recv_from(&mut buffer) {
    ///     Ok((n, from)) => println!("{:?} from {from}", &buffer[..n]),
    ///     Err(error) if error.kind() == ErrorKind::WouldBlock => { /* poll */ }
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline(always)]
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let result = socket::recv_from(self.inner.as_handle(), buffer);
        self.inner.after_read(result)
    }

    /// Receives a datagram without taking it: it is there for the next receive.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none; that counts as a read that would block.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::{net::UdpSocket, Events, Interest, Poll, Token};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// poll.registry().register(&mut socket, Token(0), Interest::READABLE)?;
    /// # socket.send_to(b"hello", socket.local_addr()?)?;
    ///
    /// poll.poll(&mut events, None)?;
    /// let mut buffer = [0; 1500];
    /// let (n, from) = socket.peek_from(&mut buffer)?;
    /// assert_eq!(socket.recv_from(&mut buffer)?, (n, from)); // it was still there
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline(always)]
    pub fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let result = socket::peek_from(self.inner.as_handle(), buffer);
        self.inner.after_read(result)
    }

    /// Sends a datagram to the address that the socket is [connected](UdpSocket::connect) to.
    ///
    /// # Errors
    ///
    /// As [`send_to`](UdpSocket::send_to). [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when an ICMP message said
    /// that nobody listens there; the datagram of this call was not sent then.
    ///
    /// # Examples
    ///
    /// There is one at [`connect`](UdpSocket::connect).
    #[inline(always)]
    pub fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.inner
            .do_write(|inner| socket::send(inner.as_handle(), datagram))
    }

    /// Receives a datagram from the address that the socket is [connected](UdpSocket::connect) to.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](UdpSocket::recv_from), and [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when an ICMP
    /// message said that nobody listens there.
    ///
    /// # Examples
    ///
    /// There is one at [`connect`](UdpSocket::connect).
    #[inline(always)]
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner
            .do_read(|inner| socket::recv(inner.as_handle(), buffer))
    }

    /// Receives a datagram from the connected address without taking it.
    ///
    /// # Errors
    ///
    /// As [`recv`](UdpSocket::recv).
    ///
    /// # Examples
    ///
    /// There is one at [`peek_from`](UdpSocket::peek_from).
    #[inline(always)]
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner
            .do_read(|inner| socket::peek(inner.as_handle(), buffer))
    }

    /// Prepares the socket for [`send_batch`](UdpSocket::send_batch) and [`recv_batch`](UdpSocket::recv_batch), and tells
    /// what the system has for them: see [`Offload::capabilities`].
    ///
    /// It sets options of the socket: which of what comes beside datagrams is reported, and the like. Called again, it
    /// replaces those. What the system does not know is left out, which is no error. The socket must be bound.
    ///
    /// # Errors
    ///
    /// The system's, if the socket's address cannot be told.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::{udp::Config, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let offload = socket.offload(&Config::new().coalesce(true).ecn(true))?;
    /// println!("{:?}", offload.capabilities());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn offload(&self, config: &Config) -> io::Result<Offload> {
        let local = self.local_addr()?;
        let v6 = local.is_ipv6();
        let handle = self.inner.as_handle();
        if config.portable {
            // What an earlier call has switched on would still change what is received.
            datagrams::enable(handle, v6, &Config::new());
            return Ok(Offload::new(local, Dscp::default(), None));
        }
        let capabilities = datagrams::enable(handle, v6, config);
        let dscp = datagrams::dscp(handle, v6);
        Ok(Offload::new(local, dscp, capabilities))
    }

    /// Sends a batch of datagrams, each with its own address and marks, and returns how many *transmits* went out as a
    /// whole. They go in order, and each datagram goes as a whole or not at all.
    ///
    /// When it returns fewer than there are, something stood in the way of the next one. Call again with the rest:
    ///
    /// - If the send buffer was full, that is `WouldBlock` as long as it is. To learn of its end it is not necessary to have
    ///   seen the error: a batch that met it has armed the edge.
    /// - Any other error is kept in that transmit ([`Transmit::error`]) and is the result of the next call that begins with
    ///   it. It has been reported then, and the call after that tries to send the transmit.
    /// - If some segments of that transmit went out, it remembers how much ([`Transmit::sent`]) and goes on from there.
    ///
    /// Where the system refuses to cut segments, for good or for this destination, they are cut here. The
    /// [capabilities](Offload::capabilities) tell if that is so for good.
    ///
    /// The contents of a transmit may be longer than a datagram if there is a [segment size](Transmit::segment_size). Transmits
    /// are handed to the system by the dozen where it takes them so, but those to the connected peer one by one: the
    /// system hides errors in a batch, and could not tell that the peer is not there. So a transmit on a connected socket
    /// should have no [destination](Transmit::destination): with one it arrives as well, but the error of an ICMP message may
    /// get lost.
    ///
    /// # Errors
    ///
    /// Those of [`send_to`](UdpSocket::send_to) about the first transmit, when nothing else was sent as a whole;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if it has more than [`MAX_SLICES`](super::udp::MAX_SLICES) slices, or a
    /// [source](Transmit::source) that is not of the family of its destination.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// use mio::net::udp::{Config, Transmit};
    /// use mio::net::UdpSocket;
    /// use std::io::IoSlice;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let offload = socket.offload(&Config::new())?;
    /// # let other = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// # let (alice, bob) = (other.local_addr()?, other.local_addr()?);
    ///
    /// // Header and body of one datagram, and three datagrams in one buffer.
    /// let greeting = [IoSlice::new(b"hello "), IoSlice::new(b"alice")];
    /// let numbers = [IoSlice::new(b"onetwosix")];
    /// let mut batch = [
    ///     Transmit::to(alice, &greeting),
    ///     Transmit::to(bob, &numbers).segments_of(3),
    /// ];
    /// assert_eq!(socket.send_batch(&offload, &mut batch)?, 2);
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    pub fn send_batch(&self, offload: &Offload, batch: &mut [Transmit<'_>]) -> io::Result<usize> {
        if let Some(error) = batch.first_mut().and_then(Transmit::take_error) {
            return Err(error);
        }
        let mut sent = 0;
        let result = datagrams::send(self.inner.as_handle(), offload, batch, &mut sent);
        match self.inner.after_write(result) {
            Err(error) if sent == 0 => Err(error),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(sent),
            Err(error) => {
                batch[sent].keep_error(&error);
                Ok(sent)
            }
            Ok(()) => Ok(sent),
        }
    }

    /// Receives a batch of datagrams into `buffers`, one into each, or many where they are
    /// [coalesced](Config::coalesce). Returns how many buffers were filled, from the first on; as many of `metas` tell what is
    /// in them. The shorter of the two slices counts.
    ///
    /// A batch that ends before the buffers do has met `WouldBlock` or an error. So there is nothing more to receive as yet,
    /// an edge comes when there is, and it is not necessary to call again. An error that came after the first datagram does
    /// not end the batch, unless it comes again and again. It is not lost: the next batch reports it. If there were several,
    /// also of threads that share the [`Offload`], it reports the last one.
    ///
    /// # Errors
    ///
    /// Those of [`recv_from`](UdpSocket::recv_from), when nothing was received: [`WouldBlock`](io::ErrorKind::WouldBlock)
    /// above all.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// use mio::net::udp::{Config, ReceiveMeta};
    /// use mio::net::UdpSocket;
    /// use std::io::{ErrorKind, IoSliceMut};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// // Coalesced datagrams need room.
    /// let offload = socket.offload(&Config::new().coalesce(true))?;
    /// let mut memory = vec![0; 4 * 65535];
    /// let mut metas = [ReceiveMeta::default(); 4];
    /// # socket.send_to(b"hello", socket.local_addr()?)?;
    ///
    /// loop {
    ///     let mut buffers: Vec<_> = memory.chunks_mut(65535).map(IoSliceMut::new).collect();
    ///     match socket.recv_batch(&offload, &mut buffers, &mut metas) {
    ///         Ok(n) => {
    ///             for (buffer, meta) in buffers.iter().zip(&metas[..n]) {
    ///                 for datagram in meta.datagrams(buffer) {
    ///                     println!("{} bytes from {}", datagram.len(), meta.source);
    ///                 }
    ///             }
    ///         }
    ///         Err(error) if error.kind() == ErrorKind::WouldBlock => break,
    ///         Err(error) => return Err(error),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[inline(always)]
    pub fn recv_batch(
        &self,
        offload: &Offload,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [ReceiveMeta],
    ) -> io::Result<usize> {
        if let Some(error) = offload.take_error() {
            return Err(error);
        }
        let count = buffers.len().min(metas.len());
        let (mut received, mut failures) = (0, 0);
        while received < count {
            let before = received;
            let (buffers, metas) = (&mut buffers[before..count], &mut metas[before..count]);
            let handle = self.inner.as_handle();
            let result = datagrams::receive(handle, offload, buffers, metas, &mut received);
            match self.inner.after_read(result) {
                Ok(()) => {}
                Err(error) if received == 0 => return Err(error),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // There may be datagrams behind it, of which no edge would tell any more.
                Err(error) => {
                    offload.keep_error(&error);
                    failures = if received > before { 1 } else { failures + 1 };
                    if failures > MAX_FAILURES {
                        // It has not seen the end. A queue that makes edges of levels looks again.
                        let _ = self
                            .inner
                            .after_read::<()>(Err(io::ErrorKind::WouldBlock.into()));
                        break;
                    }
                }
            }
        }
        Ok(received)
    }

    /// Sets the address for [`send`](UdpSocket::send), and drops datagrams from all others. Can be called again.
    ///
    /// # Errors
    ///
    /// The system's, such as an unreachable network.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::{net::UdpSocket, Events, Interest, Poll, Token};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// let mut left = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let right = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// left.connect(right.local_addr()?)?;
    /// right.connect(left.local_addr()?)?;
    /// assert_eq!(left.peer_addr()?, right.local_addr()?);
    ///
    /// poll.registry().register(&mut left, Token(0), Interest::READABLE)?;
    /// right.send(b"hello")?;
    /// poll.poll(&mut events, None)?;
    /// let mut buffer = [0; 1500];
    /// assert_eq!(left.recv(&mut buffer)?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect(&self, address: SocketAddr) -> io::Result<()> {
        socket::udp_connect(self.inner.as_handle(), address)
    }

    /// Takes the pending error of the socket: `SO_ERROR`.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be asked.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// assert!(socket.take_error()?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.std().take_error()
    }

    /// Runs an operation on the socket that this type has no method for, and notes if it would have blocked: see
    /// [`TcpStream::try_io`](super::TcpStream::try_io).
    ///
    /// # Errors
    ///
    /// Those of `operation`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::net::UdpSocket;
    /// use rustix::net::{recv, RecvFlags};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let mut buffer = [0; 1500];
    /// let received = socket.try_io(|| Ok(recv(&socket, &mut buffer, RecvFlags::TRUNC)?));
    /// assert_eq!(received.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(unix))]
    /// # fn main() {}
    /// ```
    #[inline]
    pub fn try_io<F, T>(&self, operation: F) -> io::Result<T>
    where
        F: FnOnce() -> io::Result<T>,
    {
        self.inner.do_io(|_| operation())
    }

    /// The standard library's view of the socket.
    pub(super) fn std(&self) -> Lent<'_, net::UdpSocket> {
        lend(self.inner.as_handle())
    }
}

crate::source::forward_source!(UdpSocket);
crate::handles::socket_handles!(UdpSocket, net::UdpSocket);

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std().fmt(f)
    }
}
