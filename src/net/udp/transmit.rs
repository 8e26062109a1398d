//! [`Transmit`].

use std::fmt;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroI32, NonZeroU16, NonZeroU32};

use super::Ecn;
use crate::sys::datagram::slices;

/// How many slices the contents of a [`Transmit`] may have: 64.
///
/// # Examples
///
/// ```
/// use mio::net::udp::{Transmit, MAX_SLICES};
/// use std::io::IoSlice;
///
/// let pieces = vec![IoSlice::new(b"x"); 100];
/// for contents in pieces.chunks(MAX_SLICES) {
///     println!("{:?}", Transmit::to_peer(contents));
/// }
/// ```
pub const MAX_SLICES: usize = 64;

/// A datagram to send, or many of the same length that stand one behind the other: what
/// [`UdpSocket::send_batch`](crate::net::UdpSocket::send_batch) takes a slice of.
///
/// The contents are borrowed, and may stand in up to [`MAX_SLICES`] pieces. They are one datagram, unless there is a
/// [`segment_size`](Transmit::segment_size).
///
/// When a batch ends in the middle of the segments of a transmit, the transmit remembers how many bytes went out
/// ([`sent`](Transmit::sent)). Sending it again goes on from there.
///
/// # Examples
///
/// ```
/// use mio::net::udp::{Ecn, Transmit};
/// use std::io::IoSlice;
///
/// let client = "192.0.2.1:4433".parse().unwrap();
/// // Ten datagrams: nine of 1,200 bytes, one of 700.
/// let packets = [0; 9 * 1200 + 700];
/// let contents = [IoSlice::new(&packets)];
/// let transmit = Transmit::to(client, &contents)
///     .segments_of(1200)
///     .with_ecn(Ecn::Ect0);
/// assert_eq!(transmit.datagrams(), 10);
/// ```
#[derive(Copy, Clone)]
#[non_exhaustive]
pub struct Transmit<'a> {
    /// Where to: `None` for the address that the socket is [connected](crate::net::UdpSocket::connect) to.
    pub destination: Option<SocketAddr>,
    /// The length of each datagram in bytes, the last one being shorter if it does not come out even. `None`: the contents
    /// are one datagram.
    pub segment_size: Option<NonZeroU16>,
    /// The congestion mark. `None` for that of the socket.
    pub ecn: Option<Ecn>,
    /// The address to send from, which must be one of this host's: others, a multicast group among them, are an error of
    /// this transmit. So is one that is not of the destination's family
    /// ([`InvalidInput`](io::ErrorKind::InvalidInput)). For a mapped address (`::ffff:192.0.2.1`) that is IPv4, on either
    /// side. `None`, or the unspecified address: the system picks one.
    pub source: Option<IpAddr>,
    /// The index of the interface to send through. `None`: the system picks one.
    pub interface: Option<NonZeroU32>,
    contents: &'a [IoSlice<'a>],
    /// Bytes that went out, at a boundary of segments.
    sent: usize,
    /// The system's error number for what comes next, which is to be reported before it is tried again.
    error: Option<NonZeroI32>,
}

