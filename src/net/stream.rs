//! Reading and writing, which is the same for every stream socket.

/// `Read` and `Write` for a stream with an `inner: IoSource<_>`, or for references to it.
macro_rules! read_and_write {
    ($stream:ty) => {
        impl ::std::io::Read for $stream {
            #[inline]
            fn read(&mut self, buffer: &mut [u8]) -> ::std::io::Result<usize> {
                self.inner
                    .do_read(|inner| $crate::sys::socket::recv(inner.as_handle(), buffer))
            }

            #[inline]
            fn read_vectored(
                &mut self,
                buffers: &mut [::std::io::IoSliceMut<'_>],
            ) -> ::std::io::Result<usize> {
                self.inner
                    .do_read(|inner| $crate::sys::socket::recv_vectored(inner.as_handle(), buffers))
            }
        }

        impl ::std::io::Write for $stream {
            #[inline]
            fn write(&mut self, bytes: &[u8]) -> ::std::io::Result<usize> {
                self.inner
                    .do_write(|inner| $crate::sys::socket::send(inner.as_handle(), bytes))
            }

            #[inline]
            fn write_vectored(
                &mut self,
                buffers: &[::std::io::IoSlice<'_>],
            ) -> ::std::io::Result<usize> {
                self.inner.do_write(|inner| {
                    $crate::sys::socket::send_vectored(inner.as_handle(), buffers)
                })
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
