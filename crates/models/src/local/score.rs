//! Logits of a given answer: the same request, but the tokens are told and not chosen.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::AtomicBool;

use super::LocalEngine;
use super::chunks::chunks;
use super::run::rows;
use crate::caches::SoftTokens;
use crate::gemma3::{Segment, Sequence, unwatched};
use crate::{Error, ErrorKind, Prompt, Request, Result, Timings};

/// Most rows of logits that are given at a time: a row of the family's vocabulary takes a megabyte.
const ROWS: usize = 8;

/// An answer that is being scored. It belongs to the engine that began it.
pub struct Scoring {
    /// The prompt followed by the answer.
    whole: Prompt,
    /// First position whose logits count: that of the prompt's last token.
    first: usize,
    pictures: Vec<SoftTokens>,
    sequence: Sequence,
    /// What is still to be fed.
    steps: VecDeque<Range<usize>>,
    /// What was fed last.
    fed: Range<usize>,
    /// The position whose logits come next.
    next: usize,
}

impl LocalEngine {
    /// Begins to score `answer` after the prompt of `request`: [`LocalEngine::continue_scoring`] then gives the logits from which
    /// each of its tokens would have been chosen. Only turns and pictures of the request count.
    ///
    /// # Errors
    /// As [`Engine::generate`](crate::Engine::generate); an empty answer, or a token outside the table; `cancel`
    /// ([`ErrorKind::Interrupted`]).
    pub fn begin_scoring(
        &mut self,
        request: &Request,
        answer: &[u32],
        cancel: &AtomicBool,
    ) -> Result<Scoring> {
        let mut whole = self.tokens.prompt(request)?;
        if answer.is_empty() {
            return Err(Error::new(ErrorKind::Request, "an answer without tokens cannot be scored"));
        }
        let n_prompt = whole.ids.len();
        // The last token of the answer is scored and need not be fed.
        whole.ids.extend(&answer[..answer.len() - 1]);
        let n = whole.ids.len();
        if n >= self.context_tokens {
            return Err(Error::new(
                ErrorKind::TooLong,
                format!(
                    "a prompt of {n_prompt} tokens and an answer of {} do not fit a context of {}",
                    answer.len(),
                    self.context_tokens
                ),
            ));
        }
        let sequence = Sequence::new(&self.config.text, &self.pool, n, self.chunk_tokens)?;
        let keys = self.picture_keys(request)?;
        let pictures = self
            .encode(request, &keys, 0, &mut Timings::default(), cancel, &mut |_| {})?
            .ok_or_else(interrupted)?;
        let steps = chunks(0..n, &whole.image_spans, self.chunk_tokens).into();
        let first = n_prompt - 1;
        Ok(Scoring { whole, first, pictures, sequence, steps, fed: 0..0, next: first })
    }

    /// The next rows of logits, `[rows, vocabulary]`, into `logits`, which is made as long as they are; which tokens of
    /// the answer they choose. Empty at the end.
    ///
    /// # Errors
    /// `cancel` ([`ErrorKind::Interrupted`]), or memory that cannot be had; the scoring must not go on then.
    pub fn continue_scoring(
        &mut self,
        scoring: &mut Scoring,
        logits: &mut Vec<f32>,
        cancel: &AtomicBool,
    ) -> Result<Range<usize>> {
        let vocab_size = self.config.text.vocab_size;
        logits.clear();
        let all = rows(&scoring.whole, &scoring.pictures, self.config.text.hidden_size);
        while scoring.next >= scoring.fed.end {
            let Some(step) = scoring.steps.pop_front() else {
                let end = scoring.next - scoring.first;
                return Ok(end..end);
            };
            let segment = Segment { sequence: &mut scoring.sequence, rows: &all[step.clone()] };
            if !self.prefill.step(&self.text, &self.backend, &mut [segment], cancel, &mut unwatched)? {
                return Err(interrupted());
            }
            scoring.fed = step;
        }
        let end = scoring.fed.end.min(scoring.next + ROWS);
        let in_step = scoring.next - scoring.fed.start..end - scoring.fed.start;
        logits.resize(in_step.len() * vocab_size, 0.0);
        self.prefill.logits(&self.text, &self.backend, in_step, logits)?;
        let tokens = scoring.next - scoring.first..end - scoring.first;
        scoring.next = end;
        Ok(tokens)
    }

    /// Rows of the embedding table: how many logits a token has.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.config.text.vocab_size
    }
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "scoring was cancelled")
}
