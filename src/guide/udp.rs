//! # UDP at line rate
//!
//! A datagram is small and a system call is not. What one call per datagram costs is mostly the way into the kernel and
//! down its network stack, each time anew. There are three ways to go it less often, and [`net::udp`](crate::net::udp) has
//! them behind one pair of calls:
//!
//! | | what it saves | what it asks for |
//! | --- | --- | --- |
//! | **batches**: many datagrams for each system call | the way into the kernel | nothing |
//! | **segmentation** (GSO): one long buffer that the system cuts into datagrams | the way down the stack | many datagrams of one length to one address |
//! | **coalescing** (GRO): one long buffer into which the system puts many datagrams | the way up the stack | buffers of 64 KiB |
//!
//! Segmentation with coalescing is by far the most. What they come to on a machine, `cargo run --release --example
//! udp_blast` tells.
//!
//! # Preparing a socket
//!
//! [`UdpSocket::offload`](crate::net::UdpSocket::offload) sets the options of the socket that a
//! [`Config`](crate::net::udp::Config) asks for. It returns an [`Offload`](crate::net::udp::Offload), which a program keeps
//! beside the socket and hands to each batch. What the system does not have is left out, and everything works without it:
//! batches become loops, segments are cut by this crate. [`capabilities`](crate::net::udp::Offload::capabilities) tells what
//! is in force, for those who want to choose the size of their buffers by it, or to print it.
//!
//! It is an object apart because a socket here is as large as that of the standard library, a descriptor and nothing else.
//!
//! # Sending
//!
//! A [`Transmit`](crate::net::udp::Transmit) borrows its contents and says where they go. With a
//! [segment size](crate::net::udp::Transmit::segment_size) the contents are datagrams of that length, one behind the other;
//! only the last one may be shorter. A QUIC stack that fills a buffer with packets of the path's MTU has what it takes.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use mio::net::udp::{Config, Transmit};
//! use mio::net::UdpSocket;
//! use std::io::{ErrorKind, IoSlice};
//!
//! let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
//! let offload = socket.offload(&Config::new())?;
//! # let peer = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
//! # let client = peer.local_addr()?;
//!
//! let packets = vec![0; 20 * 1200];
//! let contents = [IoSlice::new(&packets)];
//! let mut batch = [Transmit::to(client, &contents).segments_of(1200)];
//!
//! let mut rest = &mut batch[..];
//! while !rest.is_empty() {
//!     match socket.send_batch(&offload, rest) {
//!         Ok(sent) => rest = &mut rest[sent..],
//!         // Go on when the socket is writable; `rest` knows where.
//!         Err(error) if error.kind() == ErrorKind::WouldBlock => break,
//!         // This one cannot go. The others can.
//!         Err(error) => {
//!             eprintln!("to {:?}: {error}", rest[0].destination);
//!             rest = &mut rest[1..];
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The count is exact. `Ok(n)` says that the first `n` transmits went out as a whole. If something stood in the way of the
//! next one, the next call reports it, also if the system tells only once, as of an ICMP message. A transmit of which some
//! segments went out remembers which.
//!
//! The system may refuse to cut segments at run time: the network card cannot add checksums, the route is encrypted. That
//! is no error. The segments go one by one, and the [capabilities](crate::net::udp::Offload::capabilities) say from then on
//! that this is how they go.
//!
//! # Receiving
//!
//! [`recv_batch`](crate::net::UdpSocket::recv_batch) takes buffers, and fills a
//! [`ReceiveMeta`](crate::net::udp::ReceiveMeta) for each. Without coalescing a buffer holds one datagram. With it, take
//! them apart with [`ReceiveMeta::datagrams`](crate::net::udp::ReceiveMeta::datagrams), which does the right thing for a
//! single one, too. [`truncated`](crate::net::udp::ReceiveMeta::truncated) says that the buffer was too short.
//!
//! Buffers of 64 KiB are right for coalescing. There is no point in many of them: a few hold hundreds of datagrams. Without
//! coalescing, 32 buffers of the longest datagram that is expected are a good batch.
//!
//! # Edges
//!
//! The rules are those of [edges and draining](super::edges), with one relief. A batch that ends before its buffers do has
//! seen that the socket is empty, so there is no need to call again to hear `WouldBlock`. The same holds for a batch that
//! was sent in part because the send buffer was full. On the backends where an edge has to be armed, it is.
//!
//! A batch that came back *full* has not seen the end: call again.
//!
//! # Congestion marks and addresses
//!
//! [`Transmit::ecn`](crate::net::udp::Transmit::ecn) marks a datagram; the other six bits of that byte stay those that the
//! socket had when `offload` was called. [`ReceiveMeta::ecn`](crate::net::udp::ReceiveMeta::ecn) is the mark that came. A
//! system may refuse a mark when it sees the first one. That datagram goes without, all others do from then on, and
//! [`send_ecn`](crate::net::udp::Capabilities::send_ecn) is false.
//!
//! A server that is bound to the unspecified address and has several addresses must answer from the one that it was
//! asked at, or the client will not know the answer. Ask for the [destination](crate::net::udp::Config::destination), and
//! hand it back as the [source](crate::net::udp::Transmit::source). What was sent to a multicast group or to a broadcast
//! address cannot be answered from there: the transmit fails, and the others go on without it. Leave the source out for
//! those, or send such an answer once more without it.
//!
//! # One process, one system, the other one
//!
//! [`Config::portable`](crate::net::udp::Config::portable) does without everything that not every system has. A test that
//! runs once with it and once without knows that the program does not depend on what its machine happens to have.
