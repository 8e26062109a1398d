//! [`Lent`]: a value over a handle that it does not own.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;

use super::Handle;

/// A value of the standard library over a borrowed handle. It cannot outlive the handle, is only given out by reference,
/// and is never dropped, so it does not close what it does not own.
pub(crate) struct Lent<'a, T> {
    value: ManuallyDrop<T>,
    handle: PhantomData<Handle<'a>>,
}

impl<'a, T> Lent<'a, T> {
    pub(super) fn new(value: T, _: Handle<'a>) -> Lent<'a, T> {
        Lent {
            value: ManuallyDrop::new(value),
            handle: PhantomData,
        }
    }
}

impl<T> Deref for Lent<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
