//! Where the decisions of a coding pass come from: the arithmetic decoder, or raw bits.

use super::contexts::{SIGN_CODING, UNIFORM};
use super::mq::{Mq, State};
use super::raw::Raw;
use super::words;

/// A source of decisions.
pub(super) trait Decisions {
    /// A decision in a context.
    fn decide(&mut self, context: usize) -> u32;

    /// The sign of a coefficient with the neighbourhood `view` (see [`words`]): 1 where it is negative.
    fn sign(&mut self, view: u64) -> u32;
}

/// Decisions of the arithmetic decoder.
pub(super) struct Coded<'a, 'c> {
    pub(super) mq: Mq<'a>,
    pub(super) contexts: &'c mut [State; 32],
}

impl Coded<'_, '_> {
    /// Four decisions in the uniform context (D.5).
    pub(super) fn symbol(&mut self) -> u32 {
        (0..4).fold(0, |symbol, _| symbol << 1 | self.decide(UNIFORM))
    }
}

impl Decisions for Coded<'_, '_> {
    #[inline(always)]
    fn decide(&mut self, context: usize) -> u32 {
        self.mq.decode(&mut self.contexts[context & 31])
    }

    #[inline(always)]
    fn sign(&mut self, view: u64) -> u32 {
        let entry = SIGN_CODING[words::sign_pattern(view)];
        self.decide(usize::from(entry & 31)) ^ u32::from(entry >> 7)
    }
}

impl Decisions for Raw<'_> {
    fn decide(&mut self, _context: usize) -> u32 {
        self.bit()
    }

    fn sign(&mut self, _view: u64) -> u32 {
        self.bit()
    }
}
