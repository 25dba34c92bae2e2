//! A step of the text model over buffers that were allocated beforehand.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use lightbox_kernels::{Backend, Epilogue};

use super::sequence::visible;
use super::{Gemma3, Input, Layer, Segment};
use crate::config::{LayerKind, TextConfig};
use crate::{Error, ErrorKind, Result};

/// Hears every named intermediate of a step: name, layer, values. A mismatch with the reference is walked to its
/// first divergence with it.
pub type Watch<'a> = &'a mut dyn FnMut(&str, usize, &[f32]);

/// A [`Watch`] that does not listen.
pub fn unwatched(_: &str, _: usize, _: &[f32]) {}

/// Buffers for steps of up to a fixed number of rows: one plan serves decoding (one row a sequence), another
/// chunks of a prompt.
pub struct Plan {
    max_rows: usize,
    n_rows: usize,
    x: Vec<f32>,         // [rows, width]: the residual stream
    y: Vec<f32>,         // [rows, width]: what a norm made of it, or what a block returned
    q: Vec<f32>,         // [rows, heads × head_dim]
    k: Vec<f32>,         // [rows, kv heads × head_dim]
    v: Vec<f32>,         // [rows, kv heads × head_dim]
    attention: Vec<f32>, // [rows, heads × head_dim]
    inner: Vec<f32>,     // [rows, inner]
    positions: Vec<usize>,
    sliding: Vec<Range<usize>>,
    global: Vec<Range<usize>>,
}

impl Plan {
    /// Buffers for up to `max_rows` rows.
    #[must_use]
    pub fn new(config: &TextConfig, max_rows: usize) -> Self {
        let (width, q_width, kv_width) = (config.hidden_size, config.q_width(), config.kv_width());
        Self {
            max_rows,
            n_rows: 0,
            x: vec![0.0; max_rows * width],
            y: vec![0.0; max_rows * width],
            q: vec![0.0; max_rows * q_width],
            k: vec![0.0; max_rows * kv_width],
            v: vec![0.0; max_rows * kv_width],
            attention: vec![0.0; max_rows * q_width],
            inner: vec![0.0; max_rows * config.intermediate_size],
            positions: Vec::with_capacity(max_rows),
            sliding: Vec::with_capacity(max_rows),
            global: Vec::with_capacity(max_rows),
        }
    }

    /// Bytes that the buffers of a plan for `max_rows` rows take.
    #[must_use]
    pub fn buffer_bytes(config: &TextConfig, max_rows: usize) -> u64 {
        let per_row =
            2 * config.hidden_size + 2 * config.q_width() + 2 * config.kv_width() + config.intermediate_size;
        4 * per_row as u64 * max_rows as u64
    }

