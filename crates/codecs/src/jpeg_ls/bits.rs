//! The bits of one entropy-coded segment (T.87, A.1 and C.1: after a byte of ones, the next byte holds seven bits).

/// What [`Bits::limited_golomb`] gives where no such code exists; larger than every mapped error value.
pub(super) const NO_CODE: u32 = u32::MAX;

/// A reader of bits, most significant first. Past the end it gives zeros and remembers; see [`Bits::is_past_end`].
pub(super) struct Bits<'a> {
    coded: &'a [u8],
    /// The byte that enters the window next.
    at: usize,
    /// Bits that were not read yet, from the top. Below the first `n_bits` stand zeros or the bits that follow.
    window: u64,
    n_bits: u32,
    /// How many of the `n_bits` come from past the end.
    n_beyond: u32,
}

impl<'a> Bits<'a> {
    /// Reads `coded`, which holds no marker.
    pub(super) fn new(coded: &'a [u8]) -> Self {
        Self { coded, at: 0, window: 0, n_bits: 0, n_beyond: 0 }
    }

    /// Makes at least 49 bits ready.
    #[inline(always)]
    fn refill(&mut self) {
        let eight = self.coded.get(self.at..).and_then(|rest| rest.first_chunk::<8>());
        if let Some(eight) = eight {
            let word = u64::from_be_bytes(*eight);
            if !has_byte_of_ones(word) {
                let n_bytes = (63 - self.n_bits) / 8;
                self.window |= word >> self.n_bits;
                self.at += n_bytes as usize;
                self.n_bits += n_bytes * 8;
                return;
            }
        }
        self.refill_by_bytes();
    }

    #[cold]
    #[inline(never)]
    fn refill_by_bytes(&mut self) {
        while self.n_bits <= 48 {
            let (bits, n) = match self.coded.get(self.at) {
                // A byte of ones and the seven bits after it enter together, so that no state is kept between them.
                Some(0xFF) => match self.coded.get(self.at + 1) {
                    Some(next) => (0x7F80 | u64::from(*next & 0x7F), 15),
                    None => (0xFF, 8),
                },
                Some(byte) => (u64::from(*byte), 8),
                None => {
                    self.n_beyond = self.n_beyond.saturating_add(8);
                    (0, 8)
                }
            };
            self.at = (self.at + (n as usize).div_ceil(8)).min(self.coded.len());
            self.window |= bits << (64 - n - self.n_bits);
            self.n_bits += n;
        }
    }

    #[inline(always)]
    fn skip(&mut self, n: u32) {
        self.window <<= n;
        self.n_bits -= n;
    }

    /// The next `n` bits as a number, `n` at most 16.
    #[inline(always)]
    pub(super) fn read(&mut self, n: u32) -> u32 {
        if self.n_bits < n {
            self.refill();
        }
        let value = (self.window >> 1 >> (63 - n)) as u32;
        self.skip(n);
        value
    }

    /// A code of the limited-length Golomb code (T.87, A.5.3): `limit` zeros announce a value of `n_escape_bits`.
    ///
    /// `k` is at most 16, `limit` at most 61 and `n_escape_bits` at most 16. Gives [`NO_CODE`] where more than `limit` zeros
    /// stand.
    #[inline(always)]
    pub(super) fn limited_golomb(&mut self, k: u32, limit: u32, n_escape_bits: u32) -> u32 {
        if self.n_bits < 32 {
            self.refill();
        }
        let n_zeros = self.window.leading_zeros();
        if n_zeros < limit && n_zeros + 1 + k <= self.n_bits {
            let low = self.window << n_zeros << 1;
            self.window = low << k;
            self.n_bits -= n_zeros + 1 + k;
            return (n_zeros << k) | (low >> 1 >> (63 - k)) as u32;
        }
        self.long_golomb(k, limit, n_escape_bits)
    }

    #[cold]
    #[inline(never)]
    fn long_golomb(&mut self, k: u32, limit: u32, n_escape_bits: u32) -> u32 {
        let mut n_zeros = 0;
        loop {
            self.refill_by_bytes();
            let n = self.window.leading_zeros().min(self.n_bits);
            n_zeros += n;
            self.skip(n);
            if n_zeros > limit {
                return NO_CODE;
            }
            if self.n_bits > 0 {
                break;
            }
        }
        self.skip(1);
        if n_zeros < limit { (n_zeros << k) | self.read(k) } else { self.read(n_escape_bits) + 1 }
    }

    /// Whether more was read than there is.
    pub(super) fn is_past_end(&self) -> bool {
        self.n_bits < self.n_beyond
    }

    /// Whether nothing but padding is left, which is zeros.
    pub(super) fn is_spent(&self) -> bool {
        let rest = self.coded.get(self.at..).unwrap_or_default();
        self.window == 0 && rest.iter().all(|byte| *byte == 0)
    }
}

/// Whether one of the eight bytes is 0xFF.
#[inline(always)]
pub(super) fn has_byte_of_ones(word: u64) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    (!word).wrapping_sub(LOW) & word & (LOW << 7) != 0
}
