//! Clocks of the processor time that a thread or a process has had.

use std::io;
use std::mem::MaybeUninit;

/// The processor time of this thread, in nanoseconds.
pub(crate) fn thread() -> u64 {
    time(libc::CLOCK_THREAD_CPUTIME_ID).expect("every Linux has this clock")
}

/// The processor time of another process, in nanoseconds.
pub(crate) fn process(id: u32) -> io::Result<u64> {
    let mut clock = MaybeUninit::uninit();
    // SAFETY: The number of a clock is written.
    match unsafe { libc::clock_getcpuclockid(id as libc::pid_t, clock.as_mut_ptr()) } {
        // SAFETY: It has been.
        0 => time(unsafe { clock.assume_init() }),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

fn time(clock: libc::clockid_t) -> io::Result<u64> {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: One `timespec` is written.
    if unsafe { libc::clock_gettime(clock, time.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: It has been.
    let time = unsafe { time.assume_init() };
    Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}
