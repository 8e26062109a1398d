//! Bare system calls on epoll: through libc, as a C program makes them; and with the instruction in the caller's own code,
//! which is the floor.

use std::io;
use std::marker::PhantomData;
use std::mem::{size_of, MaybeUninit};
use std::net;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::os::unix;
use std::sync::Arc;
use std::time::Duration;

use libc::{
    epoll_event, sockaddr, sockaddr_in, socklen_t, timespec, EPOLLET, EPOLLIN, EPOLLOUT,
    EPOLLRDHUP, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, MSG_NOSIGNAL, SOCK_CLOEXEC,
    SOCK_NONBLOCK,
};
use syscalls::{syscall, Sysno};

use super::{Datagrams, Listener, Source, Stream, Subject, Wake, Want};

/// The system calls, one way or the other. Arguments and results are those of the manual pages, errors `io::Error`s.
///
/// # Safety
///
/// Pointers are valid for as many elements as the argument beside them says.
pub(crate) trait Calls: 'static {
    const NAME: &'static str;

    unsafe fn epoll_wait(
        queue: RawFd,
        events: *mut epoll_event,
        room: i32,
        millis: i32,
    ) -> io::Result<usize>;
    unsafe fn epoll_pwait2(
        queue: RawFd,
        events: *mut epoll_event,
        room: i32,
        timeout: *const timespec,
    ) -> io::Result<usize>;
    unsafe fn epoll_ctl(
        queue: RawFd,
        operation: i32,
        fd: RawFd,
        event: *mut epoll_event,
    ) -> io::Result<usize>;
    unsafe fn recv(fd: RawFd, buffer: *mut u8, room: usize) -> io::Result<usize>;
    unsafe fn send(fd: RawFd, bytes: *const u8, length: usize, flags: i32) -> io::Result<usize>;
    unsafe fn recvfrom(
        fd: RawFd,
        buffer: *mut u8,
        room: usize,
        from: *mut sockaddr,
        length: *mut socklen_t,
    ) -> io::Result<usize>;
    unsafe fn sendto(
        fd: RawFd,
        bytes: *const u8,
        length: usize,
        to: *const sockaddr,
        to_length: socklen_t,
    ) -> io::Result<usize>;
    unsafe fn accept4(
        fd: RawFd,
        from: *mut sockaddr,
        length: *mut socklen_t,
        flags: i32,
    ) -> io::Result<usize>;
    unsafe fn read(fd: RawFd, buffer: *mut u8, room: usize) -> io::Result<usize>;
    unsafe fn write(fd: RawFd, bytes: *const u8, length: usize) -> io::Result<usize>;
    unsafe fn close(fd: RawFd) -> io::Result<usize>;
}

/// Writes each call twice.
macro_rules! calls {
    ($(fn $name:ident($($argument:ident: $type:ty),*) = $number:ident, $libc:expr;)*) => {
        impl Calls for Libc {
            const NAME: &'static str = "libc";

            $(#[inline(always)]
            unsafe fn $name($($argument: $type),*) -> io::Result<usize> {
                // SAFETY: The caller's promise.
                let result = unsafe { $libc };
                usize::try_from(result).map_err(|_| io::Error::last_os_error())
            })*
        }

        impl Calls for Inline {
            const NAME: &'static str = "inline";

            $(#[inline(always)]
            unsafe fn $name($($argument: $type),*) -> io::Result<usize> {
                // SAFETY: The caller's promise.
                let result = unsafe { inline!($name, $number, $($argument),*) };
                result.map_err(|errno| io::Error::from_raw_os_error(errno.into_raw()))
            })*
        }
    };
}

/// Arguments beyond those of the function in libc.
macro_rules! inline {
    (epoll_pwait2, $number:ident, $($argument:ident),*) => {
        syscall!(Sysno::$number, $($argument),*, 0, 8)
    };
    (recv, $number:ident, $($argument:ident),*) => {
        syscall!(Sysno::$number, $($argument),*, 0, 0, 0)
    };
    (send, $number:ident, $($argument:ident),*) => {
        syscall!(Sysno::$number, $($argument),*, 0, 0)
    };
    (recvfrom, $number:ident, $fd:ident, $buffer:ident, $room:ident, $from:ident, $length:ident) => {
        syscall!(Sysno::$number, $fd, $buffer, $room, 0, $from, $length)
    };
    (sendto, $number:ident, $fd:ident, $bytes:ident, $length:ident, $to:ident, $to_length:ident) => {
        syscall!(Sysno::$number, $fd, $bytes, $length, MSG_NOSIGNAL, $to, $to_length)
    };
    ($name:ident, $number:ident, $($argument:ident),*) => {
        syscall!(Sysno::$number, $($argument),*)
    };
}

/// Calls of libc's functions.
pub(crate) struct Libc;

/// The instruction in the caller's own code.
pub(crate) struct Inline;

