//! The sockets of a queue: all that it ever had at once, in use or waiting to be used again.
//!
//! They live as long as the queue. So a packet always points to a socket, and registering one allocates only if there are
//! more than ever before.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use windows_sys::Win32::Networking::WinSock::SOCKET;

use super::group::Group;
use super::port::Port;
use super::socket::Socket;

#[derive(Debug, Default)]
pub(super) struct Pool {
    all: Vec<Arc<Socket>>,
    /// The positions of those that are free; has room for all of them.
    free: Vec<usize>,
    group: Group,
    /// The sockets that were registered by their handle alone.
    bare: HashMap<SOCKET, Arc<Socket>>,
}

impl Pool {
    /// A socket that has no registration, and of which the kernel knows nothing.
    pub(super) fn take(&mut self, port: &Port) -> io::Result<Arc<Socket>> {
        if let Some(position) = self.free.pop() {
            return Ok(Arc::clone(&self.all[position]));
        }
        let position = self.all.len();
        let socket = Arc::new(Socket::new(self.group.take(port)?, position));
        self.all.push(Arc::clone(&socket));
        self.free.reserve(self.all.len() - self.free.len());
        Ok(socket)
    }

    /// The reverse of [`take`](Pool::take).
    pub(super) fn give(&mut self, socket: &Socket) {
        self.free.push(socket.position);
    }

    pub(super) fn all(&self) -> &[Arc<Socket>] {
        &self.all
    }

    pub(super) fn bare(&mut self) -> &mut HashMap<SOCKET, Arc<Socket>> {
        &mut self.bare
    }
}
