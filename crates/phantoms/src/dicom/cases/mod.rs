//! The catalogue, by topic.

mod color;
mod frames;
mod gray;
mod misleading;
mod native;
mod palette;
mod refused;
mod shot;
mod syntaxes;

use super::Case;

/// All cases. Names are distinct; files are a few hundred bytes to a few kilobytes long.
#[must_use]
pub fn cases() -> Vec<Case> {
    [
        syntaxes::cases(),
        native::cases(),
        frames::cases(),
        gray::cases(),
        color::cases(),
        palette::cases(),
        misleading::cases(),
        refused::cases(),
    ]
    .concat()
}
