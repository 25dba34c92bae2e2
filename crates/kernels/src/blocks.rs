//! Quantized blocks as GGUF stores them: what their bytes mean.
//!
//! A block is a run of consecutive values of one row: 32 of them, or 256 in sub-blocks of 16 or 32 for the types whose
//! name ends in K and for IQ4_XS. Scales are binary16; a value is computed in f32 in the order that each type's
//! function states, every operation rounded once, so that its bits are those of the `gguf` Python package
//! (`reference/gguf_blocks.py`).

mod fit;
mod four_of_sixteen;
mod into_256;
mod into_32;
mod of_256;
mod of_32;
mod quantize;

use half::{bf16, f16};

use crate::dtype::Dtype;
use crate::error::{Error, Result, expect_len};

pub use quantize::quantize;

/// The values that `bytes`, whole blocks of `dtype`, stand for, into `out`.
///
/// # Errors
/// Bytes that are not as many whole blocks as `out` has values for; `out` is then unchanged.
pub fn dequantize(dtype: Dtype, bytes: &[u8], out: &mut [f32]) -> Result<()> {
    expect_blocks("dequantize", dtype, bytes.len(), out.len())?;
    match dtype {
        Dtype::F32 => each(bytes, out, |bytes: &[u8; 4], [out]| *out = f32::from_le_bytes(*bytes)),
        Dtype::Bf16 => each(bytes, out, |bytes: &[u8; 2], [out]| *out = bf16::from_le_bytes(*bytes).to_f32()),
        Dtype::F16 => each(bytes, out, |bytes: &[u8; 2], [out]| *out = half(*bytes)),
        Dtype::Q8_0 => each(bytes, out, of_32::q8_0),
        Dtype::Q4_0 => each(bytes, out, of_32::q4_0),
        Dtype::Q4_1 => each(bytes, out, of_32::q4_1),
        Dtype::Q5_0 => each(bytes, out, of_32::q5_0),
        Dtype::Q5_1 => each(bytes, out, of_32::q5_1),
        Dtype::Q2K => each(bytes, out, of_256::q2_k),
        Dtype::Q3K => each(bytes, out, of_256::q3_k),
        Dtype::Q4K => each(bytes, out, of_256::q4_k),
        Dtype::Q5K => each(bytes, out, of_256::q5_k),
        Dtype::Q6K => each(bytes, out, of_256::q6_k),
        Dtype::Iq4Nl => each(bytes, out, four_of_sixteen::iq4_nl),
        Dtype::Iq4Xs => each(bytes, out, four_of_sixteen::iq4_xs),
    }
    Ok(())
}

/// Runs `block` for each block of `FROM` and what it becomes.
#[inline(always)]
fn each<A, B, const FROM: usize, const TO: usize>(
    from: &[A],
    to: &mut [B],
    block: impl Fn(&[A; FROM], &mut [B; TO]),
) {
    for (from, to) in from.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
        block(from, to);
    }
}

/// A binary16, widened.
fn half(bytes: [u8; 2]) -> f32 {
    f16::from_le_bytes(bytes).to_f32()
}

/// Checks that `n_bytes` are the blocks of `n_values` values.
fn expect_blocks(op: &str, dtype: Dtype, n_bytes: usize, n_values: usize) -> Result<()> {
    let (values, bytes) = dtype.block();
    if !n_values.is_multiple_of(values) {
        return Err(Error::shape(
            op,
            format!("{n_values} values are not whole blocks of {dtype}, of {values}"),
        ));
    }
    expect_len(op, "bytes", n_bytes, &[("blocks", n_values / values), ("bytes a block", bytes)])
}
