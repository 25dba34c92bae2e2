//! Conversations as text and ids.

use std::fs;

use lightbox_models::{Engine, ErrorKind, LoadOptions, Request};
use serde::Deserialize;

use crate::store::{Case, Message, goldens, picture, turns};

#[derive(Deserialize)]
struct Entry {
    messages: Vec<Message>,
    text: Option<String>,
    ids: Option<Vec<u32>>,
    decoded: Option<String>,
    refused: Option<String>,
}

/// The pictures' expansion in `templates.json`: four soft tokens.
const BLOCK: &str = "\n\n<start_of_image><image_soft_token><image_soft_token><image_soft_token><image_soft_token>\
                     <end_of_image>\n\n";

#[test]
fn conversations_have_the_text_and_ids_of_the_reference() {
    let text = fs::read_to_string(goldens().join("templates.json")).expect("templates.json");
    let entries: Vec<Entry> = serde_json::from_str(&text).expect("templates of the known form");
    let case = Case::open("image-bf16");
    let engine = case.load(&LoadOptions::default());
    for (i, entry) in entries.iter().enumerate() {
        let n_images = entry.text.as_ref().map_or(0, |t| t.matches("<start_of_image>").count());
        let images = (0..n_images).map(|_| picture(4, 4, 0, false)).collect();
        let outcome = engine.prompt(&Request::new(turns(&entry.messages), images));
        match (outcome, &entry.refused) {
            (Err(error), Some(_)) => assert!(
                matches!(error.kind(), ErrorKind::Template | ErrorKind::Request),
                "entry {i}: {error}"
            ),
            (Err(error), None) => panic!("entry {i}: {error}"),
            (Ok(prompt), Some(refused)) => panic!("entry {i}: expected {refused:?}, got {:?}", prompt.text),
            (Ok(prompt), None) => {
                let expected = entry.text.as_ref().map(|t| t.replace("<start_of_image>", BLOCK));
                assert_eq!(Some(&prompt.text), expected.as_ref(), "entry {i}");
                assert_eq!(Some(&prompt.ids), entry.ids.as_ref(), "entry {i}: {:?}", prompt.text);
                assert_eq!(Some(engine.decode(&prompt.ids)), entry.decoded, "entry {i}");
            }
        }
    }
}