impl<'a> Transmit<'a> {
    /// A datagram to `destination`.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello")];
    /// let transmit = Transmit::to("192.0.2.1:4433".parse().unwrap(), &contents);
    /// assert!(transmit.destination.is_some());
    /// ```
    #[inline]
    #[must_use]
    pub fn to(destination: SocketAddr, contents: &'a [IoSlice<'a>]) -> Transmit<'a> {
        Transmit {
            destination: Some(destination),
            ..Transmit::to_peer(contents)
        }
    }

    /// A datagram to the address that the socket is [connected](crate::net::UdpSocket::connect) to.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello")];
    /// assert_eq!(Transmit::to_peer(&contents).destination, None);
    /// ```
    #[inline]
    #[must_use]
    pub fn to_peer(contents: &'a [IoSlice<'a>]) -> Transmit<'a> {
        Transmit {
            destination: None,
            segment_size: None,
            ecn: None,
            source: None,
            interface: None,
            contents,
            sent: 0,
            error: None,
        }
    }

    /// The same as datagrams of `bytes` each, 1 to 65,535: sets [`segment_size`](Transmit::segment_size). With 0 the
    /// contents are one datagram.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello")];
    /// assert_eq!(Transmit::to_peer(&contents).segments_of(2).datagrams(), 3); // "he", "ll", "o"
    /// ```
    #[inline]
    #[must_use]
    pub const fn segments_of(mut self, bytes: u16) -> Transmit<'a> {
        self.segment_size = NonZeroU16::new(bytes);
        self
    }

    /// The same with a congestion mark.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::{Ecn, Transmit};
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello")];
    /// let transmit = Transmit::to_peer(&contents).with_ecn(Ecn::Ect0);
    /// assert_eq!(transmit.ecn, Some(Ecn::Ect0));
    /// ```
    #[inline]
    #[must_use]
    pub const fn with_ecn(mut self, ecn: Ecn) -> Transmit<'a> {
        self.ecn = Some(ecn);
        self
    }

    /// The same from an address of this host's, of the family of the destination: sets [`source`](Transmit::source).
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello")];
    /// let source = "192.0.2.7".parse().unwrap();
    /// let transmit = Transmit::to_peer(&contents).with_source(source);
    /// assert_eq!(transmit.source, Some(source));
    /// ```
    #[inline]
    #[must_use]
    pub const fn with_source(mut self, source: IpAddr) -> Transmit<'a> {
        self.source = Some(source);
        self
    }

    /// The same through the interface with the index `interface`; 0 leaves it to the system.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello")];
    /// let transmit = Transmit::to_peer(&contents).with_interface(0);
    /// assert_eq!(transmit.interface, None);
    /// ```
    #[inline]
    #[must_use]
    pub const fn with_interface(mut self, interface: u32) -> Transmit<'a> {
        self.interface = NonZeroU32::new(interface);
        self
    }

    /// What is sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello")];
    /// assert_eq!(&*Transmit::to_peer(&contents).contents()[0], b"hello");
    /// ```
    #[inline]
    #[must_use]
    pub const fn contents(&self) -> &'a [IoSlice<'a>] {
        self.contents
    }

    /// How many datagrams it is as a whole.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello")];
    /// let transmit = Transmit::to_peer(&contents);
    /// assert_eq!(transmit.datagrams(), 1);
    /// assert_eq!(transmit.segments_of(2).datagrams(), 3);
    /// ```
    #[must_use]
    pub fn datagrams(&self) -> usize {
        let total = self.len();
        match self.segment_size {
            Some(size) if total > 0 => {
                let size = usize::from(size.get());
                total / size + usize::from(total % size > 0)
            }
            _ => 1,
        }
    }

    /// How many bytes the contents have.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello "), IoSlice::new(b"world")];
    /// assert_eq!(Transmit::to_peer(&contents).len(), 11);
    /// ```
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        slices::total(self.contents)
    }

    /// Whether the contents are empty. They are sent as an empty datagram.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    ///
    /// let transmit = Transmit::to_peer(&[]);
    /// assert!(transmit.is_empty());
    /// assert_eq!(transmit.datagrams(), 1);
    /// ```
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes went out already, in an earlier batch that ended in the middle of this transmit: a multiple of the
    /// segment size. It is 0 again when all of it went out, so that it can be sent anew.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello")];
    /// let transmit = Transmit::to_peer(&contents).segments_of(2);
    /// println!("{} bytes are still to go", transmit.len() - transmit.sent());
    /// ```
    #[inline]
    #[must_use]
    pub const fn sent(&self) -> usize {
        self.sent
    }

    /// The error at which an earlier batch ended before this transmit, and which the next one reports first.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Transmit;
    /// use std::io::IoSlice;
    ///
    /// let contents = [IoSlice::new(b"hello")];
    /// let transmit = Transmit::to_peer(&contents);
    /// assert!(transmit.error().is_none(), "it was not sent yet");
    /// ```
    #[must_use]
    pub fn error(&self) -> Option<io::Error> {
        self.error
            .map(|number| io::Error::from_raw_os_error(number.get()))
    }

    /// Takes it away.
    #[inline]
    pub(crate) fn take_error(&mut self) -> Option<io::Error> {
        let error = self.error.take()?;
        Some(io::Error::from_raw_os_error(error.get()))
    }

    /// Keeps an error for later. One that is not the system's comes again by itself.
    #[cold]
    pub(crate) fn keep_error(&mut self, error: &io::Error) {
        self.error = error.raw_os_error().and_then(NonZeroI32::new);
    }

    /// Whether there is nothing to tell the system but the address.
    #[inline]
    pub(crate) const fn is_bare(&self) -> bool {
        self.ecn.is_none() && self.source.is_none() && self.interface.is_none()
    }

    /// The bytes from `offset` on that the system may be handed at once, if it takes `segments` segments and `longest`
    /// bytes; and the segment size, if there is more than one. `total` is the length of the contents.
    #[inline]
    pub(crate) fn piece(
        &self,
        total: usize,
        offset: usize,
        segments: usize,
        longest: usize,
    ) -> (usize, Option<u16>) {
        let rest = total - offset;
        match self.segment_size {
            Some(segment) if rest > usize::from(segment.get()) => {
                let size = usize::from(segment.get());
                let segments = segments.min(longest / size).max(1);
                let length = rest.min(segments * size);
                (length, (length > size).then_some(segment.get()))
            }
            _ => (rest, None),
        }
    }

    /// The length of the next datagram.
    #[inline]
    pub(crate) fn next_segment(&self) -> usize {
        self.piece(self.len(), self.sent, 1, usize::MAX).0
    }

    /// Notes that `length` bytes went out. Whether these were the last; then it begins anew.
    #[inline]
    pub(crate) fn advance(&mut self, length: usize) -> bool {
        self.sent += length;
        let done = self.sent >= self.len();
        if done {
            self.sent = 0;
        }
        done
    }
}

impl fmt::Debug for Transmit<'_> {
    /// Not what is sent, but how much of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transmit")
            .field("destination", &self.destination)
            .field("segment_size", &self.segment_size)
            .field("ecn", &self.ecn)
            .field("source", &self.source)
            .field("interface", &self.interface)
            .field("len", &self.len())
            .field("sent", &self.sent)
            .field("error", &self.error())
            .finish()
    }
}
