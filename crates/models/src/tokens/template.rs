//! The chat template: from turns to the text that is tokenized.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde_json::Value as Json;

use super::python;
use crate::files::ModelFiles;
use crate::{Content, Error, ErrorKind, Part, Result, Role, Turn};

/// Gemma 3's turns, for folders without a template.
const BUILT_IN: &str = include_str!("gemma3.jinja");
/// Where the built-in template says it comes from.
const BUILT_IN_ORIGIN: &str = "built-in Gemma 3 template";
/// Steps a template may take: enough for a hundred thousand parts, and an end to a template that loops for ever.
const FUEL: u64 = 10_000_000;
/// Longest template that is believed.
const MAX_BYTES: usize = 1 << 20;
/// How deep a template may nest its own macros.
const MAX_DEPTH: usize = 64;

/// A compiled-once, checked chat template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatTemplate {
    origin: String,
    source: String,
}

impl ChatTemplate {
    /// The template of a GGUF file's metadata, or the folder's, in the reference's order: `chat_template.jinja`, `chat_template.json`,
    /// `processor_config.json`, `tokenizer_config.json`; without any, the built-in one of Gemma 3.
    ///
    /// # Errors
    /// [`ErrorKind::Template`] if the first that exists cannot be used.
    pub fn load(files: &ModelFiles) -> Result<Self> {
        if let Some(model) = files.as_gguf() {
            return super::metadata::template_from_gguf(model.text()?);
        }
        if let Some(bytes) = files.read("chat_template.jinja")? {
            return Self::parse("chat_template.jinja", &bytes);
        }
        for file in ["chat_template.json", "processor_config.json", "tokenizer_config.json"] {
            if let Some(bytes) = files.read(file)?
                && let Some(template) = Self::parse_json(file, &bytes)?
            {
                return Ok(template);
            }
        }
        Ok(Self::built_in())
    }

    /// The built-in template.
    #[must_use]
    pub fn built_in() -> Self {
        Self { origin: BUILT_IN_ORIGIN.to_owned(), source: BUILT_IN.to_owned() }
    }

    /// Where the template came from: a file's name, or that it is built in.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The template itself.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether no file had a template.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.origin == BUILT_IN_ORIGIN
    }

    /// A template from the bytes of a file; `origin` is for messages.
    ///
    /// # Errors
    /// [`ErrorKind::Template`] with the line, if it does not compile.
    pub fn parse(origin: &str, bytes: &[u8]) -> Result<Self> {
        let source = std::str::from_utf8(bytes)
            .map_err(|e| Error::new(ErrorKind::Template, format!("{origin}: not UTF-8: {e}")))?;
        Self::compile(origin, source)
    }

    /// The template under `chat_template` of a JSON file: a string, or a list of named ones, of which `default` is it.
    ///
    /// # Errors
    /// As [`ChatTemplate::parse`], and for JSON of another shape.
    pub fn parse_json(origin: &str, bytes: &[u8]) -> Result<Option<Self>> {
        let bad = |what: String| Error::new(ErrorKind::Template, format!("{origin}: {what}"));
        let json: Json = serde_json::from_slice(bytes).map_err(|e| bad(format!("not valid JSON: {e}")))?;
        let source = match json.get("chat_template") {
            None | Some(Json::Null) => return Ok(None),
            Some(Json::String(source)) => source,
            Some(Json::Array(list)) => {
                let named = list.iter().find(|t| t.get("name").and_then(Json::as_str) == Some("default"));
                named
                    .and_then(|t| t.get("template"))
                    .and_then(Json::as_str)
                    .ok_or_else(|| bad("chat_template: expected one named default in the list".to_owned()))?
            }
            Some(other) => {
                let shown = crate::config::shown(other);
                return Err(bad(format!("chat_template: expected a string or a list, found {shown}")));
            }
        };
        Self::compile(origin, source).map(Some)
    }

    fn compile(origin: &str, source: &str) -> Result<Self> {
        if source.len() > MAX_BYTES {
            return Err(Error::new(
                ErrorKind::Template,
                format!("{origin}: {} bytes, expected at most {MAX_BYTES}", source.len()),
            ));
        }
        environment().template_from_named_str(origin, source).map_err(|e| refused(origin, &e))?;
        Ok(Self { origin: origin.to_owned(), source: source.to_owned() })
    }

    /// Renders turns, ready for the model's answer. `specials` are the names that templates know special tokens by
    /// (`bos_token`, …) and their texts.
    ///
    /// # Errors
    /// [`ErrorKind::Template`] with what the template refused and where, or the line that failed.
    pub fn render(&self, turns: &[Turn], specials: &BTreeMap<String, String>) -> Result<String> {
        let env = environment();
        let failed = |e: minijinja::Error| refused(&self.origin, &e);
        let template = env.template_from_named_str(&self.origin, &self.source).map_err(failed)?;
        let messages: Vec<Value> = turns.iter().map(message).collect();
        let values = context! {
            messages => messages,
            add_generation_prompt => true,
            tools => Value::from(()),
            documents => Value::from(()),
            ..Value::from_pairs(specials.iter().map(|(name, text)| (name.as_str(), text.as_str())))
        };
        template.render(values.clone()).map_err(|e| {
            let mut unset: Vec<String> = template.undeclared_variables(false).into_iter().collect();
            unset.retain(|name| values.get_attr(name).is_ok_and(|v| v.is_undefined()) && !is_function(name));
            unset.sort();
            match e.kind() {
                minijinja::ErrorKind::UndefinedError if !unset.is_empty() => {
                    failed(e).hint(format!("the template asks for {}, which nothing sets", unset.join(", ")))
                }
                _ => failed(e),
            }
        })
    }
}

