//! House rules that a compiler does not know, checked on the source tree itself.
//!
//! A rule that has to yield somewhere has a list of exceptions, each with its reason. An exception that nothing needs any
//! more is a failure too. The rules read text, not syntax trees: they know comments, strings and words, which is enough
//! to keep honest people from forgetting.

mod modules;
mod rules;
mod tree;

use std::sync::OnceLock;

use tree::{tree, File};

/// Where names of operating systems may stand.
const OS_NAMES: &[(&str, &str)] = &[
    (
        "src/sys/mod.rs",
        "the wiring: the one place that says which parts make up which system",
    ),
    (
        "src/sys/facts.rs",
        "the numbers and flags in which systems differ that have the same parts",
    ),
];

/// Where `unsafe` may stand.
const UNSAFE: &[(&str, &str)] = &[
    (
        "src/event.rs",
        "an event is a view of the raw one, so that nothing is copied",
    ),
    (
        "src/handles.rs",
        "`FromRawFd` is unsafe to implement and to call on",
    ),
    (
        "src/io_source.rs",
        "takes the parts out of a type with a destructor",
    ),
    (
        "src/os/unix/source_fd.rs",
        "borrows a descriptor that is only known by its number",
    ),
    (
        "src/os/windows/named_pipe.rs",
        "lends a handle that another thread may be about to use; `FromRawHandle`",
    ),
    (
        "src/sys/named_pipe/calls.rs",
        "calls of Windows that no safe wrapper has",
    ),
    (
        "src/sys/named_pipe/mod.rs",
        "the kernel reads and writes buffers while an operation is in flight",
    ),
    (
        "src/sys/wait_handle/calls.rs",
        "looking at an object, for which there is no safe function",
    ),
    (
        "src/sys/wait_handle/means_tests.rs",
        "makes and sets event objects",
    ),
    (
        "src/sys/wait_handle/mod.rs",
        "packets point to waits, which have references for them",
    ),
    (
        "src/sys/wait_handle/packet.rs",
        "functions of the kernel that are looked up by name",
    ),
    (
        "src/sys/wait_handle/pool.rs",
        "a callback of the system's thread pool",
    ),
    (
        "src/os/windows/source_socket.rs",
        "borrows a socket that is only known by its number",
    ),
    (
        "src/sys/handle/fd.rs",
        "lends a descriptor to a type of the standard library that does not own it, and closes one",
    ),
    (
        "src/sys/handle/socket.rs",
        "lends a socket to a type of the standard library that does not own it",
    ),
    (
        "src/sys/selector/afd/due.rs",
        "a list through sockets that others own",
    ),
    (
        "src/sys/selector/afd/group.rs",
        "opens a driver, for which there is no safe function",
    ),
    (
        "src/sys/selector/afd/mod.rs",
        "`Send` and `Sync` of a packet, which has a pointer in it",
    ),
    (
        "src/sys/selector/afd/operation.rs",
        "packets point to operations, which keep themselves alive",
    ),
    (
        "src/sys/selector/afd/port.rs",
        "the kernel writes packets to spare capacity",
    ),
    (
        "src/sys/selector/afd/shared.rs",
        "packets point to sockets, and become events in spare capacity",
    ),
    (
        "src/sys/selector/afd/socket.rs",
        "the kernel writes to the memory of a poll while it is pending",
    ),
    (
        "src/sys/selector/epoll.rs",
        "the kernel writes events to spare capacity",
    ),
    (
        "src/sys/selector/epoll_wait.rs",
        "a system call that rustix does not have, inlined",
    ),
    (
        "src/sys/selector/event_ports/event.rs",
        "the kernel writes events to spare capacity; looks at a descriptor by its number",
    ),
    (
        "src/sys/selector/event_ports/system.rs",
        "system calls that no safe wrapper has",
    ),
    (
        "src/sys/selector/event_ports/model.rs",
        "as in the kernel, an association does not keep its file open",
    ),
    (
        "src/sys/selector/epoll_pwait2.rs",
        "a system call that no safe wrapper has",
    ),
    (
        "src/sys/selector/kqueue/model/source.rs",
        "borrows descriptors that are only known by their number",
    ),
    (
        "src/sys/selector/kqueue/system.rs",
        "`kevent(2)` writes events to memory, and no safe wrapper shows all of them",
    ),
    (
        "src/sys/selector/poll/mod.rs",
        "borrows descriptors that are only known by their number",
    ),
    (
        "src/sys/selector/oneoff_call.rs",
        "`poll_oneoff(2)` writes events to memory, and the C library's `poll(2)` says less",
    ),
    (
        "src/sys/socket/datagram/slices.rs",
        "a slice of what was just written to an array that was not",
    ),
    (
        "src/sys/socket/datagram/wsamsg.rs",
        "functions of Windows Sockets that no safe wrapper has",
    ),
    (
        "src/sys/socket/messages/batch.rs",
        "options of sockets for which rustix has no names",
    ),
    (
        "src/sys/socket/messages/header.rs",
        "structures of the system whose pointers the kernel follows",
    ),
    (
        "src/sys/socket/messages/single.rs",
        "system calls whose control messages rustix does not know",
    ),
    (
        "src/sys/socket/messages/many.rs",
        "system calls that rustix does not have",
    ),
    (
        "src/sys/socket/messages/direct.rs",
        "the same, without the C library",
    ),
    (
        "src/sys/socket/calls_direct.rs",
        "system calls for which rustix copies addresses as if they had 128 bytes, and that are covered",
    ),
    (
        "src/sys/syscall/x86_64.rs",
        "system calls by number, inlined",
    ),
    ("src/sys/syscall/aarch64.rs", "the same"),
    (
        "src/sys/syscall/return_stack.rs",
        "what no language can say: addresses for the processor alone",
    ),
    ("src/sys/syscall/mod.rs", "the same on other processors"),
    (
        "src/sys/socket/long_peers.rs",
        "lets the kernel write addresses that rustix panics at",
    ),
    ("src/sys/socket/accept4.rs", "the same for another call"),
    (
        "src/sys/socket/wasi/connect.rs",
        "connects without waiting, for which there is no safe wrapper",
    ),
    (
        "src/sys/socket/peers.rs",
        "reads addresses that rustix rejects or panics at",
    ),
    (
        "src/sys/socket/windows/local.rs",
        "two functions of Windows Sockets that have no safe wrapper for this family",
    ),
    (
        "src/sys/socket/windows/mod.rs",
        "the functions of Windows Sockets have no safe wrapper",
    ),
    (
        "bench/src/return_stack.rs",
        "words pushed and taken off again, as in the library",
    ),
    ("bench/src/alloc.rs", "an allocator that counts"),
    (
        "bench/src/counts.rs",
        "a system call that fails, as a mark in a log",
    ),
    (
        "bench/src/clock.rs",
        "clocks that the standard library does not have",
    ),
    (
        "bench/src/ops/fds.rs",
        "makes eventfds, and reads and writes with bare system calls",
    ),
    (
        "bench/src/ops/sockets.rs",
        "an option that the standard library does not have",
    ),
    (
        "bench/src/subject/bare.rs",
        "bare system calls, which are the measure",
    ),
    (
        "bench/src/subject/polling.rs",
        "registering is unsafe in this crate",
    ),
    (
        "tests/afd/handles.rs",
        "asks the system for the flags of a handle",
    ),
    ("tests/alloc.rs", "an allocator that counts"),
    (
        "tests/named_pipes/bed.rs",
        "makes a pipe of messages, as a user would",
    ),
    (
        "tests/named_pipes/stress.rs",
        "an allocator that poisons what is freed",
    ),
    (
        "tests/wait_handles/bed.rs",
        "makes, sets and resets objects that can be waited for",
    ),
    (
        "tests/wait_handles/objects.rs",
        "makes and sets objects that can be waited for",
    ),
    (
        "tests/wait_handles/refused.rs",
        "makes handles that cannot be waited for",
    ),
    (
        "tests/wait_handles/stress.rs",
        "an allocator that poisons what is freed",
    ),
    (
        "tests/alloc/wait_handles.rs",
        "makes and sets an event object",
    ),
    (
        "tests/stress/signals.rs",
        "installs a signal handler and sends to one thread",
    ),
    (
        "tests/stress/common.rs",
        "asks Windows how many handles are open",
    ),
    (
        "tests/stress/wakers.rs",
        "memory that nothing but a wake protects",
    ),
    (
        "tests/sockets/raw.rs",
        "what users do with raw descriptors and with SIGPIPE",
    ),
    (
        "tests/conformance/system/windows.rs",
        "asks `WSAPoll`, which no library has",
    ),
    (
        "tests/differential/system/windows.rs",
        "asks `WSAPoll`, which no library has",
    ),
    (
        "tests/conformance/raw.rs",
        "forks, installs a signal handler, and sends to one thread",
    ),
];

