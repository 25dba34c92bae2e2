//! An engine without weights that writes what it is told to: for tests of everything above the model.
//!
//! Prompts, pictures, budgets, stop strings, thinking, log-probabilities and events go through the same code as a
//! loaded model's; only the scores are made up, so that the script comes out.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, json};

use crate::config::{ImageProcessor, ModelConfig};
use crate::decoding::{self, Decoding, Step};
use crate::tokens::{ChatTemplate, Tokens, vocabulary};
use crate::{Engine, Event, Generation, ModelCard, Prompt, Request, Result, RgbImage, Timings, sampling};

/// Special tokens by id; then come single characters and bytes.
const SPECIALS: [&str; 10] = [
    "<pad>",
    "<eos>",
    "<bos>",
    "<unk>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "<end_of_image>",
    "<image_soft_token>",
    "\n\n",
];
/// Markers of a thinking block, which are not flagged special.
const MARKERS: [&str; 2] = ["<unused94>", "<unused95>"];
const END_OF_TURN: u32 = 5;
/// The score of the token that the script wants; all others have 0.
const WANTED: f32 = 1e6;

/// What a request is answered with, or the error that it fails with.
type Reply = Box<dyn FnMut(&Request) -> Result<String> + Send>;

/// See the module.
pub struct ScriptedEngine {
    card: ModelCard,
    tokens: Tokens,
    processor: ImageProcessor,
    vocab_size: usize,
    delay: Duration,
    reply: Reply,
}

