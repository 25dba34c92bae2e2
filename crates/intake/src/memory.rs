//! Memory for pictures: asked for, not assumed.

use crate::{Error, ErrorKind, Result};

/// An empty vector with room for `n` elements, or an error where the machine cannot give it.
pub(crate) fn reserve<T>(n: usize) -> Result<Vec<T>> {
    lightbox_host::try_vector(n).ok_or_else(|| {
        Error::new(
            ErrorKind::TooLarge,
            format!(
                "the picture needs {} bytes of memory, which the machine does not give",
                n.saturating_mul(size_of::<T>())
            ),
        )
        .hint("close other programs, or downscale the picture")
    })
}

/// A vector of `n` default elements, or an error where the machine cannot give it.
pub(crate) fn filled<T: Clone + Default>(n: usize) -> Result<Vec<T>> {
    let mut vector = reserve(n)?;
    vector.resize(n, T::default());
    Ok(vector)
}
