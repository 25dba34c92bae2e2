//! A task with its pictures and words, ready for an engine; run, it becomes a reading.

mod fit;

use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use lightbox_intake::{PictureChoice, SourceFile, Study};
use lightbox_models::{Content, Engine, Event, Part, Request, Role, Sampling, Turn};
use serde::{Deserialize, Serialize};

use crate::answers::read_answer;
use crate::prompts::{Prompts, THINKING, Variables};
use crate::reading::{FORMAT, RequestRecord, TemplateRecord};
use crate::tasks::{RAW, Task};
use crate::views::{self, ViewRecord};
use crate::{Error, ErrorKind, Reading, Result};

/// Alternatives that are kept beside each generated token at least, so that a replay can show what else was likely.
const ALTERNATIVES: usize = 5;

/// What the caller words and chooses, beside the pictures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wishes {
    /// The question, where the task takes one.
    pub question: Option<String>,
    /// Clinical information that the model should know.
    pub context: Option<String>,
    /// What was taken of each input: which frames, through which view.
    #[serde(skip_serializing_if = "is_default")]
    pub pictures: PictureChoice,
    /// Asks the model to think first.
    pub think: bool,
    /// Most tokens of the answer; `None`: the task's number, or what the context leaves if that is less.
    pub max_tokens: Option<usize>,
    /// Most tokens of the thinking block; `None`: the task's number, or its share of what the context leaves.
    pub max_thinking_tokens: Option<usize>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Strings that end the answer.
    pub stop: Vec<String>,
    /// Report each generated token with this many alternatives. Five at least are kept, whatever is wished.
    pub logprobs: Option<usize>,
    /// Report each prompt token with this many alternatives.
    pub prompt_logprobs: Option<usize>,
}

/// What the default says is not written, so that records of pictures stay as they were.
fn is_default(pictures: &PictureChoice) -> bool {
    *pictures == PictureChoice::default()
}

/// A task with its pictures and words, ready for an engine.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The task.
    pub task: &'static Task,
    /// The files that the pictures were made from.
    pub inputs: Vec<SourceFile>,
    /// The prompt templates.
    pub templates: Vec<TemplateRecord>,
    /// How the pictures were made: one entry a picture of `request.images`, in its order.
    pub views: Vec<ViewRecord>,
    /// What the caller worded and chose.
    pub wishes: Wishes,
    /// What the engine is asked. The token limits are settled by [`Assignment::fit`].
    pub request: Request,
}

impl Assignment {
    /// Makes the views of `study` and words the request of `task`.
    ///
    /// # Errors
    /// [`ErrorKind::Inputs`] if the question or the pictures do not fit the task, [`ErrorKind::View`] if a view cannot
    /// be made, [`ErrorKind::Prompt`] if the template cannot be rendered.
    pub fn new(task: &'static Task, study: &Study, prompts: &Prompts, wishes: Wishes) -> Result<Self> {
        let Some(prompt) = task.prompt else {
            return Err(inputs(task, "expected turns from the caller, found none"));
        };
        let question = wishes.question.as_deref().map(str::trim).filter(|text| !text.is_empty());
        match (task.takes_question, question) {
            (true, None) => return Err(inputs(task, "expected a question, found none")),
            (false, Some(_)) => {
                return Err(
                    inputs(task, "expected no question, found one").hint("ask it with the task `ask`")
                );
            }
            _ => {}
        }
        if study.frames.len() < task.min_pictures {
            return Err(inputs(
                task,
                &format!("expected at least {} picture, found {}", task.min_pictures, study.frames.len()),
            ));
        }
        let views = views::make(task.recipe, study)?;
        let labels: Vec<_> = views.iter().map(|view| view.record.label.clone()).collect();
        let template = prompts.get(prompt)?;
        let context = wishes.context.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let mut turns = vec![template.render(Variables { question, context, labels: &labels })?];
        if wishes.think {
            turns.insert(0, Turn { role: Role::System, content: Content::Text(THINKING.to_owned()) });
        }
        Ok(Self::assembled(task, study, views, turns, vec![TemplateRecord::from(&template)], wishes))
    }

