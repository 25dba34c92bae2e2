//! `dicom decode`: the pixels of a file as numbers or as a picture.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use lightbox_archive::WholeFile;
use lightbox_intake::FrameChoice;
use lightbox_intake::dicom::pixels::{
    Display, ModalityFrame, Pixels, Stored, StoredFrame, VoiChoice, WindowRule,
};
use lightbox_intake::dicom::{Dataset, File};
use png::{BitDepth, ColorType};
use serde::Serialize;

use super::{bytes_of, refused};
use crate::arguments::OutputArguments;
use crate::exit::{Code, Failure};
use crate::terminal::{Progress, print_json};
use crate::{cancel, folders, npy, picture};

/// Write the pixels of a DICOM file as a picture (.png) or as numbers (.npy)
///
/// Stages: `stored` is what the file holds, `modality` what it stands for (rescaled, such as HU; colours as RGB), and
/// `display` what a screen shows: 8 bits, through the window. A .npy file holds frames × rows × columns (× 3).
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox dicom decode film.dcm --out film.png
  lightbox dicom decode film.dcm --out lung.png --window -600,1500
  lightbox dicom decode cine.dcm --frame 12 --out frame.png
  lightbox dicom decode ct.dcm --stage modality --out hu.npy")]
pub struct Arguments {
    /// The DICOM file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Frames, such as 3 or 1,5-9; default: all into a .npy file, the only one into a .png file
    #[arg(long, value_name = "LIST", alias = "frames", allow_negative_numbers = true)]
    frame: Option<FrameChoice>,

    /// How far the pixels are taken
    #[arg(long, value_name = "STAGE", default_value = "display")]
    stage: Stage,

    /// For display: a window's number or name in the file, CENTER,WIDTH, or `none` for the whole range of values
    ///
    /// CENTER,WIDTH,FUNCTION is a window of another function than the line: `linear_exact` or `sigmoid`.
    /// Without it: the file's first table of values of interest, else its first window, else the whole range.
    #[arg(long, value_name = "WINDOW", allow_hyphen_values = true)]
    window: Option<VoiChoice>,

    /// File to write, ending in .png or .npy
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Replace a file that is there
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    output: OutputArguments,
}

/// What was written, as `--json` tells it.
#[derive(Serialize)]
struct Written<'a> {
    out: String,
    stage: &'a str,
    /// Frames that were written, from 1.
    frames: Vec<usize>,
    width: usize,
    height: usize,
    /// Samples a pixel.
    n_channels: usize,
    /// The type of a sample as NumPy names it.
    r#type: &'a str,
}

/// How far pixels are taken.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Integers or floats as the file holds them
    Stored,
    /// After Modality LUT or rescale; colours as RGB
    Modality,
    /// 8 bits as a screen shows them
    Display,
}

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Png,
    Npy,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let form = form(&arguments.out)?;
    if arguments.window.is_some() && arguments.stage != Stage::Display {
        return Err(Failure::new(Code::Usage, "--window: only the stage `display` goes through a window"));
    }
    if !arguments.force && arguments.out.exists() {
        return Err(Failure::new(
            Code::Usage,
            format!("--out {}: there is a file already; add --force to replace it", arguments.out.display()),
        ));
    }
    let bytes = bytes_of(&arguments.file)?;
    let refuse = |error| refused(&arguments.file, &error);
    let file = File::read(&bytes).map_err(refuse)?;
    let dataset: Dataset<'_> = file.dataset().map_err(refuse)?;
    let pixels = Pixels::of(&dataset, file.syntax()).map_err(refuse)?;
    let frames = arguments.frame.clone().unwrap_or_default().of(pixels.n_frames()).map_err(refuse)?;
    let shape = match (form, frames.as_slice()) {
        (Form::Npy, frames) => write_numbers(arguments, &pixels, frames)?,
        (Form::Png, [frame]) => {
            let stored = pixels.frame(*frame).map_err(refuse)?;
            let (bytes, shape) = png(arguments, &stored)?;
            write_whole(&arguments.out, &bytes)?;
            shape
        }
        (Form::Png, frames) => {
            return Err(Failure::new(
                Code::Usage,
                format!(
                    "--out: a .png file holds one frame, found {}; choose one with --frame, or write a .npy file",
                    frames.len()
                ),
            ));
        }
    };
    if arguments.output.json {
        print_json(&Written {
            out: arguments.out.display().to_string(),
            stage: arguments.stage.name(),
            frames: frames.iter().map(|frame| frame + 1).collect(),
            width: shape.width,
            height: shape.height,
            n_channels: shape.n_channels,
            r#type: shape.descr,
        })?;
    }
    Ok(Code::Done)
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Modality => "modality",
            Self::Display => "display",
        }
    }
}

