//! What happens between logits: a token is chosen, its text shown, the thinking block told from the answer, and the
//! end recognised.

mod header;
mod stops;

use crate::sampling::{self, Generator};
use crate::tokens::{Detokenizer, Tokens};
use crate::{Error, ErrorKind, Event, Finish, Generation, Prompt, Request, Result, Timings, TokenLogprob};

use header::Header;
use stops::Stops;

/// What the engine does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Feed this token and come back with the logits that follow it.
    Feed(u32),
    /// The generation has ended.
    Finished,
}

/// A generation in progress.
pub struct Decoding<'a> {
    request: &'a Request,
    tokens: &'a Tokens,
    generator: Generator,
    /// Most tokens in all: what the context leaves, or the request's budgets.
    room: usize,
    ids: Vec<u32>,
    logprobs: Option<Vec<TokenLogprob>>,
    in_thinking: bool,
    /// Tokens of thinking blocks, their markers included.
    n_thinking: usize,
    detokenizer: Detokenizer<'a>,
    answer: String,
    thinking: Option<String>,
    header: Header,
    stops: Stops<'a>,
    finish: Finish,
}

/// Refuses what a request says of generation before any work is done.
///
/// # Errors
/// [`ErrorKind::Request`] naming the field.
pub fn check(request: &Request) -> Result<()> {
    let bad = |what: &str| Err(Error::new(ErrorKind::Request, what.to_owned()));
    sampling::check(&request.sampling)?;
    if request.max_tokens == Some(0) {
        return bad("max_tokens: expected at least 1, found 0");
    }
    if request.max_thinking_tokens == Some(0) {
        return bad("max_thinking_tokens: expected at least 1, found 0");
    }
    if request.stop.iter().any(String::is_empty) {
        return bad("stop: an empty string would end every answer before it begins");
    }
    Ok(())
}

/// Tokens that may be generated after `prompt`, thinking included, by a model of `context` tokens.
///
/// # Errors
/// [`ErrorKind::TooLong`] if the prompt leaves no room for an answer, or not for as much as the request wants.
pub fn room(request: &Request, prompt: &Prompt, context: usize) -> Result<usize> {
    let used = prompt.ids.len();
    let left = context.saturating_sub(used);
    let wanted = match (request.max_tokens, request.max_thinking_tokens) {
        (None, _) => None,
        (Some(answer), None) => Some(answer),
        (Some(answer), Some(thinking)) => Some(answer.saturating_add(thinking)),
    };
    let too_long = |what: String| {
        let n = prompt.image_spans.len();
        let pictures: usize = prompt.image_spans.iter().map(ExactSizeIterator::len).sum();
        Error::new(
            ErrorKind::TooLong,
            format!(
                "{what}: the prompt has {used} tokens ({pictures} of them for {n} picture{}), the context is \
                 {context}",
                if n == 1 { "" } else { "s" }
            ),
        )
    };
    if left == 0 {
        return Err(too_long("the prompt leaves no room for an answer".to_owned())
            .hint("shorten the text or show fewer pictures"));
    }
    match wanted {
        Some(wanted) if wanted > left => Err(too_long(format!("{wanted} tokens of answer do not fit"))
            .hint(format!("ask for at most {left} tokens, shorten the text or show fewer pictures"))),
        Some(wanted) => Ok(wanted),
        None => Ok(left),
    }
}

impl<'a> Decoding<'a> {
    /// Begins; at most `room` tokens will be generated.
    #[must_use]
    pub fn new(request: &'a Request, tokens: &'a Tokens, room: usize) -> Self {
        Self {
            request,
            tokens,
            generator: Generator::new(request.sampling.seed),
            room,
            ids: Vec::new(),
            logprobs: request.logprobs.map(|_| Vec::new()),
            in_thinking: false,
            n_thinking: 0,
            detokenizer: tokens.detokenizer(),
            answer: String::new(),
            thinking: None,
            header: Header::default(),
            stops: Stops::new(&request.stop),
            finish: Finish::Length,
        }
    }

