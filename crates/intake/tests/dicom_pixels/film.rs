//! A film of a few pixels, element by element, and what is made of it.

use lightbox_intake::Result;
use lightbox_intake::dicom::pixels::{Display, ModalityFrame, Pixels, VoiChoice, WindowRule};
use lightbox_intake::dicom::{Dataset, File};

/// An element in explicit little endian.
pub fn element(tag: u32, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&((tag >> 16) as u16).to_le_bytes());
    bytes.extend_from_slice(&(tag as u16).to_le_bytes());
    bytes.extend_from_slice(vr.as_bytes());
    let length = value.len() + value.len() % 2;
    if matches!(vr, "OB" | "OW" | "OF" | "OD" | "SQ" | "UN") {
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&(length as u32).to_le_bytes());
    } else {
        bytes.extend_from_slice(&(length as u16).to_le_bytes());
    }
    bytes.extend_from_slice(value);
    if value.len() % 2 == 1 {
        bytes.push(if matches!(vr, "CS" | "DS" | "IS" | "LO") { b' ' } else { 0 });
    }
    bytes
}

pub fn us(tag: u32, values: &[u16]) -> Vec<u8> {
    element(tag, "US", &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
}

pub fn ss(tag: u32, values: &[i16]) -> Vec<u8> {
    element(tag, "SS", &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
}

pub fn text(tag: u32, vr: &str, value: &str) -> Vec<u8> {
    element(tag, vr, value.as_bytes())
}

pub fn ow(tag: u32, values: &[u16]) -> Vec<u8> {
    element(tag, "OW", &words(values))
}

/// A sequence of items.
pub fn sq(tag: u32, items: &[&[Vec<u8>]]) -> Vec<u8> {
    let mut value = Vec::new();
    for item in items {
        let body = item.concat();
        value.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0]);
        value.extend_from_slice(&(body.len() as u32).to_le_bytes());
        value.extend(body);
    }
    element(tag, "SQ", &value)
}

pub fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

pub fn signed(values: &[i16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// What a film states; the rest of its header follows from it.
pub struct Film {
    pub photometric: &'static str,
    pub n_samples: u16,
    pub sides: [u16; 2],
    /// Bits Allocated, Bits Stored, Pixel Representation.
    pub bits: [u16; 3],
    pub more: Vec<Vec<u8>>,
    pub pixels: Vec<u8>,
}

impl Film {
    pub fn gray(bits: [u16; 3], width: u16, pixels: Vec<u8>, more: Vec<Vec<u8>>) -> Self {
        Self { photometric: "MONOCHROME2", n_samples: 1, sides: [width, 1], bits, more, pixels }
    }

    /// The film as a file in explicit little endian; elements in the order of their tags.
    pub fn bytes(&self) -> Vec<u8> {
        let meta = text(0x0002_0010, "UI", "1.2.840.10008.1.2.1\0");
        let mut elements = vec![
            text(0x0008_0060, "CS", "OT"),
            us(0x0028_0002, &[self.n_samples]),
            text(0x0028_0004, "CS", self.photometric),
            us(0x0028_0010, &[self.sides[1]]),
            us(0x0028_0011, &[self.sides[0]]),
            us(0x0028_0100, &[self.bits[0]]),
        ];
        let is_float = self.more.iter().any(|e| matches!(e[..4], [0xE0, 0x7F, 0x08 | 0x09, 0]));
        if !is_float {
            elements.push(us(0x0028_0101, &[self.bits[1]]));
            elements.push(us(0x0028_0102, &[self.bits[1] - 1]));
            elements.push(us(0x0028_0103, &[self.bits[2]]));
            elements.push(element(0x7FE0_0010, "OW", &self.pixels));
        }
        elements.extend(self.more.iter().cloned());
        // Of two elements of a tag, the case's own counts.
        elements.sort_by_key(|e| [e[1], e[0], e[3], e[2]]);
        let mut file = vec![0; 128];
        file.extend_from_slice(b"DICM");
        file.extend(element(0x0002_0000, "UL", &(meta.len() as u32).to_le_bytes()));
        file.extend(meta);
        let mut rest = elements.into_iter().peekable();
        while let Some(one) = rest.next() {
            if rest.peek().is_none_or(|next| next[..4] != one[..4]) {
                file.extend(one);
            }
        }
        file
    }
}

/// What came out of a frame: stored and modality values as doubles, display levels.
pub type Stages = (Vec<f64>, Vec<f64>, Vec<u8>);

pub fn stages(film: &Film, frame_idx: usize, choice: &VoiChoice, rule: WindowRule) -> Result<Stages> {
    let bytes = film.bytes();
    let file = File::read(&bytes)?;
    let dataset: Dataset<'_> = file.dataset()?;
    let pixels = Pixels::of(&dataset, file.syntax())?;
    let frame = pixels.frame(frame_idx)?;
    let modality = match frame.modality()? {
        ModalityFrame::Gray(gray) => gray.iter().collect(),
        ModalityFrame::Rgb(rgb) => rgb.values.iter().collect(),
    };
    let display = match frame.display(choice, rule)?.picture {
        Display::Gray8(levels) | Display::Rgb8(levels) => levels,
    };
    Ok((frame.values().iter().collect(), modality, display))
}

pub const CENTER: u32 = 0x0028_1050;
pub const WIDTH: u32 = 0x0028_1051;
pub const INTERCEPT: u32 = 0x0028_1052;
pub const SLOPE: u32 = 0x0028_1053;
pub const FUNCTION: u32 = 0x0028_1056;
pub const EXPLANATION: u32 = 0x0028_1055;
pub const MODALITY_LUT: u32 = 0x0028_3000;
pub const VOI_LUT: u32 = 0x0028_3010;
pub const DESCRIPTOR: u32 = 0x0028_3002;
pub const LUT_DATA: u32 = 0x0028_3006;

pub fn ds(tag: u32, value: &str) -> Vec<u8> {
    text(tag, "DS", value)
}

pub fn cs(tag: u32, value: &str) -> Vec<u8> {
    text(tag, "CS", value)
}

pub fn hounsfield() -> Vec<Vec<u8>> {
    vec![ds(SLOPE, "2"), ds(INTERCEPT, "-1000.5"), ds(CENTER, "40"), ds(WIDTH, "400")]
}

pub fn narrow() -> Vec<Vec<u8>> {
    vec![ds(SLOPE, "2"), ds(INTERCEPT, "-1000.5"), ds(CENTER, "10"), ds(WIDTH, "41")]
}

pub fn and(mut elements: Vec<Vec<u8>>, more: &[Vec<u8>]) -> Vec<Vec<u8>> {
    elements.extend_from_slice(more);
    elements
}
