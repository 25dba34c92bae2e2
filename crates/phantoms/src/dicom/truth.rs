//! What is true of a file.

/// A file and what is true of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// A name of its own: the topic, a slash, what is special.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// What a reader must make of it.
    pub truth: Truth,
}

impl Case {
    /// The same, and a reader has to say these words of it.
    pub(crate) fn saying(mut self, words: &'static str) -> Self {
        if let Truth::Known(known) = &mut self.truth {
            known.says.push(words);
        }
        self
    }
}

/// What a reader must make of a file.
#[derive(Clone, Debug)]
pub enum Truth {
    /// Its frames have these values.
    Known(Known),
    /// It has no pixels that can be trusted.
    Refused(Refusal),
}

/// The values of every frame.
#[derive(Clone, Debug)]
pub struct Known {
    /// Columns.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Frame after frame.
    pub frames: Vec<FrameTruth>,
    /// How far values may be off.
    pub tolerances: Tolerances,
    /// Words that a reader has to say of the file, in any case of letters: an odd thing that it found and took somehow.
    pub says: Vec<&'static str>,
}

/// How far a value may be off at each stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerances {
    /// 0, or 1 where the coding is lossy.
    pub stored: f64,
    /// The same after the Modality LUT, or half a level where colours are converted and rounded.
    pub modality: f64,
    /// Half a level, for levels are rounded.
    pub display: f64,
}

impl Tolerances {
    /// Rounding puts a result that lies between two levels on either side of the middle.
    const ROUNDING: f64 = 0.5 + 1e-6;

    /// Those of gray or RGB that may be off by so much as stored.
    pub(crate) fn of_stored(stored: f64) -> Self {
        Self { stored, modality: stored, display: stored + Self::ROUNDING }
    }

    /// Those of a YBR space: blue moves by itself once with luma and 1.772 times with its chroma.
    pub(crate) fn of_ybr(stored: f64) -> Self {
        let rgb = stored * 2.772 + Self::ROUNDING;
        Self { stored, modality: rgb, display: rgb }
    }
}

/// A frame at three stages; row-major, the samples of a pixel side by side.
#[derive(Clone, Debug)]
pub struct FrameTruth {
    /// As stored, in the colour space of the file, signs extended. YBR_FULL_422 has the chroma of a pair at both pixels.
    pub stored: Vec<f64>,
    /// Gray: the output of the Modality LUT. Colour: RGB at the depth of the file or of its palette.
    pub modality: Vec<f64>,
    /// As displayed, for each way that the file offers.
    pub displays: Vec<Display>,
}

/// A displayed picture.
#[derive(Clone, Debug)]
pub struct Display {
    /// The number of the view, from 1: the VOI LUTs of the file in their order, then its windows. 0: none is taken, and
    /// gray goes from the smallest to the largest value that is no padding.
    pub choice: usize,
    /// Its explanation, where the file has one.
    pub explanation: Option<String>,
    /// Levels from 0 (black) to 255 (white), not rounded; gray has one a pixel, colour three.
    pub levels: Vec<f64>,
}

/// Why there are no pixels.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The name of the kind of error.
    pub kind: &'static str,
    /// Words that the message or its hint must hold, in any case of letters.
    pub says: Vec<&'static str>,
}
