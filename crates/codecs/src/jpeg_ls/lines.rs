//! One line of one component (T.87, A.3 to A.7): predicted from its neighbours and the line above, or a run.

use super::bits::Bits;
use super::contexts::{Context, RunContext};
use super::corrupt;
use super::parameters::Parameters;
use crate::{Error, Result};

/// J (T.87, A.7.1.1): log₂ of the run that one bit stands for, by run index.
const RUN_LOG: [u8; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Gradients are at most ±65535; as an index modulo this, negative ones stand at the end.
const N_GRADIENTS: usize = 1 << 17;

/// What a scan knows besides its samples.
pub(super) struct Coder {
    pub(super) parameters: Parameters,
    /// Regions of gradients, −4 to 4 (A.3.3).
    regions: Box<[i8; N_GRADIENTS]>,
    /// 365 are used; a power of two makes every index that is met lie inside.
    contexts: Box<[Context; 512]>,
    run_contexts: [RunContext; 2],
}

impl Coder {
    /// Nothing seen yet.
    pub(super) fn new(parameters: Parameters) -> Self {
        let mut regions = Box::new([0; N_GRADIENTS]);
        let [t1, t2, t3] = parameters.thresholds;
        let edges = [parameters.near + 1, t1, t2, t3, parameters.max_value + 1];
        for (region, edge) in edges.windows(2).enumerate() {
            for gradient in edge[0]..edge[1] {
                regions[gradient as usize] = region as i8 + 1;
                regions[N_GRADIENTS - gradient as usize] = -(region as i8 + 1);
            }
        }
        Self {
            contexts: Box::new([Context::new(&parameters); 512]),
            run_contexts: [RunContext::new(&parameters); 2],
            parameters,
            regions,
        }
    }

    /// Forgets what was seen, as at the start of a scan.
    pub(super) fn restart(&mut self) {
        self.contexts.fill(Context::new(&self.parameters));
        self.run_contexts = [RunContext::new(&self.parameters); 2];
    }

    /// Whether error values wrap at a power of two, which makes the arithmetic shorter.
    pub(super) fn is_exact(&self) -> bool {
        self.parameters.near == 0 && (self.parameters.range as u32).is_power_of_two()
    }

    #[inline(always)]
    pub(super) fn region(&self, gradient: i32) -> i32 {
        i32::from(self.regions[gradient as usize % N_GRADIENTS])
    }

    /// Decodes a line into `line`, whose first and last element, like those of `above`, stand for the neighbours
    /// outside.
    ///
    /// `EXACT` must be what [`Coder::is_exact`] says.
    pub(super) fn line<const EXACT: bool>(
        &mut self,
        bits: &mut Bits<'_>,
        above: &mut [u16],
        line: &mut [u16],
        run_index: &mut usize,
    ) -> Result<()> {
        let width = above.len().min(line.len()) - 2;
        let (above, line) = (&mut above[..width + 2], &mut line[..width + 2]);
        above[width + 1] = above[width];
        line[0] = above[1];

        let mut x = 0;
        let mut a = i32::from(line[0]);
        let mut b = i32::from(above[1]);
        let mut c = i32::from(above[0]);
        let mut q2 = self.region(b - c);
        while x < width {
            let d = i32::from(above[x + 2]);
            let q1 = self.region(d - b);
            let q = 81 * q1 + 9 * q2 + self.region(c - a);
            if q != 0 {
                a = self.regular::<EXACT>(bits, q, a, b, c)?;
                line[x + 1] = a as u16;
                x += 1;
                (c, b, q2) = (b, d, q1);
                continue;
            }
            let n = self.run(bits, width - x, run_index)?;
            line[x + 1..x + 1 + n].fill(a as u16);
            x += n;
            if x == width {
                break;
            }
            b = i32::from(above[x + 1]);
            a = self.interruption::<EXACT>(bits, a, b, *run_index)?;
            *run_index = run_index.saturating_sub(1);
            line[x + 1] = a as u16;
            x += 1;
            c = b;
            b = i32::from(above[x + 1]);
            q2 = self.region(b - c);
        }
        Ok(())
    }

    /// A sample in regular mode (A.4 to A.6), with its neighbours to the left, above, and above to the left.
    #[inline(always)]
    pub(super) fn regular<const EXACT: bool>(
        &mut self,
        bits: &mut Bits<'_>,
        q: i32,
        a: i32,
        b: i32,
        c: i32,
    ) -> Result<i32> {
        let Parameters { max_value, near, range, limit, n_error_bits, reset, .. } = self.parameters;
        let sign = q >> 31;
        let context = &mut self.contexts[((q ^ sign) - sign) as usize % 512];

        let predicted = (a + b - c).clamp(a.min(b), a.max(b));
        let predicted = (predicted + ((context.correction ^ sign) - sign)).clamp(0, max_value);

        let mapped = bits.limited_golomb(context.k, limit - n_error_bits - 1, n_error_bits);
        if mapped > range as u32 {
            return Err(impossible_error());
        }
        let error = (mapped >> 1) as i32 ^ -((mapped & 1) as i32) ^ context.flip;
        context.update(error, if EXACT { 0 } else { near }, reset);
        Ok(self.reconstructed::<EXACT>(predicted, (error ^ sign) - sign))
    }

    /// A.4.5 and A.8: the sample that has this error.
    #[inline(always)]
    fn reconstructed<const EXACT: bool>(&self, predicted: i32, error: i32) -> i32 {
        let Parameters { max_value, near, range, .. } = self.parameters;
        if EXACT {
            return (predicted + error) & max_value;
        }
        let step = 2 * near + 1;
        let mut sample = predicted + error * step;
        if sample < -near {
            sample += range * step;
        } else if sample > max_value + near {
            sample -= range * step;
        }
        sample.clamp(0, max_value)
    }

    /// How many samples repeat the one before (A.7.1), at most `n_left`.
    pub(super) fn run(&mut self, bits: &mut Bits<'_>, n_left: usize, run_index: &mut usize) -> Result<usize> {
        let mut n = 0;
        while bits.read(1) == 1 {
            let whole = 1 << RUN_LOG[*run_index % 32];
            if n + whole <= n_left {
                *run_index = (*run_index + 1).min(31);
            }
            n = (n + whole).min(n_left);
            if n == n_left {
                return Ok(n);
            }
        }
        n += bits.read(u32::from(RUN_LOG[*run_index % 32])) as usize;
        if n >= n_left {
            return Err(corrupt("a run goes past the end of its line"));
        }
        Ok(n)
    }

    /// The sample after a run (A.7.2), with its neighbours to the left and above.
    fn interruption<const EXACT: bool>(
        &mut self,
        bits: &mut Bits<'_>,
        a: i32,
        b: i32,
        run_index: usize,
    ) -> Result<i32> {
        if (a - b).abs() <= self.parameters.near {
            let error = self.interruption_error(bits, 1, run_index)?;
            Ok(self.reconstructed::<EXACT>(a, error))
        } else {
            self.interruption_from_above::<EXACT>(bits, a, b, run_index)
        }
    }

    /// The sample after a run that is predicted from the one above.
    pub(super) fn interruption_from_above<const EXACT: bool>(
        &mut self,
        bits: &mut Bits<'_>,
        a: i32,
        b: i32,
        run_index: usize,
    ) -> Result<i32> {
        let error = self.interruption_error(bits, 0, run_index)?;
        Ok(self.reconstructed::<EXACT>(b, if a > b { -error } else { error }))
    }

    fn interruption_error(&mut self, bits: &mut Bits<'_>, kind: u32, run_index: usize) -> Result<i32> {
        let Parameters { range, limit, n_error_bits, reset, .. } = self.parameters;
        let context = &mut self.run_contexts[kind as usize % 2];
        let k = context.k(kind);
        let limit = limit - u32::from(RUN_LOG[run_index % 32]) - 1 - n_error_bits - 1;
        let mapped = bits.limited_golomb(k, limit, n_error_bits);
        if mapped > range as u32 {
            return Err(impossible_error());
        }
        Ok(context.take(mapped, k, kind, reset))
    }
}

#[cold]
fn impossible_error() -> Error {
    corrupt("an error value lies outside the range that the scan's parameters give")
}
