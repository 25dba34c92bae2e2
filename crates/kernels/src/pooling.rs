//! Average pooling of a square grid of rows.

use crate::backend::{Backend, Parts, Scratch, Shared, share};
use crate::error::{Error, Result, expect_len, product, whole_rows};
use crate::lanes::{LANES, Lanes};

struct Pool<'a> {
    x: &'a [f32],
    side: usize,
    kernel: usize,
    d: usize,
    out: Shared<'a>,
}

impl Backend {
    /// Means of `kernel` × `kernel` cells of a grid, as `AvgPool2d(kernel, stride = kernel)` takes them.
    ///
    /// `x` is `[side · side, d]`, the grid row by row; `out` is `[(side / kernel)², d]`, likewise. A cell's rows are
    /// summed in the grid's order, and the sum divided by their number. Rows and columns past the last whole cell are
    /// left out.
    ///
    /// # Errors
    /// A kernel that does not fit the side, or lengths that do not fit; `out` is then unchanged.
    pub fn average_pool(&self, x: &[f32], side: usize, kernel: usize, out: &mut [f32]) -> Result<()> {
        const OP: &str = "average_pool";
        if kernel == 0 || kernel > side {
            return Err(Error::shape(
                OP,
                format!("a kernel of {kernel} × {kernel} does not fit a side of {side}"),
            ));
        }
        let cells = product(OP, &[("side", side), ("side", side)])?;
        let d = whole_rows(OP, "x", x.len(), ("side × side", cells))?;
        expect_len(OP, "out", out.len(), &[("side", side / kernel), ("side", side / kernel), ("d", d)])?;
        self.parallel(x.len(), 0, &Pool { x, side, kernel, d, out: Shared::new(out) })
    }
}

impl Parts for Pool<'_> {
    #[inline(always)]
    unsafe fn part<S: Lanes>(&self, s: S, part: usize, n_parts: usize, _scratch: &mut Scratch) {
        let out_side = self.side / self.kernel;
        let count = s.splat((self.kernel * self.kernel) as f32);
        for cell in share(out_side * out_side, part, n_parts) {
            let (top, left) = (cell / out_side * self.kernel, cell % out_side * self.kernel);
            // SAFETY: each cell belongs to one part.
            let out = unsafe { self.out.range_mut(cell * self.d, self.d) };
            for (i, out) in out.chunks_mut(LANES).enumerate() {
                let mut sum = s.splat(0.0);
                for y in top..top + self.kernel {
                    for x in left..left + self.kernel {
                        let from = (y * self.side + x) * self.d + i * LANES;
                        sum = s.add(sum, s.load_slice(&self.x[from..from + out.len()]));
                    }
                }
                s.store_slice(s.div(sum, count), out);
            }
        }
    }
}
