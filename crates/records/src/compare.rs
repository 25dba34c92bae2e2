//! What a replay is measured by: the same conditions, the same prompt, the same tokens.

use lightbox_models::{Alternative, Finish, Generation, ModelCard, RgbImage};
use serde::Serialize;

use crate::{Body, Digest};

/// One thing that is not as the record says, from cause to effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Difference {
    /// Another model: hex digests.
    Model {
        /// As recorded.
        recorded: String,
        /// As it is now.
        now: String,
    },
    /// An input has other contents, or there are more or fewer of them.
    Input {
        /// Which, from 0.
        number: usize,
        /// Its SHA-256 as recorded; `None` if there was none.
        recorded: Option<String>,
        /// Its SHA-256 now.
        now: Option<String>,
    },
    /// A picture for the model is another one, or there are more or fewer of them.
    View {
        /// Which, from 0.
        number: usize,
        /// As recorded.
        recorded: Option<Picture>,
        /// As it is now.
        now: Option<Picture>,
    },
    /// The prompt has other token ids.
    Prompt {
        /// First position that differs, from 0.
        position: usize,
        /// The id recorded there; `None` if the recorded prompt ends before.
        recorded: Option<u32>,
        /// The id there now; `None` if the prompt ends before.
        now: Option<u32>,
    },
    /// Another token was generated.
    Token {
        /// First position that differs, from 0.
        position: usize,
        /// What was recorded there.
        recorded: Step,
        /// What is there now.
        now: Step,
    },
    /// The same tokens, which ended for another reason.
    Finish {
        /// As recorded.
        recorded: Finish,
        /// As it is now.
        now: Finish,
    },
    /// The same tokens, read as another text.
    Text,
}

/// A picture as it is handed to a model, known by its samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Hex SHA-256 of the RGB samples, `[height, width, 3]`.
    pub sha256: String,
}

/// A token and what else was likely in its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// The token; `None` if the generation ended before.
    pub token: Option<Shown>,
    /// The most likely tokens, best first; empty where the request did not ask for them.
    pub top: Vec<Shown>,
}

/// A token as people read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// Token id.
    pub id: u32,
    /// Its text.
    pub text: String,
    /// Natural logarithm of its probability, where known.
    pub logprob: Option<f32>,
}

/// How the log-probabilities of the tokens that both generations share compare.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Logprobs {
    /// Tokens that have one in both.
    pub compared: usize,
    /// How many of them are the same to the bit.
    pub same: usize,
    /// The largest difference.
    pub largest_difference: f32,
}

/// A record beside a new run of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Nothing differs. An interrupted record is compared up to where it was interrupted.
    pub identical: bool,
    /// What differs, from cause to effect; a difference of tokens is the first one only.
    pub differences: Vec<Difference>,
    /// Generated tokens that are the same, from the first on.
    pub same_tokens: usize,
    /// The record was interrupted after so many tokens.
    pub recorded_until: Option<usize>,
    /// The replay was interrupted after so many tokens, and says nothing of what comes after.
    pub replayed_until: Option<usize>,
    /// `None` where the record or the replay has no log-probabilities.
    pub logprobs: Option<Logprobs>,
}

/// What can differ before the model runs: the model, the inputs, the pictures made from them.
///
/// `inputs` are the digests now, `None` where the pictures come from kept views; `images` are the pictures that
/// the model would be handed.
#[must_use]
pub fn compare_conditions(
    recorded: &Body,
    model: &ModelCard,
    inputs: Option<&[Digest]>,
    images: &[RgbImage],
) -> Vec<Difference> {
    let recorded = &recorded.reading;
    let mut differences = Vec::new();
    if recorded.model.digest != model.digest {
        let (recorded, now) = (recorded.model.digest.clone(), model.digest.clone());
        differences.push(Difference::Model { recorded, now });
    }
    if let Some(inputs) = inputs {
        let before: Vec<_> = recorded.inputs.iter().map(|input| input.sha256.clone()).collect();
        let inputs: Vec<_> = inputs.iter().map(Digest::to_string).collect();
        differences.extend(unequal(&before, &inputs).map(|(number, recorded, now)| Difference::Input {
            number,
            recorded,
            now,
        }));
    }
    let picture = |width, height, sha256| Picture { width, height, sha256 };
    let before: Vec<_> =
        recorded.views.iter().map(|view| picture(view.width, view.height, view.sha256.clone())).collect();
    let views: Vec<_> = images
        .iter()
        .map(|image| picture(image.width(), image.height(), Digest::of(image.pixels()).to_string()))
        .collect();
    differences.extend(unequal(&before, &views).map(|(number, recorded, now)| Difference::View {
        number,
        recorded,
        now,
    }));
    differences
}