    /// Takes turns as the caller brings them; part `Image(i)` is frame `i` of `study`, as given.
    ///
    /// # Errors
    /// [`ErrorKind::Inputs`] if `wishes` has words that belong in the turns, if nobody asks (there is no user turn), if a
    /// system turn is not one text, or if the turns do not show each picture once and in order; [`ErrorKind::View`] if a
    /// view cannot be made.
    pub fn raw(study: &Study, turns: Vec<Turn>, wishes: Wishes) -> Result<Self> {
        if wishes.question.is_some() || wishes.context.is_some() || wishes.think {
            return Err(inputs(&RAW, "expected all words in the turns, found some beside them"));
        }
        check_roles(&turns)?;
        let shown: Vec<usize> = turns.iter().flat_map(shown).collect();
        if !shown.iter().copied().eq(0..study.frames.len()) {
            return Err(inputs(
                &RAW,
                &format!(
                    "expected the {} pictures once each and in order, found {shown:?}",
                    study.frames.len()
                ),
            ));
        }
        let views = views::make(RAW.recipe, study)?;
        Ok(Self::assembled(&RAW, study, views, turns, Vec::new(), wishes))
    }

    fn assembled(
        task: &'static Task,
        study: &Study,
        views: Vec<views::View>,
        turns: Vec<Turn>,
        templates: Vec<TemplateRecord>,
        wishes: Wishes,
    ) -> Self {
        let (views, images) = views.into_iter().map(|view| (view.record, view.image)).unzip();
        let mut request = Request::new(turns, images);
        request.sampling = wishes.sampling.clone();
        request.stop = wishes.stop.clone();
        request.logprobs = Some(wishes.logprobs.unwrap_or(0).max(ALTERNATIVES));
        request.prompt_logprobs = wishes.prompt_logprobs;
        Self { task, inputs: study.sources.clone(), templates, views, wishes, request }
    }

    /// Settles the token limits, runs the engine and reads the answer. The pictures stay in `self.request`.
    ///
    /// A cancelled run is a reading too.
    ///
    /// # Errors
    /// Those of [`Assignment::fit`], before any work is done, and those of [`Engine::generate`].
    pub fn run(
        &mut self,
        engine: &mut dyn Engine,
        cancel: &AtomicBool,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Reading> {
        let budget = self.fit(engine)?;
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let generation = engine.generate(&self.request, cancel, on_event)?;
        let answer = read_answer(&generation, self.task.parse);
        Ok(Reading {
            format: FORMAT,
            task: self.task.id(),
            started_unix_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            inputs: self.inputs.clone(),
            wishes: self.wishes.clone(),
            templates: self.templates.clone(),
            views: self.views.clone(),
            request: RequestRecord::of(&self.request),
            budget,
            model: engine.card().clone(),
            generation,
            answer,
        })
    }
}

/// Refuses a conversation of which the family's chat template would leave words out without a word: it folds the system
/// turn into the user turn that follows, and takes the first part of it alone.
fn check_roles(turns: &[Turn]) -> Result<()> {
    if !turns.iter().any(|turn| turn.role == Role::User) {
        return Err(
            inputs(&RAW, "expected at least one user turn, found none").hint("ask in a turn of role `user`")
        );
    }
    for (index, turn) in turns.iter().enumerate().filter(|(_, turn)| turn.role == Role::System) {
        if let Content::Parts(parts) = &turn.content
            && !matches!(parts.as_slice(), [Part::Text(_)])
        {
            let n_pictures = shown(turn).len();
            let n_texts = parts.len() - n_pictures;
            return Err(inputs(
                &RAW,
                &format!(
                    "turn {}: expected one text of a system turn, found {n_texts} and {n_pictures} pictures",
                    index + 1
                ),
            )
            .hint("join its texts into one, and show pictures in a user turn"));
        }
    }
    Ok(())
}

/// The pictures that a turn shows.
fn shown(turn: &Turn) -> Vec<usize> {
    match &turn.content {
        Content::Text(_) => Vec::new(),
        Content::Parts(parts) => parts
            .iter()
            .filter_map(|part| if let Part::Image(index) = part { Some(*index) } else { None })
            .collect(),
    }
}

fn inputs(task: &Task, reason: &str) -> Error {
    Error::new(ErrorKind::Inputs, format!("task {}: {reason}", task.name))
}
