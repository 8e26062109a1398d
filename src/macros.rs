//! `trace!`, which is `log::trace!` or nothing.

#[cfg(feature = "log")]
macro_rules! trace {
    ($($message:tt)+) => { log::trace!($($message)+) };
}

// The arguments are still checked, and count as used.
#[cfg(not(feature = "log"))]
macro_rules! trace {
    ($($message:tt)+) => {
        if false {
            let _ = format_args!($($message)+);
        }
    };
}