    /// Chooses the token after `logits` and reports it.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] if a logit is not a number or infinite.
    pub fn next(&mut self, logits: &[f32], on_event: &mut dyn FnMut(Event)) -> Result<Step> {
        sampling::check_logits(logits)?;
        let id = sampling::choose(logits, &self.request.sampling, &mut self.generator);
        let logprob = match self.request.logprobs {
            Some(n_top) => Some(sampling::logprob(logits, id, n_top)?),
            None => None,
        };
        self.ids.push(id);
        if let (Some(all), Some(one)) = (&mut self.logprobs, &logprob) {
            all.push(one.clone());
        }
        let (text, thinking, finish) = self.take(id);
        on_event(Event::Token { id, text, thinking, logprob });
        Ok(match finish {
            None => Step::Feed(id),
            Some(finish) => {
                self.finish = finish;
                Step::Finished
            }
        })
    }

    /// What a chosen token shows, whether that belongs to the thinking block, and whether it is the last.
    fn take(&mut self, id: u32) -> (String, bool, Option<Finish>) {
        if self.tokens.stop_ids().contains(&id) {
            let thinking = self.in_thinking;
            return (self.rest(), thinking, Some(Finish::Stop));
        }
        let was_thinking = self.in_thinking;
        let marker = self.tokens.thinking().and_then(|(open, close)| match (id, was_thinking) {
            (id, false) if id == open => Some(true),
            (id, _) if id == close => Some(false),
            _ => None,
        });
        self.n_thinking += usize::from(was_thinking || marker == Some(true));
        let mut text = match marker {
            // What waits belongs to the side that the marker ends.
            Some(opens) => {
                let text = self.rest();
                self.in_thinking = opens;
                if opens {
                    self.thinking.get_or_insert_default();
                    self.header = Header::default();
                }
                text
            }
            None => {
                let text = self.detokenizer.push(id);
                self.show(&text)
            }
        };
        let mut finish = self.ended();
        if finish.is_some() {
            text.push_str(&self.rest());
            // Bytes that waited may have completed a stop string.
            finish = if self.stops.found() { Some(Finish::StopString) } else { finish };
        }
        (text, was_thinking, finish)
    }

    fn ended(&self) -> Option<Finish> {
        if self.stops.found() {
            return Some(Finish::StopString);
        }
        let n_answer = match self.request.max_thinking_tokens {
            None => self.ids.len(),
            Some(max) if self.in_thinking && self.n_thinking >= max => return Some(Finish::ThinkingLength),
            Some(_) => self.ids.len() - self.n_thinking,
        };
        let spent = self.request.max_tokens.is_some_and(|max| n_answer >= max);
        (spent || self.ids.len() >= self.room).then_some(Finish::Length)
    }

    /// Text that has become certain goes to its side; what may be shown of it comes back.
    fn show(&mut self, text: &str) -> String {
        if self.in_thinking {
            let shown = self.header.push(text);
            self.thinking.get_or_insert_default().push_str(&shown);
            return shown;
        }
        let shown = self.stops.push(text);
        self.answer.push_str(&shown);
        shown
    }

    /// Everything that still waits, because nothing more of its run comes.
    fn rest(&mut self) -> String {
        let text = self.detokenizer.flush();
        let mut shown = self.show(&text);
        let (held, side) = if self.in_thinking {
            (self.header.flush(), self.thinking.get_or_insert_default())
        } else {
            (self.stops.flush(), &mut self.answer)
        };
        side.push_str(&held);
        shown.push_str(&held);
        shown
    }

    /// Ends because the caller cancelled. Text that was not certain yet is in the answer, though in no event.
    #[must_use]
    pub fn cancelled(
        mut self,
        prompt: Prompt,
        prompt_logprobs: Option<Vec<Option<TokenLogprob>>>,
        timings: Timings,
    ) -> Generation {
        self.rest();
        self.finish = Finish::Cancelled;
        self.finished(prompt, prompt_logprobs, timings)
    }

    /// What remains of a generation.
    #[must_use]
    pub fn finished(
        self,
        prompt: Prompt,
        prompt_logprobs: Option<Vec<Option<TokenLogprob>>>,
        timings: Timings,
    ) -> Generation {
        Generation {
            prompt,
            ids: self.ids,
            answer: self.answer,
            thinking: self.thinking,
            logprobs: self.logprobs,
            prompt_logprobs,
            finish: self.finish,
            timings,
        }
    }
}

#[cfg(test)]
mod tests;
