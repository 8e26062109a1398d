//! What only Windows has.

mod named_pipe;
mod source_socket;
#[cfg(feature = "net")]
mod udp_socket;

pub use named_pipe::NamedPipe;
pub use source_socket::SourceSocket;
#[cfg(feature = "net")]
pub use udp_socket::UdpSocketExt;
