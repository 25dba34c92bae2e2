//! A small generator of numbers (SplitMix64; Steele, Lea and Flood 2014): the seed decides everything.

pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// A stream of its own for each `purpose`, so that adding one does not move the others.
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut random = Self { state: seed ^ purpose.wrapping_mul(0xA076_1D64_78BD_642F) };
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`, with 24 bits.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    /// Uniform in `[low, high)`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Near enough to normal: mean 0, deviation 1, never beyond 3.5.
    pub fn normal(&mut self) -> f32 {
        let bits = self.next();
        // Four uniforms of 16 bits; the deviation of their sum is sqrt(4 / 12).
        let sum: u32 = (0..4).map(|k| (bits >> (16 * k)) as u32 & 0xFFFF).sum();
        (sum as f32 / 65536.0 - 2.0) * 1.732_050_8
    }
}