/// Functions of the environment, which the engine counts among the names a template asks for.
fn is_function(name: &str) -> bool {
    environment().globals().any(|(global, _)| global == name)
}

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    python::apply(&mut env);
    // A variable that nobody sets may be asked for (`if tools`), but not printed as nothing.
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(MAX_DEPTH);
    env
}

fn message(turn: &Turn) -> Value {
    let role = match turn.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let content = match &turn.content {
        Content::Text(text) => Value::from(text.as_str()),
        Content::Parts(parts) => parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => context! { type => "text", text => text.as_str() },
                Part::Image(_) => context! { type => "image" },
            })
            .collect(),
    };
    context! { role => role, content => content }
}

/// The template's own words where it raised, else the engine's with the line; never the text of the conversation.
fn refused(origin: &str, e: &minijinja::Error) -> Error {
    let line = e.line().map_or_else(String::new, |line| format!(" (line {line})"));
    let what = match (e.kind(), e.detail()) {
        (minijinja::ErrorKind::InvalidOperation, Some(detail)) => detail.to_owned(),
        (minijinja::ErrorKind::OutOfFuel, _) => "it takes too many steps".to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    Error::new(ErrorKind::Template, format!("{origin}: {what}{line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specials() -> BTreeMap<String, String> {
        [("bos_token", "<bos>"), ("boi_token", "<start_of_image>")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into()
    }

    fn text(role: Role, words: &str) -> Turn {
        Turn { role, content: Content::Text(words.to_owned()) }
    }

    fn parts(role: Role, parts: &[Part]) -> Turn {
        Turn { role, content: Content::Parts(parts.to_vec()) }
    }

    fn word(words: &str) -> Part {
        Part::Text(words.to_owned())
    }

    #[test]
    fn the_built_in_template_is_gemma_3() {
        let slices = [
            word("Instr."),
            Part::Image(0),
            word("SLICE 1"),
            Part::Image(1),
            word("SLICE 2"),
            word("\n\nBased on the visual"),
        ];
        let table = [
            (
                vec![parts(Role::User, &slices)],
                "<bos><start_of_turn>user\nInstr.<start_of_image>SLICE 1<start_of_image>SLICE 2Based on the \
                 visual<end_of_turn>\n<start_of_turn>model\n",
            ),
            (
                vec![text(Role::System, "You are X. "), text(Role::User, "  hi\u{1f} ")],
                "<bos><start_of_turn>user\nYou are X. \n\nhi<end_of_turn>\n<start_of_turn>model\n",
            ),
            (
                vec![parts(Role::System, &[word("A"), word("B")]), text(Role::User, "hi")],
                "<bos><start_of_turn>user\nA\n\nhi<end_of_turn>\n<start_of_turn>model\n",
            ),
            (
                vec![text(Role::User, "a"), text(Role::Assistant, " b\n"), text(Role::User, "<c> & \"d\"")],
                "<bos><start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n\
                 <start_of_turn>user\n<c> & \"d\"<end_of_turn>\n<start_of_turn>model\n",
            ),
            (vec![], "<bos><start_of_turn>model\n"),
        ];
        for (turns, expected) in table {
            assert_eq!(ChatTemplate::built_in().render(&turns, &specials()).expect("well formed"), expected);
        }
    }

    #[test]
    fn a_conversation_that_the_template_refuses_gives_its_words() {
        let table = [
            vec![text(Role::Assistant, "a")],
            vec![text(Role::User, "a"), text(Role::User, "b")],
            vec![text(Role::User, "a"), text(Role::System, "b")],
        ];
        for turns in table {
            let error = ChatTemplate::built_in().render(&turns, &specials()).expect_err("out of order");
            assert_eq!(error.kind(), ErrorKind::Template);
            let expected = "built-in Gemma 3 template: Conversation roles must alternate user/assistant/";
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }

    #[test]
    fn templates_are_found_in_the_reference_s_order() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let files = ModelFiles::folder(dir.path()).expect("it was just made");
        let origin = || ChatTemplate::load(&files).expect("sound").origin().to_owned();
        let add =
            |name: &str, content: &str| std::fs::write(dir.path().join(name), content).expect("written");
        assert_eq!(origin(), "built-in Gemma 3 template");
        add("tokenizer_config.json", r#"{"bos_token":"<bos>"}"#);
        assert_eq!(origin(), "built-in Gemma 3 template");
        add(
            "tokenizer_config.json",
            r#"{"chat_template":[{"name":"tool_use","template":"t"},{"name":"default","template":"d"}]}"#,
        );
        assert_eq!(origin(), "tokenizer_config.json");
        assert_eq!(ChatTemplate::load(&files).expect("sound").render(&[], &specials()).expect("sound"), "d");
        add("chat_template.json", r#"{"chat_template":"j{{ bos_token }}"}"#);
        assert_eq!(origin(), "chat_template.json");
        add("chat_template.jinja", "{{ bos_token }}");
        assert_eq!(origin(), "chat_template.jinja");
    }

    #[test]
    fn python_s_ways_hold() {
        let table = [
            ("{{ '\u{1f} a\u{3000}' | trim }}|{{ ' b '.strip() }}|{{ 'xcx'.strip('x') }}", "a|b|c"),
            ("{{ {'a': [1, 'é<'], 'b': none} | tojson }}", r#"{"a": [1, "é<"], "b": null}"#),
            ("  {% if true %}\nx\n  {% endif %}\ny\n", "x\ny"),
            ("{% if tools %}t{% endif %}{{ 'u' if nowhere is not defined }}", "u"),
            ("{{ messages | length }}{{ 'ab'.split('b')[0].upper() }}", "0A"),
        ];
        for (source, expected) in table {
            let template = ChatTemplate::parse("chat_template.jinja", source.as_bytes()).expect(source);
            assert_eq!(template.render(&[], &specials()).expect(source), expected);
        }
    }

    #[test]
    fn a_bad_template_is_an_error_with_file_and_line() {
        let table = [
            ("{% for x in %}", "syntax error"),
            (
                "\n{{ wholly_new }}",
                "chat_template.jinja: undefined value (line 2); the template asks for wholly_new,",
            ),
            ("{{ strftime_now('%Y') }}", "strftime_now"),
            (
                "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}",
                "too many steps",
            ),
            ("{{ 'x' * 99999999999 }}", "too many steps"),
            ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
            ("{{ raise_exception('no') }}", "chat_template.jinja: no (line 1)"),
        ];
        for (source, message) in table {
            let result = ChatTemplate::parse("chat_template.jinja", source.as_bytes());
            let error = result.and_then(|t| t.render(&[], &specials())).expect_err(source);
            assert_eq!(error.kind(), ErrorKind::Template);
            assert!(error.to_string().contains(message), "{source}: {error}");
        }
        for (json, message) in [
            (r#"{"chat_template":7}"#, "expected a string or a list, found 7"),
            (r#"{"chat_template":[{"name":"x","template":"y"}]}"#, "one named default"),
            ("{", "not valid JSON"),
        ] {
            let error = ChatTemplate::parse_json("tokenizer_config.json", json.as_bytes()).expect_err(json);
            assert!(error.to_string().contains(message), "{json}: {error}");
        }
    }
}
