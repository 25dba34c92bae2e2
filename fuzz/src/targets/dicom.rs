//! DICOM from the bytes of a file to the pictures of its first frames.

use std::time::Duration;

use lightbox_intake::dicom::pixels::{ModalityFrame, Pixels, VoiChoice, WindowRule};
use lightbox_intake::dicom::{Dataset, File, Value, describe};
use lightbox_intake::{Allowance, Result, Samples};
use lightbox_phantoms::dicom::cases;

use super::Target;

/// Frames of one file that are decoded; the rest take the same way.
const MOST_FRAMES: usize = 3;

/// Pixels of all frames that the door may take: it holds them together, and the bound on memory is for one.
const MOST_PIXELS: u64 = 1 << 22;

/// Elements that are asked for by type: asking for all of a file of nothing but elements would take the square of their
/// number.
const MOST_ASKED: usize = 500;

/// All transfer syntaxes that the catalogue has, and files that mislead.
pub const DICOM: Target = Target {
    name: "dicom",
    run: read,
    seeds,
    words: WORDS,
    repair: None,
    memory_limit_bytes: 64 << 20,
    memory_limit_per_byte: 20,
    time_limit: Duration::from_secs(4),
};

/// What comes in must be refused with words, or give frames that agree with their header.
fn read(bytes: &[u8]) {
    if let Err(error) = through(bytes) {
        assert!(!error.to_string().is_empty(), "an error without words");
    }
    // The door of every command, and the views behind it; for some, because it does much of the same once more.
    if bytes.len().is_multiple_of(4)
        && let Ok(study) = Allowance::new(MOST_PIXELS).read(bytes)
    {
        for gray in study.frames.iter().take(MOST_FRAMES).filter_map(|frame| match &frame.samples {
            Samples::Values(gray) => Some(gray),
            _ => None,
        }) {
            if let Err(error) = gray.levels(WindowRule::Serving) {
                assert!(!error.to_string().is_empty(), "an error without words");
            }
        }
    }
}

fn through(bytes: &[u8]) -> Result<()> {
    let file = File::read(bytes)?;
    let dataset = file.dataset()?;
    for note in file.notes().iter().chain(dataset.notes()) {
        assert!(!note.to_string().is_empty(), "a note without words");
    }
    let mut n_left = MOST_ASKED;
    walk(&dataset, &mut n_left);
    let pixels = Pixels::of(&dataset, file.syntax())?;
    for frame_idx in 0..pixels.n_frames().min(MOST_FRAMES) {
        decode(&pixels, frame_idx)?;
    }
    Ok(())
}

/// Looks at elements as a listing does: every way to read each, then what is inside.
fn walk(dataset: &Dataset<'_>, n_left: &mut usize) {
    for element in dataset.iter() {
        let Some(fewer) = n_left.checked_sub(1) else { return };
        *n_left = fewer;
        let tag = element.tag;
        assert!(!describe(tag).is_empty(), "an element without a name");
        // What an element cannot be read as is refused by each of these.
        let heard = [
            dataset.uint(tag).err(),
            dataset.int(tag).err(),
            dataset.ints(tag).err(),
            dataset.decimals(tag).err(),
            dataset.text(tag).err(),
            dataset.texts(tag).err(),
            dataset.words(tag).err(),
        ];
        assert!(heard.iter().flatten().all(|error| !error.to_string().is_empty()));
        if let Value::Items(items) = &element.value {
            for item in items {
                walk(item, n_left);
            }
        }
    }
}

/// One frame at its three stages; a frame whose view is wrong still has modality values.
fn decode(pixels: &Pixels<'_>, frame_idx: usize) -> Result<()> {
    let frame = pixels.frame(frame_idx)?;
    let (width, height) = frame.sides();
    assert_eq!(frame.values().len(), width * height * frame.n_samples(), "sides and samples disagree");
    match frame.modality()? {
        ModalityFrame::Gray(gray) => assert!(gray.iter().count() == width * height),
        ModalityFrame::Rgb(rgb) => drop(rgb),
    }
    let n_views = pixels.views(frame_idx).map_or(0, |views| views.len()).min(MOST_FRAMES);
    let numbers = (1..=n_views).map(VoiChoice::Number);
    for choice in numbers.chain([VoiChoice::Default, VoiChoice::None]) {
        if let Err(error) = frame.display(&choice, WindowRule::Standard) {
            assert!(!error.to_string().is_empty(), "an error without words");
        }
    }
    Ok(())
}

