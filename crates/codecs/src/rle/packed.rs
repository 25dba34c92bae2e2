//! One segment, unpacked block by block (PS3.5, G.3.1).

use super::BLOCK;

/// Bytes that are moved at once: one instruction, where a call for the exact number would take longer than the move.
const STRIDE: usize = 16;

/// A packet yields at most this many bytes.
const MOST: usize = 128;

/// A segment, and a block of what came out of it.
pub(super) struct Packed<'a> {
    rest: &'a [u8],
    /// Bytes that came out and were not passed yet; past them stands what a stride moved too much.
    bytes: [u8; BLOCK + MOST + STRIDE],
    n_bytes: usize,
    /// How many of the bytes the caller has seen.
    n_seen: usize,
}

impl<'a> Packed<'a> {
    /// Of the coded bytes `rest`.
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest, bytes: [0; BLOCK + MOST + STRIDE], n_bytes: 0, n_seen: 0 }
    }

    /// The bytes of the last [`Packed::unpack`], and after them others.
    #[inline(always)]
    pub(super) fn block(&self) -> &[u8; BLOCK] {
        self.bytes.first_chunk().unwrap_or(&[0; BLOCK])
    }

    /// Makes the next `n` bytes, at most [`BLOCK`], the first of the block; false where the segment has fewer.
    pub(super) fn unpack(&mut self, n: usize) -> bool {
        // What the last packet had beyond the block before.
        self.bytes.copy_within(self.n_seen..self.n_bytes, 0);
        self.n_bytes -= self.n_seen;
        self.n_seen = n;

        let mut at = self.n_bytes;
        let mut rest = self.rest;
        while at < n {
            let Some((head, after)) = rest.split_first() else { break };
            rest = after;
            match *head {
                // A literal of head + 1 bytes; a segment that ends within it gives what it has.
                0..=127 => {
                    let n_literal = (usize::from(*head) + 1).min(rest.len());
                    let (literal, after) = rest.split_at(n_literal);
                    let room = &mut self.bytes[at..at + MOST + STRIDE];
                    if let (true, Some(stride)) = (n_literal <= STRIDE, rest.first_chunk::<STRIDE>()) {
                        room[..STRIDE].copy_from_slice(stride);
                    } else {
                        room[..n_literal].copy_from_slice(literal);
                    }
                    at += n_literal;
                    rest = after;
                }
                128 => {}
                // The next byte, 257 − head times.
                head => {
                    let Some((byte, after)) = rest.split_first() else { break };
                    rest = after;
                    let n_run = 257 - usize::from(head);
                    let room = &mut self.bytes[at..at + MOST + STRIDE];
                    room[..STRIDE].fill(*byte);
                    if n_run > STRIDE {
                        room[STRIDE..n_run].fill(*byte);
                    }
                    at += n_run;
                }
            }
        }
        self.rest = rest;
        self.n_bytes = at;
        at >= n
    }
}
