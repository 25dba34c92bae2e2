//! Quantizes the f32 values of standard input to standard output: `quantize q4_k < values > blocks`.
//!
//! `reference/quantize_rmse.py` measures with it what the blocks lose, beside llama.cpp's.

use std::io::{Read, Write};

use lightbox_kernels::{Dtype, blocks};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("the type is missing, for instance q4_k")?;
    let dtype = Dtype::of_name(&name);
    let dtype = dtype.ok_or_else(|| format!("{name} is no type"))?;
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let values: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let n_bytes = dtype.row_bytes(values.len()).ok_or("the values are not whole blocks")?;
    let mut out = vec![0; n_bytes];
    let started = std::time::Instant::now();
    blocks::quantize(dtype, &values, &mut out)?;
    eprintln!("{dtype}: {:.1} ns a value", started.elapsed().as_nanos() as f64 / values.len() as f64);
    std::io::stdout().write_all(&out)?;
    Ok(())
}