/// Compares a record with a new run of its request. `conditions` are [`compare_conditions`]' differences; `text`
/// says what a token reads as.
#[must_use]
pub fn compare(
    recorded: &Body,
    conditions: Vec<Difference>,
    now: &Generation,
    text: &dyn Fn(u32) -> String,
) -> Comparison {
    let before = &recorded.reading.generation;
    let mut differences = conditions;
    if let Some((position, recorded, now)) = unequal(&before.prompt.ids, &now.prompt.ids).next() {
        differences.push(Difference::Prompt { position, recorded, now });
    }
    let recorded_until = recorded.interrupted_after();
    let replayed_until = (now.finish == Finish::Cancelled).then_some(now.ids.len());
    let until = recorded_until.unwrap_or(usize::MAX).min(replayed_until.unwrap_or(usize::MAX));
    let cut = |ids: &[u32]| ids.len().min(until);
    let (old, new) = (&before.ids[..cut(&before.ids)], &now.ids[..cut(&now.ids)]);
    let first = unequal(old, new).next();
    let same_tokens = first.map_or(old.len(), |(position, ..)| position);
    if let Some((position, ..)) = first {
        let (recorded, now) = (step(before, old, position, text), step(now, new, position, text));
        differences.push(Difference::Token { position, recorded, now });
    } else if recorded_until.is_none() && replayed_until.is_none() {
        if before.finish != now.finish {
            differences.push(Difference::Finish { recorded: before.finish, now: now.finish });
        } else if before.answer != now.answer || before.thinking != now.thinking {
            differences.push(Difference::Text);
        }
    }
    Comparison {
        // A replay that was itself stopped short of the record has not shown that they are identical.
        identical: differences.is_empty() && (replayed_until.is_none() || same_tokens == before.ids.len()),
        differences,
        same_tokens,
        recorded_until,
        replayed_until,
        logprobs: logprobs(before, now, same_tokens),
    }
}

/// The places where two lists differ, with what each has there.
fn unequal<T: Clone + PartialEq>(a: &[T], b: &[T]) -> impl Iterator<Item = (usize, Option<T>, Option<T>)> {
    (0..a.len().max(b.len()))
        .filter(|&place| a.get(place) != b.get(place))
        .map(|place| (place, a.get(place).cloned(), b.get(place).cloned()))
}

fn step(generation: &Generation, ids: &[u32], position: usize, text: &dyn Fn(u32) -> String) -> Step {
    let detail = generation.logprobs.as_ref().and_then(|all| all.get(position));
    let shown = |id: u32, logprob: Option<f32>| Shown { id, text: text(id), logprob };
    let alternative = |&Alternative { id, logprob }: &Alternative| shown(id, Some(logprob));
    Step {
        token: ids.get(position).map(|&id| shown(id, detail.filter(|of| of.id == id).map(|of| of.logprob))),
        top: detail.map(|of| of.top.iter().map(alternative).collect()).unwrap_or_default(),
    }
}

fn logprobs(before: &Generation, now: &Generation, same_tokens: usize) -> Option<Logprobs> {
    let pairs = before.logprobs.as_ref()?.iter().zip(now.logprobs.as_ref()?).take(same_tokens);
    let start = Logprobs { compared: 0, same: 0, largest_difference: 0.0 };
    Some(pairs.fold(start, |all, (a, b)| Logprobs {
        compared: all.compared + 1,
        same: all.same + usize::from(a.logprob.to_bits() == b.logprob.to_bits()),
        largest_difference: all.largest_difference.max((a.logprob - b.logprob).abs()),
    }))
}
