//! [`Ecn`].

/// A mark of Explicit Congestion Notification: the two lowest bits of the IPv4 TOS byte and of the IPv6 traffic class
/// ([RFC 3168](https://www.rfc-editor.org/rfc/rfc3168)).
///
/// A sender that understands congestion marks sends [`Ect0`](Ecn::Ect0) (or [`Ect1`](Ecn::Ect1), for L4S). A router that
/// would otherwise have to drop the packet changes that to [`Ce`](Ecn::Ce), and the receiver tells the sender.
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
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ecn {
    /// Not ECN-capable transport: `00`.
    NotEct = 0,
    /// ECN-capable transport (1): `01`.
    Ect1 = 1,
    /// ECN-capable transport (0): `10`.
    Ect0 = 2,
    /// Congestion experienced: `11`.
    Ce = 3,
}

impl Ecn {
    /// The bits of the byte that are the mark.
    pub(crate) const MASK: u8 = 0b11;

    /// The two bits, 0 to 3.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Ecn;
    ///
    /// assert_eq!(Ecn::Ect0.bits(), 0b10);
    /// ```
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// The mark in a TOS byte or traffic class, of which the other six bits are ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::udp::Ecn;
    ///
    /// assert_eq!(Ecn::from_bits(0b1011_1011), Ecn::Ce); // with DSCP 46
    /// assert_eq!(Ecn::from_bits(Ecn::Ect1.bits()), Ecn::Ect1);
    /// ```
    #[must_use]
    pub const fn from_bits(byte: u8) -> Ecn {
        match byte & Ecn::MASK {
            0 => Ecn::NotEct,
            1 => Ecn::Ect1,
            2 => Ecn::Ect0,
            _ => Ecn::Ce,
        }
    }
}
