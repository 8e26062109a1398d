//! `readv(2)` and `writev(2)` for pipes where the system has neither: the first buffer that is not empty.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::AsFd;

use rustix::io::{read, write, Result};

pub(crate) fn readv(fd: impl AsFd, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
    match buffers.iter_mut().find(|buffer| !buffer.is_empty()) {
        Some(buffer) => read(fd, &mut buffer[..]),
        None => Ok(0),
    }
}

pub(crate) fn writev(fd: impl AsFd, buffers: &[IoSlice<'_>]) -> Result<usize> {
    match buffers.iter().find(|buffer| !buffer.is_empty()) {
        Some(buffer) => write(fd, buffer),
        None => Ok(0),
    }
}
