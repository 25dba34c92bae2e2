//! `demo`: the main job on a bundled film, with a bundled model, in seconds and without any download.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use lightbox_intake::PictureChoice;
use lightbox_models::phantom;
use lightbox_phantoms::Film;
use lightbox_reading::Wishes;
use lightbox_reading::tasks::task;

use super::read::Job;
use crate::arguments::{DataArguments, ModelArguments, OutputArguments};
use crate::exit::{Code, Failure};
use crate::folders;
use crate::inputs::Inputs;
use crate::recording::RecordArguments;
use crate::terminal::say;

/// The film of the demonstration; any seed would do.
const SEED: u64 = 7;
/// Enough to see that text streams.
const MAX_TOKENS: usize = 48;
const FILE: &str = "phantom-film.png";

/// Read a bundled film with a bundled model, without any download
///
/// Draws a chest film of nobody, shows it to the model `phantom`, and records the read. The model has random weights
/// and no medical knowledge: its text is noise. What the demonstration shows is the way from a film to a draft and a
/// record that can be replayed.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Folder for the film; default: `demo` in the data folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    data: DataArguments,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let data = folders::data(&arguments.data)?;
    let folder = arguments.out.clone().unwrap_or_else(|| data.join("demo"));
    let path = folder.join(FILE);
    let film = lightbox_phantoms::film(SEED);
    let record = RecordArguments { data: arguments.data.clone(), ..RecordArguments::default() };
    let png = film.png16();
    // A folder of the user's own may hold a file of that name which is not ours.
    if arguments.out.is_some()
        && fs::symlink_metadata(&path).is_ok()
        && !fs::read(&path).is_ok_and(|is| is == png)
    {
        return Err(Failure::new(
            Code::Usage,
            format!(
                "--out: expected nothing or the film of an earlier `demo` at {}, found another; choose another folder",
                path.display()
            ),
        ));
    }
    folders::make_private(&folder)?;
    folders::write_out(&folder, FILE, &png)?;
    say(&format!("film: {}", path.display()));
    say(&format!("truth: {}", truth(&film)));

    let model = ModelArguments { model: Some(phantom::NAME.to_owned()), ..ModelArguments::default() };
    let task = task("findings").ok_or_else(|| Failure::new(Code::Usage, "no task is named `findings`"))?;
    let wishes = Wishes { max_tokens: Some(MAX_TOKENS), ..Wishes::default() };
    let inputs = Inputs::open(std::slice::from_ref(&path), &PictureChoice::default())?;
    let job = Job { task, inputs, wishes, model: &model, record: &record, json: arguments.output.json };
    let read = job.run()?;
    if read.code == Code::Answer {
        say(&format!("cut at {MAX_TOKENS} tokens on purpose: enough to see that the text streams"));
    }
    let id = read.record.unwrap_or_default();
    let id = id.get(..8).unwrap_or(&id);
    say(&format!(
        "\nThat text is noise: the bundled model has random weights. Next:\n\
         \x20 lightbox replay {id}                   the same read again, compared token by token\n\
         \x20 lightbox prepare {} --out views\n\
         \x20 lightbox models pull google/medgemma-1.5-4b-it\n\
         \x20 lightbox findings FILM --model google/medgemma-1.5-4b-it",
        path.display()
    ));
    // Noise is cut off at its limit; a demonstration has done its work all the same.
    Ok(if read.code == Code::Answer { Code::Done } else { read.code })
}

/// What is on the film, in a sentence.
fn truth(film: &Film) -> String {
    let truth = &film.truth;
    let opacities: Vec<_> = truth
        .opacities
        .iter()
        .map(|opacity| format!("an opacity in the {} {} zone", opacity.side.name(), opacity.zone.name()))
        .collect();
    let opacities = if opacities.is_empty() { "no opacity".to_owned() } else { opacities.join(" and ") };
    format!(
        "{opacities}, cardiothoracic ratio {:.2}, marker {}",
        truth.cardiothoracic_ratio,
        truth.marker.name()
    )
}
