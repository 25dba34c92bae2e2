//! Products with quantized matrices, in whole numbers.
//!
//! # The arithmetic
//!
//! A row of activations is quantized once for an operation (see [`activations`]): codes `q` in -127..=127 and a scale
//! for each block of the weights' type, 256 or 32 inputs. Then, for each output and block,
//!
//! ```text
//! I = Σ over sub-blocks  scale · Σ q[k] · (code[k] - offset)      exact, in 32 bits
//! M = Σ over sub-blocks  minimum · Σ q[k]                         exact, in 32 bits
//! value = f32(I) · d                                              types with an offset
//! value = fma(-dmin, f32(M), f32(I) · d)                          types with minimums
//! value = fma(m, f32(Σ q[k]), f32(I) · d)                         types with a number added
//! total = fma(activation scale, value, total)                     blocks ascending, total = +0 before the first
//! ```
//!
//! where types of 32 values have no scales of sub-blocks. Whole-number sums have no order, and the rest is one IEEE 754
//! operation after the other, so every instruction set, number of rows and number of threads gives the same bits.

mod activations;
mod expand;
mod format;
mod layout;
mod packed;
mod repack;
mod scales;
mod tile;
mod walk;

pub(crate) use activations::{Activations, Quantize};
pub(crate) use layout::Layout;
pub(crate) use walk::{Share, scratch};
