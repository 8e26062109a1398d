//! [`Offload`], [`Config`] and [`Capabilities`].
//!
//! What threads share of an [`Offload`] is checked by the models below: `cargo xtask loom`.

use std::io;
use std::net::{IpAddr, SocketAddr};

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, AtomicI32, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use super::Transmit;
use crate::sys::datagram::ancillary::canonical;
use crate::sys::datagram::SEGMENTS;

/// What a socket is to do for its batches: the argument of
/// [`UdpSocket::offload`](crate::net::UdpSocket::offload).
///
/// What changes how datagrams are received is off by default; what only makes sending cheaper is on. Switching something
/// on is a wish: what the system does not have is left out, and [`Capabilities`] tells.
///
/// # Examples
///
/// What a QUIC stack asks for:
///
/// ```
/// use mio::net::udp::Config;
///
/// let config = Config::new()
///     .coalesce(true)
///     .ecn(true)
///     .destination(true)
///     .dont_fragment(true);
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) coalesce: bool,
    pub(crate) ecn: bool,
    pub(crate) destination: bool,
    pub(crate) dont_fragment: bool,
    pub(crate) segmentation: bool,
    pub(crate) batching: bool,
    pub(crate) portable: bool,
}

impl Config {
    /// Cheap sending, plain receiving.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Config;
    ///
    /// assert_eq!(Config::new(), Config::default());
    /// ```
    #[must_use]
    pub const fn new() -> Config {
        Config {
            coalesce: false,
            ecn: false,
            destination: false,
            dont_fragment: false,
            segmentation: true,
            batching: true,
            portable: false,
        }
    }

    /// Whether the system may put datagrams of the same sender into one buffer (GRO on Linux, URO on Windows). Every
    /// buffer should have room for 65,535 bytes then: of what does not fit the rest is lost. Off by default.
    ///
    /// It holds for every receive on the socket, also for `recv` and `recv_from`, which cannot tell where a datagram ends.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::{udp::Config, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let offload = socket.offload(&Config::new().coalesce(true))?;
    /// // Room for as much as the system may put together.
    /// let length = if offload.capabilities().max_coalesced > 1 { 65_535 } else { 1500 };
    /// let buffer = vec![0; length];
    /// # drop(buffer);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn coalesce(mut self, on: bool) -> Config {
        self.coalesce = on;
        self
    }

    /// Whether received datagrams come with their congestion mark. Off by default.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::{udp::Config, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let offload = socket.offload(&Config::new().ecn(true))?;
    /// if !offload.capabilities().receive_ecn {
    ///     println!("congestion will show by losses only");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn ecn(mut self, on: bool) -> Config {
        self.ecn = on;
        self
    }

    /// Whether received datagrams come with the address that they were sent to and with the interface. A server that is
    /// bound to the unspecified address sends its answer from there. Off by default.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::{udp::Config, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let offload = socket.offload(&Config::new().destination(true))?;
    /// if !offload.capabilities().receive_destination {
    ///     println!("a socket for each address is needed");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn destination(mut self, on: bool) -> Config {
        self.destination = on;
        self
    }

    /// Whether packets that are too long for a link are dropped there and not cut up, as path MTU discovery of QUIC needs
    /// it. `false`, the default, leaves the socket as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::{udp::Config, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let offload = socket.offload(&Config::new().dont_fragment(true))?;
    /// if !offload.capabilities().dont_fragment {
    ///     println!("the path's MTU cannot be found out");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn dont_fragment(mut self, on: bool) -> Config {
        self.dont_fragment = on;
        self
    }

    /// Whether the system may cut contents into segments (GSO on Linux, USO on Windows). If not, this crate does, with the same result. On
    /// by default.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::{udp::Config, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let offload = socket.offload(&Config::new().segmentation(false))?;
    /// assert_eq!(offload.capabilities().max_segments, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn segmentation(mut self, on: bool) -> Config {
        self.segmentation = on;
        self
    }

    /// Whether a system call may take several datagrams (`sendmmsg`, `recvmmsg`). On by default.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::{udp::Config, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let offload = socket.offload(&Config::new().batching(false))?;
    /// assert_eq!(offload.capabilities().datagrams_per_call, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn batching(mut self, on: bool) -> Config {
        self.batching = on;
        self
    }

    /// Whether to do with what every system has: one system call for each datagram, and nothing beside it but its address.
    /// To test a program against it. Off by default; on, it overrules the rest.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::{udp::Config, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let offload = socket.offload(&Config::new().portable(true).ecn(true))?;
    /// assert!(!offload.capabilities().receive_ecn);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn portable(mut self, on: bool) -> Config {
        self.portable = on;
        self
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

