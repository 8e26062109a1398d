//! System calls with the instruction in the caller's own code: x86-64. See "No `ret` after the kernel" in
//! ARCHITECTURE.md.
//!
//! A register that a call does not need costs an instruction, so there is a function for each number of arguments.

use std::arch::asm;
use std::ffi::c_long;

use rustix::io::Errno;

#[path = "return_stack.rs"]
pub(crate) mod return_stack;

/// Makes a system call of up to four arguments.
///
/// # Safety
///
/// As the system call.
#[inline(always)]
pub(super) unsafe fn call4(number: c_long, arguments: [usize; 4]) -> Result<usize, Errno> {
    // SAFETY: The caller's concern.
    let result = unsafe { uncovered4(number, arguments) };
    return_stack::cover();
    returned(result)
}

/// The same, for who sees to the [`return_stack`].
///
/// # Safety
///
/// As the system call.
#[inline(always)]
pub(super) unsafe fn uncovered_call4(
    number: c_long,
    arguments: [usize; 4],
) -> Result<usize, Errno> {
    // SAFETY: The caller's concern.
    returned(unsafe { uncovered4(number, arguments) })
}

#[inline(always)]
unsafe fn uncovered4(number: c_long, arguments: [usize; 4]) -> isize {
    let result: isize;
    // SAFETY: The registers are those of syscall(2), which the kernel leaves as they are but for these. What it does to
    // memory is the caller's concern.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, preserves_flags),
        );
    }
    result
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
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            in("r9") arguments[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, preserves_flags),
        );
    }
    return_stack::cover();
    returned(result)
}

/// An error is a number from −4095 to −1.
#[inline(always)]
fn returned(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| Errno::from_raw_os_error(-result as i32))
}
