//! Seeded numbers, packed weights and comparisons for the tests of this room.

use lightbox_kernels::{Backend, Dtype, Isa, Matrix, MatrixBuilder};

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number in `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// A value in -1..1.
    pub fn value(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    pub fn values(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.value()).collect()
    }
}

/// A matrix, and the exact values of its numbers, row-major.
pub fn matrix(random: &mut Random, n_out: usize, n_in: usize, dtype: Dtype) -> (Matrix, Vec<f32>) {
    let mut bytes = Vec::new();
    let mut values = Vec::new();
    for value in random.values(n_out * n_in) {
        match dtype {
            Dtype::F32 => {
                bytes.extend(value.to_le_bytes());
                values.push(value);
            }
            Dtype::Bf16 => {
                let value = half::bf16::from_f32(value);
                bytes.extend(value.to_le_bytes());
                values.push(value.to_f32());
            }
            Dtype::F16 => {
                let value = half::f16::from_f32(value);
                bytes.extend(value.to_le_bytes());
                values.push(value.to_f32());
            }
            quantized => unreachable!("{quantized} blocks are not made of single values"),
        }
    }
    let mut builder = MatrixBuilder::new(n_out, n_in, dtype).expect("a small matrix");
    builder.rows(0, &bytes).expect("all rows");
    (builder.finish().expect("all rows were given"), values)
}

/// Plain Rust on one thread: what every other backend is compared with.
pub fn portable() -> Backend {
    Backend::with_isa(Isa::PORTABLE, 1).expect("one thread")
}

/// Every instruction set of this machine on 1 to 4 threads, and its name.
pub fn backends() -> Vec<(String, Backend)> {
    Isa::available()
        .into_iter()
        .flat_map(|isa| (1..=4).map(move |n| Backend::with_isa(isa, n).expect("four threads")))
        .map(|backend| (backend.describe(), backend))
        .collect()
}

/// As [`backends`], without plain Rust where there is something faster: for tests that are too large for it.
pub fn fast_backends() -> Vec<(String, Backend)> {
    backends().into_iter().filter(|(_, b)| b.isa() != Isa::PORTABLE || Isa::best() == Isa::PORTABLE).collect()
}

/// The fastest instruction set on two threads.
pub fn best() -> Backend {
    Backend::new(2).expect("two threads")
}

#[track_caller]
pub fn assert_same_bits(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: lengths");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!(f.to_bits() == e.to_bits(), "{what}: value {i} is {f:e}, expected {e:e}");
    }
}

/// Compares with an exact value, allowing `tolerance` times `scale(i)`.
#[track_caller]
pub fn assert_close(found: &[f32], exact: &[f64], tolerance: f64, scale: impl Fn(usize) -> f64, what: &str) {
    assert_eq!(found.len(), exact.len(), "{what}: lengths");
    for (i, (f, e)) in found.iter().zip(exact).enumerate() {
        let error = (f64::from(*f) - e).abs();
        assert!(error <= tolerance * scale(i), "{what}: value {i} is {f:e}, exactly {e:e}");
    }
}
