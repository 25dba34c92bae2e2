//! Checkpoints of `reference/goldens`: opened as model folders, with the conversations that were put to them.

use std::fs;
use std::path::{Path, PathBuf};

use lightbox_models::{Content, LoadOptions, LocalEngine, ModelFiles, Part, Request, RgbImage, Role, Turn};
use serde::Deserialize;
use tempfile::TempDir;

/// The folder of all goldens.
pub fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/goldens")
}

/// A checkpoint with what transformers made of it.
pub struct Case {
    pub name: &'static str,
    pub conversations: Vec<Conversation>,
    folder: TempDir,
}

#[derive(Deserialize)]
struct Document {
    conversations: Vec<Conversation>,
}

/// A conversation and everything that the reference says of it.
#[derive(Deserialize)]
pub struct Conversation {
    pub name: String,
    messages: Vec<Message>,
    pub images: Vec<Picture>,
    pub prompt_text: String,
    pub prompt_ids: Vec<u32>,
    pub image_spans: Vec<[usize; 2]>,
    /// One entry a token, the first `None`.
    pub prompt_logprobs: Vec<Option<Scored>>,
    pub greedy: Vec<Choice>,
}

/// A token's own log-probability (`None`: the token is outside the table) and the five best at its place.
pub type Scored = (Option<f32>, Vec<(u32, f32)>);

/// A picture of a conversation.
#[derive(Deserialize)]
pub struct Picture {
    pub file: String,
    pub resized_sha256: String,
}

/// A greedy step: what was chosen and by how much it beat the second best.
#[derive(Deserialize)]
pub struct Choice {
    pub id: u32,
    pub logprob: f32,
    pub gap: f32,
}

#[derive(Deserialize)]
pub struct Message {
    role: Role,
    content: MessageContent,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MessageContent {
    Text(String),
    Parts(Vec<MessagePart>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum MessagePart {
    Text {
        text: String,
    },
    /// A picture of its own in OpenAI's shape, or the next of the test's pictures.
    #[serde(alias = "image")]
    ImageUrl {},
}

/// Turns in the engine's form; pictures are numbered as they come.
pub fn turns(messages: &[Message]) -> Vec<Turn> {
    let mut n_images = 0;
    let mut part = |part: &MessagePart| match part {
        MessagePart::Text { text } => Part::Text(text.clone()),
        MessagePart::ImageUrl {} => {
            n_images += 1;
            Part::Image(n_images - 1)
        }
    };
    let turn = |message: &Message| Turn {
        role: message.role,
        content: match &message.content {
            MessageContent::Text(text) => Content::Text(text.clone()),
            MessageContent::Parts(parts) => Content::Parts(parts.iter().map(&mut part).collect()),
        },
    };
    messages.iter().map(turn).collect()
}

impl Case {
    /// Copies a checkpoint and the tokenizer that all share into a folder as users have it.
    pub fn open(name: &'static str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("phantom");
        let own = if name == "phantom" { bundled } else { goldens().join(name) };
        for source in [goldens().join("tokenizer"), own] {
            for entry in fs::read_dir(&source).expect("the golden's folder") {
                let path = entry.expect("an entry").path();
                let file = path.file_name().expect("a file name");
                if file != "golden.json" && file != "intermediates.safetensors" {
                    fs::copy(&path, folder.path().join(file)).expect("a copy");
                }
            }
        }
        let text = fs::read_to_string(goldens().join(name).join("golden.json")).expect("golden.json");
        let document: Document = serde_json::from_str(&text).expect("a golden of the known form");
        assert!(!document.conversations.is_empty(), "{name}: no conversations");
        Self { name, conversations: document.conversations, folder }
    }

    /// The conversation of that name.
    pub fn conversation(&self, name: &str) -> &Conversation {
        self.conversations.iter().find(|c| c.name == name).expect("a conversation of the golden")
    }

    /// Loads the checkpoint.
    pub fn load(&self, options: &LoadOptions) -> LocalEngine {
        let files = ModelFiles::folder(self.folder.path()).expect("a folder");
        LocalEngine::load(&files, self.name, options, &mut |_| {})
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

impl Conversation {
    /// The request of this conversation, without any wish.
    pub fn request(&self) -> Request {
        Request::new(turns(&self.messages), self.images.iter().map(|p| stored_picture(&p.file)).collect())
    }
}

/// Width, height, seed and grayness of the pictures under `pictures/`, as `reference/pictures.py` lists them.
const PICTURES: &[(&str, usize, usize, u32, bool)] = &[
    ("pictures/wide.png", 90, 37, 1, false),
    ("pictures/tall.png", 31, 97, 2, false),
    ("pictures/tiny.png", 5, 3, 3, false),
    ("pictures/gray.png", 64, 48, 4, true),
    ("pictures/square.png", 56, 56, 5, false),
    ("pictures/strip.png", 150, 9, 6, false),
    ("pictures/large.png", 121, 113, 7, false),
];

fn stored_picture(file: &str) -> RgbImage {
    let (_, width, height, seed, gray) =
        *PICTURES.iter().find(|(name, ..)| *name == file).expect("a listed picture");
    picture(width, height, seed, gray)
}

/// A picture by the formula of `reference/pictures.py`.
pub fn picture(width: usize, height: usize, seed: u32, gray: bool) -> RgbImage {
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height as u32 {
        for x in 0..width as u32 {
            for channel in if gray { [0; 3] } else { [0_u32, 1, 2] } {
                let h = (x.wrapping_mul(x).wrapping_mul(3))
                    .wrapping_add(y.wrapping_mul(y).wrapping_mul(5))
                    .wrapping_add(x.wrapping_mul(y).wrapping_mul(7 * channel + 1))
                    .wrapping_add(31 * x + 17 * y + 59 * channel + 101 * seed);
                pixels.push((((h >> 4) ^ h) & 255) as u8);
            }
        }
    }
    RgbImage::new(width, height, pixels).expect("a picture of matching length")
}
