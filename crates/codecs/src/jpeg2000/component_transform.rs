//! The transforms of three components, undone (T.800, annex G).

/// RCT: luma and two differences to red, green and blue (G.2.2).
pub(super) fn reversible(first: &mut [i32], second: &mut [i32], third: &mut [i32]) {
    for ((a, b), c) in first.iter_mut().zip(second).zip(third) {
        let (y, u, v) = (*a, *b, *c);
        let green = y.wrapping_sub(u.wrapping_add(v) >> 2);
        *a = v.wrapping_add(green);
        *b = green;
        *c = u.wrapping_add(green);
    }
}

/// ICT: Y, Cb and Cr to red, green and blue (G.3.2).
pub(super) fn irreversible(first: &mut [f32], second: &mut [f32], third: &mut [f32]) {
    for ((a, b), c) in first.iter_mut().zip(second).zip(third) {
        let (y, cb, cr) = (*a, *b, *c);
        *a = y + 1.402 * cr;
        *b = y - 0.344_13 * cb - 0.714_14 * cr;
        *c = y + 1.772 * cb;
    }
}
