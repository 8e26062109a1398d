//! [`Token`]: the name by which the user recognises a source in its events.

/// The name under which a source is registered, and which its events carry.
///
/// The queue stores the number and hands it back; it never interprets it. Every value is allowed, none is
/// reserved, and several sources may share one. Usual choices are an index into a slab of connections or a
/// pointer to a connection's state.
///
/// # Examples
///
/// ```
/// use mio::Token;
///
/// const SERVER: Token = Token(usize::MAX);
/// let connection = Token(7);
///
/// assert_ne!(SERVER, connection);
/// assert_eq!(usize::from(connection), 7);
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub usize);

impl From<Token> for usize {
    #[inline]
    fn from(token: Token) -> usize {
        token.0
    }
}
