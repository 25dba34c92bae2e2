//! Blocks whose four bits choose among sixteen values that are denser near zero.

use super::half;
use super::of_32::nibbles;

/// The sixteen values, as the format defines them.
pub(crate) const VALUES: [i8; 16] =
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// `d: f16, q: u4[32]`, bits as in Q4_0; a value is d · VALUES\[q\].
pub(super) fn iq4_nl(block: &[u8; 18], out: &mut [f32; 32]) {
    chosen(half([block[0], block[1]]), &block[2..], out);
}

/// `d: f16, high: u2[8], low: u4[8], q: u4[8][32]`, bits of each 32 as in Q4_0; a value is
/// (d · (scale − 32)) · VALUES\[q\].
pub(super) fn iq4_xs(block: &[u8; 136], out: &mut [f32; 256]) {
    let d = half([block[0], block[1]]);
    let high = u16::from_le_bytes([block[2], block[3]]);
    let (low, q) = block[4..].split_at(4);
    for (g, (out, q)) in out.as_chunks_mut::<32>().0.iter_mut().zip(q.as_chunks::<16>().0).enumerate() {
        let scale = low[g / 2] >> (4 * (g % 2)) & 15 | ((high >> (2 * g) & 3) as u8) << 4;
        chosen(d * (f32::from(scale) - 32.0), q, out);
    }
}

fn chosen(d: f32, bytes: &[u8], out: &mut [f32; 32]) {
    nibbles(bytes, out, |_, q| d * f32::from(VALUES[usize::from(q)]));
}
