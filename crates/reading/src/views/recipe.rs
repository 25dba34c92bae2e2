//! Which steps make a view of a frame.

use lightbox_intake::dicom::pixels::WindowRule;
use lightbox_intake::{Frame, Samples, Study};
use lightbox_models::RgbImage;
use serde::{Deserialize, Serialize};

use super::range::Levels;
use super::{Mapping, Region, Step, View, ViewRecord, ViewStep};
use crate::{Error, ErrorKind, Result};

/// Most pixels of a view, and of all views of a study together, padding included: pictures of extreme proportions would
/// become enormous squares. 805 MB as RGB.
const MAX_PIXELS: usize = 1 << 28;

/// The steps of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// As the family was trained on films: gray of 16 bits stretched to its full range, gray DICOM values through their
    /// window or stretched as well ([`WindowRule::Serving`]), then 8 bits, RGB, and black added to make it square,
    /// `floor(d / 2)` before and the rest after.
    Film,
    /// The picture as given: 8 bits and RGB, not stretched, not padded; gray DICOM values as a screen shows them
    /// ([`WindowRule::Standard`]).
    Raw,
}

/// One view of every frame of a study. With more than one, each is labelled by its number.
///
/// # Errors
/// [`ErrorKind::View`] if a view, or all of them together, would be too large for memory or for the limit.
pub fn make(recipe: Recipe, study: &Study) -> Result<Vec<View>> {
    let n_frames = study.frames.len();
    let mut n_pixels = 0;
    // Asked of all before any is made. Each is within the limit, so the sum cannot overflow before it is seen.
    for frame in &study.frames {
        let placed = Placed::of(frame, recipe)?;
        n_pixels += placed.width * placed.height;
        if n_pixels > MAX_PIXELS {
            return Err(Error::new(
                ErrorKind::View,
                format!(
                    "pictures for the model: expected at most {MAX_PIXELS} pixels in all, found more in {n_frames} pictures"
                ),
            )
            .hint("read fewer pictures at once, or crop them to the region of interest"));
        }
    }
    (0..n_frames)
        .map(|index| {
            let label = (recipe == Recipe::Film && n_frames > 1).then(|| format!("IMAGE {}", index + 1));
            make_one(recipe, study, index, label)
        })
        .collect()
}

/// The view of frame `index` of a study.
///
/// # Errors
/// As [`make`]; also if there is no such frame.
pub fn make_one(recipe: Recipe, study: &Study, index: usize, label: Option<String>) -> Result<View> {
    let frame = study.frames.get(index).ok_or_else(|| {
        Error::new(
            ErrorKind::View,
            format!("expected picture {index}, found {} pictures", study.frames.len()),
        )
    })?;
    let mut steps: Vec<Step> = frame.steps.iter().cloned().map(Step::Decode).collect();
    let placed = Placed::of(frame, recipe)?;
    let pixels = rgb(frame, index + 1, recipe, &placed, &mut steps)?;
    if let Some(step) = placed.step() {
        steps.push(Step::View(step));
    }
    let record = ViewRecord {
        label,
        source: frame.source,
        frame: index,
        frame_number: frame.number,
        recipe,
        width: placed.width,
        height: placed.height,
        sha256: crate::sha256_hex(&pixels),
        steps,
        mapping: mapping(frame, &placed),
    };
    Ok(View { image: RgbImage::new(placed.width, placed.height, pixels)?, record })
}

/// Where a frame stands in its view.
struct Placed {
    width: usize,
    height: usize,
    content: Region,
}

impl Placed {
    fn of(frame: &Frame, recipe: Recipe) -> Result<Self> {
        let (width, height) = if recipe == Recipe::Film {
            let side = frame.width.max(frame.height);
            (side, side)
        } else {
            (frame.width, frame.height)
        };
        if width.checked_mul(height).is_none_or(|n| n > MAX_PIXELS) {
            return Err(Error::new(
                ErrorKind::View,
                format!(
                    "picture for the model: expected at most {MAX_PIXELS} pixels, found {width}×{height} ({}×{} made square)",
                    frame.width, frame.height
                ),
            )
            .hint("crop the picture to the region of interest"));
        }
        let content = Region {
            left: (width - frame.width) / 2,
            top: (height - frame.height) / 2,
            width: frame.width,
            height: frame.height,
        };
        Ok(Self { width, height, content })
    }

