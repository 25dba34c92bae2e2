//! The text model's part of `config.json`.

use lightbox_kernels::Rope;
use serde_json::{Value, json};

use super::{Keys, MAX_COUNT, MAX_LENGTH, MAX_SIZE, shown};
use crate::{Error, ErrorKind, Result};

/// What a layer's attention sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    /// The last `sliding_window` positions, the token itself included.
    Sliding,
    /// Every earlier position.
    Global,
}

/// Rotary embedding of one kind of layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RopeConfig {
    /// Base of the frequencies.
    pub theta: f64,
    /// Divides the frequencies (linear scaling); 1 is none.
    pub factor: f64,
}

/// The text model: sizes, layers, attention.
#[derive(Clone, Debug, PartialEq)]
pub struct TextConfig {
    /// Rows of the embedding table and of the head.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the gated block.
    pub intermediate_size: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key/value heads; each serves `n_heads / n_kv_heads` query heads.
    pub n_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Queries are divided by the square root of this, which need not be `head_dim`.
    pub query_pre_attn_scalar: f64,
    /// Positions that a sliding layer sees, the token itself included.
    pub sliding_window: usize,
    /// Longest sequence in tokens.
    pub max_positions: usize,
    /// Added under the root of every norm.
    pub rms_norm_eps: f32,
    /// The kind of each layer, first to last.
    pub layers: Vec<LayerKind>,
    /// Rotary embedding of sliding layers.
    pub rope_sliding: RopeConfig,
    /// Rotary embedding of global layers.
    pub rope_global: RopeConfig,
}

impl TextConfig {
    /// Width of all query heads together.
    #[must_use]
    pub fn q_width(&self) -> usize {
        self.n_heads * self.head_dim
    }

    /// Width of all key (or value) heads together.
    #[must_use]
    pub fn kv_width(&self) -> usize {
        self.n_kv_heads * self.head_dim
    }

    /// Takes the text model's keys; the caller has taken those that every object may carry.
    pub(super) fn take(keys: &mut Keys<'_>) -> Result<Self> {
        keys.only("hidden_activation", &[json!("gelu_pytorch_tanh")])?;
        keys.only("hidden_act", &[json!("gelu_pytorch_tanh")])?;
        keys.only("attention_bias", &[json!(false)])?;
        keys.only("attn_logit_softcapping", &[])?;
        keys.only("final_logit_softcapping", &[])?;
        keys.only("use_bidirectional_attention", &[json!(false)])?;
        let n_layers = keys.count("num_hidden_layers", 26, MAX_COUNT)?;
        let layers = layers(keys, n_layers)?;
        let (rope_sliding, rope_global) = ropes(keys)?;
        let sliding_window = window(keys, &layers)?;
        let config = Self {
            vocab_size: keys.count("vocab_size", 262_208, MAX_LENGTH)?,
            hidden_size: keys.count("hidden_size", 2304, MAX_SIZE)?,
            intermediate_size: keys.count("intermediate_size", 9216, MAX_SIZE)?,
            n_heads: keys.count("num_attention_heads", 8, MAX_COUNT)?,
            n_kv_heads: keys.count("num_key_value_heads", 4, MAX_COUNT)?,
            head_dim: keys.count("head_dim", 256, MAX_COUNT)?,
            query_pre_attn_scalar: keys.positive("query_pre_attn_scalar", 256.0)?,
            sliding_window,
            max_positions: keys.count("max_position_embeddings", 131_072, Rope::MAX_POSITION)?,
            rms_norm_eps: keys.positive("rms_norm_eps", 1e-6)? as f32,
            layers,
            rope_sliding,
            rope_global,
        };
        config.check(keys.place())?;
        Ok(config)
    }

