//! What only WASI has: sources over descriptors of any kind.

#[path = "../unix/source_fd.rs"]
mod source_fd;

pub use source_fd::SourceFd;
