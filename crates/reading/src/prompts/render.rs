//! A template and its variables to one user turn.

use lightbox_models::{Content, Part, Role, Turn};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};

use super::Template;
use crate::Result;

/// Opens and closes the number of a picture in rendered text: a private-use character that no prompt may contain.
const MARK: char = '\u{F8FE}';

/// The names that a template may use.
const KNOWN: [&str; 3] = ["context", "pictures", "question"];

/// What a template can show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variables<'a> {
    /// `question`: what the caller asks, none where the task takes no question.
    pub question: Option<&'a str>,
    /// `context`: clinical information, or the text of a report.
    pub context: Option<&'a str>,
    /// `pictures`: one entry a picture, in the order in which the engine gets them; each has `image` and `label`.
    pub labels: &'a [Option<String>],
}

impl Template {
    /// Renders the template to one user turn.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`](crate::ErrorKind::Prompt) if the template does not compile, uses a variable that does not
    /// exist (it is named), holds no words, leaves out the question that was asked, or does not show every picture
    /// exactly once and in order.
    pub fn render(&self, variables: Variables<'_>) -> Result<Turn> {
        let Variables { question, context, labels } = variables;
        let given = [question, context].into_iter().flatten();
        if given.chain(labels.iter().flatten().map(String::as_str)).any(|text| text.contains(MARK)) {
            return Err(self.error("expected text without the private-use character U+F8FE, found it"));
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| self.fault(&error))?);
        let template =
            environment.template_from_named_str(&self.name, &self.text).map_err(|e| self.fault(&e))?;
        let mut unknown: Vec<String> =
            template.undeclared_variables(false).into_iter().filter(|name| !is_known(name)).collect();
        unknown.sort();
        if !unknown.is_empty() {
            return Err(self
                .error(format!(
                    "expected the variables {}, found `{}`",
                    KNOWN.join(", "),
                    unknown.join("`, `")
                ))
                .hint("correct the template"));
        }
        let pictures: Vec<_> = labels
            .iter()
            .enumerate()
            .map(|(index, label)| context! { image => format!("{MARK}{index}{MARK}"), label })
            .collect();
        let text =
            template.render(context! { question, context, pictures }).map_err(|error| self.fault(&error))?;
        if let Some(question) = question
            && !(template.undeclared_variables(false).contains("question") && text.contains(question))
        {
            return Err(self
                .error("expected the question as it was asked, found a text without it")
                .hint("write `{{ question }}` where it belongs"));
        }
        let parts = self.split(&text, labels.len())?;
        if !parts.iter().any(|part| matches!(part, Part::Text(_))) {
            return Err(self.error("expected words, found none").hint("correct the template, or delete it"));
        }
        Ok(Turn { role: Role::User, content: Content::Parts(parts) })
    }

    /// Splits rendered text at the marks: text at even places, picture numbers at odd ones.
    fn split(&self, text: &str, n_pictures: usize) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        let mut shown = 0;
        for (place, piece) in text.split(MARK).enumerate() {
            if place % 2 == 1 {
                if piece != shown.to_string() {
                    return Err(self.error(format!(
                        "expected each of the {n_pictures} pictures once and in order, found picture {piece} where {shown} is due"
                    )));
                }
                parts.push(Part::Image(shown));
                shown += 1;
            } else if !piece.trim().is_empty() {
                parts.push(Part::Text(piece.trim().to_owned()));
            }
        }
        if shown != n_pictures {
            return Err(self
                .error(format!("expected {n_pictures} pictures shown, found {shown}"))
                .hint("write `picture.image` once for each of `pictures`"));
        }
        Ok(parts)
    }

    /// What minijinja found: its kind, its detail and the line, without the values of variables.
    fn fault(&self, error: &minijinja::Error) -> crate::Error {
        let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
        self.error(format!("{line}{}{detail}", error.kind()))
    }
}

fn is_known(name: &str) -> bool {
    // minijinja's own functions count as undeclared names too.
    KNOWN.contains(&name) || ["range", "dict", "namespace", "debug"].contains(&name)
}
