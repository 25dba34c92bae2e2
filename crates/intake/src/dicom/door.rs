//! The door for pictures: a DICOM file to upright frames.

use super::File;
use super::pixels::{Display, GrayFrame, Pixels, VoiChoice, WindowRule};
use crate::pictures::limits;
use crate::{Allowance, Error, ErrorKind, Frame, Orientation, PictureChoice, Result, Samples, Step};

/// Frames that are read of a file at once: each has a record of its own, however small its picture is. No model has room
/// for as many.
const MAX_FRAMES: usize = 4096;

/// Reads the chosen frames of a DICOM file. Gray ones keep their values and the view that was chosen for them; colours
/// become RGB of 8 bits.
///
/// # Errors
/// See [`ErrorKind`]. A file without pixels, and a frame or a view that it does not have, are refused.
pub(crate) fn read_frames(
    bytes: &[u8],
    choice: &PictureChoice,
    allowance: &mut Allowance,
) -> Result<Vec<Frame>> {
    let file = File::read(bytes)?;
    let dataset = file.dataset()?;
    let pixels = Pixels::of(&dataset, file.syntax())?;
    let chosen = choice.frames.of(pixels.n_frames())?;
    let image = pixels.image();
    if chosen.len() > MAX_FRAMES {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("DICOM: expected at most {MAX_FRAMES} frames to read at once, found {}", chosen.len()),
        )
        .hint("choose among them with --frames"));
    }
    // Asked of all before any is decoded.
    for _ in &chosen {
        limits::sides(image.width as u64, image.height as u64, allowance)?;
    }
    let notes = file.notes().iter().chain(dataset.notes()).chain(pixels.notes());
    let notes: Vec<String> = notes.map(ToString::to_string).collect();
    let read = |frame_idx: usize| {
        let mut steps = vec![Step::DicomFrame {
            number: frame_idx + 1,
            n_frames: pixels.n_frames(),
            transfer_syntax_uid: file.syntax().uid.to_owned(),
            notes: notes.clone(),
        }];
        let samples = samples(&pixels, frame_idx, &choice.window, &mut steps)?;
        Ok(Frame {
            width: image.width,
            height: image.height,
            samples,
            source: 0,
            number: frame_idx + 1,
            orientation: Orientation::UPRIGHT,
            steps,
        })
    };
    chosen.into_iter().map(read).collect()
}

fn samples(
    pixels: &Pixels<'_>,
    frame_idx: usize,
    window: &VoiChoice,
    steps: &mut Vec<Step>,
) -> Result<Samples> {
    let frame = pixels.frame(frame_idx)?;
    let mut done = Vec::new();
    let samples = if frame.photometric().is_gray() {
        Samples::Values(Box::new(GrayFrame::of(frame, window, &mut done)?))
    } else {
        let shown = frame.display(window, WindowRule::Standard)?;
        done = shown.steps;
        match shown.picture {
            Display::Gray8(levels) => Samples::Gray8(levels),
            Display::Rgb8(levels) => Samples::Rgb8(levels),
        }
    };
    steps.extend(done.into_iter().map(Step::Dicom));
    Ok(samples)
}
