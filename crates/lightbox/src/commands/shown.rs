//! What `records show` prints: what was asked, of what, by what, and what came of it.

use lightbox_models::Sampling;
use lightbox_reading::TemplateRecord;
use lightbox_records::Body;

use super::read::DRAFT_NOTICE;
use crate::terminal::count;

/// A record in words. The words of question and context stand in `--json` alone: whoever looks over a shoulder sees an
/// answer, not whom it is about.
pub fn told(body: &Body) -> String {
    let reading = &body.reading;
    let generation = &reading.generation;
    let model = &reading.model;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| text.push_str(&format!("{name:<10}{value}\n"));
    line("record", &body.id.to_string());
    line("time", &body.time);
    line("program", &format!("lightbox {}, {}", body.version, body.cpu));
    line("task", &reading.task);
    line("model", &format!("{} ({})", model.name, short(&model.digest)));
    line("inputs", &reading.inputs.len().to_string());
    for (index, input) in reading.inputs.iter().enumerate() {
        line("", &format!("{}  sha256 {}", index + 1, input.sha256));
    }
    line("pictures", &reading.views.len().to_string());
    if reading.templates.is_empty() {
        // A conversation of the caller's own (`run`), not a task's words.
        line("turns", &reading.request.turns.len().to_string());
    } else {
        line("question", given(reading.wishes.question.is_some()));
        line("context", given(reading.wishes.context.is_some()));
    }
    for template in reading.templates.iter().filter(|template| template.overridden) {
        line("template", &overridden(template));
    }
    line("sampling", &sampling(&reading.request.sampling));
    line("prompt", &count(generation.prompt.ids.len(), "token"));
    line("answer", &format!("{}, {}", reading.answer.state(), count(generation.ids.len(), "token")));
    for notice in [Some(DRAFT_NOTICE), model.notice.as_deref()].into_iter().flatten() {
        line("notice", notice);
    }
    if let Some(thinking) = &generation.thinking {
        text.push_str(&format!("\nthinking:\n{thinking}\n"));
    }
    text.push_str(&format!("\n{}\n", generation.answer));
    text
}

/// Enough of a digest to tell two apart.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

fn given(is_given: bool) -> &'static str {
    if is_given { "given" } else { "none" }
}

fn overridden(template: &TemplateRecord) -> String {
    format!("{} was overridden by a file of the user ({})", template.name, short(&template.sha256))
}

fn sampling(sampling: &Sampling) -> String {
    if sampling.temperature == 0.0 {
        return "the most likely token each time".to_owned();
    }
    let top_k = sampling.top_k.map_or_else(String::new, |k| format!(", top k {k}"));
    let top_p = sampling.top_p.map_or_else(String::new, |p| format!(", top p {p}"));
    format!("temperature {}{top_k}{top_p}, seed {}", sampling.temperature, sampling.seed)
}
