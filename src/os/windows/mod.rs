//! What only Windows has.

mod named_pipe;
#[cfg(feature = "net")]
mod udp_socket;

pub use named_pipe::NamedPipe;
#[cfg(feature = "net")]
pub use udp_socket::UdpSocketExt;