    /// Refuses sizes that do not fit together; `place` is for messages.
    pub(crate) fn check(&self, place: &str) -> Result<()> {
        let fail = |message: String| Err(Error::new(ErrorKind::Config, format!("{place}: {message}")));
        if !self.n_heads.is_multiple_of(self.n_kv_heads) {
            return fail(format!(
                "num_attention_heads: expected a multiple of num_key_value_heads {}, found {}",
                self.n_kv_heads, self.n_heads
            ));
        }
        if !self.hidden_size.is_multiple_of(self.n_heads) {
            // The reference refuses this too, although head_dim stands on its own.
            return fail(format!(
                "hidden_size: expected a multiple of num_attention_heads {}, found {}",
                self.n_heads, self.hidden_size
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return fail(format!(
                "head_dim: expected an even number (rotary pairs), found {}",
                self.head_dim
            ));
        }
        if self.q_width() > MAX_SIZE {
            return fail(format!(
                "num_attention_heads × head_dim: expected at most {MAX_SIZE}, found {}",
                self.q_width()
            ));
        }
        if !(self.rms_norm_eps > 0.0 && self.rms_norm_eps.is_finite()) {
            return fail(
                "rms_norm_eps: expected a number that is above zero and finite in 32 bits".to_owned(),
            );
        }
        Ok(())
    }
}

/// `sliding_window` may be `null` only where no layer slides.
fn window(keys: &mut Keys<'_>, layers: &[LayerKind]) -> Result<usize> {
    if layers.contains(&LayerKind::Sliding) {
        return keys.count("sliding_window", 4096, MAX_LENGTH);
    }
    let _ = keys.take("sliding_window");
    Ok(MAX_LENGTH)
}

/// `layer_types` says it layer by layer; older files give a pattern: every n-th layer is global.
fn layers(keys: &mut Keys<'_>, n_layers: usize) -> Result<Vec<LayerKind>> {
    let listed = keys.take_set("layer_types");
    let pattern = keys.take_set("sliding_window_pattern");
    let private = keys.take_set("_sliding_window_pattern");
    if let Some(value) = listed {
        let kinds = value.as_array().map(|list| {
            list.iter()
                .map(|kind| match kind.as_str() {
                    Some("sliding_attention") => Ok(LayerKind::Sliding),
                    Some("full_attention") => Ok(LayerKind::Global),
                    _ => Err(keys.bad("layer_types", "sliding_attention or full_attention", kind)),
                })
                .collect::<Result<Vec<_>>>()
        });
        let kinds = kinds.unwrap_or_else(|| Err(keys.bad("layer_types", "a list", value)))?;
        if kinds.len() != n_layers {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "{}: layer_types: expected {n_layers} entries (num_hidden_layers), found {}",
                    keys.place(),
                    kinds.len()
                ),
            ));
        }
        return Ok(kinds);
    }
    // Without `layer_types` the reference reads the public key alone, so a private one that says otherwise is a riddle.
    if let (None, Some(value)) = (pattern, private)
        && value.as_u64() != Some(6)
    {
        return Err(keys
            .bad(
                "_sliding_window_pattern",
                "6 where neither layer_types nor sliding_window_pattern stands",
                value,
            )
            .hint("write the kinds out as layer_types"));
    }
    let every = match pattern {
        None => 6,
        Some(value) => match value.as_u64() {
            Some(n) if (1..=MAX_COUNT as u64).contains(&n) => n as usize,
            _ => return Err(keys.bad("sliding_window_pattern", "a whole number above zero", value)),
        },
    };
    let kind = |i: usize| if (i + 1).is_multiple_of(every) { LayerKind::Global } else { LayerKind::Sliding };
    Ok((0..n_layers).map(kind).collect())
}

