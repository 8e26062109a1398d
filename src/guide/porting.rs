//! # Porting
//!
//! # From mio 0.6
//!
//! Several things of 0.6 that later versions dropped are here again, in the form of today.
//!
//! | mio 0.6 | here |
//! | --- | --- |
//! | `poll.register(&source, token, ready, opt)` | `poll.registry().register(&mut source, token, interest)` |
//! | `poll.deregister(&source)` | `poll.registry().deregister(&mut source)` |
//! | `PollOpt::edge()` | nothing to say: [`Trigger::Edge`](crate::Trigger::Edge) is the default |
//! | `PollOpt::level()` | `poll.registry().with_trigger(Trigger::Level)`, and register through that |
//! | `PollOpt::level() \| PollOpt::oneshot()` | the same with [`Trigger::Oneshot`](crate::Trigger::Oneshot) |
//! | `PollOpt::edge() \| PollOpt::oneshot()` | the same with [`Trigger::EdgeOneshot`](crate::Trigger::EdgeOneshot) |
//! | `Ready`, when registering | [`Interest`](crate::Interest); it is never empty |
//! | `Ready::empty()`, to be left alone for a while | [`deregister`](crate::Registry::deregister), or a one-shot |
//! | `event.readiness().is_readable()` | [`event.is_readable()`](crate::event::Event::is_readable) |
//! | `UnixReady::is_hup`, `is_error` | [`is_read_closed`](crate::event::Event::is_read_closed), [`is_write_closed`](crate::event::Event::is_write_closed), [`is_error`](crate::event::Event::is_error) |
//! | `UnixReady::priority()` | [`Interest::PRIORITY`](crate::Interest::PRIORITY), [`is_priority`](crate::event::Event::is_priority) |
//! | `poll.poll(&mut events, timeout)`, which goes on after a signal | [`poll_until`](crate::Poll::poll_until) with a deadline |
//! | `poll.poll_interruptible(…)` | [`poll`](crate::Poll::poll): it reports [`Interrupted`](std::io::ErrorKind::Interrupted) |
//! | the number of events that `poll` returned | [`events.len()`](crate::Events::len) |
//! | `events.get(index)` | [`events.get(index)`](crate::Events::get) |
//! | `Evented` | [`event::Source`](crate::event::Source) |
//! | `EventedFd(&fd)` | [`unix::SourceFd(&fd)`](crate::unix::SourceFd), or an [`IoSource`](crate::IoSource) that owns it |
//! | `Registration`, `SetReadiness` | one [`Waker`](crate::Waker) for each |
//! | `mio::channel`, `mio_extras::channel` | `std::sync::mpsc` and a `Waker`: see [wakers](super::wakers) |
//! | `mio::timer`, `mio_extras::timer` | a heap of deadlines and `poll_until`: see [time](super::time) |
//! | `EventLoop`, `Handler` | a loop of your own: see [a first server](super::first_server) |
//! | `mio_uds` | [`net::UnixStream`](crate::net::UnixStream) and its neighbours |
//! | `TcpStream::connect(&address)` | by value: `TcpStream::connect(address)` |
//! | `TcpStream::connect_stream(stream, &address)` | connect the socket with `socket2`, then [`from_std`](crate::net::TcpStream::from_std) |
//! | `set_keepalive`, `set_linger`, buffer sizes, … | `socket2::SockRef::from(&stream)` has them |
//! | `stream.try_clone()` | not there: share the stream (`&TcpStream` reads and writes), or see [duplicates](super::closing#duplicates) |
//! | `Token(usize::MAX)` is reserved | no token is |
//!
//! What to look at besides:
//!
//! - [`poll`](crate::Poll::poll) takes `&mut self`, so one thread polls. Others register through a clone of the
//!   [`Registry`](crate::Registry), as many as you like.
//! - A `Source` is registered by `&mut`. Sources that were shared in an `Rc` or `Arc` for registering need a place that
//!   owns them, or a lock.
//! - `from_std` takes over a socket as it is. Set it to non-blocking mode first.
//! - [`deregister`](crate::Registry::deregister) gives a guarantee now: no later poll yields the token.
//! - Readiness that was set with `SetReadiness` stayed until it was cleared, and a level trigger reported it each time.
//!   A wake is reported once. Code that counted on being told again keeps a flag of its own, and wakes again if there
//!   is work left.
//! - `TcpStream::connect` may report a failure later: `take_error` and then `peer_addr`, on the first writable event.
//!   See [connecting](crate::net::TcpStream#connecting).
//! - Events that are neither readable nor writable exist: a hang-up or an error may come alone.
//!
//! # From mio 0.7 and 0.8
//!
//! The types are those of today. `os-util` is called `os-ext`, `tcp` and `udp` and `uds` are `net`. Features need not
//! be named: all are on by default.
//!
//! # From mio 1.0 to 1.2
//!
//! Nothing has to change: see [runtimes](super::runtimes#the-patch) for how to try it. Three differences may show:
//!
//! - A default build has all features, and the queue is there without `os-poll`. In 1.2 only `log` is on by default.
//! - A timeout that is no whole number of milliseconds is waited for as it is, not rounded up to the next one.
//! - System calls do not pass through libc on Linux: see [interception](super::interception).
//!
//! # What is new since 1.2
//!
//! | | |
//! | --- | --- |
//! | [`Trigger`](crate::Trigger), [`Registry::with_trigger`](crate::Registry::with_trigger), [`Registry::trigger`](crate::Registry::trigger) | level and one-shot registrations, for any source |
//! | [`Poll::poll_until`](crate::Poll::poll_until) | deadlines that signals do not end |
//! | timeouts in nanoseconds | see [time](super::time#precision) |
//! | several [`Waker`](crate::Waker)s for a queue, coalesced | see [wakers](super::wakers) |
//! | [`Backend`](crate::Backend), [`Poll::builder`](crate::Poll::builder), [`Poll::backend`](crate::Poll::backend) | `poll(2)` in place of epoll, chosen at run time |
//! | [`IoSource`](crate::IoSource), [`Pollable`](crate::Pollable) at the top, without a feature; `do_read`, `do_write` | sources over any handle |
//! | [`Events::get`](crate::Events::get), [`Events::len`](crate::Events::len) | events by index |
//! | an [`Iter`](crate::event::Iter) that is double-ended, exact in size, and `Clone` | |
//! | [`AsFd`](std::os::fd::AsFd) for [`Poll`](crate::Poll) | the queue as a borrowed descriptor |
//! | `net::udp`: [`send_batch`, `recv_batch`](super::udp) | many datagrams in one call, cut up and put together by the system |
//! | [short reads and writes](super::edges#short-reads) | are edges enough on every backend |
//! | `mio::windows`: `WaitHandle`, `SourceSocket`, `UnixStream` | anything that can be waited for, any socket, Unix sockets |
