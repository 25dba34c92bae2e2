//! Which values are of interest (PS3.3 section C.11.2): the windows and tables that a file offers, and the choice.

use std::str::FromStr;

use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use super::lut::Lut;
use super::steps::shown;
use super::window::{Window, WindowFunction};
use super::{error, expected, unsupported};
use crate::dicom::{Dataset, Tag};
use crate::{Error, ErrorKind, Result};

/// Which of the offered views is taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoiChoice {
    /// As pydicom chooses: the first table, else the first window, else none.
    #[default]
    Default,
    /// By its number in the list of what is offered, from 1.
    Number(usize),
    /// By its explanation, in any case: the whole of it, or a beginning that only one has.
    Name(String),
    /// A window of one's own.
    Free(Window),
    /// None: the range of the values is stretched.
    None,
}

impl FromStr for VoiChoice {
    type Err = Error;

    /// `default`, `none`, a number, `CENTER,WIDTH`, `CENTER,WIDTH,FUNCTION`, or a name. FUNCTION is a defined term of VOI
    /// LUT Function in any case: `linear`, `linear_exact` (or `exact`), `sigmoid`. A name has no comma.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("default") {
            return Ok(Self::Default);
        }
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self::None);
        }
        if let Ok(number) = text.parse() {
            return Ok(Self::Number(number));
        }
        if text.contains(',') {
            return free(text).map(Self::Free);
        }
        if text.is_empty() {
            return Err(Error::new(ErrorKind::Unknown, "window: expected a choice, found nothing")
                .hint("write a number, a name, CENTER,WIDTH, default or none"));
        }
        Ok(Self::Name(text.to_owned()))
    }
}

/// A window of one's own: center and width, and a function where it is not the line.
fn free(text: &str) -> Result<Window> {
    let refused = || {
        Error::new(
            ErrorKind::Unknown,
            "window: expected CENTER,WIDTH with numbers and a width above 0, and after a further comma linear, exact or \
             sigmoid; found something else",
        )
    };
    let mut parts = text.split(',').map(str::trim);
    let mut number =
        || parts.next().and_then(|part| part.parse().ok()).filter(|value: &f64| value.is_finite());
    let (center, width) = (number().ok_or_else(refused)?, number().ok_or_else(refused)?);
    let function = match parts.next() {
        None => WindowFunction::Linear,
        Some(term) if term.eq_ignore_ascii_case("exact") => WindowFunction::LinearExact,
        Some(term) => WindowFunction::of(term).ok_or_else(refused)?,
    };
    // A line of the standard needs one value more.
    let is_wide = if function == WindowFunction::Linear { width >= 1.0 } else { width > 0.0 };
    if !is_wide || parts.next().is_some() {
        return Err(refused());
    }
    Ok(Window { center, width, function })
}

/// A view that the file offers.
#[derive(Clone, Debug, PartialEq)]
pub struct VoiView {
    /// LUT Explanation or Window Center & Width Explanation, where there is one. Free text of the file: for the user who
    /// has it; steps and messages give numbers.
    pub explanation: Option<String>,
    /// What it does.
    pub kind: VoiKind,
}

/// A window or a table.
#[derive(Clone, Debug, PartialEq)]
pub enum VoiKind {
    /// A window.
    Window(Window),
    /// An item of the VOI LUT Sequence.
    Table {
        /// Its index in the sequence.
        item_idx: usize,
    },
}

/// A view that was chosen: what is done with modality values.
#[derive(Clone, Debug, PartialEq)]
pub enum ChosenView {
    /// They are stretched from the smallest to the largest.
    Stretch,
    /// They go through a window.
    Window {
        /// The window.
        window: Window,
        /// Its number among the views of the file; `None` for a window of one's own.
        number: Option<usize>,
    },
    /// They go through a table.
    Table {
        /// The table.
        lut: Lut,
        /// Its number among the views of the file.
        number: usize,
    },
}

