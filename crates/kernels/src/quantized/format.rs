//! What sets one quantized type apart from another, as constants that the tile is compiled for.

use super::layout::Layout;
use crate::dtype::Dtype;

/// What is subtracted from, or added to, the scaled codes of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shift {
    /// Every code stands for itself less this many.
    Offset(i32),
    /// `dmin` times a whole number for each sub-block is subtracted.
    Minimums,
    /// `m` is added to every value of a block.
    Added,
}

/// Where codes wider or narrower than a byte lie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bits {
    /// A byte each, in order.
    Eight,
    /// The nibbles of word `w` are the groups of four inputs `g` and `g + apart`, `g` counting those that are no upper ones.
    Four { apart: usize },
    /// As [`Bits::Four`], with one higher bit: plane word `w` has group `planes · s + w` at bit `s`.
    Five { apart: usize, planes: usize },
    /// Words in threes (0..8 in each half of a block): the nibbles of the first are groups `w` and `16 + w` of that half,
    /// those of the second `8 + w` and `24 + w`, and the third has the upper pairs of `w`, `8 + w`, `16 + w` and `24 + w`.
    Six,
    /// Word `w` (0..8) of each half of a block has the groups `w`, `8 + w`, `16 + w` and `24 + w` of that half.
    Two,
    /// As [`Bits::Two`], with one higher bit: plane word `w` has group `8 · s + w` at bit `s`.
    Three,
    /// Nibbles as [`Bits::Four`], each the place of a byte in a table.
    Table { apart: usize },
}

/// A quantized type.
pub(super) trait Format {
    const LAYOUT: Layout;
    /// Values that share a whole-number scale; a block of 32 is its own sub-block, without one.
    const SUB: usize;
    const BITS: Bits;
    const SHIFT: Shift;

    /// Steps of four inputs that can be added in 16 bits: `2 · steps · 127 · largest code < 2¹⁵`.
    const CHAIN: usize = match Self::BITS {
        Bits::Two | Bits::Three => 4,
        Bits::Four { .. } => 8,
        Bits::Five { .. } => 4,
        Bits::Six => 2,
        Bits::Eight | Bits::Table { .. } => 0,
    };
}

/// The sixteen values of `iq4_nl` and `iq4_xs`, each more by 128.
pub(super) const TABLE: [u8; 16] = [1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241];

macro_rules! formats {
    ($($name:ident: $dtype:ident, $sub:literal, $bits:expr, $shift:expr;)*) => {
        $(
            pub(super) struct $name;
            impl Format for $name {
                const LAYOUT: Layout = match Layout::of(Dtype::$dtype) {
                    Some(layout) => layout,
                    None => panic!("a quantized type has a layout"),
                };
                const SUB: usize = $sub;
                const BITS: Bits = $bits;
                const SHIFT: Shift = $shift;
            }
        )*

        /// Calls `$body` with `$F` the format of `$dtype`, if it is a quantized type.
        macro_rules! with_format {
            ($d:expr, $F:ident => $body:expr) => {
                match $d {
                    $(crate::dtype::Dtype::$dtype => {
                        type $F = crate::quantized::format::$name;
                        $body
                    })*
                    crate::dtype::Dtype::F32 | crate::dtype::Dtype::Bf16 | crate::dtype::Dtype::F16 => {}
                }
            };
        }
        pub(super) use with_format;
    };
}

formats! {
    Q8_0: Q8_0, 32, Bits::Eight, Shift::Offset(128);
    Q4_0: Q4_0, 32, Bits::Four { apart: 4 }, Shift::Offset(8);
    Q4_1: Q4_1, 32, Bits::Four { apart: 4 }, Shift::Added;
    Q5_0: Q5_0, 32, Bits::Five { apart: 4, planes: 1 }, Shift::Offset(16);
    Q5_1: Q5_1, 32, Bits::Five { apart: 4, planes: 1 }, Shift::Added;
    Iq4Nl: Iq4Nl, 32, Bits::Table { apart: 4 }, Shift::Offset(128);
    Q2K: Q2K, 16, Bits::Two, Shift::Minimums;
    Q3K: Q3K, 16, Bits::Three, Shift::Offset(4);
    Q4K: Q4K, 32, Bits::Four { apart: 8 }, Shift::Minimums;
    Q5K: Q5K, 32, Bits::Five { apart: 8, planes: 8 }, Shift::Minimums;
    Q6K: Q6K, 16, Bits::Six, Shift::Offset(32);
    Iq4Xs: Iq4Xs, 32, Bits::Table { apart: 4 }, Shift::Offset(128);
}
