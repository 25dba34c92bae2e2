//! The header of one safetensors file: which tensor lies where.
//!
//! The format: 8 bytes little-endian length, that many bytes of JSON, then the data without holes.

use std::fmt;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use crate::files::ModelFiles;
use crate::{Error, ErrorKind, Result};

/// Longest header that is believed, as in the format's own implementation.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// One tensor in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name as stored.
    pub name: String,
    /// Type as stored: `F32`, `BF16`, ….
    pub dtype: String,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Position of the first byte in the file.
    pub offset: u64,
    /// Number of bytes.
    pub len: u64,
}

/// The whole header of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The JSON as it stands in the file.
    pub json: Vec<u8>,
    /// The tensors in the order of their data.
    pub entries: Vec<Entry>,
}

/// Bytes of one element, for every type the format knows in whole bytes.
fn element_bytes(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" => 1,
        "I16" | "U16" | "F16" | "BF16" => 2,
        "I32" | "U32" | "F32" => 4,
        "I64" | "U64" | "F64" | "C64" => 8,
        _ => return None,
    })
}

impl Header {
    /// Reads and checks the header of `file`.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] if the file is missing or too short, [`ErrorKind::Weights`] if what it says does not hold.
    pub fn read(files: &ModelFiles, file: &str) -> Result<Self> {
        let file_len =
            files.len(file)?.ok_or_else(|| Error::new(ErrorKind::Files, format!("{}: no {file}", files)))?;
        if file_len < 8 {
            return Err(broken(file, format!("expected at least 8 bytes, found {file_len}")));
        }
        let length_bytes = files.read_range(file, 0, 8)?;
        let length = length_bytes
            .first_chunk::<8>()
            .map(|b| u64::from_le_bytes(*b))
            .ok_or_else(|| broken(file, "the length of the header cannot be read".to_owned()))?;
        if length > MAX_HEADER_BYTES || length > file_len - 8 {
            return Err(broken(
                file,
                format!(
                    "the header claims {length} bytes; the file has {} after its first 8, and at most \
                     {MAX_HEADER_BYTES} are believed",
                    file_len - 8
                ),
            ));
        }
        let json = files.read_range(file, 8, length as usize)?;
        Self::parse(file, json, file_len)
    }

    /// Checks the JSON of a header against the length of its file. `file` is for messages.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] naming the tensor and what does not hold.
    pub fn parse(file: &str, json: Vec<u8>, file_len: u64) -> Result<Self> {
        let data_start = 8 + json.len() as u64;
        let members = serde_json::Deserializer::from_slice(&json)
            .deserialize_map(Members)
            .map_err(|e| broken(file, format!("the header is not a JSON object of tensors: {e}")))?;
        let mut entries = Vec::with_capacity(members.len());
        for (name, value) in members {
            if name != "__metadata__" {
                entries.push(entry(file, name, &value, data_start, file_len)?);
            }
        }
        entries.sort_by(|a, b| (a.offset, a.len, &a.name).cmp(&(b.offset, b.len, &b.name)));
        let mut position = data_start;
        for entry in &entries {
            if entry.offset != position {
                return Err(broken(
                    file,
                    format!(
                        "tensor {}: expected its data at byte {position}, where the one before it ends, found {}",
                        entry.name, entry.offset
                    ),
                ));
            }
            position = entry.offset + entry.len;
        }
        if position != file_len {
            return Err(broken(
                file,
                format!("the tensors end at byte {position}, the file at byte {file_len}"),
            ));
        }
        Ok(Self { json, entries })
    }
}

fn broken(file: &str, message: String) -> Error {
    Error::new(ErrorKind::Weights, format!("{file}: {message}"))
        .hint("the file is damaged or incomplete; fetch it again")
}

fn entry(file: &str, name: String, value: &Value, data_start: u64, file_len: u64) -> Result<Entry> {
    let wrong = |what: &str, found: Option<&Value>| {
        let found = found.map_or_else(|| "nothing".to_owned(), crate::config::shown);
        broken(file, format!("tensor {name}: expected {what}, found {found}"))
    };
    let dtype = value.get("dtype").and_then(Value::as_str);
    let dtype = dtype.ok_or_else(|| wrong("a dtype", value.get("dtype")))?.to_owned();
    let size = element_bytes(&dtype).ok_or_else(|| wrong("a known dtype", value.get("dtype")))?;
    let shape = value.get("shape").and_then(Value::as_array).and_then(|list| {
        list.iter().map(|n| n.as_u64().and_then(|n| usize::try_from(n).ok())).collect::<Option<Vec<usize>>>()
    });
    let shape = shape.ok_or_else(|| wrong("a shape of whole numbers", value.get("shape")))?;
    let bytes = shape.iter().try_fold(size, |product, &n| product.checked_mul(n as u64));
    let bytes = bytes.ok_or_else(|| wrong("a shape that fits 64 bits", value.get("shape")))?;
    let offsets = value.get("data_offsets").and_then(Value::as_array).map(Vec::as_slice);
    let (begin, end) = match offsets {
        Some([a, b]) => a.as_u64().zip(b.as_u64()),
        _ => None,
    }
    .ok_or_else(|| wrong("two data_offsets", value.get("data_offsets")))?;
    let room = file_len.saturating_sub(data_start);
    if begin > end || end > room {
        return Err(wrong(
            &format!("data_offsets in order and within the file's {room} bytes of data"),
            value.get("data_offsets"),
        ));
    }
    if end - begin != bytes {
        return Err(broken(
            file,
            format!(
                "tensor {name}: {dtype} {shape:?} takes {bytes} bytes, its data_offsets span {}",
                end - begin
            ),
        ));
    }
    Ok(Entry { name, dtype, shape, offset: data_start + begin, len: bytes })
}

/// The members of a JSON object in order; a name that stands twice is an error, which a map would hide.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut seen = std::collections::HashSet::new();
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if !seen.insert(name.clone()) {
                return Err(serde::de::Error::custom(format!("{name} stands twice")));
            }
            members.push((name, value));
        }
        Ok(members)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn header(json: &str, data: u64) -> Result<Header> {
        Header::parse("model.safetensors", json.as_bytes().to_vec(), 8 + json.len() as u64 + data)
    }

    #[test]
    fn entries_lie_end_to_end() {
        let json = r#"{"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},
            "__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let parsed = header(json, 16).unwrap();
        let start = 8 + json.len() as u64;
        assert_eq!(parsed.entries.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((parsed.entries[1].offset, parsed.entries[1].len), (start + 4, 12));
    }

    #[test]
    fn what_does_not_hold_is_refused_with_the_tensor_named() {
        let table = [
            (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 8, "end at byte"),
            (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "tensor a: F32 [2] takes 8"),
            (
                r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
                4,
                "tensor a: expected data_offsets",
            ),
            (
                r#"{"a":{"dtype":"F32","shape":[0],"data_offsets":[4,0]}}"#,
                4,
                "tensor a: expected data_offsets",
            ),
            (r#"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4, "a known dtype, found \"F31\""),
            (r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "a shape of whole numbers"),
            (
                r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,8],"data_offsets":[0,4]}}"#,
                4,
                "fits 64 bits",
            ),
            (
                r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#,
                6,
                "tensor b: expected its data at byte",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
                2,
                "a stands twice",
            ),
            (r#"[1]"#, 0, "not a JSON object"),
            (r#"{"a":7}"#, 0, "tensor a: expected a dtype"),
            ("", 0, "not a JSON object"),
        ];
        for (json, data, message) in table {
            let error = header(json, data).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Weights);
            assert!(error.to_string().contains(message), "{json}: {error}");
        }
    }
}