    /// Feeds all segments through the model; afterwards [`Plan::logits`] can be asked for any of the rows.
    ///
    /// Returns whether it was finished: setting `cancel` ends it between layers. Sequences of a step that was not
    /// finished, or failed, must not be used again.
    ///
    /// # Errors
    /// More rows than the plan has room for, an id outside the table, or a sequence without room.
    pub fn step(
        &mut self,
        model: &Gemma3,
        backend: &Backend,
        segments: &mut [Segment<'_>],
        cancel: &AtomicBool,
        watch: Watch<'_>,
    ) -> Result<bool> {
        let c = &model.config;
        let (width, eps) = (c.hidden_size, c.rms_norm_eps);
        self.place(c, segments)?;
        self.embed(model, segments)?;
        let n = self.n_rows;
        watch("embedding", 0, &self.x[..n * width]);
        for (i, layer) in model.layers.iter().enumerate() {
            if cancel.load(Ordering::Relaxed) {
                return Ok(false);
            }
            // x += norm(attention(norm(x)))
            self.attend(model, backend, layer, i, segments)?;
            let x = &mut self.x[..n * width];
            let y = &mut self.y[..n * width];
            watch("attention", i, y);
            backend.rms_norm_residual(y, &layer.post_attention_norm, eps, x)?;

            // x += norm(down(gelu(gate(norm(x))) * up(norm(x))))
            let inner = &mut self.inner[..n * c.intermediate_size];
            backend.rms_norm(x, &layer.mlp_norm, eps, y)?;
            backend.gated(y, &layer.gate, &layer.up, inner)?;
            backend.linear(inner, &layer.down, y, Epilogue::Store)?;
            backend.rms_norm_residual(y, &layer.post_mlp_norm, eps, x)?;
            watch("layer", i, x);
        }
        for segment in segments {
            segment.sequence.n_positions += segment.rows.len();
        }
        Ok(true)
    }

    /// Attention of one layer: `x` normed, through the heads, back to the stream's width in `y`.
    fn attend(
        &mut self,
        model: &Gemma3,
        backend: &Backend,
        layer: &Layer,
        i: usize,
        segments: &mut [Segment<'_>],
    ) -> Result<()> {
        let c = &model.config;
        let (n, width, eps) = (self.n_rows, c.hidden_size, c.rms_norm_eps);
        let (q_width, kv_width) = (c.q_width(), c.kv_width());
        let scale = c.query_pre_attn_scalar.powf(-0.5) as f32;
        let (rope, ranges) = match layer.kind {
            LayerKind::Sliding => (&model.rope_sliding, &self.sliding),
            LayerKind::Global => (&model.rope_global, &self.global),
        };
        let x = &self.x[..n * width];
        let y = &mut self.y[..n * width];
        let q = &mut self.q[..n * q_width];
        let k = &mut self.k[..n * kv_width];
        let v = &mut self.v[..n * kv_width];
        backend.rms_norm(x, &layer.attention_norm, eps, y)?;
        backend.linear_many(y, &[&layer.q, &layer.k, &layer.v], &mut [q, k, v])?;
        backend.norm_rope(q, &layer.q_norm, eps, rope, &self.positions)?;
        backend.norm_rope(k, &layer.k_norm, eps, rope, &self.positions)?;
        let attention = &mut self.attention[..n * q_width];
        let mut row = 0;
        for segment in segments.iter_mut() {
            let rows = row..row + segment.rows.len();
            let (own_q, own_kv) =
                (rows.start * q_width..rows.end * q_width, rows.start * kv_width..rows.end * kv_width);
            let cache = &mut segment.sequence.caches[i];
            let first = segment.sequence.n_positions;
            backend.store(cache, &k[own_kv.clone()], &v[own_kv], first)?;
            backend.attend(&q[own_q.clone()], cache, &ranges[rows.clone()], scale, &mut attention[own_q])?;
            row = rows.end;
        }
        backend.linear(attention, &layer.o, y, Epilogue::Store)?;
        Ok(())
    }

    /// Positions and visible ranges of all rows.
    fn place(&mut self, config: &TextConfig, segments: &[Segment<'_>]) -> Result<()> {
        self.positions.clear();
        self.sliding.clear();
        self.global.clear();
        self.n_rows = segments.iter().map(|s| s.rows.len()).sum();
        if self.n_rows > self.max_rows {
            return Err(Error::new(
                ErrorKind::Request,
                format!("a step of {} rows does not fit a plan for {}", self.n_rows, self.max_rows),
            ));
        }
        for segment in segments {
            let first = segment.sequence.n_positions;
            for (i, row) in segment.rows.iter().enumerate() {
                self.positions.push(first + i);
                self.sliding.push(visible(config, LayerKind::Sliding, first + i, row));
                self.global.push(visible(config, LayerKind::Global, first + i, row));
            }
        }
        Ok(())
    }

    /// Rows of the table, scaled, or soft tokens as they are, into `x`.
    fn embed(&mut self, model: &Gemma3, segments: &[Segment<'_>]) -> Result<()> {
        let width = model.config.hidden_size;
        let rows = segments.iter().flat_map(|s| s.rows);
        for (row, x) in rows.zip(self.x.chunks_exact_mut(width)) {
            match row.input {
                Input::Token(id) => {
                    model.embedding.row_into(id as usize, x)?;
                    x.iter_mut().for_each(|x| *x *= model.embedding_factor);
                }
                Input::Soft(values) => x.copy_from_slice(values),
            }
        }
        Ok(())
    }

    /// Logits of rows `rows` of the last step into `out`, `[rows, vocabulary]`.
    ///
    /// # Errors
    /// Rows that the last step did not have, or a length that does not fit.
    pub fn logits(
        &mut self,
        model: &Gemma3,
        backend: &Backend,
        rows: Range<usize>,
        out: &mut [f32],
    ) -> Result<()> {
        if rows.start > rows.end || rows.end > self.n_rows {
            return Err(Error::new(
                ErrorKind::Request,
                format!("logits of rows {rows:?} were asked for after a step of {} rows", self.n_rows),
            ));
        }
        let width = model.config.hidden_size;
        let values = rows.start * width..rows.end * width;
        let y = &mut self.y[values.clone()];
        backend.rms_norm(&self.x[values], &model.final_norm, model.config.rms_norm_eps, y)?;
        backend.linear(y, model.head.as_ref().unwrap_or(&model.embedding), out, Epilogue::Store)?;
        Ok(())
    }
}
