//! Bits to bytes, most significant first, with the stuffing that keeps data from looking like markers.

/// What follows a byte of ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stuffing {
    /// A zero byte (T.81 B.1.1.5).
    Byte,
    /// A zero bit (T.87 clause A.1).
    Bit,
}

/// Collects bits.
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    stuffing: Stuffing,
    byte: u8,
    n_free: u8,
}

impl BitWriter {
    pub fn new(stuffing: Stuffing) -> Self {
        Self { bytes: Vec::new(), stuffing, byte: 0, n_free: 8 }
    }

    /// Writes the lowest `n` bits of `value`, `n` at most 32.
    pub fn put(&mut self, value: u32, n: u8) {
        for shift in (0..n).rev() {
            self.bit((value >> shift) & 1 == 1);
        }
    }

    /// Writes `n` zeros and a one.
    pub fn unary(&mut self, n: i32) {
        for _ in 0..n {
            self.bit(false);
        }
        self.bit(true);
    }

    /// Writes one bit.
    pub fn bit(&mut self, one: bool) {
        self.n_free -= 1;
        self.byte |= u8::from(one) << self.n_free;
        if self.n_free == 0 {
            self.end_byte();
        }
    }

    fn end_byte(&mut self) {
        let full = self.byte;
        self.bytes.push(full);
        (self.byte, self.n_free) = (0, 8);
        match self.stuffing {
            Stuffing::Byte if full == 0xff => self.bytes.push(0),
            Stuffing::Bit if full == 0xff => self.n_free = 7,
            _ => {}
        }
    }

    /// Fills the last byte with ones (T.81) or zeros (T.87) and gives all bytes.
    pub fn finish(mut self) -> Vec<u8> {
        let fill = self.stuffing == Stuffing::Byte;
        // A byte of ones at the very end leaves a stuffed bit behind, which a decoder expects before the marker.
        while self.n_free < 8 {
            self.bit(fill);
        }
        self.bytes
    }
}
