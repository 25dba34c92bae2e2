//! One line of several components whose samples alternate (T.87, B.3: they share contexts and runs).

use super::bits::Bits;
use super::lines::Coder;
use crate::Result;

impl Coder {
    /// Decodes a line of pixels into `line`, whose first and last pixel, like those of `above`, stand for the neighbours
    /// outside.
    pub(super) fn pixel_line<const EXACT: bool, const N: usize>(
        &mut self,
        bits: &mut Bits<'_>,
        above: &mut [[u16; N]],
        line: &mut [[u16; N]],
        run_index: &mut usize,
    ) -> Result<()> {
        let width = above.len().min(line.len()) - 2;
        let (above, line) = (&mut above[..width + 2], &mut line[..width + 2]);
        above[width + 1] = above[width];
        line[0] = above[1];

        let mut x = 0;
        while x < width {
            let [a, b, c, d] =
                [line[x], above[x + 1], above[x], above[x + 2]].map(|pixel| pixel.map(i32::from));
            let q: [i32; N] = std::array::from_fn(|n| {
                81 * self.region(d[n] - b[n]) + 9 * self.region(b[n] - c[n]) + self.region(c[n] - a[n])
            });
            if q != [0; N] {
                for n in 0..N {
                    line[x + 1][n] = self.regular::<EXACT>(bits, q[n], a[n], b[n], c[n])? as u16;
                }
                x += 1;
                continue;
            }
            let n_repeated = self.run(bits, width - x, run_index)?;
            let pixel = line[x];
            line[x + 1..x + 1 + n_repeated].fill(pixel);
            x += n_repeated;
            if x == width {
                break;
            }
            let b = above[x + 1].map(i32::from);
            for n in 0..N {
                line[x + 1][n] = self.interruption_from_above::<EXACT>(bits, a[n], b[n], *run_index)? as u16;
            }
            *run_index = run_index.saturating_sub(1);
            x += 1;
        }
        Ok(())
    }
}
