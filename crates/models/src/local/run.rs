//! One request from prompt to generation.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::answer::Answering;
use super::chunks::chunks;
use super::load::fits_in_memory;
use super::prefix::marks;
use super::{LocalEngine, Vision};
use crate::caches::Mark;
use crate::caches::SoftTokens;
use crate::decoding::{self, Decoding};
use crate::gemma3::{Input, Row, Segment, Sequence, unwatched};
use crate::speculation::{MAX_DRAFT, Speculation};
use crate::{Error, ErrorKind, Event, Generation, Prompt, Request, Result, Timings, TokenLogprob, sampling};

/// Rows whose logits are computed together where log-probabilities of the prompt are wanted: a row of the family's
/// vocabulary takes a megabyte.
const LOGIT_ROWS: usize = 16;

/// Wall time since `started`.
pub(super) fn milliseconds(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}

impl LocalEngine {
    pub(super) fn vision(&self) -> Result<&Vision> {
        self.vision.as_ref().ok_or_else(|| {
            let hint = self.config.no_images.as_deref();
            Error::new(ErrorKind::Image, format!("the model {} takes no pictures", self.card.name))
                .hint(hint.unwrap_or("use a multimodal model, or ask without pictures"))
        })
    }

    pub(super) fn run(
        &mut self,
        request: &Request,
        cancel: &AtomicBool,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Generation> {
        decoding::check(request)?;
        let prompt = self.tokens.prompt(request)?;
        let room = decoding::room(request, &prompt, self.context_tokens)?;
        self.hold(request, &prompt, room)?;
        let mut timings = Timings { load_ms: self.load_ms, ..Timings::default() };
        let mut logits = vec![0.0; self.config.text.vocab_size];
        let step_tokens = self.chunk_tokens.max(1 + MAX_DRAFT);
        let mut sequence =
            Sequence::new(&self.config.text, &self.pool, prompt.ids.len() + room, step_tokens)?;
        let mut prompt_logprobs = request.prompt_logprobs.map(|_| vec![None]);

        let started = Instant::now();
        let keys = self.picture_keys(request)?;
        let mut marks = marks(&prompt, &keys);
        // Log-probabilities of a prompt need every row.
        if prompt_logprobs.is_none() {
            timings.prefix_tokens = self.go_on(&marks, &prompt, &mut sequence)?;
        }
        let known = prompt.image_spans.iter().filter(|span| span.end <= timings.prefix_tokens).count();
        let pictures = self.encode(request, &keys, known, &mut timings, cancel, on_event)?;
        timings.image_ms = milliseconds(started);

        let started = Instant::now();
        let fed = match &pictures {
            Some(pictures) => {
                let rows = rows(&prompt, pictures, self.config.text.hidden_size);
                let logprobs = prompt_logprobs.as_mut();
                self.prefill(
                    request,
                    &prompt,
                    &marks,
                    &rows,
                    &mut sequence,
                    &mut logits,
                    logprobs,
                    cancel,
                    on_event,
                )?
            }
            None => false,
        };
        timings.prefill_ms = milliseconds(started);
        drop(pictures);

        let mut decoding = Decoding::new(request, &self.tokens, room);
        if !fed {
            return Ok(decoding.cancelled(prompt, None, timings));
        }
        let started = Instant::now();
        let vocab_size = self.config.text.vocab_size;
        let soft = self.config.images.as_ref().map(|images| images.image_token);
        let speculation = self.speculates.then(|| Speculation::new(&prompt.ids, vocab_size, soft));
        let answering = Answering {
            text: &self.text,
            backend: &self.backend,
            plan: &mut self.decode,
            vocab_size,
            sequence: &mut sequence,
            end: prompt.ids.len() + room,
            cancel,
        };
        let finished = answering.run(&mut decoding, speculation, logits, &mut timings, on_event)?;
        timings.decode_ms = milliseconds(started);
        if !finished {
            return Ok(decoding.cancelled(prompt, prompt_logprobs, timings));
        }
        let generation = decoding.finished(prompt, prompt_logprobs, timings);
        marks.extend(generation.ids.iter().map(|id| Mark::Token(*id)));
        self.keep(&marks, &generation.prompt, &sequence, sequence.n_positions());
        Ok(generation)
    }

    /// Refuses a request whose keys and values cannot be had beside the weights. A request that sets no limit is
    /// counted without its answer.
    fn hold(&mut self, request: &Request, prompt: &Prompt, room: usize) -> Result<()> {
        let answer = if request.max_tokens.is_some() { room } else { 1 };
        let n_positions = prompt.ids.len() + answer;
        let cache = Sequence::bytes_for(&self.config.text, self.pool.dtype(), n_positions, self.chunk_tokens);
        let bytes = self.held_bytes.saturating_add(cache.unwrap_or(u64::MAX));
        let what = format!("the model with {n_positions} tokens");
        // What is kept of earlier prompts makes room before a request is refused.
        if fits_in_memory(bytes.saturating_add(self.prefixes.held_bytes() as u64), &what).is_err() {
            self.prefixes.clear();
        }
        fits_in_memory(bytes, &what)
    }

    /// The prompt through the text model; afterwards `logits` are those of its last token. Whether it was finished.
    fn prefill(
        &mut self,
        request: &Request,
        prompt: &Prompt,
        marks: &[Mark],
        rows: &[Row<'_>],
        sequence: &mut Sequence,
        logits: &mut [f32],
        mut prompt_logprobs: Option<&mut Vec<Option<TokenLogprob>>>,
        cancel: &AtomicBool,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<bool> {
        let (first, total) = (sequence.n_positions(), rows.len());
        on_event(Event::Prefill { done: first, total });
        for step in chunks(first..total, &prompt.image_spans, self.chunk_tokens) {
            let segment = Segment { sequence: &mut *sequence, rows: &rows[step.clone()] };
            if !self.prefill.step(&self.text, &self.backend, &mut [segment], cancel, &mut unwatched)? {
                return Ok(false);
            }
            if let Some(logprobs) = prompt_logprobs.as_deref_mut() {
                // The row at a position scores the token at the next one.
                let n_top = request.prompt_logprobs.unwrap_or(0);
                let positions = step.start..step.end.min(total - 1);
                if !self.score(&prompt.ids, positions, n_top, step.start, logprobs, cancel)? {
                    return Ok(false);
                }
            }
            if step.end == total {
                let last = step.len() - 1;
                self.prefill.logits(&self.text, &self.backend, last..last + 1, logits)?;
            }
            // Other questions about the same pictures part after the last of them, usually within a prompt's last step.
            let picture_end = prompt.image_spans.last().map_or(0, |span| span.end);
            if step.end == total {
                let place = total.saturating_sub(self.chunk_tokens);
                self.keep(&marks[..total], prompt, sequence, place);
            } else if step.start < picture_end && picture_end <= step.end {
                self.keep(&marks[..step.end], prompt, sequence, picture_end);
            }
            on_event(Event::Prefill { done: step.end, total });
        }
        Ok(true)
    }

    /// Log-probabilities of the tokens that follow `positions`; the last step began at `first`. Whether it was finished.
    fn score(
        &mut self,
        ids: &[u32],
        positions: Range<usize>,
        n_top: usize,
        first: usize,
        logprobs: &mut Vec<Option<TokenLogprob>>,
        cancel: &AtomicBool,
    ) -> Result<bool> {
        let vocab_size = self.config.text.vocab_size;
        let mut logits = vec![0.0; LOGIT_ROWS.min(positions.len()) * vocab_size];
        let mut start = positions.start;
        while start < positions.end {
            if cancel.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let end = positions.end.min(start + LOGIT_ROWS);
            let logits = &mut logits[..(end - start) * vocab_size];
            self.prefill.logits(&self.text, &self.backend, start - first..end - first, logits)?;
            for (row, position) in logits.chunks_exact(vocab_size).zip(start..end) {
                // A picture's token may lie outside the table: no logit is its own.
                let id = ids[position + 1];
                let scored = (id as usize) < vocab_size;
                logprobs.push(scored.then(|| sampling::logprob(row, id, n_top)).transpose()?);
            }
            start = end;
        }
        Ok(true)
    }
}

/// The prompt as rows: soft tokens see their whole picture, everything else what came before it.
pub(super) fn rows<'a>(prompt: &Prompt, pictures: &'a [SoftTokens], width: usize) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = prompt
        .ids
        .iter()
        .enumerate()
        .map(|(position, id)| Row { input: Input::Token(*id), visible_end: position + 1 })
        .collect();
    for (span, picture) in prompt.image_spans.iter().zip(pictures) {
        for (row, soft) in rows[span.clone()].iter_mut().zip(picture.chunks_exact(width)) {
            *row = Row { input: Input::Soft(soft), visible_end: span.end };
        }
    }
    rows
}
