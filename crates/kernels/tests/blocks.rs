//! Dequantized blocks against the `gguf` Python package (`reference/gguf_blocks.py` made the digests).

use lightbox_kernels::{Dtype, Matrix, MatrixBuilder, blocks};

const N_VALUES: usize = 1 << 17;

/// Type, where in a block a scale stands, and the digest of its values; the row's number is the seed.
const TYPES: [(Dtype, &[usize], u64); 15] = [
    (Dtype::F32, &[], 0xdaa4_91ae_b07a_1163),
    (Dtype::Bf16, &[], 0x57aa_437e_8988_3907),
    (Dtype::F16, &[0], 0xb8be_eb55_343c_5907),
    (Dtype::Q8_0, &[0], 0xf2ad_6883_627a_a207),
    (Dtype::Q4_0, &[0], 0xb980_5889_0deb_d507),
    (Dtype::Q4_1, &[0, 2], 0x9a0d_55eb_3404_9472),
    (Dtype::Q5_0, &[0], 0xd429_3db5_51d1_9b07),
    (Dtype::Q5_1, &[0, 2], 0x484c_ac27_4874_1a44),
    (Dtype::Q2K, &[80, 82], 0x4371_7a47_1ce2_60a3),
    (Dtype::Q3K, &[108], 0x4e5e_2183_f722_f5c7),
    (Dtype::Q4K, &[0, 2], 0x4e7c_2520_5348_dea1),
    (Dtype::Q5K, &[0, 2], 0x70ec_74bd_262d_5dc2),
    (Dtype::Q6K, &[208], 0x434f_84bc_cc24_dd5b),
    (Dtype::Iq4Nl, &[0], 0x1908_b6bd_5231_f747),
    (Dtype::Iq4Xs, &[0], 0x2e09_1304_218b_dc97),
];

