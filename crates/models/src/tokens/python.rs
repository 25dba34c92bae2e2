//! Where the templates' own language, Jinja on Python, does other than minijinja on Rust.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, StringInput, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use serde::Serialize;

/// What Python's `str.isspace` takes for white: Rust's set and the four separators of ASCII.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Makes `env` render as the reference's environment does.
pub(super) fn apply(env: &mut Environment<'_>) {
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    env.set_syntax(syntax.expect("the default delimiters are valid"));
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.set_unknown_method_callback(method);
    env.add_filter("trim", trim);
    env.add_filter("tojson", to_json);
    env.add_function("raise_exception", |message: String| -> Result<String, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message))
    });
}

fn trim(text: StringInput<'_>, chars: Option<String>) -> String {
    match chars {
        None => text.as_str().trim_matches(is_space).to_owned(),
        Some(chars) => text.as_str().trim_matches(|c| chars.contains(c)).to_owned(),
    }
}

/// Python's methods of strings, lists and dictionaries; the stripping ones with Python's idea of white space.
fn method(state: &mut State<'_, '_>, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    if let ("strip" | "lstrip" | "rstrip", Some(text)) = (name, value.as_str())
        && args.iter().all(Value::is_none)
    {
        from_args::<(Option<Value>,)>(args)?;
        return Ok(Value::from(match name {
            "strip" => text.trim_matches(is_space),
            "lstrip" => text.trim_start_matches(is_space),
            _ => text.trim_end_matches(is_space),
        }));
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, name, args)
}

/// `json.dumps(x, ensure_ascii=False)`, which is what the reference's filter does; other settings are refused.
fn to_json(value: &Value, settings: Kwargs) -> Result<String, Error> {
    if settings.peek::<bool>("ensure_ascii").unwrap_or(false) {
        return Err(Error::new(ErrorKind::InvalidOperation, "tojson: ensure_ascii=True is not supported"));
    }
    let _: Option<bool> = settings.get("ensure_ascii")?;
    settings.assert_all_used()?;
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Spaced);
    value
        .serialize(&mut serializer)
        .map_err(|e| Error::new(ErrorKind::BadSerialization, format!("tojson: {e}")))?;
    String::from_utf8(out).map_err(|e| Error::new(ErrorKind::BadSerialization, format!("tojson: {e}")))
}

/// Python's default separators: `", "` and `": "`.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { w.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { w.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, w: &mut W) -> std::io::Result<()> {
        w.write_all(b": ")
    }
}
