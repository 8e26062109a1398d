//! [`ReceiveMeta`].

use std::iter::FusedIterator;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroU32;

use super::Ecn;

/// What is known of a datagram that was received, or of many that the system has put together: what
/// [`UdpSocket::recv_batch`](crate::net::UdpSocket::recv_batch) fills in.
///
/// The buffer holds [`len`](ReceiveMeta::len) bytes. They are one datagram if [`stride`](ReceiveMeta::stride) is the same.
/// Otherwise they are several from the same sender, each of `stride` bytes, the last one maybe shorter:
/// [`datagrams`](ReceiveMeta::datagrams) takes them apart.
///
/// # Examples
///
/// ```
/// use mio::net::udp::ReceiveMeta;
///
/// /// Answers go to whom the datagram came from, and from where it was sent to.
/// fn route(meta: &ReceiveMeta) -> (std::net::SocketAddr, Option<std::net::IpAddr>) {
///     (meta.source, meta.destination)
/// }
/// assert_eq!(route(&ReceiveMeta::default()).1, None);
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiveMeta {
    /// The sender's address, as [`recv_from`](crate::net::UdpSocket::recv_from) reports it.
    pub source: SocketAddr,
    /// How many bytes are in the buffer.
    pub len: usize,
    /// The length of each datagram among them. Not more than `len`, and 0 only if that is 0.
    pub stride: usize,
    /// The buffer was too short, and the rest is lost. With coalesced datagrams, the last one in the buffer may be cut off,
    /// and others may be missing.
    pub truncated: bool,
    /// The system had more to tell than there is room for, so what is `None` here may have been cut off, and with coalesced
    /// receive the stride may be wrong. Happens only if the program has switched on other control messages.
    pub control_truncated: bool,
    /// The congestion mark. `None` if that was not [asked for](super::Config::ecn), or cannot be had.
    pub ecn: Option<Ecn>,
    /// The address that it was sent to: one of this host's, a multicast group or a broadcast address. `None` if that was not
    /// [asked for](super::Config::destination), or cannot be had. On an IPv6 socket, IPv4 addresses are mapped, as in
    /// `source`. Only the first of the three can be the source of an answer: the system refuses others, and which of them a
    /// broadcast address is, it does not tell.
    pub destination: Option<IpAddr>,
    /// The index of the interface that it came through, where `destination` is known.
    pub interface: Option<NonZeroU32>,
}

impl ReceiveMeta {
    pub(crate) fn new(source: SocketAddr, len: usize, truncated: bool) -> ReceiveMeta {
        ReceiveMeta {
            source,
            len,
            truncated,
            stride: len,
            ..ReceiveMeta::default()
        }
    }

    /// Notes the length of the datagrams that were put together.
    pub(crate) fn set_stride(&mut self, stride: usize) {
        if stride > 0 {
            self.stride = stride.min(self.len);
        }
    }

    /// The datagrams in the buffer, in the order in which they were sent. At least one, which may be empty.
    ///
    /// # Panics
    ///
    /// If `buffer` is shorter than [`len`](ReceiveMeta::len), so it is another one.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::ReceiveMeta;
    ///
    /// let mut meta = ReceiveMeta::default();
    /// (meta.len, meta.stride) = (5, 2);
    /// let datagrams: Vec<_> = meta.datagrams(b"aabbc...").collect();
    /// assert_eq!(datagrams, [b"aa", b"bb", &b"c"[..]]);
    /// ```
    #[must_use]
    pub fn datagrams<'a>(&self, buffer: &'a [u8]) -> Datagrams<'a> {
        Datagrams {
            rest: Some(&buffer[..self.len]),
            stride: self.stride.max(1),
        }
    }
}

impl Default for ReceiveMeta {
    /// Nothing, from nowhere: to make an array of, which a batch then fills.
    fn default() -> ReceiveMeta {
        ReceiveMeta {
            source: SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)),
            len: 0,
            stride: 0,
            truncated: false,
            control_truncated: false,
            ecn: None,
            destination: None,
            interface: None,
        }
    }
}

/// The datagrams in a buffer: what [`ReceiveMeta::datagrams`] returns.
///
/// # Examples
///
/// There is one at [`ReceiveMeta::datagrams`].
#[derive(Clone, Debug)]
pub struct Datagrams<'a> {
    rest: Option<&'a [u8]>,
    stride: usize,
}

impl<'a> Iterator for Datagrams<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let (datagram, rest) = rest.split_at(self.stride.min(rest.len()));
        self.rest = (!rest.is_empty()).then_some(rest);
        Some(datagram)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.rest.map_or(0, |rest| {
            let whole = rest.len() / self.stride;
            (whole + usize::from(rest.len() % self.stride > 0)).max(1)
        });
        (count, Some(count))
    }
}

impl ExactSizeIterator for Datagrams<'_> {}

impl FusedIterator for Datagrams<'_> {}
