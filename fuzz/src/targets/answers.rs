//! What a model wrote, read as its task wants it: text of any kind.

use std::time::Duration;

use lightbox_reading::answers::{parse_differential, parse_findings, parse_text};

use super::Target;

/// The parsers of all tasks, on the same text.
pub const ANSWERS: Target = Target {
    name: "answers",
    run: |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mismatches =
            [parse_text(&text).err(), parse_findings(&text).err(), parse_differential(&text).err()];
        for mismatch in mismatches.into_iter().flatten() {
            assert!(!mismatch.expected.is_empty() && !mismatch.place.is_empty());
        }
    },
    seeds: || {
        [
            "FINDINGS\n- Opacity, right lower zone.\nNOT ASSESSED\n- Apices\nSUMMARY\nOne opacity.",
            "1. Pneumonia (common): opacity\n2. Infarct (less common): wedge\n3. Tumour (rare): mass\nNot a diagnosis.",
            "Cannot assess: the picture is blank.",
        ]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect()
    },
    words: &[
        b"FINDINGS",
        b"SUMMARY",
        b"NOT ASSESSED",
        b"Cannot assess:",
        b"Not a diagnosis.",
        b"common",
        b"less common",
        b"rare",
        b"**",
        b"- ",
        b"\r\n",
        b"\xe2\x80\xa8",
        b"\xef\xbb\xbf",
        b"```",
        b"(",
    ],
    repair: None,
    memory_limit_bytes: 8 << 20,
    memory_limit_per_byte: 0,
    time_limit: Duration::from_secs(2),
};
