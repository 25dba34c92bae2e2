//! Scales of sub-blocks, which the source packs in six bits, as bytes.

/// `q4_k` and `q5_k`: eight scales and eight minimums in twelve bytes. The first four of each are the low six bits of
/// bytes 0..4 and 4..8; of the others, the low nibbles stand in bytes 8..12 and the high bits on top of the first.
pub(super) fn of_q4_k(packed: &[u8]) -> ([u8; 8], [u8; 8]) {
    let scales = |i: usize| match i {
        0..4 => packed[i] & 63,
        _ => (packed[i + 4] & 15) | ((packed[i - 4] >> 6) << 4),
    };
    let minimums = |i: usize| match i {
        0..4 => packed[i + 4] & 63,
        _ => (packed[i + 4] >> 4) | ((packed[i] >> 6) << 4),
    };
    (std::array::from_fn(scales), std::array::from_fn(minimums))
}

/// The reverse of [`of_q4_k`].
pub(super) fn to_q4_k(scales: &[u8; 8], minimums: &[u8; 8]) -> [u8; 12] {
    std::array::from_fn(|i| match i {
        0..4 => scales[i] | ((scales[i + 4] >> 4) << 6),
        4..8 => minimums[i - 4] | ((minimums[i] >> 4) << 6),
        _ => (scales[i - 4] & 15) | ((minimums[i - 4] & 15) << 4),
    })
}

/// `q3_k`: sixteen scales, less 32 signed, as the bits of an i8. Their low nibbles stand in bytes 0..8 (the first eight
/// low), their high pairs in bytes 8..12.
pub(super) fn of_q3_k(packed: &[u8]) -> [u8; 16] {
    std::array::from_fn(|i| {
        let low = (packed[i % 8] >> (4 * (i / 8))) & 15;
        let high = (packed[8 + i % 4] >> (2 * (i / 4))) & 3;
        (low | (high << 4)).wrapping_sub(32)
    })
}

/// The reverse of [`of_q3_k`].
pub(super) fn to_q3_k(scales: &[u8; 16]) -> [u8; 12] {
    let scale = |i: usize| scales[i].wrapping_add(32);
    std::array::from_fn(|i| match i {
        0..8 => (scale(i) & 15) | ((scale(i + 8) & 15) << 4),
        _ => (0..4).fold(0, |byte, pair| byte | ((scale(4 * pair + i - 8) >> 4) << (2 * pair))),
    })
}

/// `iq4_xs`: eight scales, less 32 signed, as the bits of an i8. Two bytes hold their high pairs, four their low nibbles.
pub(super) fn of_iq4_xs(packed: &[u8]) -> [u8; 8] {
    let high = u16::from_le_bytes([packed[0], packed[1]]);
    std::array::from_fn(|i| {
        let low = (packed[2 + i / 2] >> (4 * (i % 2))) & 15;
        let high = ((high >> (2 * i)) & 3) as u8;
        (low | (high << 4)).wrapping_sub(32)
    })
}

/// The reverse of [`of_iq4_xs`].
pub(super) fn to_iq4_xs(scales: &[u8; 8]) -> [u8; 6] {
    let scale = |i: usize| scales[i].wrapping_add(32);
    let high = (0..8).fold(0u16, |high, i| high | (u16::from(scale(i) >> 4) << (2 * i)));
    std::array::from_fn(|i| match i {
        0..2 => high.to_le_bytes()[i],
        _ => (scale(2 * i - 4) & 15) | ((scale(2 * i - 3) & 15) << 4),
    })
}
