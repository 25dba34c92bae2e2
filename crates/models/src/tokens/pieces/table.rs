//! Texts by id, ids by text.

use std::hash::{BuildHasher, RandomState};

/// What a piece is for, numbered as SentencePiece and GGUF number it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Reached by merging.
    Normal,
    /// Stands for what has no piece.
    Unknown,
    /// Marks structure, such as the begin of text.
    Control,
    /// Taken from the text as a whole before anything is merged.
    UserDefined,
    /// A row that was never trained.
    Unused,
    /// One byte of what has no piece: `<0x00>` to `<0xFF>`.
    Byte,
}

impl Kind {
    /// The kind with this number; `None` for numbers that mean nothing.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => return None,
        })
    }

    /// The number that stands for it in files.
    #[cfg(test)]
    pub fn number(self) -> i32 {
        match self {
            Self::Normal => 1,
            Self::Unknown => 2,
            Self::Control => 3,
            Self::UserDefined => 4,
            Self::Unused => 5,
            Self::Byte => 6,
        }
    }
}

/// Texts and kinds by id, and the way back. A quarter of a million pieces are laid out in a few milliseconds: one
/// string for all texts, one table of ids that is probed in line.
#[derive(Debug)]
pub(super) struct Table {
    text: String,
    ends: Vec<u32>,
    kinds: Vec<Kind>,
    /// Ids plus one, by the hash of their text; zero is free. Its length is a power of two.
    slots: Vec<u32>,
    hasher: RandomState,
}

/// Why a piece could not be laid down.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The piece with this id has the same text.
    Twice(u32),
    /// More pieces or longer texts than ids and offsets of 32 bits can say.
    TooMany,
}

impl Table {
    /// An empty table with room for `n_pieces`.
    pub(super) fn with_capacity(n_pieces: usize) -> Self {
        let n_slots = n_pieces.saturating_mul(2).max(16).next_power_of_two();
        Self {
            text: String::with_capacity(n_pieces.saturating_mul(8)),
            ends: Vec::with_capacity(n_pieces),
            kinds: Vec::with_capacity(n_pieces),
            slots: vec![0; n_slots],
            hasher: RandomState::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Lays down the piece with the next id. A second piece of the same text gets its id, but is not found by it.
    pub(super) fn push(&mut self, text: &str, kind: Kind) -> Result<u32, Refused> {
        let id = u32::try_from(self.len()).ok().filter(|id| *id < u32::MAX).ok_or(Refused::TooMany)?;
        let end = self.text.len().checked_add(text.len()).and_then(|end| u32::try_from(end).ok());
        let end = end.ok_or(Refused::TooMany)?;
        let place = self.place(text);
        self.text.push_str(text);
        self.ends.push(end);
        self.kinds.push(kind);
        let slot = place.map_err(Refused::Twice)?;
        self.slots[slot] = id + 1;
        if self.len() * 2 > self.slots.len() {
            self.grow();
        }
        Ok(id)
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 2];
        for id in 0..self.len() as u32 {
            let text = self.get(id).unwrap_or_default();
            if let Ok(slot) = self.place(text) {
                self.slots[slot] = id + 1;
            }
        }
    }

    /// The free slot for a text, or the id that has it.
    fn place(&self, text: &str) -> Result<usize, u32> {
        let mask = self.slots.len() - 1;
        let mut slot = self.hasher.hash_one(text) as usize & mask;
        // Half of the slots are free, so this ends.
        loop {
            match self.slots[slot] {
                0 => return Ok(slot),
                taken if self.get(taken - 1) == Some(text) => return Err(taken - 1),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    pub(super) fn get(&self, id: u32) -> Option<&str> {
        let end = *self.ends.get(id as usize)? as usize;
        let start = match id {
            0 => 0,
            _ => self.ends[id as usize - 1] as usize,
        };
        self.text.get(start..end)
    }

    pub(super) fn kind(&self, id: u32) -> Option<Kind> {
        self.kinds.get(id as usize).copied()
    }

    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.place(text).err()
    }
}
