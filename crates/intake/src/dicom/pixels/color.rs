//! YBR_FULL to RGB (PS3.3 section C.7.6.3.1.2), in the arithmetic of pydicom.

/// The weights of Cb and Cr in green, blue and red, rounded to single precision as pydicom holds them.
const GREEN_OF_CB: f32 = (-0.114 * 1.772 / 0.587_f64) as f32;
const GREEN_OF_CR: f32 = (-0.299 * 1.402 / 0.587_f64) as f32;
const BLUE_OF_CB: f32 = 1.772;
const RED_OF_CR: f32 = 1.402;

/// Turns pixels of luma, blue and red chroma (full range, centred at 128) into RGB, in place.
///
/// pydicom multiplies by a matrix in single precision, adds a half and rounds down. Its sums are fused products in the
/// order Y, Cb, Cr; a product of two single-precision numbers of which one has 8 bits is exact in a double, so adding in
/// double and rounding once to single gives the same bits without relying on a fused instruction.
pub(crate) fn ybr_full_to_rgb(pixels: &mut [u8]) {
    let (pixels, _) = pixels.as_chunks_mut::<3>();
    for pixel in pixels {
        let y = f32::from(pixel[0]);
        let cb = f64::from(pixel[1]) - 128.0;
        let cr = f64::from(pixel[2]) - 128.0;
        let add = |sum: f32, chroma: f64, weight: f32| (chroma * f64::from(weight) + f64::from(sum)) as f32;
        let red = add(y, cr, RED_OF_CR);
        let green = add(add(y, cb, GREEN_OF_CB), cr, GREEN_OF_CR);
        let blue = add(y, cb, BLUE_OF_CB);
        // `as` takes what is beyond the ends to the ends.
        *pixel = [red, green, blue].map(|v| (v + 0.5).floor() as u8);
    }
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

    #[test]
    fn gray_stays_gray() {
        for y in 0..=255 {
            let mut pixel = [y, 128, 128];
            ybr_full_to_rgb(&mut pixel);
            assert_eq!(pixel, [y; 3]);
        }
    }
}
