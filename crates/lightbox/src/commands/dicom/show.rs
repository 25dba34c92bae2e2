//! `dicom show`: what a file states, and what is made of its pixels and why.

use std::path::PathBuf;

use clap::Args;
use lightbox_intake::dicom::pixels::{
    Facts, ImagePixel, PixelSource, PixelStep, Pixels, VoiChoice, VoiKind, VoiView, WindowRule,
};
use lightbox_intake::dicom::{Dataset, File, identity};
use serde::Serialize;

use super::attributes::{self, Attribute};
use super::{bytes_of, refused};
use crate::arguments::OutputArguments;
use crate::exit::{Code, Failure};
use crate::terminal::{Output, print_json};

/// Show what a DICOM file holds: attributes, frames, and what is made of its pixels and why
///
/// Attributes that may say who the patient is are masked: names, identifiers, dates, free text, private elements and
/// whatever is not known to be technical. With --identity they are shown.
///
/// The steps are those of `dicom decode --stage display`. Views for the model take a LINEAR window by the rule of the
/// model's serving code, which differs in the last level; `prepare` writes them with their own steps.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox dicom show film.dcm
  lightbox dicom show film.dcm --frame 3 --json | jq .pixels.steps
  lightbox dicom show film.dcm --identity")]
pub struct Arguments {
    /// The DICOM file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The frame whose steps are told
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    frame: u32,

    /// Show names, identifiers, dates and free text too
    #[arg(long)]
    identity: bool,

    #[command(flatten)]
    output: OutputArguments,
}

/// A file as it is shown.
#[derive(Serialize)]
struct Shown {
    bytes: usize,
    transfer_syntax: Syntax,
    /// What was odd, and how it was taken.
    notes: Vec<String>,
    pixels: PixelsShown,
    /// The meta group.
    meta: Vec<Attribute>,
    attributes: Vec<Attribute>,
}

#[derive(Serialize)]
struct Syntax {
    uid: &'static str,
    name: &'static str,
}

/// What is made of the pixels, or why nothing is.
#[derive(Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum PixelsShown {
    /// There are none: a report, a structured object.
    Absent,
    /// They are not decoded.
    Refused { reason: String },
    /// They are decoded.
    Read(Box<Read>),
}

#[derive(Serialize)]
struct Read {
    n_frames: usize,
    image: ImagePixel,
    /// Windows and tables of values of interest that the file offers for the frame, as `--window` numbers them.
    views: Vec<Offered>,
    facts: Facts,
    /// The frame that is told of, from 1.
    frame: usize,
    /// What is done from its coded bytes to a picture.
    steps: Vec<PixelStep>,
    /// Why no picture is made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_refused: Option<String>,
}

/// A window or table that the file offers. Its explanation is masked where it is no plain name.
#[derive(Serialize)]
struct Offered {
    number: usize,
    kind: String,
    explanation: Option<String>,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let bytes = bytes_of(&arguments.file)?;
    let refuse = |error| refused(&arguments.file, &error);
    let file = File::read(&bytes).map_err(refuse)?;
    let dataset = file.dataset().map_err(refuse)?;
    let (pixels, more) = pixels(arguments, &file, &dataset)?;
    let shown = Shown {
        bytes: bytes.len(),
        transfer_syntax: Syntax { uid: file.syntax().uid, name: file.syntax().name },
        notes: file.notes().iter().chain(dataset.notes()).map(ToString::to_string).chain(more).collect(),
        pixels,
        meta: attributes::of(file.meta(), arguments.identity),
        attributes: attributes::of(&dataset, arguments.identity),
    };
    if arguments.output.json {
        print_json(&shown)?;
    } else {
        Output::new().write(&told(&shown))?;
    }
    Ok(Code::Done)
}

/// What is made of the pixels, and what was odd about them. A file whose pixels are refused is shown nevertheless: that
/// is when one wants to look.
fn pixels(
    arguments: &Arguments,
    file: &File<'_>,
    dataset: &Dataset<'_>,
) -> Result<(PixelsShown, Vec<String>), Failure> {
    if !Pixels::are_in(dataset) {
        return Ok((PixelsShown::Absent, Vec::new()));
    }
    let pixels = match Pixels::of(dataset, file.syntax()) {
        Ok(pixels) => pixels,
        Err(error) => return Ok((PixelsShown::Refused { reason: error.to_string() }, Vec::new())),
    };
    let frame = arguments.frame as usize;
    if frame > pixels.n_frames() {
        return Err(Failure::new(
            Code::Usage,
            format!("--frame: expected a number from 1 to {}, found {frame}", pixels.n_frames()),
        ));
    }
    let shown = match read(arguments, &pixels, frame) {
        Ok(read) => PixelsShown::Read(Box::new(read)),
        Err(error) => PixelsShown::Refused { reason: error.to_string() },
    };
    Ok((shown, pixels.notes().iter().map(ToString::to_string).collect()))
}

