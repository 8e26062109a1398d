//! System calls with the instruction in the caller's own code: AArch64. See "No `ret` after the kernel" in
//! ARCHITECTURE.md.
//!
//! A register that a call does not need costs an instruction, so there is a function for each number of arguments.

use std::arch::asm;
use std::ffi::c_long;

use rustix::io::Errno;

#[path = "no_return_stack.rs"]
pub(crate) mod return_stack;

/// Makes a system call of up to four arguments.
///
/// # Safety
///
/// As the system call.
#[inline(always)]
pub(super) unsafe fn call4(number: c_long, arguments: [usize; 4]) -> Result<usize, Errno> {
    let result: isize;
    // SAFETY: The registers are those of syscall(2), which the kernel leaves as they are but for these. What it does to
    // memory is the caller's concern.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") arguments[0] => result,
            in("x1") arguments[1],
            in("x2") arguments[2],
            in("x3") arguments[3],
            options(nostack, preserves_flags),
        );
    }
    returned(result)
}

/// Makes a system call of up to six arguments.
///
/// # Safety
///
/// As the system call.
#[inline(always)]
pub(super) unsafe fn call6(number: c_long, arguments: [usize; 6]) -> Result<usize, Errno> {
    let result: isize;
    // SAFETY: As for four arguments.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") arguments[0] => result,
            in("x1") arguments[1],
            in("x2") arguments[2],
            in("x3") arguments[3],
            in("x4") arguments[4],
            in("x5") arguments[5],
            options(nostack, preserves_flags),
        );
    }
    returned(result)
}

/// An error is a number from −4095 to −1.
#[inline(always)]
fn returned(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| Errno::from_raw_os_error(-result as i32))
}
