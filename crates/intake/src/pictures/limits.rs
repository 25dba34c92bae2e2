//! How large a picture may be, asked before anything is allocated for it.

use crate::{Allowance, Error, ErrorKind, Result};

/// Longest side in pixels: what a JPEG can state.
pub(crate) const MAX_SIDE_PX: u64 = 65_535;

/// Most pixels of a picture: more than twice the largest detectors and cameras in use (61 megapixels); 805 MB as
/// 16-bit RGB.
pub(crate) const MAX_PIXELS: u64 = 1 << 27;

/// The sides of a picture as numbers to compute with; its pixels are taken from the allowance.
///
/// # Errors
/// [`ErrorKind::Corrupt`] if a side is zero, [`ErrorKind::TooLarge`] if a side or the number of pixels is beyond
/// what is read, or not so many pixels are left.
pub(crate) fn sides(width: u64, height: u64, allowance: &mut Allowance) -> Result<(usize, usize)> {
    if width == 0 || height == 0 {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!("header: expected sides of at least 1 pixel, found {width}×{height}"),
        ));
    }
    if width > MAX_SIDE_PX || height > MAX_SIDE_PX || width * height > MAX_PIXELS {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "header: expected sides up to {MAX_SIDE_PX} and up to {MAX_PIXELS} pixels in all, found {width}×{height}"
            ),
        )
        .hint("crop or downscale the picture"));
    }
    allowance.take(width, height)?;
    Ok((width as usize, height as usize))
}

/// Refuses a header that promises more than the coded bytes can hold.
///
/// `needed` is in units that one coded byte can yield at most `most_per_byte` of.
///
/// # Errors
/// [`ErrorKind::Truncated`].
pub(crate) fn plausible(needed: u64, coded_bytes: u64, most_per_byte: u64, unit: &str) -> Result<()> {
    // A few bytes of slack for headers and padding of the coded form.
    if needed > coded_bytes.saturating_add(16).saturating_mul(most_per_byte) {
        return Err(Error::new(
            ErrorKind::Truncated,
            format!("the header promises {needed} {unit}, which {coded_bytes} coded bytes cannot hold"),
        )
        .hint("the file is incomplete or not honest about its size; copy or export it again"));
    }
    Ok(())
}
