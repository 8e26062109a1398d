//! What only Windows has.

mod named_pipe;
mod source_socket;
#[cfg(feature = "net")]
mod udp_socket;
#[cfg(feature = "net")]
mod unix_addr;
#[cfg(feature = "net")]
mod unix_listener;
#[cfg(feature = "net")]
mod unix_stream;
mod wait_handle;

pub use named_pipe::NamedPipe;
pub use source_socket::SourceSocket;
#[cfg(feature = "net")]
pub use udp_socket::UdpSocketExt;
#[cfg(feature = "net")]
pub use unix_addr::UnixAddr;
#[cfg(feature = "net")]
pub use unix_listener::UnixListener;
#[cfg(feature = "net")]
pub use unix_stream::UnixStream;
pub use wait_handle::WaitHandle;
