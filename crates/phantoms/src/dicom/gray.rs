//! The grayscale pipeline, computed plainly: Modality LUT, VOI, presentation (DICOM PS3.3 C.11.1, C.11.2, C.11.6).

use dicom_core::VR;
use dicom_dictionary_std::tags;

use super::file::{Item, item, sequence, text};
use super::lut::Table;
use super::{DicomFile, Display};

/// Stored values to values of the modality.
#[derive(Clone, Debug)]
pub(crate) enum Modality {
    /// As stored.
    Identity,
    /// Slope and intercept, as written.
    Rescale(&'static str, &'static str),
    /// Modality LUT Sequence.
    Lut(Table),
}

/// The function of windows (PS3.3 C.11.2.1.2 and C.11.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// VOI LUT Function absent.
    Absent,
    Linear,
    LinearExact,
    Sigmoid,
}

/// A window: center and width as written, and its explanation.
pub(crate) type Window = (&'static str, &'static str, &'static str);

/// What a file says of gray.
#[derive(Clone, Debug)]
pub(crate) struct Gray {
    pub modality: Modality,
    pub function: Function,
    pub windows: Vec<Window>,
    pub tables: Vec<Table>,
    /// White is what is low: MONOCHROME1, or Presentation LUT Shape INVERSE.
    pub is_inverted: bool,
    /// Signed stored values: descriptors of tables are signed then.
    pub is_signed: bool,
    /// Stored values, both ends included, that stand for no picture.
    pub padding: Option<(f64, f64)>,
}

impl Gray {
    pub fn new() -> Self {
        Self {
            modality: Modality::Identity,
            function: Function::Absent,
            windows: Vec::new(),
            tables: Vec::new(),
            is_inverted: false,
            is_signed: false,
            padding: None,
        }
    }

    /// A stored value as a value of the modality.
    pub fn value(&self, stored: f64) -> f64 {
        match &self.modality {
            Modality::Identity => stored,
            Modality::Rescale(slope, intercept) => stored * number(slope) + number(intercept),
            Modality::Lut(table) => f64::from(table.at(stored)),
        }
    }

    /// The pictures of a frame: stretched, then each view of the file.
    pub fn displays(&self, stored: &[f64], modality: &[f64]) -> Vec<Display> {
        let tables = self.tables.iter().map(|table| {
            let shares: Vec<f64> = modality.iter().map(|x| f64::from(table.at(*x)) / table.most()).collect();
            (table.explanation, shares)
        });
        let windows = self.windows.iter().map(|(center, width, explanation)| {
            let (center, width) = (number(center), number(width));
            let shares = modality.iter().map(|x| windowed(self.function, *x, center, width)).collect();
            (*explanation, shares)
        });
        std::iter::once(("", self.stretched(stored, modality)))
            .chain(tables)
            .chain(windows)
            .enumerate()
            .map(|(choice, (explanation, shares))| Display {
                choice,
                explanation: (!explanation.is_empty()).then(|| explanation.to_owned()),
                levels: shares.into_iter().map(|share| self.level(share)).collect(),
            })
            .collect()
    }

    /// From the smallest to the largest value that is no padding; a picture of one value is black.
    fn stretched(&self, stored: &[f64], modality: &[f64]) -> Vec<f64> {
        let is_padding = |value: f64| self.padding.is_some_and(|(low, high)| low <= value && value <= high);
        let shown = stored.iter().zip(modality).filter(|(stored, _)| !is_padding(**stored));
        let (low, high) =
            shown.fold((f64::MAX, f64::MIN), |(low, high), (_, value)| (value.min(low), value.max(high)));
        let share =
            |value: &f64| if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        modality.iter().map(share).collect()
    }

    fn level(&self, share: f64) -> f64 {
        255.0 * if self.is_inverted { 1.0 - share } else { share }
    }

    /// Writes what this says into a file, apart from the inversion.
    pub fn put(&self, file: DicomFile) -> DicomFile {
        let mut file = match &self.modality {
            Modality::Lut(table) => table.put(file, tags::MODALITY_LUT_SEQUENCE, self.is_signed),
            _ => file,
        };
        for element in self.rescale_item().into_iter().chain(self.window_item()) {
            file = file.put(element);
        }
        if !self.tables.is_empty() {
            // The input of a VOI LUT has a sign where the values of the modality can have one.
            let items = self.tables.iter().map(|table| table.item(table.first < 0, VR::US)).collect();
            file = file.put(sequence(tags::VOILUT_SEQUENCE, items));
        }
        file
    }

    /// Rescale Slope, Intercept and Type, where there are any.
    pub fn rescale_item(&self) -> Item {
        item(match &self.modality {
            Modality::Rescale(slope, intercept) => vec![
                text(tags::RESCALE_INTERCEPT, VR::DS, intercept),
                text(tags::RESCALE_SLOPE, VR::DS, slope),
                text(tags::RESCALE_TYPE, VR::LO, "US"),
            ],
            _ => Vec::new(),
        })
    }

    /// Windows with their explanations and function, where there are any.
    pub fn window_item(&self) -> Item {
        let joined =
            |part: fn(&Window) -> &'static str| self.windows.iter().map(part).collect::<Vec<_>>().join("\\");
        let mut elements = Vec::new();
        if !self.windows.is_empty() {
            elements.push(text(tags::WINDOW_CENTER, VR::DS, &joined(|window| window.0)));
            elements.push(text(tags::WINDOW_WIDTH, VR::DS, &joined(|window| window.1)));
        }
        if self.windows.iter().any(|window| !window.2.is_empty()) {
            elements.push(text(tags::WINDOW_CENTER_WIDTH_EXPLANATION, VR::LO, &joined(|window| window.2)));
        }
        let function = match self.function {
            Function::Absent => return item(elements),
            Function::Linear => "LINEAR",
            Function::LinearExact => "LINEAR_EXACT",
            Function::Sigmoid => "SIGMOID",
        };
        elements.push(text(tags::VOILUT_FUNCTION, VR::CS, function));
        item(elements)
    }
}

/// A decimal string as a number.
fn number(written: &str) -> f64 {
    written.trim().parse().expect("the catalogue writes decimal strings")
}

/// The share of white that a window gives a value.
fn windowed(function: Function, x: f64, center: f64, width: f64) -> f64 {
    let (center, width) = match function {
        Function::Sigmoid => return 1.0 / (1.0 + (-4.0 * (x - center) / width).exp()),
        Function::LinearExact => (center, width),
        Function::Absent | Function::Linear => (center - 0.5, width - 1.0),
    };
    if x <= center - width / 2.0 {
        0.0
    } else if x > center + width / 2.0 {
        1.0
    } else {
        (x - center) / width + 0.5
    }
}
