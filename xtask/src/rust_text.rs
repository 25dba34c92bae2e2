//! Rust source with comments and literals blanked, so that a word found in it is code.

/// Replaces the insides of comments, strings and character literals by spaces; lines stay where they are.
pub fn code_of(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match (chars[at], chars.get(at + 1)) {
            ('/', Some('/')) => end_of_line(&chars, at),
            ('/', Some('*')) => end_of_block_comment(&chars, at),
            ('"', _) => end_of_string(&chars, at),
            ('r', Some('"' | '#')) if !continues_a_word(&chars, at) => end_of_raw_string(&chars, at),
            ('\'', _) => end_of_character(&chars, at),
            _ => at,
        };
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// The lines (counted from 1) on which `word` stands in `code` with no letter, digit or underscore at its sides.
pub fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    let stands = |line: &str| {
        line.match_indices(word).any(|(at, _)| {
            edge(line[..at].chars().next_back()) && edge(line[at + word.len()..].chars().next())
        })
    };
    code.lines().enumerate().filter(|(_, line)| stands(line)).map(|(idx, _)| idx + 1).collect()
}

fn continues_a_word(chars: &[char], at: usize) -> bool {
    // `br"…"` and `cr"…"` are raw strings too; any other letter before the `r` makes it the end of a name.
    match at.checked_sub(1).map(|before| chars[before]) {
        Some('b' | 'c') => at >= 2 && (chars[at - 2].is_alphanumeric() || chars[at - 2] == '_'),
        Some(c) => c.is_alphanumeric() || c == '_',
        None => false,
    }
}

fn end_of_line(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|&c| c == '\n').map_or(chars.len(), |length| at + length)
}

fn end_of_block_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0_usize, at);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

fn end_of_raw_string(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    let quote = at + 1 + hashes;
    if chars.get(quote) != Some(&'"') {
        return at; // a raw identifier such as r#type
    }
    let mut i = quote + 1;
    while i < chars.len() {
        if chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes {
            return i + 1 + hashes;
        }
        i += 1;
    }
    chars.len()
}

/// A lifetime has no closing quote after one character; then nothing is blanked.
fn end_of_character(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            chars[at + 3..].iter().position(|&c| c == '\'').map_or(chars.len(), |length| at + 4 + length)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_lines_stay() {
        let cases = [
            ("a // unsafe\nb", "a\nb"),
            ("a /* unsafe /* nested */ unsafe */ b", "a b"),
            ("let s = \"unsafe \\\" unsafe\"; c", "let s = ; c"),
            ("let s = r#\"unsafe \" unsafe\"#; c", "let s = ; c"),
            ("let s = br\"unsafe\\\"; c", "let s = b ; c"),
            ("let r#type = for\"x\";", "let r#type = for ;"),
            (
                "fn f<'a>(x: &'a str, c: char) { c == 'u' || c == '\\'' || c == '\\u{41}' }",
                "fn f<'a>(x: &'a str, c: char) { c == || c == || c == }",
            ),
            ("\"two\nlines\" unsafe", "\nunsafe"),
            ("\"never closed", ""),
        ];
        for (source, expected) in cases {
            let squeezed: Vec<String> = code_of(source)
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect();
            assert_eq!(squeezed.join("\n").replace(" ;", ";"), expected.replace(" ;", ";"), "{source}");
        }
    }

    #[test]
    fn words_are_found_whole() {
        let code = "unsafe_code\nx = unsafe { y };\nmy_unsafe";
        assert_eq!(lines_with(code, "unsafe"), [2]);
        assert_eq!(lines_with("todo!()\nlet todo = 1;", "todo!"), [1]);
    }
}
