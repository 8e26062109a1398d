//! What Linux leaves in the processor's return stack on some AMD processors, and how it is covered. See "The return stack" in
//! ARCHITECTURE.md.
//!
//! Harmless addresses are put on top of what is left there. Sixteen returns are covered: as many again cost eight
//! nanoseconds more for each call, and half as many are too few for what runs on a runtime.

use std::arch::asm;
use std::arch::x86_64::__cpuid;
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::DIRECT;

/// Where the kernel says what it does about its returns.
const MITIGATION: &str = "/sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow";

/// Whether the kernel leaves its addresses there.
static STALE: AtomicBool = AtomicBool::new(false);

/// Finds out whether anything is to be done, the first time that it is called.
pub(crate) fn look() {
    static LOOKED: AtomicBool = AtomicBool::new(false);

    if !LOOKED.swap(true, Ordering::Relaxed) && DIRECT && is_amd() && !has_shadow_stack() {
        STALE.store(kernel_is_mitigated(), Ordering::Relaxed);
    }
}

/// To be called after a system call, before anything returns: pushes addresses that nothing ever returns to, and takes them
/// off the stack in memory, but not off the processor's.
///
/// The question whether to do so is part of it, for it costs two instructions here, and four in front.
#[inline(always)]
pub(crate) fn cover() {
    // SAFETY: What is read is an atomic byte. The stack is as it was in the end, and without `nostack` nothing of the
    // caller's is kept below it: no other memory is touched. There is no shadow stack, which would have to be as it was, too.
    unsafe {
        asm!(
            "cmp byte ptr [{stale}], 0",
            "je 5f",
            "mov ecx, 8",
            "2:",
            "call 3f",
            "int3",
            "3:",
            "call 4f",
            "int3",
            "4:",
            "dec ecx",
            "jnz 2b",
            "add rsp, 128",
            "5:",
            stale = in(reg) STALE.as_ptr(),
            // A register that the kernel has overwritten already.
            lateout("rcx") _,
            options(readonly),
        );
    }
}

/// The same, around a call that returns a number.
#[inline(always)]
pub(crate) fn covered<T, E>(result: Result<T, E>) -> Result<T, E> {
    // In both arms, or the result would be put together before and taken apart behind.
    match result {
        Ok(value) => {
            cover();
            Ok(value)
        }
        Err(error) => {
            cover();
            Err(error)
        }
    }
}

/// Whether AMD made the processor, or Hygon, which builds the same. Nobody else's have that mitigation.
#[allow(unused_unsafe)] // it became a safe function
fn is_amd() -> bool {
    // SAFETY: Every processor with 64 bits has this instruction.
    let vendor = unsafe { __cpuid(0) };
    let name = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes);
    matches!(&name.concat()[..], b"AuthenticAMD" | b"HygonGenuine")
}

/// Whether the processor compares each return with a second stack that only `call` and `ret` write.
fn has_shadow_stack() -> bool {
    let pointer: u64;
    // SAFETY: `rdsspq rax`, in bytes because assemblers may not know it. Without a shadow stack it does nothing.
    unsafe {
        asm!(
            ".byte 0xf3, 0x48, 0x0f, 0x1e, 0xc8",
            inout("rax") 0_u64 => pointer,
            options(nomem, nostack, preserves_flags),
        );
    }
    pointer != 0
}

fn kernel_is_mitigated() -> bool {
    let mut text = [0; 64];
    let read = File::open(MITIGATION).and_then(|mut file| file.read(&mut text));
    read.is_ok_and(|length| says_safe_ret(&text[..length]))
}

/// `Mitigation: Safe RET`, as kernels since 6.5 say; `Vulnerable: Safe RET, no microcode`, which returns in the same way.
fn says_safe_ret(text: &[u8]) -> bool {
    text.windows(8)
        .any(|words| words.eq_ignore_ascii_case(b"safe ret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kernels_say() {
        for text in [
            "Mitigation: Safe RET\n",
            "Mitigation: safe RET\n",
            "Vulnerable: Safe RET, no microcode\n",
        ] {
            assert!(says_safe_ret(text.as_bytes()), "{text}");
        }
        for text in [
            "Not affected\n",
            "Vulnerable\n",
            "Vulnerable: No microcode\n",
            "Mitigation: IBPB\n",
            "Mitigation: SMT disabled\n",
            "",
        ] {
            assert!(!says_safe_ret(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn covering_leaves_everything_as_it_was() {
        /// Keeps values on the stack across it, and returns through more frames than are covered.
        #[inline(never)]
        fn nested(depth: u64) -> u64 {
            let values = std::hint::black_box([depth, depth + 1, depth + 2]);
            cover();
            let below = if depth == 0 { 0 } else { nested(depth - 1) };
            cover();
            below + values.iter().sum::<u64>()
        }

        if has_shadow_stack() {
            return;
        }
        let found = STALE.swap(true, Ordering::Relaxed);
        let expected: u64 = (0..=40).map(|depth| 3 * depth + 3).sum();
        for _ in 0..1_000 {
            assert_eq!(nested(40), expected);
        }
        STALE.store(found, Ordering::Relaxed);
    }
}