fn splitmix64(index: u64) -> u64 {
    let mut z = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Random blocks in which no scale is infinite or NaN.
fn random_blocks(seed: u64, dtype: Dtype, scales: &[usize], n_values: usize) -> Vec<u8> {
    let n_bytes = dtype.row_bytes(n_values).expect("whole blocks");
    let words = (0..n_bytes.div_ceil(8) as u64).flat_map(|i| splitmix64((seed << 32) + i).to_le_bytes());
    let mut bytes: Vec<u8> = words.take(n_bytes).collect();
    for block in bytes.chunks_exact_mut(dtype.block().1) {
        match (dtype, &*block) {
            (Dtype::F32, [.., c, d]) if d & 0x7f == 0x7f && c & 0x80 != 0 => block[3] &= 0xbf,
            (Dtype::Bf16, [c, d]) if d & 0x7f == 0x7f && c & 0x80 != 0 => block[1] &= 0xbf,
            _ => {
                for &at in scales {
                    if block[at + 1] & 0x7c == 0x7c {
                        block[at + 1] &= 0xbf;
                    }
                }
            }
        }
    }
    bytes
}

#[test]
fn every_type_has_the_bits_of_the_gguf_package() {
    for (seed, (dtype, scales, digest)) in TYPES.into_iter().enumerate() {
        let bytes = random_blocks(seed as u64, dtype, scales, N_VALUES);
        let mut values = vec![0.0; N_VALUES];
        blocks::dequantize(dtype, &bytes, &mut values).expect("whole blocks");
        let found = values.iter().zip(0u64..).fold(0u64, |sum, (value, i)| {
            sum.wrapping_add((u64::from(value.to_bits()) + 1).wrapping_mul(splitmix64(i)))
        });
        assert_eq!(found, digest, "{dtype}: digest {found:#018x}");
    }
}

#[test]
fn a_packed_matrix_gives_its_rows_back() {
    let (n_out, n_in) = (37, 512);
    for (seed, (dtype, scales, _)) in TYPES.into_iter().enumerate() {
        let bytes = random_blocks(seed as u64, dtype, scales, n_out * n_in);
        let mut values = vec![0.0; n_out * n_in];
        blocks::dequantize(dtype, &bytes, &mut values).expect("whole blocks");
        let mut builder = MatrixBuilder::new(n_out, n_in, dtype).expect("a small matrix");
        let row_bytes = dtype.row_bytes(n_in).expect("whole blocks");
        // In pieces that are not whole panels, the later one first.
        builder.rows(21, &bytes[21 * row_bytes..]).expect("the last rows");
        builder.rows(0, &bytes[..21 * row_bytes]).expect("the first rows");
        let matrix = builder.finish().expect("all rows were given");
        assert_eq!(matrix.dtype(), dtype);
        assert_eq!(Matrix::packed_bytes(n_out, n_in, dtype).map(|n| n <= matrix.len_bytes()), Some(true));
        let mut row = vec![0.0; n_in];
        for (i, expected) in values.chunks_exact(n_in).enumerate() {
            matrix.row_into(i, &mut row).expect("a row");
            let same = row.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{dtype}: row {i} is another");
        }
    }
}

#[test]
fn what_is_not_whole_blocks_is_refused() {
    for dtype in Dtype::ALL {
        let (values, bytes) = dtype.block();
        assert_eq!(dtype.row_bytes(3 * values), Some(3 * bytes));
        let longest = usize::MAX / values * values;
        assert_eq!(dtype.row_bytes(longest), (longest / values).checked_mul(bytes), "{dtype}");
        let error =
            blocks::dequantize(dtype, &vec![0; bytes + 1], &mut vec![0.0; values]).expect_err("a byte more");
        assert!(error.to_string().contains("dequantize: bytes holds"), "{error}");
        if !dtype.is_quantized() {
            continue;
        }
        assert_eq!(dtype.row_bytes(values + 1), None);
        assert_eq!(Matrix::packed_bytes(4, values + 1, dtype), None);
        let error =
            blocks::dequantize(dtype, &vec![0; bytes], &mut vec![0.0; values - 1]).expect_err("a value less");
        assert!(error.to_string().contains("whole blocks"), "{error}");
        let error = MatrixBuilder::new(4, values + 1, dtype).expect_err("part of a block");
        assert!(error.to_string().contains(&format!("is not whole blocks of {dtype}")), "{error}");
        let mut builder = MatrixBuilder::new(values, values, dtype).expect("a small matrix");
        let error = builder.columns(0, &vec![0; bytes]).expect_err("a column");
        assert!(error.to_string().contains("along rows"), "{error}");
    }
}

/// Bell-shaped values, as `reference/gguf_blocks.py` makes them.
fn bell(n: usize) -> Vec<f32> {
    (0..n as u64)
        .map(|i| {
            let fields = splitmix64(i).to_le_bytes();
            let sum = fields.as_chunks().0.iter().map(|b| f32::from(u16::from_le_bytes(*b))).sum::<f32>();
            (sum - 131_070.0) * 2.0f32.powi(-21)
        })
        .collect()
}

fn quantized(dtype: Dtype, values: &[f32]) -> Vec<u8> {
    let mut bytes = vec![0xa5; dtype.row_bytes(values.len()).expect("whole blocks")];
    blocks::quantize(dtype, values, &mut bytes).expect("finite values");
    bytes
}

#[test]
fn simple_types_are_written_with_the_bytes_of_the_gguf_package() {
    let values = bell(N_VALUES);
    for (dtype, digest) in [
        (Dtype::F16, 0xe6f9_2914_7c36_08be_u64),
        (Dtype::Bf16, 0x8491_0df5_a10e_08be),
        (Dtype::Q8_0, 0xe153_61a8_223c_6c6c),
        (Dtype::Q4_0, 0xa838_9702_777e_ff1f),
        (Dtype::Q5_0, 0x43bc_e7ea_a0b1_72b9),
        (Dtype::Q5_1, 0xd080_7a84_5ec1_c49c),
    ] {
        let found = quantized(dtype, &values).iter().zip(0u64..).fold(0u64, |sum, (byte, i)| {
            let bits = u64::from(f32::from(*byte).to_bits());
            sum.wrapping_add((bits + 1).wrapping_mul(splitmix64(i)))
        });
        assert_eq!(found, digest, "{dtype}: digest {found:#018x}");
    }
}

/// The root mean square of what is lost, relative to that of the values.
fn loss(dtype: Dtype, values: &[f32]) -> f64 {
    let bytes = quantized(dtype, values);
    let mut back = vec![0.0; values.len()];
    blocks::dequantize(dtype, &bytes, &mut back).expect("whole blocks");
    let squares = |of: &mut dyn Iterator<Item = f64>| of.map(|x| x * x).sum::<f64>().sqrt();
    let lost = squares(&mut values.iter().zip(&back).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    lost / squares(&mut values.iter().map(|x| f64::from(*x)))
}

#[test]
fn searched_types_lose_less_than_llama_cpp_on_the_same_values() {
    let values = bell(N_VALUES);
    // llama.cpp's figures without an importance matrix, from reference/quantize_rmse.py.
    for (dtype, theirs) in [(Dtype::Q6K, 0.017_117), (Dtype::Q5K, 0.034_828), (Dtype::Q4K, 0.068_951)] {
        let ours = loss(dtype, &values);
        assert!(ours < theirs && ours > theirs / 2.0, "{dtype}: lost {ours:.6}, llama.cpp {theirs:.6}");
    }
}

#[test]
fn blocks_of_every_kind_of_values_come_back_near() {
    let n = 512;
    let ramp =
        |from: f32, to: f32| (0..n).map(|i| from + (to - from) * i as f32 / n as f32).collect::<Vec<_>>();
    let mut outlier = bell(n);
    outlier[300] = 7.0;
    // Values, and what four bits may lose of them.
    let table: [(&str, Vec<f32>, f64); 9] = [
        ("zeros", vec![0.0; n], 0.0),
        ("ones", vec![1.0; n], 0.02),
        ("minus ones", vec![-1.0; n], 0.02),
        ("a positive ramp", ramp(2.0, 3.0), 0.02),
        ("a negative ramp", ramp(-3.0, -2.0), 0.02),
        ("a ramp through zero", ramp(-1.0, 1.0), 0.06),
        ("an outlier", outlier, 0.04),
        ("the largest", ramp(-65_504.0, 65_504.0), 0.06),
        ("tiny ones", bell(n).iter().map(|x| x * 1e-3).collect(), 0.2),
    ];
    for (what, values, allowed) in table {
        for dtype in [Dtype::Q8_0, Dtype::Q6K, Dtype::Q5K, Dtype::Q4K, Dtype::Q4_0, Dtype::Q5_0, Dtype::Q5_1]
        {
            if values.iter().all(|x| *x == 0.0) {
                let mut back = vec![1.0; n];
                blocks::dequantize(dtype, &quantized(dtype, &values), &mut back).expect("whole blocks");
                assert!(back.iter().all(|x| *x == 0.0), "{dtype}: zeros");
                continue;
            }
            let lost = loss(dtype, &values);
            // Four bits without a minimum have one sign's largest value at 7 of 8.
            let allowed = if dtype == Dtype::Q4_0 { allowed.max(0.1) } else { allowed };
            assert!(lost <= allowed, "{dtype}, {what}: lost {lost:.4}, allowed {allowed}");
        }
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    for dtype in Dtype::ALL {
        let (values, bytes) = dtype.block();
        let mut block = vec![0; bytes];
        let mut refused = |x: &[f32], message: &str| {
            let error = blocks::quantize(dtype, x, &mut block).expect_err(message);
            assert!(error.to_string().contains(message), "{dtype}: {error}");
        };
        if matches!(dtype, Dtype::Q4_1 | Dtype::Q2K | Dtype::Q3K | Dtype::Iq4Nl | Dtype::Iq4Xs) {
            refused(&vec![0.0; values], "are read, not written");
            continue;
        }
        refused(&vec![0.0; 2 * values], "bytes holds");
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut x = vec![0.0; values];
            x[values - 1] = bad;
            refused(&x, &format!("value {} is", values - 1));
        }
        if !matches!(dtype, Dtype::F32 | Dtype::Bf16) {
            refused(&vec![65_520.0; values], "expected ±6.5504e4 at most");
        }
    }
}
