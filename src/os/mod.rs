//! What only one family of systems has, behind the feature `os-ext`.

#[cfg(all(unix, feature = "os-ext"))]
pub mod unix;
#[cfg(all(target_family = "wasm", feature = "os-ext"))]
pub mod wasi;
#[cfg(all(windows, feature = "os-ext"))]
pub mod windows;
