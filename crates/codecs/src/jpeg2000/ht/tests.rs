//! Blocks that lie, and blocks of noise. Blocks that are right come in whole pictures.

use super::{Block, decode_block};
use crate::ErrorKind;

fn block<'a>(cleanup: &'a [u8], refinement: &'a [u8], n_passes: u8, bit_plane: u32) -> Block<'a> {
    Block {
        cleanup,
        refinement,
        n_passes,
        bit_plane,
        n_cleanup_planes: 12,
        width: 8,
        height: 6,
        is_vertically_causal: false,
    }
}

#[test]
fn segments_that_contradict_themselves_are_refused() {
    // MEL: one run of zeros after another; VLC: nothing.
    let empty: &[u8] = &[0xFF, 0x7F, 0x04, 0x00];
    decode_block(&block(empty, &[], 1, 0), &mut [0; 48]).expect("a block without a significant sample");
    let long = &mut [0; 5000];
    long[4999] = 0xFF;
    let cases: [(&str, Block); 11] = [
        ("no cleanup segment", block(&[], &[], 1, 0)),
        ("one byte", block(&[0x02], &[], 1, 0)),
        ("strings of 0 bytes", block(&[0x00, 0x00, 0x00], &[], 1, 0)),
        ("strings of 1 byte", block(&[0x00, 0x01, 0x00], &[], 1, 0)),
        ("strings longer than the segment", block(&[0x00, 0x04, 0x00], &[], 1, 0)),
        ("strings longer than they may be", block(long, &[], 1, 0)),
        ("refinement without a segment", block(empty, &[], 2, 1)),
        ("refinement below the last bit-plane", block(empty, &[0], 2, 0)),
        ("a segment of refinement without its passes", block(empty, &[0], 1, 1)),
        ("four passes", block(empty, &[0], 4, 1)),
        ("a bit-plane beyond 32 bits", block(empty, &[], 1, 30)),
    ];
    for (name, block) in cases {
        let error = decode_block(&block, &mut [0; 48]).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error}");
    }
    let error = decode_block(&block(empty, &[], 1, 0), &mut [0; 47]).expect_err("another size");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[test]
fn significance_that_its_string_does_not_hold_is_refused() {
    // MEL says that every quad has a code word, VLC has 4 bits for 12 of them.
    let error = decode_block(&block(&[0x02, 0x00], &[], 1, 0), &mut [0; 48]).expect_err("12 quads of 4 bits");
    assert!(error.message().contains("end before"), "{error}");
}

#[test]
fn noise_is_decoded_or_refused() {
    let mut state = 0x0123_4567_89AB_CDEF_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let (mut n_decoded, mut n_overrun, mut n_too_large) = (0, 0, 0);
    for _ in 0..3000 {
        let (width, height) = (1 + random() % 17, 1 + random() % 17);
        let mut cleanup: Vec<u8> =
            (0..2 + random() % 120).map(|_| random() as u8 | (random() % 2 * 0xF0) as u8).collect();
        let n_suffix = 2 + random() % (cleanup.len() - 1);
        if let Some([half, last]) = cleanup.last_chunk_mut::<2>() {
            (*half, *last) = (*half & 0xF0 | (n_suffix & 15) as u8, (n_suffix >> 4) as u8);
        }
        let refinement: Vec<u8> = (0..1 + random() % 20).map(|_| random() as u8).collect();
        let n_passes = 1 + random() % 3;
        let block = Block {
            cleanup: &cleanup,
            refinement: if n_passes > 1 { &refinement } else { &[] },
            n_passes: n_passes as u8,
            bit_plane: 1 + (random() % 29) as u32,
            n_cleanup_planes: (random() % 30) as u32,
            width,
            height,
            is_vertically_causal: random() % 2 == 0,
        };
        match decode_block(&block, &mut vec![0; width * height]) {
            Ok(()) => n_decoded += 1,
            Err(error) if error.message().contains("end before") => n_overrun += 1,
            Err(error) if error.message().contains("bits with its sign") => n_too_large += 1,
            Err(error) => panic!("lengths were right: {error}"),
        }
    }
    let counts = [n_decoded, n_overrun, n_too_large];
    assert!(counts.iter().all(|n| *n > 100), "{counts:?} decoded, overrun, with samples that are too large");
}
