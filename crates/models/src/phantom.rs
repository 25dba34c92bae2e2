//! The bundled model: a tiny checkpoint with random weights, so that every step can be run without a download.

use crate::ModelFiles;

/// Name of the bundled model.
pub const NAME: &str = "phantom";

/// What must accompany everything that the bundled model says.
pub const NOTICE: &str = "the model `phantom` is a demonstration with random weights and no medical knowledge: \
                          its text is noise";

macro_rules! bundled {
    ($($name:literal),* $(,)?) => { &[$(($name, include_bytes!(concat!("../phantom/", $name)))),*] };
}

const FILES: &[(&str, &[u8])] = bundled![
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
];

/// The files of the bundled model.
#[must_use]
pub fn files() -> ModelFiles {
    ModelFiles::embedded(NAME, FILES)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_file_of_the_folder_is_bundled() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/phantom")).expect("it is there");
        let mut names: Vec<_> = folder
            .map(|entry| entry.expect("a readable folder").file_name().into_string().expect("a plain name"))
            .collect();
        names.sort();
        assert_eq!(super::files().names().expect("bundled names"), names);
    }
}
