//! The bits of a raw codeword segment (T.800, D.6).

/// Reads bits, highest first; a byte after FF has seven. Beyond the end come ones.
#[derive(Debug)]
pub(super) struct Raw<'a> {
    bytes: &'a [u8],
    pos: usize,
    current: u8,
    n_left: u32,
}

impl<'a> Raw<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pos: 0, current: 0, n_left: 0 }
    }

    pub(super) fn bit(&mut self) -> u32 {
        if self.n_left == 0 {
            self.n_left = if self.current == 0xFF { 7 } else { 8 };
            self.current = self.bytes.get(self.pos).copied().unwrap_or(0xFF);
            self.pos += 1;
        }
        self.n_left -= 1;
        u32::from(self.current >> self.n_left) & 1
    }
}