/// The views that a data set offers, tables first, then windows: `Number(1)` is the first.
///
/// # Errors
/// [`ErrorKind::Corrupt`] or [`ErrorKind::Unsupported`] if an element is not what it should be. Tables are read when
/// they are taken.
pub(crate) fn views(scope: &Dataset<'_>) -> Result<Vec<VoiView>> {
    let mut views = Vec::new();
    for (item_idx, item) in scope.items(tags::VOILUT_SEQUENCE)?.iter().enumerate() {
        // As in pydicom, an item without table is no view.
        if item.bytes(tags::LUT_DATA).is_some_and(|b| !b.is_empty())
            && item.get(tags::LUT_DESCRIPTOR).is_some()
        {
            let explanation = first_text(item, tags::LUT_EXPLANATION, 0);
            views.push(VoiView { explanation, kind: VoiKind::Table { item_idx } });
        }
    }
    let centers = scope.decimals(tags::WINDOW_CENTER)?;
    let widths = scope.decimals(tags::WINDOW_WIDTH)?;
    if centers.is_empty() || widths.is_empty() {
        return Ok(views);
    }
    if centers.len() != widths.len() {
        return Err(expected(
            tags::WINDOW_WIDTH,
            &format!("as many values as Window Center has, {}", centers.len()),
            &widths.len().to_string(),
        ));
    }
    let function = match scope.text(tags::VOILUT_FUNCTION)? {
        None => WindowFunction::Linear,
        Some(term) => WindowFunction::of(&term).ok_or_else(|| {
            unsupported(tags::VOILUT_FUNCTION, "LINEAR, LINEAR_EXACT or SIGMOID", &shown(&term))
                .hint("give a free window, or none")
        })?,
    };
    for (idx, (center, width)) in centers.into_iter().zip(widths).enumerate() {
        let explanation = first_text(scope, tags::WINDOW_CENTER_WIDTH_EXPLANATION, idx);
        views.push(VoiView { explanation, kind: VoiKind::Window(Window { center, width, function }) });
    }
    Ok(views)
}

/// An explanation; what cannot be read explains nothing.
fn first_text(scope: &Dataset<'_>, tag: Tag, idx: usize) -> Option<String> {
    scope.texts(tag).ok()?.into_iter().nth(idx).filter(|text| !text.is_empty())
}

/// Takes a view.
///
/// # Errors
/// [`ErrorKind::Unknown`] if there is no such view; the message lists those there are.
pub(crate) fn choose(scope: &Dataset<'_>, choice: &VoiChoice) -> Result<ChosenView> {
    let views = match choice {
        VoiChoice::None => return Ok(ChosenView::Stretch),
        VoiChoice::Free(window) => return Ok(ChosenView::Window { window: *window, number: None }),
        VoiChoice::Default | VoiChoice::Number(_) | VoiChoice::Name(_) => views(scope)?,
    };
    let idx = match choice {
        VoiChoice::Number(number) => number
            .checked_sub(1)
            .filter(|idx| *idx < views.len())
            .ok_or_else(|| no_such(&format!("view {number}"), &views))?,
        VoiChoice::Name(name) => named(name, &views)?,
        _ => 0,
    };
    let Some(view) = views.get(idx) else { return Ok(ChosenView::Stretch) };
    match view.kind {
        VoiKind::Window(window) => Ok(ChosenView::Window { window, number: Some(idx + 1) }),
        VoiKind::Table { item_idx } => {
            let items = scope.items(tags::VOILUT_SEQUENCE)?;
            let item = items.get(item_idx).ok_or_else(|| super::missing(tags::VOILUT_SEQUENCE))?;
            Ok(ChosenView::Table { lut: Lut::of(item)?, number: idx + 1 })
        }
    }
}

/// The index of the view with an explanation, or with the only one that begins so.
fn named(name: &str, views: &[VoiView]) -> Result<usize> {
    let name = name.to_lowercase();
    let explanations = || {
        let explained = views.iter().enumerate();
        explained.filter_map(|(idx, view)| Some((idx, view.explanation.as_deref()?.to_lowercase())))
    };
    if let Some((idx, _)) = explanations().find(|(_, explanation)| *explanation == name) {
        return Ok(idx);
    }
    let mut begun = explanations().filter(|(_, explanation)| explanation.starts_with(&name));
    match (begun.next(), begun.next()) {
        (Some((idx, _)), None) => Ok(idx),
        (Some(_), Some(_)) => Err(no_such("a name that only one view begins with", views)),
        (None, _) => Err(no_such("a view of this name", views)),
    }
}

/// What there is instead. Explanations are not named: they are free text of the file.
fn no_such(expected: &str, views: &[VoiView]) -> Error {
    let offered: Vec<String> = views
        .iter()
        .enumerate()
        .map(|(idx, view)| match view.kind {
            VoiKind::Window(w) => {
                format!("{} (center {}, width {}, {})", idx + 1, w.center, w.width, w.function.term())
            }
            VoiKind::Table { .. } => format!("{} (table)", idx + 1),
        })
        .collect();
    let offered = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
    error(ErrorKind::Unknown, tags::WINDOW_CENTER, expected, &format!("these: {offered}"))
        .hint("choose one of them by number, give CENTER,WIDTH, or none")
}
