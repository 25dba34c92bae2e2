//! Memory for pictures: asked for, not assumed.

use crate::{Error, ErrorKind, Result};

/// An empty vector with room for `n` elements, or an error where the machine cannot give it.
pub(crate) fn reserve<T>(n: usize) -> Result<Vec<T>> {
    lightbox_host::try_vector(n).ok_or_else(|| refused::<T>(n))
}

/// Makes room in `vector` for `n` elements more; it will hold `n_in_all` in the end.
///
/// A vector that grows with what was decoded stays in proportion to it, whatever a header promised.
pub(crate) fn grow<T>(vector: &mut Vec<T>, n: usize, n_in_all: usize) -> Result<()> {
    if vector.capacity() - vector.len() >= n {
        return Ok(());
    }
    let n_more = n_in_all.saturating_sub(vector.len()).min(vector.len()).max(n);
    vector.try_reserve_exact(n_more).map_err(|_| refused::<T>(vector.len() + n_more))?;
    lightbox_host::prefer_huge_pages(vector);
    Ok(())
}

fn refused<T>(n: usize) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!(
            "the picture needs {} bytes of memory, which the machine does not give",
            n.saturating_mul(size_of::<T>())
        ),
    )
    .hint("close other programs, or downscale the picture")
}

/// A vector of `n` default elements, or an error where the machine cannot give it.
pub(crate) fn filled<T: Clone + Default>(n: usize) -> Result<Vec<T>> {
    let mut vector = reserve(n)?;
    vector.resize(n, T::default());
    Ok(vector)
}
