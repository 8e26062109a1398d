//! Control messages: what goes beside a datagram through `sendmsg(2)` and `recvmsg(2)`.
//!
//! A control buffer is a row of messages, each a header of length, level and kind, and then its data (`cmsg(3)`). The
//! macros of C walk through it with pointers. This does it on bytes, without `unsafe`, and for the layout of any system,
//! so it is compiled and tested on every host. A buffer that is nonsense ends the walk; nothing is read beside it.

/// How a system lays out control messages.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Bytes of the field `cmsg_len`: 4 or 8.
    pub(crate) length: usize,
    /// Where the data of a message begins: `CMSG_LEN(0)`.
    pub(crate) data: usize,
    /// The next header begins at a multiple of this. The data need not.
    pub(crate) align: usize,
}

impl Layout {
    /// Where the level begins, and after it the kind; both have four bytes.
    const FIELD: usize = 4;

    /// The header without what is left free behind it.
    const fn header(self) -> usize {
        self.length + 2 * Layout::FIELD
    }

    /// What a message of `data` bytes takes: `CMSG_SPACE`.
    pub(crate) const fn space(self, data: usize) -> usize {
        self.aligned(self.data + data)
    }

    const fn aligned(self, n: usize) -> usize {
        (n + self.align - 1) / self.align * self.align
    }
}

/// Writes messages into a buffer, one behind the other.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    layout: Layout,
    buffer: &'a mut [u8],
    used: usize,
}

impl<'a> Writer<'a> {
    #[inline]
    pub(crate) fn new(layout: Layout, buffer: &'a mut [u8]) -> Writer<'a> {
        Writer {
            layout,
            buffer,
            used: 0,
        }
    }

    /// Whether there was room for it. If not, nothing has changed.
    ///
    /// Inlined, where the layout and the length are constants, it is a handful of stores.
    #[inline(always)]
    #[must_use]
    pub(crate) fn push(&mut self, level: i32, kind: i32, data: &[u8]) -> bool {
        let layout = self.layout;
        let end = self.used + layout.space(data.len());
        let Some(message) = self.buffer.get_mut(self.used..end) else {
            return false;
        };
        let (header, body) = message.split_at_mut(layout.data);
        let length = layout.data + data.len();
        if layout.length == 8 {
            header[..8].copy_from_slice(&(length as u64).to_ne_bytes());
        } else {
            header[..4].copy_from_slice(&(length as u32).to_ne_bytes());
        }
        let (level_at, kind_at) = (layout.length, layout.length + Layout::FIELD);
        header[level_at..kind_at].copy_from_slice(&level.to_ne_bytes());
        header[kind_at..layout.header()].copy_from_slice(&kind.to_ne_bytes());
        header[layout.header()..].fill(0);
        body[..data.len()].copy_from_slice(data);
        body[data.len()..].fill(0);
        self.used = end;
        true
    }

    /// How many bytes of the buffer the messages take: `msg_controllen`.
    pub(crate) fn used(&self) -> usize {
        self.used
    }
}

/// A message of a buffer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) level: i32,
    pub(crate) kind: i32,
    pub(crate) data: &'a [u8],
}

/// The messages of a buffer of which the kernel says that it is filled.
#[derive(Clone, Debug)]
pub(crate) struct Messages<'a> {
    layout: Layout,
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    pub(crate) fn new(layout: Layout, buffer: &'a [u8]) -> Messages<'a> {
        Messages {
            layout,
            rest: buffer,
        }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Message<'a>> {
        let layout = self.layout;
        let rest = self.rest;
        // One look at the length for all three.
        let header = rest.get(..layout.header())?;
        let length = if layout.length == 8 {
            usize::try_from(u64::from_ne_bytes(field(header, 0)?)).ok()?
        } else {
            usize::try_from(u32::from_ne_bytes(field(header, 0)?)).ok()?
        };
        let message = Message {
            level: i32::from_ne_bytes(field(header, layout.length)?),
            kind: i32::from_ne_bytes(field(header, layout.length + Layout::FIELD)?),
            // Shorter than its header, or longer than the buffer: there is no telling where the next one begins.
            data: rest.get(layout.data..length)?,
        };
        // The last one may end without what would align a next one.
        self.rest = rest.get(layout.aligned(length)..).unwrap_or(&[]);
        Some(message)
    }
}

/// The bytes of a field, if there are so many.
#[inline]
pub(crate) fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
