//! Coded pictures to samples: the compressed forms that medical images are stored in.
//!
//! A decoder takes the bytes of one picture and gives its samples as they were coded: no colour is converted, nothing is
//! stretched, and what is missing is an error, never black. [`Outline`] is what a header states; it is known before
//! memory is asked for, so that the caller can refuse a picture that is not what it expected. Knows nothing of files,
//! patients or models.
#![forbid(unsafe_code)]

mod error;
pub mod jpeg;
pub mod jpeg2000;
pub mod jpeg_ls;
pub mod jpeg_xl;
mod memory;
mod picture;
pub mod rle;

pub use error::{Error, ErrorKind, Result};
pub use picture::{Outline, Picture, Samples};
