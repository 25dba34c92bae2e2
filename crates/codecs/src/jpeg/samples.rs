//! Coefficients to samples: transform, upsampling and colours, as libjpeg does them (`jdsample.c`, `jdcolor.c`).

use super::coefficients::Plane;
use super::transform::inverse;
use super::{corrupt, unsupported};
use crate::Result;

/// The samples of a plane, `[height, width]` of the plane.
fn plane_samples(plane: &Plane) -> Result<Vec<u8>> {
    let table = plane.quantization.ok_or_else(|| corrupt("a component has no quantization table"))?;
    let mut samples = crate::memory::filled::<u8>(plane.width * plane.height)?;
    for down in 0..plane.height.div_ceil(8) {
        for across in 0..plane.width.div_ceil(8) {
            let first = (down * plane.n_across + across) * 64;
            let block = inverse(&plane.coefficients[first..first + 64], &table);
            let n_columns = (plane.width - across * 8).min(8);
            for (y, row) in (down * 8..plane.height).zip(block.chunks_exact(8)) {
                let place = y * plane.width + across * 8;
                samples[place..place + n_columns].copy_from_slice(&row[..n_columns]);
            }
        }
    }
    Ok(samples)
}

/// A picture of one component.
pub(super) fn one(plane: &Plane, width: usize, height: usize) -> Result<Vec<u8>> {
    // The only component is as large as the picture, whatever sampling it states.
    debug_assert_eq!((plane.width, plane.height), (width, height));
    plane_samples(plane)
}

/// A picture of three components, `[height, width, 3]`; `to_rgb` converts each pixel from YCbCr.
pub(super) fn three(planes: &[Plane], width: usize, height: usize, to_rgb: bool) -> Result<Vec<u8>> {
    let mut channels = Vec::new();
    for plane in planes {
        let most = |part: fn(&Plane) -> usize| planes.iter().map(part).max().unwrap_or(1);
        let (across, down) = (most(|p| p.component.across), most(|p| p.component.down));
        if across % plane.component.across != 0 || down % plane.component.down != 0 {
            return Err(unsupported(format!(
                "a component of {}×{} samples where another has {across}×{down}",
                plane.component.across, plane.component.down
            )));
        }
        let factor = (across / plane.component.across, down / plane.component.down);
        channels.push(Channel {
            samples: plane_samples(plane)?,
            width: plane.width,
            height: plane.height,
            factor,
        });
    }
    let [first, second, third] = channels.as_slice() else {
        return Err(corrupt("expected three components"));
    };
    let mut pixels = crate::memory::filled::<u8>(width * height * 3)?;
    let mut rows = [vec![0; width + 4], vec![0; width + 4], vec![0; width + 4]];
    for (y, out) in pixels.chunks_exact_mut(width * 3).enumerate() {
        for (channel, row) in [first, second, third].into_iter().zip(&mut rows) {
            channel.row(y, row);
        }
        for (x, pixel) in out.chunks_exact_mut(3).enumerate() {
            let values = [rows[0][x], rows[1][x], rows[2][x]];
            pixel.copy_from_slice(&if to_rgb { from_ycbcr(values) } else { values });
        }
    }
    Ok(pixels)
}

/// A component before it is brought to the size of the picture.
struct Channel {
    samples: Vec<u8>,
    width: usize,
    height: usize,
    /// Pixels of the picture a sample, across and down.
    factor: (usize, usize),
}

impl Channel {
    /// Row `y` of the picture; `out` has room for the picture's width, rounded up to whole samples of the channel.
    fn row(&self, y: usize, out: &mut [u8]) {
        let line = |row: usize| &self.samples[row * self.width..(row + 1) * self.width];
        let row = y / self.factor.1;
        // The nearest other row: above for the upper half of a sample, below for the lower; the edge repeats itself.
        let is_upper = y.is_multiple_of(self.factor.1);
        let other = if is_upper { row.saturating_sub(1) } else { (row + 1).min(self.height - 1) };
        match self.factor {
            (1, 1) => out[..self.width].copy_from_slice(line(row)),
            (2, 1) if self.width > 2 => widen(self.width, |x| u32::from(line(row)[x]), (1, 2), 2, out),
            (1, 2) => {
                let bias = if is_upper { 1 } else { 2 };
                for ((out, near), far) in out.iter_mut().zip(line(row)).zip(line(other)) {
                    *out = ((3 * u32::from(*near) + u32::from(*far) + bias) >> 2) as u8;
                }
            }
            (2, 2) if self.width > 2 => {
                let (near, far) = (line(row), line(other));
                widen(self.width, |x| 3 * u32::from(near[x]) + u32::from(far[x]), (8, 7), 4, out);
            }
            (across, _) => {
                for (out, x) in out.iter_mut().zip(0..self.width * across) {
                    *out = line(row)[x / across];
                }
            }
        }
    }
}

/// Doubles a row: each sample becomes two, at three quarters of itself and a quarter of its neighbour.
///
/// `bias` is added for the left and the right one before `shift` divides; the ends have no neighbour.
fn widen(n: usize, value: impl Fn(usize) -> u32, bias: (u32, u32), shift: u32, out: &mut [u8]) {
    for (x, pair) in out.chunks_exact_mut(2).take(n).enumerate() {
        let here = value(x);
        let left = if x == 0 { here } else { value(x - 1) };
        let right = if x + 1 == n { here } else { value(x + 1) };
        pair[0] = ((3 * here + left + bias.0) >> shift) as u8;
        pair[1] = ((3 * here + right + bias.1) >> shift) as u8;
    }
}

/// JFIF's YCbCr to RGB in 16 binary places.
fn from_ycbcr([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}