fn read(arguments: &Arguments, pixels: &Pixels<'_>, frame: usize) -> lightbox_intake::Result<Read> {
    let stored = pixels.frame(frame - 1)?;
    // A window that is wrong leaves the numbers, and other windows.
    let (steps, mut display_refused) = match stored.display(&VoiChoice::Default, WindowRule::Standard) {
        Ok(shown) => (shown.steps, None),
        Err(error) => (stored.steps().to_vec(), Some(error.to_string())),
    };
    let views = pixels.views(frame - 1).unwrap_or_else(|error| {
        display_refused.get_or_insert_with(|| error.to_string());
        Vec::new()
    });
    Ok(Read {
        n_frames: pixels.n_frames(),
        image: pixels.image().clone(),
        views: views
            .iter()
            .enumerate()
            .map(|(index, view)| offered(index, view, arguments.identity))
            .collect(),
        facts: pixels.facts().clone(),
        frame,
        steps,
        display_refused,
    })
}

fn offered(index: usize, view: &VoiView, with_identity: bool) -> Offered {
    let kind = match &view.kind {
        VoiKind::Window(window) => {
            format!("window, center {}, width {}, {}", window.center, window.width, window.function.term())
        }
        VoiKind::Table { .. } => "table".to_owned(),
    };
    let explanation = view.explanation.as_ref().map(|text| {
        if with_identity || identity::is_name_of_a_window(text) {
            text.clone()
        } else {
            "(masked)".to_owned()
        }
    });
    Offered { number: index + 1, kind, explanation }
}

/// A file in words.
fn told(shown: &Shown) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| text.push_str(&format!("{name:<10}{value}\n"));
    line(
        "file",
        &format!("{} bytes, {} ({})", shown.bytes, shown.transfer_syntax.name, shown.transfer_syntax.uid),
    );
    for note in &shown.notes {
        line("note", note);
    }
    match &shown.pixels {
        PixelsShown::Absent => line("pixels", "none"),
        PixelsShown::Refused { reason } => line("pixels", &format!("refused: {reason}")),
        PixelsShown::Read(read) => {
            let image = &read.image;
            let sign = match (image.source, image.is_signed) {
                (PixelSource::Integers, true) => "signed",
                (PixelSource::Integers, false) => "unsigned",
                (PixelSource::Floats | PixelSource::Doubles, _) => "floating point",
            };
            let frames = if read.n_frames == 1 { "frame" } else { "frames" };
            line(
                "pixels",
                &format!(
                    "{}×{}, {} {frames}, {}, {} bits of {}, {sign}",
                    image.width,
                    image.height,
                    read.n_frames,
                    image.photometric.term(),
                    image.bits_stored,
                    image.bits_allocated
                ),
            );
            for view in &read.views {
                let named = view.explanation.as_deref().map_or_else(String::new, |name| format!(", {name}"));
                line("window", &format!("{}: {}{named}", view.number, view.kind));
            }
            for overlay in &read.facts.overlays {
                line("overlay", &format!("group {:04X}, not drawn", overlay.group));
            }
            if let Some(burned_in) = &read.facts.burned_in_annotation {
                line("burned in", &format!("annotation: {burned_in}"));
            }
            if let Some(reason) = &read.display_refused {
                line("display", &format!("refused: {reason}"));
            } else if read.steps.is_empty() {
                line(&format!("frame {}", read.frame), "shown as it is stored");
            }
            for (index, step) in read.steps.iter().enumerate() {
                let name = if index == 0 { format!("frame {}", read.frame) } else { String::new() };
                line(&name, &told_step(index + 1, step));
            }
        }
    }
    text.push('\n');
    attributes::lines(&shown.meta, 0, &mut text);
    attributes::lines(&shown.attributes, 0, &mut text);
    text
}

fn told_step(number: usize, step: &PixelStep) -> String {
    let elements: Vec<_> = step
        .elements
        .iter()
        .map(|element| format!("{} {} = {}", element.tag, element.keyword, element.value))
        .collect();
    let by = if elements.is_empty() { String::new() } else { format!("  [{}]", elements.join(", ")) };
    format!("{number}. {}{by}", step.detail)
}