/// The rotary settings in the old spelling (`rope_theta`, `rope_local_base_freq`, `rope_scaling` for global layers)
/// or the new one (`rope_parameters` by kind of layer). Both may stand there if they agree.
fn ropes(keys: &mut Keys<'_>) -> Result<(RopeConfig, RopeConfig)> {
    let theta_global = old_theta(keys, "rope_theta")?;
    let theta_sliding = old_theta(keys, "rope_local_base_freq")?;
    let scaling = match keys.take_set("rope_scaling") {
        Some(value) => Some(rope_object(keys, "rope_scaling", value)?),
        None => None,
    };
    let mut sliding = Partial::default();
    let mut global = Partial::default();
    if let Some(value) = keys.take_set("rope_parameters") {
        let place = format!("{}: rope_parameters", keys.place());
        let mut kinds = Keys::new(place, value)?;
        if let Some(v) = kinds.take_set("sliding_attention") {
            sliding = rope_object(&kinds, "sliding_attention", v)?;
        }
        if let Some(v) = kinds.take_set("full_attention") {
            global = rope_object(&kinds, "full_attention", v)?;
        }
        kinds.finish()?;
    }
    let conflict = |key: &str| {
        Error::new(
            ErrorKind::Config,
            format!("{}: {key} and rope_parameters say different things of the same layers", keys.place()),
        )
        .hint("keep one of them")
    };
    if let Some(old) = scaling {
        if global.factor.is_some_and(|f| Some(f) != old.factor) {
            return Err(conflict("rope_scaling"));
        }
        global.factor = old.factor;
        global.theta = global.theta.or(old.theta);
    }
    for (part, old, key) in
        [(&mut global, theta_global, "rope_theta"), (&mut sliding, theta_sliding, "rope_local_base_freq")]
    {
        if part.theta.is_some() && old.is_some() && part.theta != old {
            return Err(conflict(key));
        }
        part.theta = part.theta.or(old);
    }
    let whole = |part: &Partial, theta: f64| RopeConfig {
        theta: part.theta.unwrap_or(theta),
        factor: part.factor.unwrap_or(1.0),
    };
    Ok((whole(&sliding, 10_000.0), whole(&global, 1_000_000.0)))
}

/// A rotary base at the level of the text model, where `null` is the same as absent.
fn old_theta(keys: &mut Keys<'_>, key: &str) -> Result<Option<f64>> {
    match keys.take_set(key) {
        None => Ok(None),
        Some(value) => theta(value).map(Some).ok_or_else(|| keys.bad(key, "a number above 1", value)),
    }
}

/// A base must exceed 1, so that frequencies fall.
fn theta(value: &Value) -> Option<f64> {
    value.as_f64().filter(|t| *t > 1.0 && t.is_finite() && *t <= f64::from(f32::MAX))
}

/// What one rotary object says; `factor` is set where the object names a type.
#[derive(Clone, Copy, Default)]
struct Partial {
    theta: Option<f64>,
    factor: Option<f64>,
}

fn rope_object(outer: &Keys<'_>, key: &str, value: &Value) -> Result<Partial> {
    let mut keys = Keys::new(format!("{}: {key}", outer.place()), value)?;
    let old = keys.text("type")?;
    let new = keys.text("rope_type")?;
    let kind = new.or(old).unwrap_or("default");
    if old.is_some_and(|old| old != kind) {
        return Err(keys.bad("type", &format!("{kind}, as rope_type says"), &json!(old)));
    }
    let stated = keys.take_set("factor");
    let factor = match (kind, stated) {
        // The reference does not look at the factor of the default type; 1 is the only value that cannot mislead.
        ("default", None) => 1.0,
        ("default", Some(v)) if v.as_f64() == Some(1.0) => 1.0,
        ("default", Some(v)) => {
            return Err(keys.bad("factor", "none beside rope_type default", v));
        }
        ("linear", Some(v)) => match v.as_f64() {
            Some(f) if f >= 1.0 && f.is_finite() && f <= 1e6 => f,
            _ => return Err(keys.bad("factor", "a number from 1 to 1000000", v)),
        },
        ("linear", None) => return Err(keys.bad("factor", "a number beside rope_type linear", &Value::Null)),
        (other, _) => {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "{}: rope_type: expected default or linear, found {}",
                    keys.place(),
                    shown(&json!(other))
                ),
            ));
        }
    };
    let base = match keys.take_set("rope_theta") {
        None => None,
        Some(v) => Some(theta(v).ok_or_else(|| keys.bad("rope_theta", "a number above 1", v))?),
    };
    keys.only("partial_rotary_factor", &[json!(1)])?;
    keys.finish()?;
    Ok(Partial { theta: base, factor: Some(factor) })
}
