//! Packet headers that stand together in a header: the markers PPM and PPT (T.800, A.7.4 and A.7.5).

use super::bytes::Segment;
use super::fault::corrupt;
use crate::Result;

/// The parts of such a series, each with its index.
#[derive(Clone, Debug, Default)]
pub(super) struct PackedHeaders<'a> {
    parts: Vec<(u8, &'a [u8])>,
}

impl<'a> PackedHeaders<'a> {
    /// Takes in one marker segment.
    pub(super) fn take(&mut self, mut segment: Segment<'a>) -> Result<()> {
        let idx = segment.u8()?;
        self.parts.push((idx, segment.rest()));
        Ok(())
    }

    /// Whether there was none.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// All bytes in order of the index.
    pub(super) fn joined(&self) -> Result<Vec<u8>> {
        let mut parts = self.parts.clone();
        parts.sort_by_key(|(idx, _)| *idx);
        if parts.iter().enumerate().any(|(k, (idx, _))| k != usize::from(*idx)) {
            return Err(corrupt(
                "marker PPM or PPT: the packed packet headers are not numbered from 0 without gaps",
            ));
        }
        Ok(parts.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect())
    }
}

/// Takes the packet headers of the next tile-part from the joined bytes of PPM: four bytes of length (Nppm), and so many.
pub(super) fn next_tile_part<'a>(joined: &mut &'a [u8]) -> Result<&'a [u8]> {
    let parts = joined.split_first_chunk::<4>().and_then(|(length, rest)| {
        rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX))
    });
    let (head, rest) = parts
        .ok_or_else(|| corrupt("marker PPM: there are packet headers for fewer tile-parts than there are"))?;
    *joined = rest;
    Ok(head)
}
