//! Metal I/O.
