//! The bit strings of an HT code-block (T.814, 7.1): two run forward, one backward, one is an adaptive run-length code.
//!
//! No string may contain a byte pair above FF8F. Writers keep it so by stuffing a zero bit, which readers drop: forward
//! as the top bit of a byte after FF, backward as the top bit of a byte whose other bits are ones before (in memory: in
//! front of) a byte above 8F.

/// Bits that a [`Forward`] or [`Backward`] reader holds at least after a refill.
pub(super) const HELD: u32 = 32;

const SEVEN_BITS: u32 = 0x7F7F_7F7F;
const EACH_BYTE: u32 = 0x0101_0101;
const TOP_BITS: u32 = 0x8080_8080;

/// Bits of bytes in order, the lowest bit of a byte first: the MagSgn and the SigProp string.
///
/// Beyond its end the MagSgn string goes on with ones, the SigProp string with zeros; `END` is that bit, repeated.
pub(super) struct Forward<'a, const END: u8> {
    rest: &'a [u8],
    after_ff: bool,
}

/// Bits that were taken off a [`Forward`] string and not used yet: apart from it, so that they may stay in registers.
#[derive(Clone, Copy, Default)]
pub(super) struct Ahead {
    bits: u64,
    n_bits: u32,
}

impl<'a, const END: u8> Forward<'a, END> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, after_ff: false }
    }

    /// The next 32 bits, if they are bytes without stuffing.
    #[inline(always)]
    fn four_bytes(&mut self) -> Option<u32> {
        let (four, rest) = self.rest.split_first_chunk::<4>().filter(|_| !self.after_ff)?;
        let four = u32::from_le_bytes(*four);
        // Adding one carries into a byte's top bit where the seven others are ones.
        if (four & SEVEN_BITS).wrapping_add(EACH_BYTE) & four & TOP_BITS != 0 {
            return None;
        }
        self.rest = rest;
        Some(four)
    }

    /// The bits of the next byte.
    fn byte(&mut self) -> Ahead {
        let Some((byte, rest)) = self.rest.split_first() else {
            return Ahead { bits: u64::from(END), n_bits: 8 };
        };
        let n_bits = 8 - u32::from(self.after_ff);
        self.rest = rest;
        // Beyond the end nothing is stuffed.
        self.after_ff = *byte == 0xFF && !rest.is_empty();
        Ahead { bits: u64::from(*byte) & ((1 << n_bits) - 1), n_bits }
    }

    /// Bits for at least `n` more, at most 32.
    #[cold]
    fn bytes(&mut self, n: u32) -> Ahead {
        let mut ahead = Ahead::default();
        while ahead.n_bits < n {
            ahead.append(self.byte());
        }
        ahead
    }
}

impl Ahead {
    #[inline(always)]
    fn append(&mut self, after: Self) {
        self.bits |= after.bits << self.n_bits;
        self.n_bits += after.n_bits;
    }

    /// Sees to it that [`HELD`] bits are there.
    #[inline(always)]
    pub(super) fn refill<const END: u8>(&mut self, string: &mut Forward<'_, END>) {
        if self.n_bits < HELD {
            self.append(match string.four_bytes() {
                Some(four) => Self { bits: u64::from(four), n_bits: 32 },
                None => string.bytes(HELD - self.n_bits),
            });
        }
    }

    /// The next `n` bits, at most as many as are held.
    #[inline(always)]
    pub(super) fn take(&mut self, n: u32) -> u32 {
        let value = self.bits & ((1 << n) - 1);
        self.bits >>= n;
        self.n_bits -= n;
        value as u32
    }
}

/// Bits of bytes from the last one to the first, the lowest bit of a byte first: the VLC and the MagRef string.
pub(super) struct Backward<'a> {
    rest: &'a [u8],
    bits: u64,
    n_bits: u32,
    /// Whether the byte read last is above 8F.
    after_high: bool,
    /// Bits held that are no bits of the string: zeros beyond its end.
    n_made_up: u32,
}