/// What is in force for the batches of a socket: what [`Offload::capabilities`] returns.
///
/// Nobody has to look. A batch means the same whatever is in force; only what it costs differs, and which of the optional
/// parts of [`ReceiveMeta`](super::ReceiveMeta) are there.
///
/// # Examples
///
/// ```
/// use mio::net::{udp::Config, UdpSocket};
///
/// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
/// let capabilities = socket.offload(&Config::new())?.capabilities();
/// println!(
///     "{} times up to {} datagrams for each system call",
///     capabilities.datagrams_per_call, capabilities.max_segments,
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// How many datagrams, or runs of segments, a system call takes at most; 1 if it is one by one.
    pub datagrams_per_call: usize,
    /// How many segments the system cuts at once; 1 if this crate cuts them. Becomes 1 if the system refuses at run time.
    /// More segments than that are fine.
    pub max_segments: usize,
    /// How many datagrams the system puts together of those that come from a network; 1 if it does not. A program on this
    /// host may hand over more at once (128 on newer Linuxes), and they arrive in one buffer, so room is to be counted in
    /// [bytes](Config::coalesce).
    pub max_coalesced: usize,
    /// [`Transmit::ecn`](super::Transmit::ecn) has an effect. Becomes false if the system refuses it at run time.
    pub send_ecn: bool,
    /// [`ReceiveMeta::ecn`](super::ReceiveMeta::ecn) is known.
    pub receive_ecn: bool,
    /// [`Transmit::source`](super::Transmit::source) and [`Transmit::interface`](super::Transmit::interface) have an effect.
    /// On FreeBSD, DragonFly and OpenBSD the interface has one for IPv6 only.
    pub select_source: bool,
    /// [`ReceiveMeta::destination`](super::ReceiveMeta::destination) and
    /// [`ReceiveMeta::interface`](super::ReceiveMeta::interface) are known.
    pub receive_destination: bool,
    /// Packets that are too long for a link are not cut up.
    pub dont_fragment: bool,
}

impl Capabilities {
    /// Nothing but datagrams and addresses.
    pub(crate) const PORTABLE: Capabilities = Capabilities {
        datagrams_per_call: 1,
        max_segments: 1,
        max_coalesced: 1,
        send_ecn: false,
        receive_ecn: false,
        select_source: false,
        receive_destination: false,
        dont_fragment: false,
    };

    /// What comes into force of what was asked for, on a system or a socket that has so much.
    pub(crate) fn new(config: &Config, found: &Found) -> Capabilities {
        let or_one = |number, on| if on { number } else { 1 };
        Capabilities {
            datagrams_per_call: or_one(found.datagrams_per_call, config.batching),
            max_segments: or_one(SEGMENTS, found.segments && config.segmentation),
            max_coalesced: or_one(SEGMENTS, found.coalescing && config.coalesce),
            send_ecn: found.send_ecn,
            receive_ecn: found.receive_ecn && config.ecn,
            select_source: found.select_source,
            receive_destination: found.receive_destination && config.destination,
            dont_fragment: found.dont_fragment && config.dont_fragment,
        }
    }
}

/// What a system was found to have, whether it was asked for or not.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Found {
    pub(crate) datagrams_per_call: usize,
    pub(crate) segments: bool,
    pub(crate) coalescing: bool,
    pub(crate) send_ecn: bool,
    pub(crate) receive_ecn: bool,
    pub(crate) select_source: bool,
    pub(crate) receive_destination: bool,
    pub(crate) dont_fragment: bool,
}

