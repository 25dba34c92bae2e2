//! Pieces that are taken from a text as a whole, before anything is merged.

use super::table::Table;

/// Some of the pieces of a table, found at a place of a text.
#[derive(Debug)]
pub(super) struct Whole {
    /// Whether the piece with this id is one of them.
    member: Vec<bool>,
    /// By the first byte: the lengths of those that begin with it, longest first.
    lengths: Vec<Vec<u32>>,
}

impl Whole {
    /// The pieces of `table` that `is_member` says; an empty text is never one.
    pub(super) fn of(table: &Table, is_member: impl Fn(u32, &str) -> bool) -> Self {
        let mut member = vec![false; table.len()];
        let mut lengths = vec![Vec::new(); 256];
        for id in 0..table.len() as u32 {
            let text = table.get(id).unwrap_or_default();
            let Some(first) = text.bytes().next() else { continue };
            if is_member(id, text) {
                member[id as usize] = true;
                let seen: &mut Vec<u32> = &mut lengths[usize::from(first)];
                if let Err(place) = seen.binary_search_by(|n| (text.len() as u32).cmp(n)) {
                    seen.insert(place, text.len() as u32);
                }
            }
        }
        Self { member, lengths }
    }

    pub(super) fn has(&self, id: u32) -> bool {
        self.member.get(id as usize).is_some_and(|member| *member)
    }

    /// The longest of them that stands at byte `at` of `text`: its id and length in bytes.
    pub(super) fn at(&self, table: &Table, text: &str, at: usize) -> Option<(u32, usize)> {
        let lengths = &self.lengths[usize::from(*text.as_bytes().get(at)?)];
        lengths.iter().find_map(|length| {
            let end = at.checked_add(*length as usize)?;
            let id = table.find(text.get(at..end)?)?;
            self.has(id).then_some((id, *length as usize))
        })
    }
}