impl ScriptedEngine {
    /// Answers each request with what `reply` makes of it. `<unused94>` and `<unused95>` in it open and close a
    /// thinking block, as a model of the family writes them.
    ///
    /// # Errors
    /// None in practice: the tokenizer and settings that it makes for itself are checked like a file's.
    pub fn new(reply: impl FnMut(&Request) -> Result<String> + Send + 'static) -> Result<Self> {
        let (tokenizer, vocab_size) = tokenizer();
        let config = json!({
            "model_type": "gemma3", "mm_tokens_per_image": 4, "boi_token_index": 6, "eoi_token_index": 7,
            "image_token_index": 8,
            "text_config": {"vocab_size": vocab_size, "max_position_embeddings": 8192},
            "vision_config": {"image_size": 56, "patch_size": 14}
        });
        let config = ModelConfig::parse(config.to_string().as_bytes())?;
        let tokenizer = vocabulary::parse(tokenizer.as_bytes())?;
        let specials = vocabulary::parse_specials(b"{}", &tokenizer)?;
        let tokens = Tokens::new(tokenizer, specials, ChatTemplate::built_in(), &config, &[1, END_OF_TURN])?;
        Ok(Self {
            card: ModelCard {
                name: "scripted".to_owned(),
                digest: "0".repeat(64),
                architecture: config.architecture.clone(),
                context_tokens: config.text.max_positions,
                image_size_px: Some(56),
                tokens_per_image: Some(4),
                notice: Some("this text is a script, no model wrote it".to_owned()),
                backend: "none".to_owned(),
            },
            tokens,
            processor: ImageProcessor::parse(br#"{"size":{"height":56,"width":56}}"#)?,
            vocab_size,
            delay: Duration::ZERO,
            reply: Box::new(reply),
        })
    }

    /// Answers every request with `text`.
    ///
    /// # Errors
    /// As [`ScriptedEngine::new`].
    pub fn saying(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        Self::new(move |_| Ok(text.clone()))
    }

    /// Waits this long before each token, as a model would.
    #[must_use]
    pub fn slow(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Has a context of this many tokens; 8192 otherwise.
    #[must_use]
    pub fn with_context(mut self, tokens: usize) -> Self {
        self.card.context_tokens = tokens;
        self
    }

    fn scores(&self, wanted: Option<u32>) -> Vec<f32> {
        let mut scores = vec![0.0; self.vocab_size];
        if let Some(score) = wanted.and_then(|id| scores.get_mut(id as usize)) {
            *score = WANTED;
        }
        scores
    }
}

impl Engine for ScriptedEngine {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn prompt(&self, request: &Request) -> Result<Prompt> {
        self.tokens.prompt(request)
    }

    fn decode(&self, ids: &[u32]) -> String {
        self.tokens.decode(ids)
    }

    fn resized(&self, image: &RgbImage) -> Result<RgbImage> {
        self.processor.resized(image)
    }

    fn generate(
        &mut self,
        request: &Request,
        cancel: &AtomicBool,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Generation> {
        decoding::check(request)?;
        let prompt = self.tokens.prompt(request)?;
        let room = decoding::room(request, &prompt, self.card.context_tokens)?;
        let mut script = self.tokens.encode(&(self.reply)(request)?)?;
        script.push(END_OF_TURN);
        let total = request.images.len();
        for done in (0..=total).filter(|_| total > 0) {
            on_event(Event::Image { done, total, cached: 0 });
        }
        let total = prompt.ids.len();
        for done in [0, total] {
            on_event(Event::Prefill { done, total });
        }
        let prompt_logprobs = match request.prompt_logprobs {
            None => None,
            Some(n_top) => {
                let even = self.scores(None);
                let rest = prompt.ids.iter().skip(1).map(|id| sampling::logprob(&even, *id, n_top).map(Some));
                Some(std::iter::once(Ok(None)).chain(rest).collect::<Result<Vec<_>>>()?)
            }
        };
        let mut decoding = Decoding::new(request, &self.tokens, room);
        // After the script's end the turn ends again and again, should a stop id not have ended it.
        for id in script.into_iter().chain(std::iter::repeat(END_OF_TURN)) {
            if cancel.load(Ordering::Relaxed) {
                return Ok(decoding.cancelled(prompt, prompt_logprobs, Timings::default()));
            }
            std::thread::sleep(self.delay);
            if decoding.next(&self.scores(Some(id)), on_event)? == Step::Finished {
                break;
            }
        }
        Ok(decoding.finished(prompt, prompt_logprobs, Timings::default()))
    }
}

/// A `tokenizer.json` of Gemma's kind that knows single characters of ASCII and, for the rest, bytes; and its size.
fn tokenizer() -> (String, usize) {
    let mut pieces: Vec<String> = SPECIALS.iter().chain(&MARKERS).map(|s| (*s).to_owned()).collect();
    let n_added = pieces.len();
    pieces.extend((b'!'..=b'~').map(|c| char::from(c).to_string()));
    pieces.extend(["\n", "\t", "▁"].map(str::to_owned));
    for byte in 0..=255u8 {
        let mut piece = String::new();
        let _ = write!(piece, "<0x{byte:02X}>");
        pieces.push(piece);
    }
    let added: Vec<_> = pieces[..n_added]
        .iter()
        .enumerate()
        .map(|(id, piece)| {
            json!({
                "id": id, "content": piece, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": id < SPECIALS.len() - 1
            })
        })
        .collect();
    let vocab: Map<_, _> = pieces.iter().enumerate().map(|(id, piece)| (piece.clone(), json!(id))).collect();
    let file = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": null, "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"}
        ]},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
            "vocab": vocab, "merges": []
        }
    });
    (file.to_string(), pieces.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, Error, ErrorKind, Finish, Part, Role, Turn};

    fn ask(parts: Vec<Part>, n_images: usize) -> Request {
        let image = RgbImage::new(2, 3, vec![7; 18]).expect("six pixels");
        Request::new(vec![Turn { role: Role::User, content: Content::Parts(parts) }], vec![image; n_images])
    }

    fn words(text: &str) -> Request {
        ask(vec![Part::Text(text.to_owned())], 0)
    }

    fn run(engine: &mut ScriptedEngine, request: &Request) -> (String, Generation) {
        let mut text = String::new();
        let mut on_event = |event| {
            if let Event::Token { text: piece, thinking: false, .. } = event {
                text.push_str(&piece);
            }
        };
        let generation =
            engine.generate(request, &AtomicBool::new(false), &mut on_event).expect("a sound request");
        (text, generation)
    }

    #[test]
    fn the_script_comes_out_with_its_thought_apart() {
        for (script, answer, thinking) in [
            ("An answer — 肺, <b>\n\nend.", "An answer — 肺, <b>\n\nend.", None),
            ("<unused94>thought\nHm. <unused95>Yes", "Yes", Some("Hm. ")),
            ("", "", None),
        ] {
            let mut engine = ScriptedEngine::saying(script).expect("its own settings");
            let (text, generation) = run(&mut engine, &words("q"));
            assert_eq!((text.as_str(), generation.answer.as_str()), (answer, answer));
            assert_eq!((generation.thinking.as_deref(), generation.finish), (thinking, Finish::Stop));
            assert_eq!(engine.decode(&generation.ids), format!("{script}<end_of_turn>"));
        }
    }

    #[test]
    fn prompts_and_events_are_a_model_s() {
        let mut engine =
            ScriptedEngine::new(|request| Ok(request.images.len().to_string())).expect("its own settings");
        let mut request = ask(vec![Part::Image(0), Part::Text("x".to_owned()), Part::Image(1)], 2);
        request.prompt_logprobs = Some(1);
        let mut events = Vec::new();
        let generation = engine
            .generate(&request, &AtomicBool::new(false), &mut |event| events.push(event))
            .expect("a sound request");
        assert_eq!(generation.answer, "2");
        assert_eq!(generation.prompt, engine.prompt(&request).expect("a sound request"));
        assert!(generation.prompt.image_spans.iter().all(|span| span.len() == 4));
        let prompt_logprobs = generation.prompt_logprobs.expect("they were asked for");
        assert_eq!(prompt_logprobs.len(), generation.prompt.ids.len());
        assert!(prompt_logprobs[0].is_none() && prompt_logprobs[1].is_some());
        assert_eq!(events[0], Event::Image { done: 0, total: 2, cached: 0 });
        assert!(matches!(events.last(), Some(Event::Token { id: END_OF_TURN, .. })));
    }

    #[test]
    fn wishes_errors_and_cancelling_are_heeded() {
        let mut engine = ScriptedEngine::saying("one two three").expect("its own settings");
        let mut request = words("q");
        request.stop = vec![" three".to_owned()];
        assert_eq!(run(&mut engine, &request).1.finish, Finish::StopString);
        request.max_tokens = Some(3);
        let (text, generation) = run(&mut engine, &request);
        assert_eq!((text.as_str(), generation.finish), ("one", Finish::Length));
        let cancel = AtomicBool::new(false);
        let mut engine = engine.slow(Duration::from_millis(1));
        let mut stop_at_once = |event| {
            if matches!(event, Event::Token { .. }) {
                cancel.store(true, Ordering::Relaxed);
            }
        };
        let generation = engine.generate(&words("q"), &cancel, &mut stop_at_once).expect("a sound request");
        assert_eq!((generation.answer.as_str(), generation.finish), ("o", Finish::Cancelled));
        let mut small = engine.with_context(10);
        let error = small.generate(&words("q"), &AtomicBool::new(false), &mut |_| {}).expect_err("too long");
        assert_eq!(error.kind(), ErrorKind::TooLong);
        let fails = |_: &Request| Err(Error::new(ErrorKind::Resources, "no memory"));
        let mut engine = ScriptedEngine::new(fails).expect("its own settings");
        let error = engine.generate(&words("q"), &AtomicBool::new(false), &mut |_| {}).expect_err("it fails");
        assert_eq!(error.kind(), ErrorKind::Resources);
    }
}
