//! From values to blocks.

use half::{bf16, f16};

use super::{each, expect_blocks, into_32, into_256};
use crate::dtype::Dtype;
use crate::error::{Error, Result};
use crate::isa::{Isa, Job};
use crate::lanes::Lanes;

/// Writes `values` as whole blocks of `dtype` to `out`, rounding to nearest; the same bits on every machine.
///
/// Q8_0, Q4_0, Q5_0 and Q5_1 take their scale from the largest value (and the smallest), as the `gguf` package and
/// llama.cpp do, to the bit: models that were trained for Q4_0 were trained for that rule. Q4_K, Q5_K and Q6_K search
/// scales and minima with the least squared error.
///
/// # Errors
/// Another type, a number of bytes that is not that of the blocks, or a value that is not finite or, for a type with
/// binary16 in it, beyond ±65504; `out` is then unchanged.
pub fn quantize(dtype: Dtype, values: &[f32], out: &mut [u8]) -> Result<()> {
    const OP: &str = "quantize";
    match dtype {
        Dtype::F32 | Dtype::Bf16 | Dtype::F16 | Dtype::Q8_0 | Dtype::Q4_0 => {}
        Dtype::Q5_0 | Dtype::Q5_1 | Dtype::Q4K | Dtype::Q5K | Dtype::Q6K => {}
        Dtype::Q4_1 | Dtype::Q2K | Dtype::Q3K | Dtype::Iq4Nl | Dtype::Iq4Xs => {
            return Err(Error::shape(OP, format!("blocks of {dtype} are read, not written")));
        }
    }
    expect_blocks(OP, dtype, out.len(), values.len())?;
    let largest = match dtype {
        Dtype::F32 | Dtype::Bf16 => f32::MAX,
        _ => f16::MAX.to_f32(),
    };
    if let Some(i) = values.iter().position(|value| value.abs() > largest || value.is_nan()) {
        return Err(Error::shape(OP, format!("value {i} is {:e}, expected ±{largest:e} at most", values[i])));
    }
    Isa::best().run(Blocks { dtype, values, out });
    Ok(())
}

/// The work, compiled for each instruction set; all sums are over eight lanes in a fixed order.
struct Blocks<'a> {
    dtype: Dtype,
    values: &'a [f32],
    out: &'a mut [u8],
}

impl Job for Blocks<'_> {
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        let Self { dtype, values, out } = self;
        match dtype {
            Dtype::Bf16 => {
                each(values, out, |[x], out: &mut [u8; 2]| *out = bf16::from_f32(*x).to_le_bytes())
            }
            Dtype::F16 => each(values, out, |[x], out: &mut [u8; 2]| *out = f16::from_f32(*x).to_le_bytes()),
            Dtype::Q8_0 => each(values, out, into_32::q8_0),
            Dtype::Q4_0 => each(values, out, into_32::q4_0),
            Dtype::Q5_0 => each(values, out, into_32::q5_0),
            Dtype::Q5_1 => each(values, out, into_32::q5_1),
            Dtype::Q4K => each(values, out, into_256::q4_k),
            Dtype::Q5K => each(values, out, into_256::q5_k),
            Dtype::Q6K => each(values, out, into_256::q6_k),
            // What is not written was refused before.
            _ => each(values, out, |[x], out: &mut [u8; 4]| *out = x.to_le_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_writes_the_same_bytes() {
        let mut state = 1u32;
        let values: Vec<f32> = (0..1 << 14)
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 16_777_216.0 - if i % 512 < 256 { 0.5 } else { 0.1 }
            })
            .collect();
        for dtype in [Dtype::Q8_0, Dtype::Q4_0, Dtype::Q5_0, Dtype::Q5_1, Dtype::Q4K, Dtype::Q5K, Dtype::Q6K]
        {
            let written = [Isa::PORTABLE, Isa::best()].map(|isa| {
                let mut out = vec![0; dtype.row_bytes(values.len()).unwrap_or(0)];
                isa.run(Blocks { dtype, values: &values, out: &mut out });
                out
            });
            assert!(written[0] == written[1], "{dtype}");
        }
    }
}
