//! `run`: one OpenAI chat request in, one response out.

mod answer;
pub mod request;
mod stream;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use lightbox_models::{Engine, Finish};
use lightbox_reading::Assignment;
use lightbox_serve::openai::{MAX_BODY_BYTES, parse_request};

use self::answer::Answering;
use self::stream::Stream;
use super::read::DRAFT_NOTICE;
use super::watch::Watch;
use crate::arguments::{ModelArguments, OutputArguments};
use crate::caching::Caching;
use crate::exit::{Code, Failure};
use crate::outline::unfit;
use crate::recording::{RecordArguments, Recorder, conclude};
use crate::terminal::{notice, print_json_line, say};
use crate::{cancel, model};

/// Run one OpenAI chat-completions request
///
/// The body has `messages` with text and `image_url` parts (`data:` URLs and local paths; nothing is fetched),
/// `max_tokens`, `temperature`, `top_p`, `top_k`, `seed`, `stop`, `logprobs`, `top_logprobs`, `prompt_logprobs`,
/// `max_thinking_tokens` and `stream`. Unknown fields that might change the answer are refused by name. Pictures are
/// shown as they are: nothing is padded or stretched but by the model's own processor.
///
/// With --json the answer is a `chat.completion` object with a `lightbox` object beside OpenAI's fields; with
/// `"stream": true` it is one `data:` line a piece. Otherwise the text streams to standard output. As in the API, a
/// truncated answer is told by `finish_reason` and not by the exit code.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox run --request request.json --model google/medgemma-1.5-4b-it --json
  echo '{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}], \"max_tokens\": 20}' | lightbox run --request -")]
pub struct Arguments {
    /// File with the request, or - for standard input
    #[arg(long, value_name = "FILE")]
    request: PathBuf,

    #[command(flatten)]
    model: ModelArguments,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    record: RecordArguments,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let body = body(&arguments.request)?;
    let asked = parse_request(&body).map_err(|error| Failure::new(Code::Input, error.to_string()))?;
    drop(body);
    let name = model::name(&arguments.model, asked.model.as_deref());
    let alternatives = asked.logprobs;
    let is_stream = asked.stream && arguments.output.json;
    let request::Understood { turns, inputs, wishes } = request::understand(asked)?;
    // All of it came with the request: what does not fit is the request's fault, not the command line's.
    let mut assignment = Assignment::raw(&inputs.study, turns, wishes)
        .map_err(|error| Failure::new(Code::Input, error.to_string()))?;
    model::outline(&arguments.model, &name)?.budget(&mut assignment)?;
    let recorder = Recorder::open(&arguments.record, &assignment)?;
    let caching = Caching::of(&arguments.record)?;
    let mut engine = model::load(&arguments.model, &name)?;
    caching.attach(&mut engine, &inputs.files);
    notice(DRAFT_NOTICE);
    if let Some(sentence) = &engine.card().notice {
        notice(sentence);
    }
    let answering = Answering { id: id()?, created: now(), model: name, alternatives };
    let cancel = cancel::on_interrupt()?;
    let mut watch = Watch::new(!arguments.output.json, !arguments.output.json, &cancel);
    let mut stream = is_stream.then(|| Stream::new(&answering, &cancel));
    // The engine is busy while events come: their texts are told apart by the events alone.
    let run = assignment.run(&mut engine, &cancel, &mut |event| {
        watch.on(&event);
        if let Some(stream) = &mut stream {
            stream.on(&event);
        }
    });
    let reading = run.map_err(unfit)?;
    let shown = watch.finish();
    let recorded = recorder.map(|recorder| recorder.append(&assignment, &reading, &inputs.files)).transpose();
    conclude(recorded, |record| {
        shown?;
        let record = record.map(str::to_owned);
        match stream {
            Some(stream) => stream.finish(&reading, record, &engine),
            None if arguments.output.json => print_json_line(&answering.whole(&reading, record, &engine)),
            None => Ok(()),
        }
    })?;
    if reading.generation.finish == Finish::Cancelled {
        say("error: interrupted; the answer is incomplete");
        return Ok(Code::Interrupted);
    }
    Ok(Code::Done)
}

fn body(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Code::Input, format!("cannot read the request {}: {error}", path.display()))
    };
    let mut body = Vec::new();
    // One more than is allowed shows that there is more.
    let limit = MAX_BODY_BYTES as u64 + 1;
    if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut body).map_err(failed)?;
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut body)).map_err(failed)?;
    }
    Ok(body)
}

fn id() -> Result<String, Failure> {
    let random: [u8; 12] = lightbox_archive::random()?;
    Ok(format!("chatcmpl-{}", lightbox_archive::hex::encode(&random)))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