impl<'a> Backward<'a> {
    /// The MagRef string, which takes all of its segment.
    pub(super) fn magnitude_refinement(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, bits: 0, n_bits: 0, after_high: true, n_made_up: 0 }
    }

    /// The VLC string: `bytes`, after the upper half of the byte `last`, whose lower half belongs to a length.
    pub(super) fn variable_length(bytes: &'a [u8], last: u8) -> Self {
        let upper = last >> 4;
        let n_bits = if upper & 7 == 7 { 3 } else { 4 };
        let bits = u64::from(upper) & ((1 << n_bits) - 1);
        Self { rest: bytes, bits, n_bits, after_high: last | 0x0F > 0x8F, n_made_up: 0 }
    }

    /// Sees to it that [`HELD`] bits are there.
    #[inline]
    pub(super) fn refill(&mut self) {
        while self.n_bits < HELD {
            if let Some((rest, four)) = self.rest.split_last_chunk::<4>() {
                let lowest_address = four[0];
                let four = u32::from_be_bytes(*four);
                if (four & SEVEN_BITS).wrapping_add(EACH_BYTE) & TOP_BITS == 0 {
                    self.bits |= u64::from(four) << self.n_bits;
                    self.n_bits += 32;
                    self.rest = rest;
                    self.after_high = lowest_address > 0x8F;
                    continue;
                }
            }
            let Some((byte, rest)) = self.rest.split_last() else {
                self.n_bits += 8;
                self.n_made_up += 8;
                continue;
            };
            let n = if self.after_high && byte & 0x7F == 0x7F { 7 } else { 8 };
            self.bits |= (u64::from(*byte) & ((1 << n) - 1)) << self.n_bits;
            self.n_bits += n;
            self.after_high = *byte > 0x8F;
            self.rest = rest;
        }
    }

    /// The next bits, of which as many count as are held.
    #[inline]
    pub(super) fn peek(&self) -> u32 {
        self.bits as u32
    }

    /// Drops `n` bits, at most as many as are held.
    #[inline]
    pub(super) fn skip(&mut self, n: u32) {
        self.bits >>= n;
        self.n_bits -= n;
    }

    /// The next `n` bits, at most as many as are held.
    #[inline]
    pub(super) fn take(&mut self, n: u32) -> u32 {
        let value = self.bits & ((1 << n) - 1);
        self.skip(n);
        value as u32
    }

    /// Whether bits were taken that the string does not have.
    pub(super) fn is_overrun(&self) -> bool {
        self.n_bits < self.n_made_up
    }
}

/// Events of the adaptive run-length code MEL (T.814, 7.3.3).
pub(super) struct Mel<'a> {
    rest: &'a [u8],
    byte: u8,
    n_bits: u32,
    state: usize,
    /// Events that are known to be 0 before the next one that may not be.
    n_zeros: u32,
    /// Whether the event after the zeros is known to be 1.
    one_follows: bool,
}

impl<'a> Mel<'a> {
    /// Exponents of the run lengths of the thirteen states.
    const EXPONENTS: [u8; 13] = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5];

    /// The string: `bytes`, of which the last 12 bits hold a length and count as ones; then ones without end.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, byte: 0, n_bits: 0, state: 0, n_zeros: 0, one_follows: false }
    }

    fn bit(&mut self) -> bool {
        if self.n_bits == 0 {
            self.n_bits = if self.byte == 0xFF { 7 } else { 8 };
            self.byte = match self.rest {
                // The last two bytes hold a length as well; its bits read as ones.
                [byte, _] => {
                    self.rest = &[];
                    byte | 0x0F
                }
                [byte, rest @ ..] => {
                    self.rest = rest;
                    *byte
                }
                [] => 0xFF,
            };
        }
        self.n_bits -= 1;
        self.byte >> self.n_bits & 1 == 1
    }

    /// The next event.
    #[inline]
    pub(super) fn event(&mut self) -> bool {
        if self.n_zeros == 0 && !self.one_follows {
            self.run();
        }
        if self.n_zeros > 0 {
            self.n_zeros -= 1;
            return false;
        }
        self.one_follows = false;
        true
    }

    fn run(&mut self) {
        let exponent = Self::EXPONENTS.get(self.state).map_or(0, |e| u32::from(*e));
        if self.bit() {
            self.n_zeros = 1 << exponent;
            self.state = (self.state + 1).min(Self::EXPONENTS.len() - 1);
        } else {
            self.n_zeros = (0..exponent).fold(0, |run, _| run << 1 | u32::from(self.bit()));
            self.one_follows = true;
            self.state = self.state.saturating_sub(1);
        }
    }
}