/// What the name of the file asks for.
fn form(out: &Path) -> Result<Form, Failure> {
    let ending = out.extension().map(|ending| ending.to_ascii_lowercase());
    match ending.as_ref().and_then(|ending| ending.to_str()) {
        Some("png") => Ok(Form::Png),
        Some("npy") => Ok(Form::Npy),
        _ => Err(Failure::new(Code::Usage, "--out: expected a name that ends in .png or .npy")),
    }
}

/// Frames as an array of numbers, one after another, so that only one is held at a time.
fn write_numbers(arguments: &Arguments, pixels: &Pixels<'_>, frames: &[usize]) -> Result<Shape, Failure> {
    let cancel = cancel::on_interrupt()?;
    let progress = Progress::steps("frames", frames.len() as u64);
    let mut out: Option<(WholeFile, Shape)> = None;
    for (n_done, frame) in frames.iter().enumerate() {
        if cancel.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Failure::new(Code::Interrupted, "interrupted; nothing was written"));
        }
        let stored = pixels.frame(*frame).map_err(|error| refused(&arguments.file, &error))?;
        let (bytes, shape) = numbers(arguments, &stored)?;
        let (file, first) = match &mut out {
            Some(started) => started,
            None => {
                let mut sides = vec![frames.len(), shape.height, shape.width];
                sides.extend((shape.n_channels > 1).then_some(shape.n_channels));
                let (folder, name) = folders::split(&arguments.out)?;
                let mut file = WholeFile::create(folder, name).map_err(unwritten(arguments))?;
                file.write(&npy::header(shape.descr, &sides)).map_err(unwritten(arguments))?;
                out.insert((file, shape))
            }
        };
        if *first != shape {
            return Err(Failure::new(
                Code::Input,
                format!(
                    "frames of different types, {} and {}; write them one by one",
                    first.descr, shape.descr
                ),
            ));
        }
        file.write(&bytes).map_err(unwritten(arguments))?;
        progress.set(n_done as u64 + 1, frames.len() as u64);
    }
    let (file, shape) =
        out.ok_or_else(|| Failure::new(Code::Input, "expected at least one frame, found none"))?;
    file.finish().map_err(unwritten(arguments))?;
    Ok(shape)
}

/// What the numbers of a frame are.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    descr: &'static str,
    width: usize,
    height: usize,
    n_channels: usize,
}

/// A frame as numbers, little-endian.
fn numbers(arguments: &Arguments, stored: &StoredFrame<'_>) -> Result<(Vec<u8>, Shape), Failure> {
    let refuse = |error| refused(&arguments.file, &error);
    let (width, height) = stored.sides();
    let of = |values: &Stored, n_channels| {
        let bytes = values.to_le_bytes().map_err(refuse)?;
        Ok((bytes, Shape { descr: values.type_name(), width, height, n_channels }))
    };
    match arguments.stage {
        Stage::Stored => of(stored.values(), stored.n_samples()),
        Stage::Modality => match stored.modality().map_err(refuse)? {
            ModalityFrame::Rgb(rgb) => of(&rgb.values, 3),
            ModalityFrame::Gray(gray) => of(&Stored::F64(gray.map(|value| value).map_err(refuse)?), 1),
        },
        Stage::Display => {
            let shown = stored.display(&window(arguments), WindowRule::Standard).map_err(refuse)?;
            let (n_channels, bytes) = match shown.picture {
                Display::Gray8(levels) => (1, levels),
                Display::Rgb8(levels) => (3, levels),
            };
            Ok((bytes, Shape { descr: "|u1", width, height, n_channels }))
        }
    }
}

/// A frame as a PNG file.
fn png(arguments: &Arguments, stored: &StoredFrame<'_>) -> Result<(Vec<u8>, Shape), Failure> {
    let (bytes, shape) = numbers(arguments, stored)?;
    let Shape { descr, width, height, n_channels } = shape;
    let color = if n_channels == 1 { ColorType::Grayscale } else { ColorType::Rgb };
    let file = match descr {
        "|u1" => picture::encode(color, BitDepth::Eight, width, height, &bytes),
        "<u2" => {
            // PNG is big-endian.
            let swapped: Vec<u8> = bytes.as_chunks().0.iter().flat_map(|[low, high]| [*high, *low]).collect();
            picture::encode(color, BitDepth::Sixteen, width, height, &swapped)
        }
        _ => Err(Failure::new(
            Code::Usage,
            format!(
                "--out: a .png file holds whole numbers from 0 to 65535, found values of type {descr}; write a .npy \
                 file, or take --stage display"
            ),
        )),
    };
    Ok((file?, shape))
}

fn window(arguments: &Arguments) -> VoiChoice {
    arguments.window.clone().unwrap_or_default()
}

fn write_whole(out: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let (folder, name) = folders::split(out)?;
    folders::write_out(folder, name, bytes)
}

fn unwritten(arguments: &Arguments) -> impl Fn(lightbox_archive::Error) -> Failure {
    |error| folders::unwritten(&arguments.out, &error)
}
