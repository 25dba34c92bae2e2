//! From bytes to JSON in which every field stands once.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{Error, ErrorKind, Result};

/// Reads a body. serde_json takes the last of two fields with one name; which of them was meant nobody knows, so that
/// none is taken.
///
/// # Errors
/// If it is not JSON, or a field of any object stands there twice.
pub(super) fn read(body: &[u8]) -> Result<Value> {
    let repeated = RefCell::new(None);
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = Once { place: String::new(), repeated: &repeated }.deserialize(&mut json);
    let value = value.and_then(|value| json.end().map(|()| value));
    value.map_err(|error| match repeated.take() {
        Some(field) => {
            Error::new(ErrorKind::Value, field, "expected once, found a second time; leave one out")
        }
        // serde_json's own text is about syntax only: line, column, what was expected.
        None => Error::new(ErrorKind::Json, "", format!("expected JSON: {error}")),
    })
}

/// A value at `place` of the body; the path of the first field that stands there twice is left in `repeated`.
struct Once<'a> {
    place: String,
    repeated: &'a RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_u64<E>(self, number: u64) -> std::result::Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> std::result::Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> std::result::Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> std::result::Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Value, A::Error> {
        let mut values = Vec::new();
        let place = |index: usize| format!("{}[{index}]", self.place);
        while let Some(value) =
            list.next_element_seed(Once { place: place(values.len()), repeated: self.repeated })?
        {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let place = if self.place.is_empty() { name.clone() } else { format!("{}.{name}", self.place) };
            if fields.contains_key(&name) {
                self.repeated.replace(Some(place));
                return Err(A::Error::custom("a repeated field"));
            }
            let value = map.next_value_seed(Once { place, repeated: self.repeated })?;
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}
