//! Token after token, several at a time where guesses hold.

use std::sync::atomic::AtomicBool;

use lightbox_kernels::Backend;

use crate::decoding::{Decoding, Step};
use crate::gemma3::{Gemma3, Input, Plan, Row, Segment, Sequence, unwatched};
use crate::speculation::Speculation;
use crate::{Event, Result, Timings};

/// What an answer is computed with.
pub(super) struct Answering<'a> {
    pub text: &'a Gemma3,
    pub backend: &'a Backend,
    pub plan: &'a mut Plan,
    pub vocab_size: usize,
    /// Holds the prompt.
    pub sequence: &'a mut Sequence,
    /// Positions that the sequence has room for.
    pub end: usize,
    pub cancel: &'a AtomicBool,
}

impl Answering<'_> {
    /// Generates until the end; `logits` are those of the prompt's last token. False if it was cancelled before.
    ///
    /// # Errors
    /// Logits that make no distribution, or a step that fails.
    pub fn run(
        mut self,
        decoding: &mut Decoding<'_>,
        mut speculation: Option<Speculation>,
        mut logits: Vec<f32>,
        timings: &mut Timings,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<bool> {
        let Step::Feed(mut next) = decoding.next(&logits, on_event)? else { return Ok(true) };
        loop {
            let first = self.sequence.n_positions();
            let mut fed = vec![next];
            if let Some(speculation) = &mut speculation {
                speculation.push(next);
                fed.extend_from_slice(speculation.draft(self.end.saturating_sub(first + 1)));
            }
            if !self.feed(&fed, &mut logits)? {
                return Ok(false);
            }
            // The row of a token scores the one after it, as long as that was guessed right.
            let mut ended = false;
            let mut accepted = 0;
            for scores in logits.chunks_exact(self.vocab_size) {
                match decoding.next(scores, on_event)? {
                    Step::Finished => ended = true,
                    Step::Feed(id) if fed.get(accepted + 1) == Some(&id) => {
                        accepted += 1;
                        continue;
                    }
                    Step::Feed(id) => next = id,
                }
                break;
            }
            timings.drafted_tokens += fed.len() - 1;
            timings.accepted_tokens += accepted;
            self.sequence.truncate(first + 1 + accepted)?;
            if ended {
                return Ok(true);
            }
            if let Some(speculation) = &mut speculation {
                speculation.heard(fed.len() - 1, accepted);
                fed[1..=accepted].iter().for_each(|id| speculation.push(*id));
            }
        }
    }

    /// Feeds tokens and scores what follows each, `[tokens, vocabulary]`; false if it was cancelled.
    fn feed(&mut self, ids: &[u32], logits: &mut Vec<f32>) -> Result<bool> {
        let first = self.sequence.n_positions();
        let rows: Vec<Row<'_>> = (first + 1..)
            .zip(ids)
            .map(|(visible_end, id)| Row { input: Input::Token(*id), visible_end })
            .collect();
        let segment = Segment { sequence: &mut *self.sequence, rows: &rows };
        if !self.plan.step(self.text, self.backend, &mut [segment], self.cancel, &mut unwatched)? {
            return Ok(false);
        }
        logits.resize(ids.len() * self.vocab_size, 0.0);
        self.plan.logits(self.text, self.backend, 0..ids.len(), logits)?;
        Ok(true)
    }
}
