//! How often guesses from what was said before hold on given texts: `guesses FOLDER TEXTS.jsonl`.
//!
//! `FOLDER` holds `tokenizer.json`; a line of `TEXTS.jsonl` is `{"kind": …, "prompt": …, "answer": …}`. The answer is
//! taken as what the model says: passes over the weights are counted as the engine would make them.

#![allow(clippy::print_stdout, reason = "an example for developers")]

use std::collections::BTreeMap;
use std::error::Error;

use lightbox_models::ModelFiles;
use lightbox_models::speculation::{MAX_DRAFT, Speculation};
use lightbox_models::tokens::vocabulary;

#[derive(serde::Deserialize)]
struct Text {
    kind: String,
    prompt: String,
    answer: String,
}

#[derive(Default)]
struct Count {
    tokens: usize,
    accepted: usize,
    drafted: usize,
    /// Passes by their number of rows, from one on.
    passes: [usize; MAX_DRAFT + 1],
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, texts] = &arguments[..] else { return Err("usage: guesses FOLDER TEXTS.jsonl".into()) };
    let tokenizer = vocabulary::load(&ModelFiles::folder(folder)?)?;
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for line in std::fs::read_to_string(texts)?.lines() {
        let text: Text = serde_json::from_str(line)?;
        let ids = |text: &str| tokenizer.encode(text);
        let (prompt, answer) = (ids(&text.prompt)?, ids(&text.answer)?);
        replay(&prompt, &answer, counts.entry(text.kind).or_default());
    }
    for (kind, count) in counts {
        let passes: usize = count.passes.iter().sum();
        println!(
            "{kind}: {} tokens in {passes} passes ({:.2} tokens a pass), {} of {} guesses held, passes by rows {:?}",
            count.tokens,
            count.tokens as f64 / passes as f64,
            count.accepted,
            count.drafted,
            count.passes
        );
    }
    Ok(())
}

/// Walks an answer whose first token comes from the prompt's own pass.
fn replay(prompt: &[u32], answer: &[u32], count: &mut Count) {
    let mut speculation = Speculation::new(prompt, usize::MAX, None);
    let mut said = 0;
    while let Some(next) = answer.get(said) {
        speculation.push(*next);
        said += 1;
        let left = answer.len() - said;
        let draft = speculation.draft(left).to_vec();
        let accepted = draft.iter().zip(&answer[said..]).take_while(|(guess, token)| guess == token).count();
        speculation.heard(draft.len(), accepted);
        draft[..accepted].iter().for_each(|id| speculation.push(*id));
        said += accepted;
        count.passes[draft.len()] += 1;
        count.drafted += draft.len();
        count.accepted += accepted;
    }
    count.tokens += answer.len();
}
