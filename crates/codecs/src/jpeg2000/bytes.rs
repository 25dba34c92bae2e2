//! Big-endian numbers out of a marker segment.

use super::fault::corrupt;
use crate::Result;

/// What is left of a marker segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    /// Marker, for errors.
    name: &'static str,
    rest: &'a [u8],
}

impl<'a> Segment<'a> {
    /// The parameters of the marker segment `name`.
    pub(super) fn new(name: &'static str, rest: &'a [u8]) -> Self {
        Self { name, rest }
    }

    /// The marker.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Bytes that were not taken yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| {
            corrupt(format!("marker {}: its segment ends within its parameters", self.name))
        })?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.take::<1>().map(|[b]| b)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        self.take().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.take().map(u32::from_be_bytes)
    }

    /// The index of a component: one byte in pictures of up to 256 components, else two.
    pub(super) fn component(&mut self, n_components: usize) -> Result<usize> {
        let idx = if n_components < 257 { usize::from(self.u8()?) } else { usize::from(self.u16()?) };
        if idx >= n_components {
            return Err(corrupt(format!(
                "marker {}: component {idx} of a picture of {n_components} components",
                self.name
            )));
        }
        Ok(idx)
    }
}
