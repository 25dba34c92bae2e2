//! What is taken of a file: which of its frames, and through which view.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::dicom::pixels::VoiChoice;
use crate::{Error, ErrorKind, Result};

/// What is taken of the pictures of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureChoice {
    /// Which frames of a file that has several.
    pub frames: FrameChoice,
    /// Through which of the views that it offers a gray DICOM frame is shown.
    pub window: VoiChoice,
}

impl PictureChoice {
    /// Checks the choice for a format of one picture that offers no views.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if another frame than the first is chosen, or a view.
    pub(crate) fn check_plain(&self) -> Result<()> {
        self.frames.of(1)?;
        if !matches!(self.window, VoiChoice::Default | VoiChoice::None) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "window: expected none for a picture that is not DICOM, found a choice",
            )
            .hint("read it without a window, or read the DICOM file that it was made from"));
        }
        Ok(())
    }
}

/// Frames of a file by number: all of them, or those that are named, in the order in which they are named.
///
/// Written as numbers and ranges from 1, such as `1,5-9,3`; a file of one picture has frame 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FrameChoice {
    /// First and last frame, both included; empty: all.
    ranges: Vec<(u32, u32)>,
}

impl FrameChoice {
    /// All frames.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The frames of a file that has `n_frames`, counted from 0.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if one is named that the file does not have.
    pub fn of(&self, n_frames: usize) -> Result<Vec<usize>> {
        if self.ranges.is_empty() {
            return Ok((0..n_frames).collect());
        }
        let last = self.ranges.iter().map(|(_, last)| *last as usize).max().unwrap_or(0);
        if last > n_frames {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("frames: expected numbers from 1 to {n_frames}, found {last}"),
            )
            .hint("name frames that the file has"));
        }
        Ok(self.ranges.iter().flat_map(|(first, last)| (*first as usize - 1)..*last as usize).collect())
    }
}

impl FromStr for FrameChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = || {
            Error::new(
                ErrorKind::Unsupported,
                "frames: expected numbers and ranges from 1, such as 1,5-9, found something else",
            )
        };
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|n| *n >= 1).ok_or_else(refused);
        let range = |part: &str| {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(part)?, number(part)?),
            };
            if first <= last { Ok((first, last)) } else { Err(refused()) }
        };
        let ranges = text.split(',').map(range).collect::<Result<Vec<_>>>()?;
        let mut sorted = ranges.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[1].0 <= pair[0].1) {
            let twice = pair[1].0;
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("frames: expected each once, found frame {twice} twice"),
            ));
        }
        Ok(Self { ranges })
    }
}

impl fmt::Display for FrameChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for FrameChoice {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        if text.is_empty() { Ok(Self::all()) } else { text.parse() }
    }
}

impl From<FrameChoice> for String {
    fn from(choice: FrameChoice) -> Self {
        choice.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_as_they_are_named() {
        for (text, n_frames, expected) in [
            ("1", 1, Some(vec![0])),
            ("3,1-2", 3, Some(vec![2, 0, 1])),
            (" 2 - 3 ", 4, Some(vec![1, 2])),
            ("2", 1, None),
            ("1-4294967295", 9, None),
        ] {
            let choice: FrameChoice = text.parse().expect(text);
            assert_eq!(choice.of(n_frames).ok(), expected, "{text}");
            let again: FrameChoice = String::from(choice.clone()).try_into().expect("its own form");
            assert_eq!(again, choice);
        }
        assert_eq!(FrameChoice::all().of(2).ok(), Some(vec![0, 1]));
        assert_eq!(FrameChoice::try_from(String::new()).ok(), Some(FrameChoice::all()));
    }

    #[test]
    fn what_is_no_list_of_frames_is_refused() {
        for text in ["", "0", "x", "2-1", "1,", "-1", "1-", "4294967296", "1.5", "1,1", "4-6,1-4"] {
            assert!(text.parse::<FrameChoice>().is_err(), "{text}");
        }
    }
}