/// Which files may be longer than [`rules::LINES`].
const LONG: &[(&str, &str)] = &[];

/// Which files may have public items without an example.
const BARE: &[(&str, &str)] = &[(
    "src/os/windows/udp_socket.rs",
    "a trait that is public only to keep others from implementing another one",
)];

#[test]
fn names_of_systems_stand_in_the_wiring() {
    accept(|tree| rules::os_names(tree, OS_NAMES));
}

#[test]
fn unsafe_is_listed_and_explained() {
    accept(|tree| rules::unsafe_code(tree, UNSAFE));
}

#[test]
fn files_are_short() {
    accept(|tree| rules::long_files(tree, LONG));
}

#[test]
fn every_file_is_reached() {
    accept(modules::dead_files);
}

#[test]
fn nothing_is_left_behind() {
    accept(rules::banned_words);
}

#[test]
fn imports_have_the_names_that_are_exported() {
    accept(rules::decorated_imports);
}

#[test]
fn every_allow_has_a_reason() {
    accept(rules::bare_allows);
}

#[test]
fn every_public_item_has_an_example() {
    accept(|tree| rules::bare_items(tree, BARE));
}

#[test]
fn readme_names_every_example() {
    accept(rules::unnamed_examples);
}

/// Fails with what `rule` finds in the tree, if the tree is at hand: this program may have been carried elsewhere.
fn accept(rule: impl Fn(&[File]) -> Vec<String>) {
    static TREE: OnceLock<Vec<File>> = OnceLock::new();
    let tree = TREE.get_or_init(tree);
    if tree.iter().any(|file| file.path == "src/lib.rs") {
        let findings = rule(tree);
        assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    }
}