calls! {
    fn epoll_wait(queue: RawFd, events: *mut epoll_event, room: i32, millis: i32) = epoll_wait,
        libc::epoll_wait(queue, events, room, millis);
    fn epoll_pwait2(queue: RawFd, events: *mut epoll_event, room: i32, timeout: *const timespec) = epoll_pwait2,
        epoll_pwait2(queue, events, room, timeout, std::ptr::null());
    fn epoll_ctl(queue: RawFd, operation: i32, fd: RawFd, event: *mut epoll_event) = epoll_ctl,
        libc::epoll_ctl(queue, operation, fd, event);
    fn recv(fd: RawFd, buffer: *mut u8, room: usize) = recvfrom,
        libc::recv(fd, buffer.cast(), room, 0);
    fn send(fd: RawFd, bytes: *const u8, length: usize, flags: i32) = sendto,
        libc::send(fd, bytes.cast(), length, flags);
    fn recvfrom(fd: RawFd, buffer: *mut u8, room: usize, from: *mut sockaddr, length: *mut socklen_t) = recvfrom,
        libc::recvfrom(fd, buffer.cast(), room, 0, from, length);
    fn sendto(fd: RawFd, bytes: *const u8, length: usize, to: *const sockaddr, to_length: socklen_t) = sendto,
        libc::sendto(fd, bytes.cast(), length, MSG_NOSIGNAL, to, to_length);
    fn accept4(fd: RawFd, from: *mut sockaddr, length: *mut socklen_t, flags: i32) = accept4,
        libc::accept4(fd, from, length, flags);
    fn read(fd: RawFd, buffer: *mut u8, room: usize) = read, libc::read(fd, buffer.cast(), room);
    fn write(fd: RawFd, bytes: *const u8, length: usize) = write, libc::write(fd, bytes.cast(), length);
    fn close(fd: RawFd) = close, libc::close(fd);
}

extern "C" {
    /// glibc has it since 2.35, the crate libc does not declare it.
    fn epoll_pwait2(
        queue: RawFd,
        events: *mut epoll_event,
        room: i32,
        timeout: *const timespec,
        signals: *const libc::sigset_t,
    ) -> i32;
}

/// epoll by hand.
pub(crate) struct Epoll<C> {
    queue: RawFd,
    events: Vec<epoll_event>,
    calls: PhantomData<C>,
}

impl<C: Calls> Subject for Epoll<C> {
    const NAME: &'static str = C::NAME;

    type Tcp = Socket<C>;
    type Unix = Socket<C>;
    type Listener = Socket<C>;
    type Udp = Socket<C>;
    type Fd = Number;
    type Waker = Eventfd<C>;

    fn open(capacity: usize) -> Epoll<C> {
        // SAFETY: No pointers.
        let queue = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        assert!(queue >= 0, "{}", io::Error::last_os_error());
        Epoll {
            queue,
            events: Vec::with_capacity(capacity),
            calls: PhantomData,
        }
    }

    #[inline(always)]
    fn poll(&mut self, timeout: Option<Duration>) -> usize {
        self.events.clear();
        let events = self.events.as_mut_ptr();
        let room = self.events.capacity() as i32;
        let millis = match timeout {
            None => Some(-1),
            Some(time) if time.subsec_nanos() % 1_000_000 == 0 => Some(time.as_millis() as i32),
            Some(_) => None,
        };
        let count = match millis {
            // SAFETY: The vector has that much room.
            Some(millis) => unsafe { C::epoll_wait(self.queue, events, room, millis) },
            None => {
                let time = timeout.unwrap_or_default();
                let timeout = timespec {
                    tv_sec: time.as_secs() as i64,
                    tv_nsec: time.subsec_nanos().into(),
                };
                // SAFETY: As above.
                unsafe { C::epoll_pwait2(self.queue, events, room, &timeout) }
            }
        }
        .unwrap();
        // SAFETY: The kernel has written that many.
        unsafe { self.events.set_len(count) };
        count
    }

    #[inline(always)]
    fn readable(&self, mut visit: impl FnMut(usize)) {
        for event in &self.events {
            if event.events & EPOLLIN as u32 != 0 {
                visit(event.u64 as usize);
            }
        }
    }

    fn fd(fd: RawFd) -> Number {
        Number(fd)
    }

    fn waker(&mut self, key: usize) -> Eventfd<C> {
        // SAFETY: No pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        assert!(fd >= 0, "{}", io::Error::last_os_error());
        Number(fd).register(self, key, Want::Read);
        Eventfd(Arc::new(Socket::new(fd)))
    }

    fn tcp(stream: net::TcpStream) -> Socket<C> {
        stream.set_nonblocking(true).unwrap();
        Socket::new(stream.into_raw_fd())
    }

    fn unix(stream: unix::net::UnixStream) -> Socket<C> {
        stream.set_nonblocking(true).unwrap();
        Socket::new(stream.into_raw_fd())
    }

    fn udp(socket: net::UdpSocket) -> Socket<C> {
        socket.set_nonblocking(true).unwrap();
        Socket::new(socket.into_raw_fd())
    }

    fn listener(listener: net::TcpListener) -> Socket<C> {
        listener.set_nonblocking(true).unwrap();
        Socket::new(listener.into_raw_fd())
    }
}

impl<C> Drop for Epoll<C> {
    fn drop(&mut self) {
        // SAFETY: Nobody else closes it.
        unsafe { libc::close(self.queue) };
    }
}

