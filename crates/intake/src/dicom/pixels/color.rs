//! YBR_FULL to RGB (PS3.3 section C.7.6.3.1.2), to the levels of pydicom.

/// The weights of Cb and Cr in green, blue and red, rounded to single precision as pydicom holds them.
const GREEN_OF_CB: f32 = (-0.114 * 1.772 / 0.587_f64) as f32;
const GREEN_OF_CR: f32 = (-0.299 * 1.402 / 0.587_f64) as f32;
const BLUE_OF_CB: f32 = 1.772;
const RED_OF_CR: f32 = 1.402;

/// Bits behind the point of the fixed-point sums.
const FRACTION_BITS: u32 = 20;
const ONE: i32 = 1 << FRACTION_BITS;

/// How far a fixed-point sum can be from that in single precision: two weights rounded by half a unit each, times 128,
/// and two roundings of sums below 512 to 24 bits (16 units each); with room to spare.
const NEAR: i32 = 256;

/// Turns pixels of luma, blue and red chroma (full range, centred at 128) into RGB, in place.
///
/// Sums are taken in fixed point. Where one is so near to the next level that single precision may be on its other side,
/// the pixel is computed as pydicom does it.
pub(crate) fn ybr_full_to_rgb(pixels: &mut [u8]) {
    let (pixels, _) = pixels.as_chunks_mut::<3>();
    for pixel in pixels {
        let [y, cb, cr] = pixel.map(i32::from);
        let (y, cb, cr) = ((y << FRACTION_BITS) + ONE / 2, cb - 128, cr - 128);
        let sums = [
            y + cr * fixed(RED_OF_CR),
            y + cb * fixed(GREEN_OF_CB) + cr * fixed(GREEN_OF_CR),
            y + cb * fixed(BLUE_OF_CB),
        ];
        let is_near = |sum: i32| (sum + NEAR) & (ONE - 1) < 2 * NEAR;
        *pixel = if is_near(sums[0]) | is_near(sums[1]) | is_near(sums[2]) {
            in_single_precision(*pixel)
        } else {
            sums.map(|sum| (sum >> FRACTION_BITS).clamp(0, 255) as u8)
        };
    }
}

const fn fixed(weight: f32) -> i32 {
    let scaled = weight as f64 * ONE as f64;
    (if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

/// One pixel as pydicom turns it: a matrix in single precision, a half added, rounded down.
///
/// Its sums are fused products in the order Y, Cb, Cr; a product of two single-precision numbers of which one has 8 bits
/// is exact in a double, so adding in double and rounding once to single gives the same bits without relying on a fused
/// instruction.
fn in_single_precision([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let y = f32::from(y);
    let (cb, cr) = (f64::from(cb) - 128.0, f64::from(cr) - 128.0);
    let add = |sum: f32, chroma: f64, weight: f32| (chroma * f64::from(weight) + f64::from(sum)) as f32;
    let red = add(y, cr, RED_OF_CR);
    let green = add(add(y, cb, GREEN_OF_CB), cr, GREEN_OF_CR);
    let blue = add(y, cb, BLUE_OF_CB);
    // `as` takes what is beyond the ends to the ends.
    [red, green, blue].map(|v| (v + 0.5).floor() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `pydicom.pixels.processing.convert_color_space(np.array([[p]], 'u1'), 'YBR_FULL', 'RGB')[0, 0]`. The last five
    /// are where sums that are not fused, or in another order, give another level.
    #[test]
    fn colours_are_those_of_pydicom() {
        for (ybr, rgb) in [
            ([0, 0, 0], [0, 135, 0]),
            ([255, 255, 255], [255, 121, 255]),
            ([128, 128, 128], [128, 128, 128]),
            ([76, 85, 255], [254, 0, 0]),
            ([150, 44, 21], [0, 255, 1]),
            ([29, 255, 107], [0, 0, 254]),
            ([16, 240, 16], [0, 57, 214]),
            ([200, 3, 131], [204, 241, 0]),
            ([0, 178, 78], [0, 19, 89]),
            ([9, 178, 78], [0, 28, 98]),
            ([23, 78, 178], [93, 4, 0]),
            ([32, 78, 178], [102, 13, 0]),
            ([41, 78, 178], [111, 22, 0]),
        ] {
            let mut pixel = ybr;
            ybr_full_to_rgb(&mut pixel);
            assert_eq!(pixel, rgb, "{ybr:?}");
        }
    }

    /// Every 3rd luma with every chroma, so that all residues are met: the quick way is the exact one.
    #[test]
    fn fixed_point_gives_what_single_precision_gives() {
        for y in (0..=255).step_by(3) {
            for cb in 0..=255 {
                for cr in 0..=255 {
                    let mut pixel = [y, cb, cr];
                    ybr_full_to_rgb(&mut pixel);
                    assert_eq!(pixel, in_single_precision([y, cb, cr]), "{y} {cb} {cr}");
                }
            }
        }
    }
}
