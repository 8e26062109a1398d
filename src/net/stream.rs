//! Reading and writing, which is the same for every stream socket.

/// `Read` and `Write` for a stream with an `inner: IoSource<_>`, or for references to it.
macro_rules! read_and_write {
    ($stream:ty) => {
        impl ::std::io::Read for $stream {
            #[inline(always)]
            fn read(&mut self, buffer: &mut [u8]) -> ::std::io::Result<usize> {
                let result = $crate::sys::socket::recv(self.inner.as_handle(), buffer);
                self.inner.after_stream_read(result, buffer.len())
            }

            #[inline(always)]
            fn read_vectored(
                &mut self,
                buffers: &mut [::std::io::IoSliceMut<'_>],
            ) -> ::std::io::Result<usize> {
                let result = $crate::sys::socket::recv_vectored(self.inner.as_handle(), buffers);
                self.inner.after_vectored_read(result, buffers)
            }
        }

        impl ::std::io::Write for $stream {
            #[inline(always)]
            fn write(&mut self, bytes: &[u8]) -> ::std::io::Result<usize> {
                let result = $crate::sys::socket::send(self.inner.as_handle(), bytes);
                self.inner.after_stream_write(result, bytes.len())
            }

            #[inline(always)]
            fn write_vectored(
                &mut self,
                buffers: &[::std::io::IoSlice<'_>],
            ) -> ::std::io::Result<usize> {
                let result = $crate::sys::socket::send_vectored(self.inner.as_handle(), buffers);
                self.inner.after_vectored_write(result, buffers)
            }

            /// Does nothing: a socket keeps nothing back.
            #[inline]
            fn flush(&mut self) -> ::std::io::Result<()> {
                Ok(())
            }
        }
    };
}

pub(crate) use read_and_write;
