//! The MQ arithmetic decoder (T.800, annex C).

/// The probability estimation table (table C.2): Qe, next state after the more and after the less probable symbol,
/// and whether the latter switches the sense of the more probable one.
const STATES: [(u32, u8, u8, bool); 47] = [
    (0x5601, 1, 1, true),
    (0x3401, 2, 6, false),
    (0x1801, 3, 9, false),
    (0x0AC1, 4, 12, false),
    (0x0521, 5, 29, false),
    (0x0221, 38, 33, false),
    (0x5601, 7, 6, true),
    (0x5401, 8, 14, false),
    (0x4801, 9, 14, false),
    (0x3801, 10, 14, false),
    (0x3001, 11, 17, false),
    (0x2401, 12, 18, false),
    (0x1C01, 13, 20, false),
    (0x1601, 29, 21, false),
    (0x5601, 15, 14, true),
    (0x5401, 16, 14, false),
    (0x5101, 17, 15, false),
    (0x4801, 18, 16, false),
    (0x3801, 19, 17, false),
    (0x3401, 20, 18, false),
    (0x3001, 21, 19, false),
    (0x2801, 22, 19, false),
    (0x2401, 23, 20, false),
    (0x2201, 24, 21, false),
    (0x1C01, 25, 22, false),
    (0x1801, 26, 23, false),
    (0x1601, 27, 24, false),
    (0x1401, 28, 25, false),
    (0x1201, 29, 26, false),
    (0x1101, 30, 27, false),
    (0x0AC1, 31, 28, false),
    (0x09C1, 32, 29, false),
    (0x08A1, 33, 30, false),
    (0x0521, 34, 31, false),
    (0x0441, 35, 32, false),
    (0x02A1, 36, 33, false),
    (0x0221, 37, 34, false),
    (0x0141, 38, 35, false),
    (0x0111, 39, 36, false),
    (0x0085, 40, 37, false),
    (0x0049, 41, 38, false),
    (0x0025, 42, 39, false),
    (0x0015, 43, 40, false),
    (0x0009, 44, 41, false),
    (0x0005, 45, 42, false),
    (0x0001, 45, 43, false),
    (0x5601, 46, 46, false),
];

/// The state of a context, packed so that a decision needs one load: bit 0 is the more probable symbol, bits 8 to 23 are
/// Qe, bits 24 to 31 are the row of [`NEXT`].
pub(super) type State = u32;

/// Bits of a [`State`] that hold Qe, scaled as the registers of [`Mq`] are.
const QE: u32 = 0x00FF_FF00;

/// The states that follow the state of each row: after the more probable symbol, after the less probable one.
const NEXT: [[State; 2]; 128] = {
    let mut next = [[0; 2]; 128];
    let mut row = 0;
    while row < 94 {
        let (_, after_more, after_less, switches) = STATES[row / 2];
        let symbol = (row % 2) as u32;
        next[row] = [state(after_more, symbol), state(after_less, symbol ^ switches as u32)];
        row += 1;
    }
    next
};

/// The state of index `idx` of table C.2 with the more probable symbol `symbol`.
pub(super) const fn state(idx: u8, symbol: u32) -> State {
    ((idx as u32 * 2 + symbol) << 24) | (STATES[idx as usize].0 << 8) | symbol
}

/// A decoder of one codeword segment. Bytes beyond its end count as FF (D.4.1).
///
/// The registers A and C of the standard are kept 2⁸ times as large, next byte included, and both less `slack`: the
/// amount by which both may shrink before anything but the more probable symbol without renormalization can come.
/// So the common decision is one subtraction and one test.
#[derive(Clone, Debug)]
pub(super) struct Mq<'a> {
    a: i32,
    c: i32,
    slack: i32,
    /// Shifts until the next byte is needed (CT).
    n_left: u32,
    last: u8,
    rest: std::slice::Iter<'a, u8>,
}

/// The smallest value of A after renormalization.
const LEAST: i32 = 0x8000 << 8;

impl<'a> Mq<'a> {
    /// Starts to decode (INITDEC, figure C.10).
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut rest = bytes.iter();
        let first = rest.next().copied().unwrap_or(0xFF);
        let mut mq = Self { a: LEAST, c: i32::from(first) << 8, slack: 0, n_left: 0, last: first, rest };
        mq.next_byte();
        mq.c <<= 7;
        mq.n_left -= 7;
        mq.rebalance();
        mq
    }

    /// BYTEIN (figure C.19).
    #[inline(always)]
    fn next_byte(&mut self) {
        let byte = self.rest.as_slice().first().copied().unwrap_or(0xFF);
        if self.last == 0xFF {
            if byte > 0x8F {
                self.c += 0xFF;
                self.n_left = 8;
            } else {
                self.c += i32::from(byte) << 1;
                self.n_left = 7;
                self.last = byte;
                self.rest.next();
            }
        } else {
            self.c += i32::from(byte);
            self.n_left = 8;
            self.last = byte;
            self.rest.next();
        }
    }

    /// Takes as much as may be taken off both registers.
    #[inline(always)]
    fn rebalance(&mut self) {
        self.slack = self.c.min(self.a - LEAST);
        self.a -= self.slack;
        self.c -= self.slack;
    }

    /// Decodes one decision (DECODE, figure C.15).
    #[inline(always)]
    pub(super) fn decode(&mut self, state: &mut State) -> u32 {
        let qe = (*state & QE) as i32;
        self.slack -= qe;
        if self.slack >= 0 {
            return *state & 1;
        }
        self.exchange(state, qe)
    }

    /// What [`Mq::decode`] does where A is below its least value or the less probable interval was met.
    #[inline(always)]
    fn exchange(&mut self, state: &mut State, qe: i32) -> u32 {
        self.a += self.slack;
        self.c += self.slack;
        let symbol = *state & 1;
        let next = &NEXT[(*state >> 24) as usize & 127];
        // The names of the intervals are exchanged where the less probable one is the larger.
        let is_exchanged = self.a < qe;
        let is_less = if self.c < 0 {
            self.c += qe;
            self.a = qe;
            !is_exchanged
        } else {
            is_exchanged
        };
        *state = next[usize::from(is_less)];
        // RENORMD (figure C.18), as many shifts at once as the bits at hand allow.
        let mut n_shifts = (self.a as u32).leading_zeros() - LEAST.leading_zeros();
        loop {
            if self.n_left == 0 {
                self.next_byte();
            }
            let n = n_shifts.min(self.n_left);
            self.a <<= n;
            self.c <<= n;
            self.n_left -= n;
            n_shifts -= n;
            if n_shifts == 0 {
                break;
            }
        }
        self.rebalance();
        symbol ^ u32::from(is_less)
    }
}
