//! Request bodies as `lightbox run` takes them.

use std::time::Duration;

use super::Target;

/// An OpenAI chat-completions request.
pub const OPENAI: Target = Target {
    name: "openai",
    run: parse,
    seeds: bodies,
    words: &[
        b"\"messages\"",
        b"\"role\"",
        b"\"system\"",
        b"\"assistant\"",
        b"\"image_url\"",
        b"data:image/png;base64,",
        b"\"temperature\"",
        b"\"top_p\"",
        b"\"stop\"",
        b"\"logprobs\"",
        b"\"top_logprobs\"",
        b"\"prompt_logprobs\"",
        b"\"seed\"",
        b"\"stream\"",
        b"\"max_tokens\"",
        b"\"n\"",
        b"\"tools\"",
        b"null",
        b"\\u0000",
        b"\\ud800",
    ],
    repair: None,
    memory_limit_bytes: 8 << 20,
    memory_limit_per_byte: 0,
    time_limit: Duration::from_secs(2),
};

fn bodies() -> Vec<Vec<u8>> {
    [
        r#"{"model": "m", "messages": [{"role": "user", "content": "What is seen?"}]}"#,
        r#"{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [
            {"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
            {"type": "image_url", "image_url": {"url": "film.png"}}]}, {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"}], "max_tokens": 64, "temperature": 0.5, "top_p": 0.9, "seed": 7,
            "stop": ["\n\n", "END"], "logprobs": true, "top_logprobs": 5, "prompt_logprobs": 2, "stream": false}"#,
    ]
    .iter()
    .map(|body| body.as_bytes().to_vec())
    .collect()
}

/// A body is refused with words, or has messages.
fn parse(body: &[u8]) {
    match lightbox_serve::openai::parse_request(body) {
        Ok(request) => assert!(!request.messages.is_empty(), "a request without messages was accepted"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_understood() {
        for body in bodies() {
            lightbox_serve::openai::parse_request(&body).expect("a request that we know");
        }
    }
}
