//! What only C has: a process that is a copy of this one, a handler for a signal, and a signal to one thread.

/// Runs `child` in a copy of this process, which ends with it: with status 0, or 1 if it panicked.
///
/// The copy has this thread alone. A lock that another one holds now stays locked in it. Two of Apple's systems have no
/// way to make one.
#[cfg(not(any(target_os = "tvos", target_os = "watchos")))]
pub(crate) fn fork(child: impl FnOnce()) -> rustix::process::Pid {
    // SAFETY: A process with one thread at work, which `alone` makes, leaves no lock behind that the child could want:
    // its other threads only wait for this one.
    let pid = unsafe { libc::fork() };
    assert_ne!(pid, -1, "{}", std::io::Error::last_os_error());
    if let Some(child) = rustix::process::Pid::from_raw(pid) {
        return child;
    }
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
    // SAFETY: It takes any number, and does not come back. What waits in the buffers of the parent is the parent's.
    unsafe { libc::_exit(i32::from(result.is_err())) }
}

/// Makes `SIGALRM` interrupt system calls, and do nothing else.
pub(crate) fn handle_alarms() {
    extern "C" fn ignore(_signal: libc::c_int) {}

    let handler = ignore as *const () as libc::sighandler_t;
    // SAFETY: The handler has the signature that it must have, and does nothing.
    let before = unsafe { libc::signal(libc::SIGALRM, handler) };
    assert_ne!(before, libc::SIG_ERR);
}

/// A thread of this process, to be sent a signal. Its name is a pointer on some systems, which would be kept from other
/// threads.
#[derive(Copy, Clone)]
pub(crate) struct Thread(usize);

pub(crate) fn this_thread() -> Thread {
    // SAFETY: It has no conditions.
    let thread = unsafe { libc::pthread_self() };
    Thread(thread as usize)
}

/// Sends `SIGALRM` to a thread, which must not have ended.
pub(crate) fn alarm(Thread(thread): Thread) {
    // SAFETY: The callers see to it that the thread lives.
    let result = unsafe { libc::pthread_kill(thread as libc::pthread_t, libc::SIGALRM) };
    assert_eq!(result, 0);
}
