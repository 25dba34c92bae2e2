//! Weights as kernels want them: panels of sixteen output columns.

use half::f16;
use lightbox_host::Arena;

use crate::blocks;
use crate::dtype::Dtype;
use crate::error::{Error, Result, expect_len};
use crate::lanes::{WIDTH, bf16_slot};
use crate::quantized::Layout;
use crate::tile::{Bf16, F16};

/// A weight matrix `[n_out, n_in]`, packed: opaque, immutable, made by [`MatrixBuilder`](crate::MatrixBuilder).
///
/// Numbers keep the type that they were stored in. Plain numbers are widened to f32 by arithmetic, which is exact;
/// products with quantized ones are computed in whole numbers, on activations that are quantized too.
#[derive(Debug)]
pub struct Matrix {
    pub(crate) n_out: usize,
    pub(crate) n_in: usize,
    pub(crate) dtype: Dtype,
    /// `[n_panels][n_in][16]`; columns past `n_out` are zero. bf16 columns lie in the order of `bf16_slot`; quantized
    /// panels are as `Layout` says.
    pub(crate) arena: Arena,
}

/// The panels of a matrix, by the type they are stored in.
#[derive(Clone, Copy)]
pub(crate) enum Panels<'a> {
    F32(&'a [f32]),
    Bf16(&'a [Bf16]),
    F16(&'a [F16]),
}

impl Matrix {
    /// Output columns (rows of the source as PyTorch's `Linear` stores it).
    #[must_use]
    pub fn n_out(&self) -> usize {
        self.n_out
    }

    /// Input features.
    #[must_use]
    pub fn n_in(&self) -> usize {
        self.n_in
    }

    /// The type that its numbers were stored in.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Bytes in memory.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.arena.len()
    }

    /// Bytes in memory that a matrix of this shape takes; `None` if no address space holds it, or if its rows are
    /// not whole blocks of `dtype`.
    #[must_use]
    pub fn packed_bytes(n_out: usize, n_in: usize, dtype: Dtype) -> Option<usize> {
        let row_bytes = dtype.row_bytes(n_in)?;
        let panel_bytes = match Layout::of(dtype) {
            Some(layout) => layout.panel_bytes(n_in)?,
            None => row_bytes.checked_mul(WIDTH)?,
        };
        n_out.div_ceil(WIDTH).checked_mul(panel_bytes)
    }

    /// Row `row` of the source, widened, into `out` `[n_in]`: an embedding lookup.
    ///
    /// # Errors
    /// A row past the last, or a length that is not `n_in`; `out` is then unchanged.
    pub fn row_into(&self, row: usize, out: &mut [f32]) -> Result<()> {
        const OP: &str = "matrix row";
        if row >= self.n_out {
            return Err(Error::shape(OP, format!("row {row} of a matrix with {} rows", self.n_out)));
        }
        expect_len(OP, "out", out.len(), &[("n_in", self.n_in)])?;
        let panel = row / WIDTH * self.n_in * WIDTH;
        let column = row % WIDTH;
        if let Some(layout) = Layout::of(self.dtype) {
            let mut source = vec![0; self.dtype.row_bytes(self.n_in).unwrap_or(0)];
            layout.unpack(self.dtype, self.panel(row / WIDTH), column, &mut source);
            return blocks::dequantize(self.dtype, &source, out);
        }
        match self.dtype {
            Dtype::Bf16 => {
                let bits = self.arena.as_u16()[panel + bf16_slot(column)..].iter().step_by(WIDTH);
                out.iter_mut()
                    .zip(bits)
                    .for_each(|(out, &bits)| *out = f32::from_bits(u32::from(bits) << 16));
            }
            Dtype::F16 => {
                let bits = self.arena.as_u16()[panel + column..].iter().step_by(WIDTH);
                out.iter_mut().zip(bits).for_each(|(out, &bits)| *out = f16::from_bits(bits).to_f32());
            }
            _ => {
                let values = self.arena.as_f32()[panel + column..].iter().step_by(WIDTH);
                out.iter_mut().zip(values).for_each(|(out, &value)| *out = value);
            }
        }
        Ok(())
    }

    pub(crate) fn n_panels(&self) -> usize {
        self.n_out.div_ceil(WIDTH)
    }

    /// The bytes of panel `panel`.
    #[inline(always)]
    pub(crate) fn panel(&self, panel: usize) -> &[u8] {
        let bytes = self.arena.len() / self.n_panels();
        &self.arena.as_bytes()[panel * bytes..(panel + 1) * bytes]
    }

    /// The panels of plain numbers.
    pub(crate) fn panels(&self) -> Panels<'_> {
        let bits = || {
            let bits = self.arena.as_u16();
            (bits.as_ptr(), bits.len())
        };
        match self.dtype {
            Dtype::Bf16 => {
                let (start, len) = bits();
                // SAFETY: the whole of a borrowed slice of u16, of which `Bf16` is a transparent wrapper.
                Panels::Bf16(unsafe { std::slice::from_raw_parts(start.cast(), len) })
            }
            Dtype::F16 => {
                let (start, len) = bits();
                // SAFETY: the whole of a borrowed slice of u16, of which `F16` is a transparent wrapper.
                Panels::F16(unsafe { std::slice::from_raw_parts(start.cast(), len) })
            }
            _ => Panels::F32(self.arena.as_f32()),
        }
    }
}
