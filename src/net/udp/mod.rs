//! Batches of UDP datagrams: many for each system call, segmentation and coalescing by the system, congestion marks, and
//! the addresses of both ends.
//!
//! [`UdpSocket::offload`](super::UdpSocket::offload) prepares a socket and tells what the system has for it.
//! [`UdpSocket::send_batch`](super::UdpSocket::send_batch) and [`UdpSocket::recv_batch`](super::UdpSocket::recv_batch) then
//! work on slices of borrowed buffers. Nothing allocates, and a program needs no `cfg`: where a system lacks something, the
//! same calls do the same with more system calls. The guide's page on [UDP](crate::guide::udp) explains the parts.
//!
//! | | Linux, Android | Windows | Apple systems, BSDs, illumos, Solaris | elsewhere, and with [`Config::portable`] |
//! | --- | --- | --- | --- | --- |
//! | datagrams, or runs of segments, per system call | 32 (`sendmmsg`, `recvmmsg`) | 1 | NetBSD 32, others 1 | 1 |
//! | segments cut by the system | up to 64 (GSO, Linux 4.18) | up to 64 (USO, Windows 10 2004) | no | no |
//! | coalesced receive | up to 64 (GRO, Linux 5.0) | yes (URO, Windows 10 2004) | no | no |
//! | congestion marks, IPv4 | yes | build 20348 | Apple systems, FreeBSD | no |
//! | congestion marks, IPv6 | yes | build 20348 | yes | no |
//! | own addresses, interfaces | yes | yes | yes | no |
//! | truncation reported | yes | yes | yes | yes |
//!
//! # Examples
//!
//! An echo of batches:
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use mio::net::udp::{Config, ReceiveMeta, Transmit};
//! use mio::net::UdpSocket;
//! use std::io::{ErrorKind, IoSlice, IoSliceMut};
//!
//! let server = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
//! let offload = server.offload(&Config::new().destination(true))?;
//!
//! # let client = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
//! # client.send_to(b"hello", server.local_addr()?)?;
//! let mut memory = vec![[0; 2048]; 32];
//! let mut metas = [ReceiveMeta::default(); 32];
//!
//! // When the socket is readable:
//! let mut buffers: Vec<_> = memory.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
//! let received = match server.recv_batch(&offload, &mut buffers, &mut metas) {
//!     Ok(received) => received,
//!     Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
//!     Err(error) => return Err(error),
//! };
//!
//! // Back to where they came from, each from the address that it was sent to.
//! let contents: Vec<_> = (0..received)
//!     .map(|n| [IoSlice::new(&memory[n][..metas[n].len])])
//!     .collect();
//! let mut batch: Vec<_> = (0..received)
//!     .map(|n| {
//!         let mut transmit = Transmit::to(metas[n].source, &contents[n]);
//!         transmit.source = metas[n].destination;
//!         transmit
//!     })
//!     .collect();
//! let sent = server.send_batch(&offload, &mut batch)?;
//! // What is left goes when the socket is writable.
//! let rest = &mut batch[sent..];
//! # assert_eq!((sent, rest.len()), (1, 0));
//! # Ok(())
//! # }
//! ```

mod ecn;
// What is in it concerns systems that have more than what all have.
#[allow(dead_code)]
mod offload;
mod receive_meta;
// As above.
#[allow(dead_code)]
mod transmit;

pub use ecn::Ecn;
pub use offload::{Capabilities, Config, Offload};
#[allow(unused_imports)] // as above
pub(crate) use offload::{Dscp, Found};
pub use receive_meta::{Datagrams, ReceiveMeta};
pub use transmit::{Transmit, MAX_SLICES};
