//! What only Windows has.

#[cfg(feature = "net")]
mod udp_socket;

#[cfg(feature = "net")]
pub use udp_socket::UdpSocketExt;