fn seeds() -> Vec<Vec<u8>> {
    let small = |file: &Vec<u8>| file.len() <= crate::mutate::MAX_BYTES;
    let mut files: Vec<Vec<u8>> = cases().into_iter().map(|case| case.bytes).filter(small).collect();
    files.extend(super::codecs::wrapped_files());
    files
}

const WORDS: &[&[u8]] = &[
    // Items and delimiters, defined and undefined lengths.
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
    b"\xfe\xff\x00\xe0\x00\x00\x00\x00",
    b"\xfe\xff\x0d\xe0\x00\x00\x00\x00",
    b"\xfe\xff\xdd\xe0\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    // Pixel data.
    b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff",
    b"\xe0\x7f\x10\x00OW\x00\x00",
    b"\xe0\x7f\x08\x00OF\x00\x00",
    b"\xe0\x7f\x09\x00OD\x00\x00",
    b"\xe0\x7f\x01\x00OV\x00\x00",
    b"\xe0\x7f\x02\x00OV\x00\x00",
    // The Image Pixel Module.
    b"\x28\x00\x02\x00US\x02\x00\x03\x00",
    b"\x28\x00\x04\x00CS\x04\x00RGB ",
    b"\x28\x00\x04\x00CS\x0c\x00YBR_FULL_422",
    b"\x28\x00\x04\x00CS\x0e\x00PALETTE COLOR ",
    b"\x28\x00\x04\x00CS\x0c\x00MONOCHROME1 ",
    b"\x28\x00\x06\x00US\x02\x00\x01\x00",
    b"\x28\x00\x08\x00IS\x02\x0099",
    b"\x28\x00\x10\x00US\x02\x00\xff\xff",
    b"\x28\x00\x11\x00US\x02\x00\xff\xff",
    b"\x28\x00\x00\x01US\x02\x00\x01\x00",
    b"\x28\x00\x00\x01US\x02\x00\x20\x00",
    b"\x28\x00\x01\x01US\x02\x00\x0c\x00",
    b"\x28\x00\x03\x01US\x02\x00\x01\x00",
    b"\x28\x00\x20\x01US\x02\x00\x00\x00",
    // Modality, views, tables.
    b"\x28\x00\x50\x10DS\x02\x0040",
    b"\x28\x00\x51\x10DS\x02\x001 ",
    b"\x28\x00\x52\x10DS\x06\x00-1e308",
    b"\x28\x00\x53\x10DS\x02\x000 ",
    b"\x28\x00\x56\x10CS\x08\x00SIGMOID ",
    b"\x28\x00\x00\x30SQ\x00\x00\xff\xff\xff\xff",
    b"\x28\x00\x10\x30SQ\x00\x00\xff\xff\xff\xff",
    b"\x28\x00\x02\x30US\x06\x00\x00\x00\x00\x00\x10\x00",
    b"\x28\x00\x06\x30US",
    b"\x28\x00\x01\x11US\x06\x00\x00\x01\x00\x00\x10\x00",
    b"\x28\x00\x21\x12OW\x00\x00",
    b"\x50\x20\x00\x00CS\x08\x00INVERSE ",
    // Functional groups, overlays.
    b"\x00\x52\x29\x92SQ\x00\x00\xff\xff\xff\xff",
    b"\x00\x52\x30\x92SQ\x00\x00\xff\xff\xff\xff",
    b"\x28\x00\x45\x91SQ\x00\x00\xff\xff\xff\xff",
    b"\x00\x60\x00\x30OW\x00\x00",
    // Types and syntaxes.
    b"SQ\x00\x00",
    b"UN\x00\x00\xff\xff\xff\xff",
    b"UT\x00\x00",
    b"1.2.840.10008.1.2\x00",
    b"1.2.840.10008.1.2.1.99\x00",
    b"1.2.840.10008.1.2.4.50",
    b"1.2.840.10008.1.2.4.57",
    b"1.2.840.10008.1.2.4.80",
    b"1.2.840.10008.1.2.4.90",
    b"1.2.840.10008.1.2.5\x00",
    b"1.2.840.10008.1.2.8.1",
    b"ISO 2022 IR 87",
    b"\x02\x00\x10\x00UI",
    b"DICM",
    // Markers of what is in fragments.
    b"\xff\xd8\xff\xc0",
    b"\xff\xc3",
    b"\xff\xf7",
    b"\xff\xda",
    b"\xff\x4f\xff\x51",
    b"\xff\x52",
    b"\xff\x90",
    b"\xff\xd9",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_seeds_are_read_to_the_end() {
        let seeds = seeds();
        let refused = seeds.iter().filter(|seed| through(seed).is_err()).count();
        assert!(seeds.len() > 250 && refused * 4 < seeds.len(), "{refused} of {} are refused", seeds.len());
    }
}
