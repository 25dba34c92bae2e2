//! The peer candle: `candle-peer MODEL.gguf PROMPT.json N_NEW` runs one prompt (a JSON array of token ids) greedily
//! through `quantized_gemma3` and prints one JSON line with times in milliseconds and what came out.

use std::fs::File;
use std::time::Instant;

use anyhow::{Context, Result};
use candle_core::quantized::gguf_file;
use candle_core::{D, Device, Tensor};
use candle_transformers::models::quantized_gemma3::ModelWeights;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, prompt, n_new] = arguments.as_slice() else {
        anyhow::bail!("usage: candle-peer MODEL.gguf PROMPT.json N_NEW");
    };
    let prompt: Vec<u32> = serde_json::from_reader(File::open(prompt).context("the prompt")?)?;
    let n_new: usize = n_new.parse()?;
    let device = Device::Cpu;

    let start = Instant::now();
    let mut file = File::open(model).context("the model")?;
    let content = gguf_file::Content::read(&mut file)?;
    let mut model = ModelWeights::from_gguf(content, &mut file, &device)?;
    let load = milliseconds(start);

    let start = Instant::now();
    let mut logits = model.forward(&Tensor::new(prompt.as_slice(), &device)?.unsqueeze(0)?, 0)?;
    let (mut id, mut logprob) = best(&logits)?;
    let prefill = milliseconds(start);

    let start = Instant::now();
    let (mut ids, mut logprobs) = (vec![id], vec![logprob]);
    while ids.len() < n_new {
        logits = model.forward(&Tensor::new(&[[id]], &device)?, prompt.len() + ids.len() - 1)?;
        (id, logprob) = best(&logits)?;
        ids.push(id);
        logprobs.push(logprob);
    }
    let decode = milliseconds(start);

    println!(
        "{}",
        serde_json::json!({
            "timings": {"load": load, "image": 0.0, "prefill": prefill, "decode": decode},
            "completion_token_ids": ids,
            "logprobs": logprobs,
        })
    );
    Ok(())
}

/// The most likely token of the last position and its log-probability.
fn best(logits: &Tensor) -> Result<(u32, f32)> {
    let row = candle_core::Tensor::flatten_all(logits)?;
    let id = row.argmax(D::Minus1)?.to_scalar::<u32>()?;
    let values = row.to_vec1::<f32>()?;
    let top = values[id as usize];
    let total: f64 = values.iter().map(|&v| f64::from(v - top).exp()).sum();
    Ok((id, -total.ln() as f32))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