/// The DSCP of a socket, in the upper six bits of each byte: what it sends over IPv4, and over IPv6.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Dscp {
    pub(crate) v4: u8,
    pub(crate) v6: u8,
}

/// What a program keeps beside a socket for its batches: what is in force, and what was learned since.
///
/// Made by [`UdpSocket::offload`](crate::net::UdpSocket::offload). It belongs to that socket and may be shared between
/// threads. Used with another socket, the batches of that one may fail or lack what was asked for; nothing else happens.
///
/// # Examples
///
/// ```
/// use mio::net::udp::{Config, Offload};
/// use mio::net::UdpSocket;
///
/// /// What belongs together.
/// struct Endpoint {
///     socket: UdpSocket,
///     offload: Offload,
/// }
///
/// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
/// let offload = socket.offload(&Config::new())?;
/// let endpoint = Endpoint { socket, offload };
/// # drop((endpoint.socket, endpoint.offload));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Offload {
    capabilities: Capabilities,
    /// What the socket is bound to.
    local: SocketAddr,
    portable: bool,
    dscp: Dscp,
    /// The system has refused to cut segments.
    no_segments: AtomicBool,
    /// The system has refused a congestion mark.
    no_marks: AtomicBool,
    /// The number of an error that a batch met after it had received something, or 0.
    pending: AtomicI32,
}

impl Offload {
    /// `None` for what every system has.
    pub(crate) fn new(
        local: SocketAddr,
        dscp: Dscp,
        capabilities: Option<Capabilities>,
    ) -> Offload {
        Offload {
            capabilities: capabilities.unwrap_or(Capabilities::PORTABLE),
            local,
            portable: capabilities.is_none(),
            dscp,
            no_segments: AtomicBool::new(false),
            no_marks: AtomicBool::new(false),
            pending: AtomicI32::new(0),
        }
    }

