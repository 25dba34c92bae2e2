//! A block of keys and values as f32.

use crate::cache::{KEY_BLOCK, Stretch};
use crate::lanes::{Lanes, WIDTH};
use crate::tile::Stored;

/// Keys of one head and block into `to`, `[panel][head_dim][16]` as they lie.
#[inline(always)]
pub(super) fn keys<S: Lanes>(s: S, keys: Stretch<'_>, to: &mut [f32]) {
    match keys {
        Stretch::F32(keys) => to.copy_from_slice(keys),
        Stretch::Bf16(keys) => {
            Stored::widened(s, keys, to);
        }
        Stretch::F16(keys) => {
            Stored::widened(s, keys, to);
        }
        Stretch::Q8(keys, scales) => {
            let panel = keys.len() / (KEY_BLOCK / WIDTH);
            for ((keys, to), scales) in
                keys.chunks_exact(panel).zip(to.chunks_exact_mut(panel)).zip(scales.as_chunks::<WIDTH>().0)
            {
                for (keys, to) in keys.as_chunks::<WIDTH>().0.iter().zip(to.as_chunks_mut::<WIDTH>().0) {
                    for i in 0..WIDTH {
                        to[i] = f32::from(keys[i]) * scales[i];
                    }
                }
            }
        }
    }
}

/// Values of one head and block into `to`, `[chunk][64][16]` as they lie.
#[inline(always)]
pub(super) fn values<S: Lanes>(s: S, values: Stretch<'_>, to: &mut [f32]) {
    match values {
        Stretch::F32(values) => to.copy_from_slice(values),
        Stretch::Bf16(values) => {
            Stored::widened(s, values, to);
        }
        Stretch::F16(values) => {
            Stored::widened(s, values, to);
        }
        Stretch::Q8(values, scales) => {
            const CHUNK: usize = KEY_BLOCK * WIDTH;
            for (values, to) in values.chunks_exact(CHUNK).zip(to.chunks_exact_mut(CHUNK)) {
                for ((values, to), scale) in
                    values.as_chunks::<WIDTH>().0.iter().zip(to.as_chunks_mut::<WIDTH>().0).zip(scales)
                {
                    for i in 0..WIDTH {
                        to[i] = f32::from(values[i]) * scale;
                    }
                }
            }
        }
    }
}
