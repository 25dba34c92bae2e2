//! Coded pictures whose samples are known, because they were coded here.
//!
//! The encoders are written for plainness: one fixed Huffman table, one scan, no search for a shorter code. Samples are
//! `[height, width, n_components]`, row-major, the components of a pixel side by side.

mod bits;
mod deflate;
mod jpeg;
mod jpeg_dct;
mod jpeg_lossless;
mod jpeg_ls;
mod rle;

pub use deflate::deflate;
pub use jpeg::Marks;
pub use jpeg_dct::{Dct, jpeg_dct};
pub use jpeg_lossless::{Lossless, jpeg_lossless};
pub use jpeg_ls::{Interleave, JpegLs, jpeg_ls};
pub use rle::rle;

/// A picture to code.
#[derive(Clone, Copy, Debug)]
pub struct Raster<'a> {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Samples a pixel.
    pub n_components: usize,
    /// Bits a sample.
    pub bits: u8,
    /// As many as the other numbers say, each below `1 << bits`.
    pub samples: &'a [u16],
}

impl Raster<'_> {
    /// The sample of a component at a place within the picture.
    pub(crate) fn at(&self, column: usize, row: usize, component: usize) -> i32 {
        i32::from(self.samples[(row * self.width + column) * self.n_components + component])
    }
}