    fn step(&self) -> Option<ViewStep> {
        let Region { left, top, width, height } = self.content;
        let is_padded = (width, height) != (self.width, self.height);
        is_padded.then_some(ViewStep::PadToSquare { side: self.width, left, top })
    }
}

/// The RGB samples of the view, black around the frame; `number` names it in messages.
fn rgb(
    frame: &Frame,
    number: usize,
    recipe: Recipe,
    placed: &Placed,
    steps: &mut Vec<Step>,
) -> Result<Vec<u8>> {
    let n_bytes = placed.width * placed.height * 3;
    let mut pixels = Vec::new();
    pixels.try_reserve_exact(n_bytes).map_err(|_| {
        Error::new(ErrorKind::View, format!("picture for the model: no memory for {n_bytes} bytes"))
            .hint("close other programs, or downscale the picture")
    })?;
    pixels.resize(n_bytes, 0);
    let repeated = |v: u8| [v, v, v];
    match &frame.samples {
        Samples::Gray8(v) => fill(&mut pixels, placed, |at| repeated(v[at])),
        Samples::Gray16(v) => {
            let levels = match recipe {
                Recipe::Film => Levels::of_range(v, steps),
                Recipe::Raw => Levels::of_type(steps),
            };
            fill(&mut pixels, placed, |at| repeated(levels.get(v[at])));
        }
        Samples::Values(gray) => {
            let rule = match recipe {
                Recipe::Film => WindowRule::Serving,
                Recipe::Raw => WindowRule::Standard,
            };
            let (levels, done) = gray
                .levels(rule)
                .map_err(|error| Error::new(ErrorKind::View, format!("picture {number}: {error}")))?;
            steps.extend(done.into_iter().map(lightbox_intake::Step::Dicom).map(Step::Decode));
            fill(&mut pixels, placed, |at| repeated(levels[at]));
        }
        Samples::Rgb8(v) => fill(&mut pixels, placed, |at| [v[3 * at], v[3 * at + 1], v[3 * at + 2]]),
        // Colours of 16 bits are photographs, not films: their range is the camera's and stays.
        Samples::Rgb16(v) => {
            let levels = Levels::of_type(steps);
            fill(&mut pixels, placed, |at| [0, 1, 2].map(|channel| levels.get(v[3 * at + channel])));
        }
    }
    if frame.samples.n_channels() == 1 {
        steps.push(Step::View(ViewStep::GrayToRgb));
    }
    Ok(pixels)
}

/// Writes the frame into its place; `color` gives the pixel at an index of the frame, row by row.
fn fill(pixels: &mut [u8], placed: &Placed, color: impl Fn(usize) -> [u8; 3]) {
    let Region { left, top, width, height } = placed.content;
    for y in 0..height {
        let first = ((top + y) * placed.width + left) * 3;
        let row = pixels[first..first + width * 3].chunks_exact_mut(3);
        for (x, pixel) in row.enumerate() {
            pixel.copy_from_slice(&color(y * width + x));
        }
    }
}

fn mapping(frame: &Frame, placed: &Placed) -> Mapping {
    let (source_width, source_height) = if frame.orientation.swaps_sides() {
        (frame.height, frame.width)
    } else {
        (frame.width, frame.height)
    };
    // The padding is taken off first, then the orientation is undone.
    let (left, top) = (placed.content.left as f64, placed.content.top as f64);
    let view_to_source = frame
        .orientation
        .to_stored(source_width, source_height)
        .map(|[a, b, c]| [a, b, c - a * left - b * top]);
    Mapping { view_to_source, source_width, source_height, content: placed.content }
}
