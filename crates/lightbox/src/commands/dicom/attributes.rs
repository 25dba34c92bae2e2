//! The attributes of a data set as lines and as JSON; what may say who the patient is, masked.

use lightbox_intake::dicom::{Dataset, Element, VR, Value, identity, keyword};
use serde::Serialize;

/// Values of an element that are shown at most; the rest is counted.
const MAX_VALUES: usize = 16;
/// Characters of a value that are shown at most on a line.
const MAX_CHARACTERS: usize = 120;

/// An element as it is shown.
#[derive(Serialize)]
pub struct Attribute {
    /// `(gggg,eeee)`.
    tag: String,
    vr: String,
    keyword: Option<&'static str>,
    /// The values, or what stands for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// Whether a value is there and not shown, because it may say who the patient is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    masked: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<Vec<Attribute>>,
}

/// The attributes of a data set, in the order of the file.
pub fn of(dataset: &Dataset<'_>, with_identity: bool) -> Vec<Attribute> {
    dataset.iter().map(|element| attribute(dataset, element, with_identity)).collect()
}

fn attribute(dataset: &Dataset<'_>, element: &Element<'_>, with_identity: bool) -> Attribute {
    let mut shown = Attribute {
        tag: format!("({:04X},{:04X})", element.tag.0, element.tag.1),
        vr: element.vr.to_string().to_owned(),
        keyword: keyword(element.tag),
        value: None,
        masked: false,
        items: Vec::new(),
    };
    match &element.value {
        Value::Items(items) => shown.items = items.iter().map(|item| of(item, with_identity)).collect(),
        Value::Bytes([]) => shown.value = Some(String::new()),
        _ if !with_identity && identity::is_masked(element) => shown.masked = true,
        Value::Bytes(bytes) => shown.value = Some(value(dataset, element, bytes)),
        Value::Fragments(parts) => {
            let n_bytes: usize = parts.fragments.iter().map(|fragment| fragment.len()).sum();
            shown.value = Some(format!("{} fragments of {n_bytes} bytes in all", parts.fragments.len()));
        }
        Value::Cut(cut) => {
            shown.value =
                Some(format!("{} bytes, of which the file holds {}", cut.expected, cut.found.len()));
        }
    }
    shown
}

/// A value in words; what its type does not allow is told by its length.
fn value(dataset: &Dataset<'_>, element: &Element<'_>, bytes: &[u8]) -> String {
    let numbers = || Some(joined(dataset.ints(element.tag).ok()?.iter().map(ToString::to_string)));
    let told = match element.vr {
        VR::OB | VR::OW | VR::OL | VR::OV | VR::OF | VR::OD | VR::UN | VR::SQ => None,
        VR::AT => {
            let tags = bytes.chunks_exact(4).map(|b| {
                format!("({:04X},{:04X})", u16::from_le_bytes([b[0], b[1]]), u16::from_le_bytes([b[2], b[3]]))
            });
            Some(joined(tags))
        }
        VR::US | VR::SS | VR::UL | VR::SL | VR::UV | VR::SV => numbers(),
        VR::FL | VR::FD => {
            dataset.decimals(element.tag).ok().map(|v| joined(v.iter().map(ToString::to_string)))
        }
        _ => dataset.texts_of(element).ok().map(|texts| joined(texts.into_iter())),
    };
    told.unwrap_or_else(|| format!("{} bytes", bytes.len()))
}

fn joined(values: impl ExactSizeIterator<Item = String>) -> String {
    let n_more = values.len().saturating_sub(MAX_VALUES);
    let mut text = values.take(MAX_VALUES).collect::<Vec<_>>().join("\\");
    if n_more > 0 {
        text.push_str(&format!("\\… {n_more} more"));
    }
    text
}

/// Adds a line for each attribute, items indented.
pub fn lines(attributes: &[Attribute], depth: usize, text: &mut String) {
    for attribute in attributes {
        let value = match &attribute.value {
            Some(value) => short(value),
            None if attribute.masked => "(masked)".to_owned(),
            None => format!("{} items", attribute.items.len()),
        };
        let indent = "  ".repeat(depth);
        let keyword = attribute.keyword.unwrap_or("-");
        text.push_str(format!("{indent}{} {} {keyword}  {value}", attribute.tag, attribute.vr).trim_end());
        text.push('\n');
        for (index, item) in attribute.items.iter().enumerate() {
            text.push_str(&format!("{indent}  item {}\n", index + 1));
            lines(item, depth + 2, text);
        }
    }
}

/// One line of a value.
fn short(value: &str) -> String {
    let one_line: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if one_line.chars().count() <= MAX_CHARACTERS {
        return one_line;
    }
    one_line.chars().take(MAX_CHARACTERS).chain(['…']).collect()
}
