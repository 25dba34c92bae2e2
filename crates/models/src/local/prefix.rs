//! Beginnings of prompts that went through the text model before.

use super::LocalEngine;
use crate::caches::{FoundPrefix, Key, Mark};
use crate::gemma3::Sequence;
use crate::{Prompt, Result};

impl LocalEngine {
    /// Forgets the keys and values of earlier prompts that are in memory.
    pub fn forget_prefixes(&mut self) {
        self.prefixes.clear();
    }

    /// Lets `sequence` go on from what was kept of the prompt's beginning; the number of its positions then.
    pub(super) fn go_on(
        &mut self,
        marks: &[Mark],
        prompt: &Prompt,
        sequence: &mut Sequence,
    ) -> Result<usize> {
        let found = self.prefixes.find(marks, &prompt.image_spans, self.store.as_deref_mut());
        let Some(FoundPrefix { n_positions, global, window_start, window }) = found else { return Ok(0) };
        sequence.resume(n_positions, &global, window_start, &window)?;
        Ok(n_positions)
    }

    /// Keeps what `sequence` holds, whose positions are `marks`, with the windows of places from `place` on.
    pub(super) fn keep(&mut self, marks: &[Mark], prompt: &Prompt, sequence: &Sequence, place: usize) {
        let picture_end = prompt.image_spans.last().map(|span| span.end);
        self.prefixes.keep(marks, sequence, place, picture_end, self.store.as_deref_mut());
    }
}

/// What stands at each position of a prompt whose pictures have these keys.
pub(super) fn marks(prompt: &Prompt, pictures: &[Key]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = prompt.ids.iter().map(|id| Mark::Token(*id)).collect();
    for (span, picture) in prompt.image_spans.iter().zip(pictures) {
        for (index, mark) in (0..).zip(&mut marks[span.clone()]) {
            *mark = Mark::Soft(*picture, index);
        }
    }
    marks
}

#[cfg(test)]
mod tests;