    /// What is in force now.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::{udp::Config, UdpSocket};
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// let offload = socket.offload(&Config::new())?;
    /// assert!(offload.capabilities().max_segments >= 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            max_segments: self.max_segments(),
            send_ecn: self.sends_ecn(),
            ..self.capabilities
        }
    }

    /// A transmit without what the system does not know.
    pub(crate) fn within_capabilities<'a>(&self, transmit: &Transmit<'a>) -> Transmit<'a> {
        let mut transmit = *transmit;
        if !self.sends_ecn() {
            transmit.ecn = None;
        }
        if !self.capabilities.select_source {
            transmit.source = None;
            transmit.interface = None;
        }
        transmit
    }

    #[inline]
    pub(crate) fn is_v6(&self) -> bool {
        self.local.is_ipv6()
    }

    /// The address that the socket is bound to, if it is bound to one. IPv4 addresses are not mapped.
    pub(crate) fn bound_to(&self) -> Option<IpAddr> {
        let ip = canonical(self.local.ip());
        (!ip.is_unspecified()).then_some(ip)
    }

    #[inline]
    pub(crate) fn is_portable(&self) -> bool {
        self.portable
    }

    #[inline]
    pub(crate) fn dscp(&self) -> Dscp {
        self.dscp
    }

    /// Whether something was asked for that comes beside a datagram.
    #[inline]
    pub(crate) fn asks_for_control(&self) -> bool {
        let Capabilities {
            max_coalesced,
            receive_ecn,
            receive_destination,
            ..
        } = self.capabilities;
        max_coalesced > 1 || receive_ecn || receive_destination
    }

    #[inline]
    pub(crate) fn datagrams_per_call(&self) -> usize {
        self.capabilities.datagrams_per_call
    }

    // Relaxed: a thread that learns of it late makes one attempt more.
    #[inline]
    pub(crate) fn max_segments(&self) -> usize {
        if self.no_segments.load(Ordering::Relaxed) {
            1
        } else {
            self.capabilities.max_segments
        }
    }

    #[cold]
    pub(crate) fn refuse_segmentation(&self) {
        self.no_segments.store(true, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn sends_ecn(&self) -> bool {
        self.capabilities.send_ecn && !self.no_marks.load(Ordering::Relaxed)
    }

    #[cold]
    pub(crate) fn refuse_marks(&self) {
        self.no_marks.store(true, Ordering::Relaxed);
    }

    /// The error that the next receive is to report. Relaxed, as the number is all there is to it.
    #[inline]
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        if self.pending.load(Ordering::Relaxed) == 0 {
            return None;
        }
        match self.pending.swap(0, Ordering::Relaxed) {
            0 => None,
            number => Some(io::Error::from_raw_os_error(number)),
        }
    }

    /// Keeps an error of the system. There is one place, as in the socket itself: of two errors that nobody has fetched,
    /// it is the later one.
    #[cold]
    pub(crate) fn keep_error(&self, error: &io::Error) {
        if let Some(number) = error.raw_os_error() {
            // A store would do. The model checker can follow a swap: it does not know that nothing comes between the two
            // halves of the one above.
            self.pending.swap(number, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    fn offload() -> Arc<Offload> {
        let capabilities = Capabilities {
            max_segments: 64,
            send_ecn: true,
            ..Capabilities::PORTABLE
        };
        let local = SocketAddr::from(([127, 0, 0, 1], 1));
        Arc::new(Offload::new(local, Dscp::default(), Some(capabilities)))
    }

    fn keep(offload: &Offload, number: i32) {
        offload.keep_error(&io::Error::from_raw_os_error(number));
    }

    fn take(offload: &Offload) -> Option<i32> {
        offload.take_error()?.raw_os_error()
    }

    fn in_a_thread<T: 'static>(
        offload: &Arc<Offload>,
        run: impl FnOnce(&Offload) -> T + 'static,
    ) -> thread::JoinHandle<T> {
        let offload = Arc::clone(offload);
        thread::spawn(move || run(&offload))
    }

    #[test]
    fn an_error_is_reported_once() {
        loom::model(|| {
            let offload = offload();
            keep(&offload, 5);
            let thread = in_a_thread(&offload, take);
            let here = take(&offload);
            let there = thread.join().unwrap();
            assert!(matches!((here, there), (Some(5), None) | (None, Some(5))));
            assert_eq!(take(&offload), None);
        });
    }

    #[test]
    fn an_error_that_comes_while_one_is_taken_is_kept() {
        loom::model(|| {
            let offload = offload();
            keep(&offload, 5);
            let thread = in_a_thread(&offload, |offload| keep(offload, 6));
            let mut taken = vec![take(&offload)];
            thread.join().unwrap();
            taken.push(take(&offload));
            // The later one comes in any case, the earlier one if it was fetched in time.
            let kept = [[Some(5), Some(6)], [Some(6), None]];
            assert!(kept.iter().any(|kept| taken == kept), "{taken:?}");
        });
    }

    #[test]
    fn of_two_errors_one_is_there() {
        loom::model(|| {
            let offload = offload();
            let threads = [5, 6].map(|number| in_a_thread(&offload, move |it| keep(it, number)));
            let early = take(&offload);
            for thread in threads {
                thread.join().unwrap();
            }
            let late = take(&offload);
            assert!(matches!(early.or(late), Some(5 | 6)), "{early:?} {late:?}");
            assert!(early != late, "{early:?} twice");
            assert_eq!(take(&offload), None);
        });
    }

    /// A refusal is for good, and known to whoever gets something from the thread that has met it.
    #[test]
    fn a_refusal_is_not_forgotten() {
        loom::model(|| {
            let offload = offload();
            let thread = in_a_thread(&offload, |offload| {
                offload.refuse_segmentation();
                offload.refuse_marks();
            });
            let look = || (offload.max_segments(), offload.sends_ecn());
            let (first, second) = (look(), look());
            assert!(second.0 <= first.0, "{first:?} {second:?}");
            assert!(second.1 <= first.1, "{first:?} {second:?}");
            thread.join().unwrap();
            assert_eq!(look(), (1, false));
        });
    }
}
