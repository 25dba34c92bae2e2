//! `generation_config.json`: the ids that end a turn, and nothing that would change the answer unseen.
//!
//! Sampling settings of the file are not applied: the engine is greedy unless a request samples, so that the same
//! request gives the same tokens with every copy of a model. They are still checked to be sane.

use serde_json::{Value, json};

use super::{Keys, ModelConfig};
use crate::files::ModelFiles;
use crate::{Error, ErrorKind, Result};

/// The name of the file.
pub const FILE: &str = "generation_config.json";

/// Keys that do not change which token follows: provenance, lengths (requests set them), what a Python call returns,
/// how caches and compilation work, tokens that only pad, and settings of assisted decoding, which is exact.
const IRRELEVANT: &[&str] = &[
    "_from_model_config",
    "assistant_confidence_threshold",
    "assistant_early_exit",
    "assistant_lookbehind",
    "bos_token_id",
    "cache_config",
    "cache_implementation",
    "compile_config",
    "continuous_batching_config",
    "decoder_start_token_id",
    "disable_compile",
    "is_assistant",
    "low_memory",
    "max_cache_len",
    "max_length",
    "max_matching_ngram_size",
    "max_new_tokens",
    "max_time",
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "output_attentions",
    "output_hidden_states",
    "output_logits",
    "output_scores",
    "pad_token_id",
    "prefill_chunk_size",
    "prompt_lookup_num_tokens",
    "return_dict_in_generate",
    "return_legacy_cache",
    "speculation_type",
    "target_lookbehind",
    "transformers_version",
    "use_cache",
    "use_mtp",
];

/// `eos_token_id` of the reference's class `Gemma3TextConfig`, where no file says another.
const DEFAULT_EOS: u32 = 1;

/// The ids that end a turn: those of `generation_config.json`, else of `config.json`, else the reference's default.
///
/// # Errors
/// [`ErrorKind::Config`] naming the key and value, for a setting that would change the tokens and is not implemented.
pub fn stop_ids(files: &ModelFiles, config: &ModelConfig) -> Result<Vec<u32>> {
    let mut ids = match files.read(FILE)? {
        None => Vec::new(),
        Some(bytes) => parse(&bytes)?,
    };
    if ids.is_empty() {
        ids.clone_from(&config.eos_ids);
    }
    if ids.is_empty() {
        ids.push(DEFAULT_EOS);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// The `eos_token_id` of the file's bytes; empty where it names none.
///
/// # Errors
/// As [`stop_ids`].
pub fn parse(bytes: &[u8]) -> Result<Vec<u32>> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|e| Error::new(ErrorKind::Config, format!("{FILE}: not valid JSON: {e}")))?;
    let mut keys = Keys::new(FILE, &value)?;
    let ids = keys.tokens("eos_token_id")?;
    keys.ignore(IRRELEVANT);
    // Sampling: checked, not applied (see the head of this file).
    let _ = keys.flag("do_sample")?;
    for key in ["temperature", "top_p", "typical_p"] {
        if let Some(v) = keys.take_set(key)
            && !v.as_f64().is_some_and(|x| x >= 0.0 && x.is_finite())
        {
            return Err(keys.bad(key, "a number that is not negative", v));
        }
    }
    if let Some(v) = keys.take_set("top_k")
        && v.as_u64().is_none()
    {
        return Err(keys.bad("top_k", "a whole number that is not negative", v));
    }
    for key in ["num_beams", "num_beam_groups", "num_return_sequences", "repetition_penalty"] {
        keys.only(key, &[json!(1)])?;
    }
    keys.only("length_penalty", &[json!(1)])?;
    keys.only("encoder_repetition_penalty", &[json!(1)])?;
    keys.only("guidance_scale", &[json!(1)])?;
    for key in [
        "diversity_penalty",
        "encoder_no_repeat_ngram_size",
        "epsilon_cutoff",
        "eta_cutoff",
        "min_length",
        "min_new_tokens",
        "min_p",
        "no_repeat_ngram_size",
        "penalty_alpha",
    ] {
        keys.only(key, &[json!(0)])?;
    }
    for key in ["early_stopping", "remove_invalid_values", "renormalize_logits", "token_healing"] {
        keys.only(key, &[json!(false)])?;
    }
    for key in [
        "bad_words_ids",
        "begin_suppress_tokens",
        "constraints",
        "dola_layers",
        "exponential_decay_length_penalty",
        "force_words_ids",
        "forced_bos_token_id",
        "forced_eos_token_id",
        "sequence_bias",
        "stop_strings",
        "suppress_tokens",
        "top_h",
        "watermarking_config",
        "assistant_ensemble_weight",
    ] {
        keys.only(key, &[])?;
    }
    keys.finish()?;
    Ok(ids)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_family_s_own_files_give_their_stop_ids() {
        let table: [(&str, &[u32]); 4] = [
            (
                r#"{"bos_token_id":2,"eos_token_id":[1,106],"pad_token_id":0,"transformers_version":"4.54.0"}"#,
                &[1, 106],
            ),
            (
                r#"{"_from_model_config":true,"cache_implementation":"hybrid","do_sample":true,"top_k":64,"top_p":0.95,"eos_token_id":1}"#,
                &[1],
            ),
            (r#"{"eos_token_id":null}"#, &[]),
            ("{}", &[]),
        ];
        for (json, ids) in table {
            assert_eq!(parse(json.as_bytes()).unwrap(), ids, "{json}");
        }
    }

    #[test]
    fn a_setting_that_would_change_the_answer_is_refused_by_name() {
        let table = [
            (r#"{"repetition_penalty":1.1}"#, "repetition_penalty: expected 1, found 1.1"),
            (r#"{"num_beams":4}"#, "num_beams: expected 1, found 4"),
            (r#"{"bad_words_ids":[[3]]}"#, "bad_words_ids: expected no such setting"),
            (r#"{"wholly_new":1}"#, "unknown key wholly_new with value 1"),
            (r#"{"eos_token_id":"x"}"#, "eos_token_id: expected a token id"),
            (r#"{"temperature":-1}"#, "temperature: expected"),
            ("[]", "expected a JSON object"),
        ];
        for (json, message) in table {
            let error = parse(json.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(message), "{json}: {error}");
        }
    }
}
