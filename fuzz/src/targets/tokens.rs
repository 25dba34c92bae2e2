//! A model folder's tokenizer and chat template.

use std::collections::BTreeMap;
use std::time::Duration;

use lightbox_models::tokens::{ChatTemplate, vocabulary};
use lightbox_models::{Content, Part, Role, Turn};

use super::Target;

/// `tokenizer.json`; what loads is used.
pub const TOKENIZER: Target = Target {
    name: "tokenizer",
    run: tokenizer,
    seeds: || vec![include_bytes!("../../../crates/models/phantom/tokenizer.json").to_vec()],
    words: &[
        b"null",
        b"\"model\"",
        b"\"BPE\"",
        b"\"Unigram\"",
        b"\"WordPiece\"",
        b"\"vocab\"",
        b"\"merges\"",
        b"\"unk_token\"",
        b"\"byte_fallback\"",
        b"\"added_tokens\"",
        b"\"normalizer\"",
        b"\"pre_tokenizer\"",
        b"\"decoder\"",
        b"\"Sequence\"",
        b"\"Replace\"",
        b"\"Split\"",
        b"\"Regex\"",
        b"\"Metaspace\"",
        b"\"ByteFallback\"",
        b"(a*)*b",
    ],
    repair: None,
    memory_limit_bytes: 64 << 20,
    memory_limit_per_byte: 0,
    time_limit: Duration::from_secs(4),
};

/// `chat_template.jinja`; what compiles is rendered.
pub const TEMPLATE: Target = Target {
    name: "template",
    run: template,
    seeds: templates,
    words: &[
        b"{{",
        b"}}",
        b"{%",
        b"%}",
        b"{#",
        b"#}",
        b"{%- for m in messages -%}",
        b"{%- endfor -%}",
        b"{%- if ",
        b"{%- endif -%}",
        b"{%- set x = ",
        b"{%- macro f(a) -%}",
        b"{%- endmacro -%}",
        b"{{ f(f) }}",
        b"range(99999)",
        b"loop.index",
        b"raise_exception('x')",
        b"messages[0]['content']",
        b" * 99999999",
        b" ** 9",
        b"|trim",
        b"|tojson",
        b".split('x')",
        b"namespace(a=1)",
        b"'x' * 1000000",
        b"|join",
        b"|list",
        b"[::-1]",
    ],
    repair: None,
    memory_limit_bytes: 256 << 20,
    memory_limit_per_byte: 0,
    time_limit: Duration::from_secs(4),
};

fn tokenizer(bytes: &[u8]) {
    match vocabulary::parse(bytes) {
        Ok(tokenizer) => {
            if let Ok(ids) = tokenizer.encode("<start_of_turn>user\nA film, 12 mm.\u{e9}<end_of_turn>") {
                // What text they give is the file's business; that it comes back with an answer is ours.
                let _ = tokenizer.decode(&ids);
            }
            let _ = vocabulary::parse_specials(b"{\"bos_token\": \"<bos>\"}", &tokenizer);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn template(bytes: &[u8]) {
    let specials = BTreeMap::from([("bos_token".to_owned(), "<bos>".to_owned())]);
    match ChatTemplate::parse("fuzz", bytes) {
        Ok(template) => {
            if let Err(error) = template.render(&turns(), &specials) {
                assert!(!error.to_string().is_empty());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn turns() -> [Turn; 3] {
    let turn = |role, content| Turn { role, content };
    [
        turn(Role::System, Content::Text("Be brief.".to_owned())),
        turn(Role::User, Content::Parts(vec![Part::Image(0), Part::Text(" What is seen? ".to_owned())])),
        turn(Role::Assistant, Content::Text("A draft.".to_owned())),
    ]
}

fn templates() -> Vec<Vec<u8>> {
    [
        include_str!("../../../crates/models/phantom/chat_template.jinja"),
        "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] | trim }}\n{% endfor %}",
        "{%- macro text(c) -%}{%- if c is string -%}{{ c }}{%- else -%}{%- for p in c -%}{{ p.type }}{%- endfor -%}{%- endif -%}{%- endmacro -%}{%- for m in messages -%}{{ text(m.content) }}{%- endfor -%}",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_load_and_render() {
        for seed in (TOKENIZER.seeds)() {
            vocabulary::parse(&seed).expect("the phantom's tokenizer");
        }
        for seed in templates() {
            let template = ChatTemplate::parse("seed", &seed).expect("a template that compiles");
            let specials = BTreeMap::from([("bos_token".to_owned(), "<bos>".to_owned())]);
            let text = template.render(&turns()[..2], &specials).expect("a conversation that it takes");
            assert!(!text.is_empty());
        }
    }
}