/// A descriptor that somebody else owns.
pub(crate) struct Number(RawFd);

impl AsRawFd for Number {
    #[inline(always)]
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

impl<C: Calls, T: AsRawFd> Source<Epoll<C>> for T {
    #[inline(always)]
    fn register(&mut self, queue: &Epoll<C>, key: usize, want: Want) {
        control(queue, EPOLL_CTL_ADD, self.as_raw_fd(), Some((key, want)));
    }

    #[inline(always)]
    fn reregister(&mut self, queue: &Epoll<C>, key: usize, want: Want) {
        control(queue, EPOLL_CTL_MOD, self.as_raw_fd(), Some((key, want)));
    }

    #[inline(always)]
    fn deregister(&mut self, queue: &Epoll<C>) {
        control(queue, EPOLL_CTL_DEL, self.as_raw_fd(), None);
    }
}

#[inline(always)]
fn control<C: Calls>(queue: &Epoll<C>, operation: i32, fd: RawFd, wanted: Option<(usize, Want)>) {
    let mut event = wanted.map(|(key, want)| epoll_event {
        events: match want {
            Want::Read => EPOLLIN | EPOLLRDHUP | EPOLLET,
            Want::ReadWrite => EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        } as u32,
        u64: key as u64,
    });
    let event = event
        .as_mut()
        .map_or(std::ptr::null_mut(), |event| event as *mut epoll_event);
    // SAFETY: One event, or none for a deletion.
    unsafe { C::epoll_ctl(queue.queue, operation, fd, event) }.unwrap();
}

/// A socket that closes itself.
pub(crate) struct Socket<C: Calls> {
    fd: RawFd,
    calls: PhantomData<fn() -> C>,
}

impl<C: Calls> Socket<C> {
    #[inline(always)]
    fn new(fd: RawFd) -> Socket<C> {
        Socket {
            fd,
            calls: PhantomData,
        }
    }
}

impl<C: Calls> AsRawFd for Socket<C> {
    #[inline(always)]
    fn as_raw_fd(&self) -> RawFd {
        self.fd
    }
}

impl<C: Calls> Drop for Socket<C> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: Nobody else closes it.
        let _ = unsafe { C::close(self.fd) };
    }
}

impl<C: Calls> Stream for Socket<C> {
    #[inline(always)]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: The buffer's own length.
        unsafe { C::recv(self.fd, buffer.as_mut_ptr(), buffer.len()) }
    }

    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: The slice's own length.
        unsafe { C::send(self.fd, bytes.as_ptr(), bytes.len(), MSG_NOSIGNAL) }
    }
}

impl<C: Calls> Listener for Socket<C> {
    type Stream = Socket<C>;

    #[inline(always)]
    fn accept(&mut self) -> io::Result<Socket<C>> {
        let mut from = MaybeUninit::<libc::sockaddr_storage>::uninit();
        let mut length = size_of::<libc::sockaddr_storage>() as socklen_t;
        let flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
        // SAFETY: `length` is that of `from`.
        let fd = unsafe { C::accept4(self.fd, from.as_mut_ptr().cast(), &mut length, flags) }?;
        Ok(Socket::new(fd as RawFd))
    }
}

impl<C: Calls> Datagrams for Socket<C> {
    type Address = sockaddr_in;

    fn address(address: net::SocketAddr) -> sockaddr_in {
        let net::SocketAddr::V4(address) = address else {
            panic!("{address} is no address of IPv4");
        };
        sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: address.port().to_be(),
            sin_addr: libc::in_addr {
                s_addr: u32::from_ne_bytes(address.ip().octets()),
            },
            sin_zero: [0; 8],
        }
    }

    #[inline(always)]
    fn send_to(&mut self, bytes: &[u8], to: &sockaddr_in) -> io::Result<usize> {
        let address = (to as *const sockaddr_in).cast();
        let length = size_of::<sockaddr_in>() as socklen_t;
        // SAFETY: The lengths are those of the slice and of the address.
        unsafe { C::sendto(self.fd, bytes.as_ptr(), bytes.len(), address, length) }
    }

    #[inline(always)]
    fn recv_from(&mut self, buffer: &mut [u8]) -> io::Result<(usize, sockaddr_in)> {
        let mut from = MaybeUninit::<sockaddr_in>::uninit();
        let mut length = size_of::<sockaddr_in>() as socklen_t;
        let address = from.as_mut_ptr().cast();
        // SAFETY: The lengths are those of the buffer and of the address.
        let n = unsafe {
            C::recvfrom(
                self.fd,
                buffer.as_mut_ptr(),
                buffer.len(),
                address,
                &mut length,
            )
        }?;
        // SAFETY: The socket is one of IPv4, so the kernel has written an address of it.
        Ok((n, unsafe { from.assume_init() }))
    }
}

pub(crate) struct Eventfd<C: Calls>(Arc<Socket<C>>);

impl<C: Calls> Wake for Eventfd<C> {
    #[inline(always)]
    fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: The array's own length.
        unsafe { C::write(self.0.fd, one.as_ptr(), one.len()) }.unwrap();
    }
}
