//! # Closing and ownership
//!
//! # Who owns what
//!
//! - A source belongs to the program. Registering borrows it for the length of the call, and the queue keeps no
//!   reference.
//! - [`Poll`](crate::Poll), every [`Registry`](crate::Registry) made from it and every [`Waker`](crate::Waker) share
//!   the queue. It is closed with the last of them.
//! - What [`SourceFd`](crate::unix::SourceFd) registers belongs to somebody else.
//!
//! # Dropping a source
//!
//! Dropping a source of this crate closes it, and closing ends its registration. There is no need to deregister it
//! first, with one exception: duplicates.
//!
//! The order of drops does not matter. A source may outlive the `Poll` it was registered with, and the other way round.
//!
//! # Duplicates
//!
//! `dup(2)`, `try_clone`, passing a descriptor to another process and `fork(2)` make a second descriptor of the same
//! open file. To epoll the file is registered, not the number. While any descriptor of it is open, the registration
//! lives:
//!
//! | what happens, with a duplicate open | epoll | kqueue, `poll(2)`, event ports, AFD |
//! | --- | --- | --- |
//! | the source is deregistered, then dropped | silence | silence |
//! | the source is dropped | *events with its token go on*, until the duplicate is closed | silence |
//! | the duplicate is closed | nothing changes | nothing changes |
//!
//! In the second case there is no way to stop the events but closing the duplicate: the queue knows the registration by
//! a descriptor that is gone. So **deregister before you drop, if the descriptor may have been duplicated.** A
//! duplicate that a `fork` for an `exec` made is closed by the `exec`, since everything made here is close-on-exec.
//!
//! Converting a source into the standard library's type, into an `OwnedFd` or with
//! [`into_inner`](crate::IoSource::into_inner) does not end its registration either, except on Windows. Deregister first,
//! or the events go on until the descriptor is closed.
//!
//! # A bare descriptor
//!
//! Nothing tells the queue when a descriptor that was registered as [`SourceFd`](crate::unix::SourceFd) is closed.
//! Deregister it before. Otherwise:
//!
//! - kqueue forgets it then, and epoll when its last duplicate is closed.
//! - With [`Backend::Poll`](crate::Backend::Poll) the number stays registered until a poll finds it closed. Should it
//!   have been given to another file by then, the other file is reported under the old token.
//!
//! # What is in the batch
//!
//! Once [`deregister`](crate::Registry::deregister) has returned, on whichever thread, no *later* poll yields the token
//! for that source. What an earlier poll has put into [`Events`](crate::Events) is still there. A loop that deregisters
//! or drops connection B while it handles an event of A may find an event of B further on.
//!
//! # A token that is used again
//!
//! That leftover event is harmless if it finds nothing: an empty slot, a key that is not in the map. It is worse if the
//! slot has been given to a new connection. An event is a hint to try, so the new connection at most tries in vain. But
//! code that acts on the event itself, without trying, is misled: "the peer has hung up" would be about the old one.
//!
//! Two ways out:
//!
//! - Free slots at the end of the batch: collect the keys and release them after the loop over the events.
//! - Put a generation into the token: the slot in the low half, a count of its uses in the high half. An event whose
//!   generation is not that of the slot is dropped.
//!
//! ```
//! use mio::Token;
//!
//! const SLOT_BITS: u32 = usize::BITS / 2;
//!
//! fn token(slot: usize, generation: usize) -> Token {
//!     Token(generation << SLOT_BITS | slot)
//! }
//!
//! fn parts(token: Token) -> (usize, usize) {
//!     (token.0 & ((1 << SLOT_BITS) - 1), token.0 >> SLOT_BITS)
//! }
//!
//! assert_eq!(parts(token(7, 3)), (7, 3));
//! ```
//!
//! # Pointers as tokens
//!
//! A token may be a pointer to a connection's state. Then an event after the state was freed is undefined behaviour,
//! and the guarantee above is what such a program rests on. It has to do two things: deregister *before* it frees (with
//! a duplicate around, dropping the source is not enough), and free only when no batch with the token is left, that is,
//! after the polling thread has begun a poll that is later than the deregistration. Runtimes do this with a list of
//! states to release.
//!
//! # Across threads
//!
//! Sources may be registered, deregistered and dropped on any thread while another one is in
//! [`poll`](crate::Poll::poll). It takes effect at once: a wait in progress reports a source that was registered
//! meanwhile. A source that was deregistered meanwhile may still be in what that wait returns, and in nothing later.
//!
//! # One queue at a time
//!
//! A source is registered with one `Poll` at a time. Debug builds report a second one as
//! [`AlreadyExists`](std::io::ErrorKind::AlreadyExists). Release builds leave it to the system, and epoll allows it:
//! both queues report then. Do not rely on it: not every backend can.
//!
//! # Fork
//!
//! After `fork(2)` parent and child have descriptors of the same files. With epoll they share the queue itself; with
//! kqueue the child has none; with `poll(2)` it has a copy of the table; with event ports it shares the port, and has a copy
//! of the table. What a child does to a queue that it inherited:
//!
//! | in the child | epoll | kqueue | `poll(2)` | event ports |
//! | --- | --- | --- | --- | --- |
//! | drops sources, wakers, the `Poll` | the parent's registrations stay | they stay | they stay | they stay |
//! | registers, reregisters | *changes the parent's queue* | fails | changes the child's copy | *changes the parent's port* |
//! | deregisters | *changes the parent's queue* | fails | changes the child's copy | fails |
//! | polls | *takes the parent's edges* | fails | the child's copy reports by itself | *takes the parent's events* |
//! | wakes | *wakes the parent*, once | fails, or *wakes the parent*, once | the parent gets no event | *wakes the parent*, once |
//!
//! A kqueue is not inherited at all. Its number is free in the child, and a queue that the child opens may get it: then
//! what is done to the old one is done to that.
//!
//! So a child should drop what it inherited, or leave it to `exec`, and open a queue of its own. The usual warnings
//! about `fork` in a program with threads hold besides: another thread may have held a lock of the `poll(2)` backend.
