//! Which tensor gets which type.

use lightbox_kernels::Dtype;
use serde::Serialize;

/// How the weights of a text model are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum QuantizeKind {
    /// 8 bits throughout.
    #[serde(rename = "q8_0")]
    Q8_0,
    /// 6 bits throughout.
    #[serde(rename = "q6_k")]
    Q6K,
    /// 5 bits, 6 where it matters most.
    #[serde(rename = "q5_k_m")]
    Q5KM,
    /// 4 bits, 6 where it matters most.
    #[serde(rename = "q4_k_m")]
    Q4KM,
    /// 4 bits by the plainest rule, for models that were trained for it; the head has 6.
    #[serde(rename = "q4_0")]
    Q4_0,
}

impl QuantizeKind {
    /// All of them, the largest first.
    pub const ALL: [Self; 5] = [Self::Q8_0, Self::Q6K, Self::Q5KM, Self::Q4KM, Self::Q4_0];

    /// The kind of a name such as `q4_k_m`, in capital or small letters.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    /// Its name in small letters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Q8_0 => "q8_0",
            Self::Q6K => "q6_k",
            Self::Q5KM => "q5_k_m",
            Self::Q4KM => "q4_k_m",
            Self::Q4_0 => "q4_0",
        }
    }

    /// llama.cpp's number for a file of this kind, `general.file_type`.
    pub(super) fn file_type(self) -> u32 {
        match self {
            Self::Q4_0 => 2,
            Self::Q8_0 => 7,
            Self::Q4KM => 15,
            Self::Q5KM => 17,
            Self::Q6K => 18,
        }
    }

    /// The type of most tensors.
    fn usual(self) -> Dtype {
        match self {
            Self::Q8_0 => Dtype::Q8_0,
            Self::Q6K => Dtype::Q6K,
            Self::Q5KM => Dtype::Q5K,
            Self::Q4KM => Dtype::Q4K,
            Self::Q4_0 => Dtype::Q4_0,
        }
    }

    /// The type of a matrix with rows of `width`, as llama.cpp chooses it without an importance matrix.
    pub(super) fn dtype(self, role: Role, width: usize) -> Dtype {
        let usual = self.usual();
        let chosen = match role {
            Role::Head if !width.is_multiple_of(usual.block().0) => Dtype::Q8_0,
            Role::Head if usual != Dtype::Q8_0 => Dtype::Q6K,
            Role::Sensitive { layer, n_layers } if matches!(self, Self::Q5KM | Self::Q4KM) => {
                if gets_more(layer, n_layers) { Dtype::Q6K } else { usual }
            }
            _ => usual,
        };
        narrowed(chosen, width)
    }
}

/// What a matrix is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The output head, or a table that is the head too.
    Head,
    /// Values of attention or the way down of the gated block, of this layer.
    Sensitive { layer: usize, n_layers: usize },
    /// Any other.
    Usual,
}

/// The first and the last eighth of the layers, and every third between.
fn gets_more(layer: usize, n_layers: usize) -> bool {
    let eighth = n_layers / 8;
    layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2
}

/// The type that takes the place of one whose blocks do not fit rows of `width`.
fn narrowed(dtype: Dtype, width: usize) -> Dtype {
    let fits = |dtype: Dtype| width.is_multiple_of(dtype.block().0);
    if fits(dtype) {
        return dtype;
    }
    let smaller = match dtype {
        Dtype::Q4K => Dtype::Q5_0,
        Dtype::Q5K => Dtype::Q5_1,
        _ => Dtype::Q8_0,
    };
    if fits(smaller) { smaller } else { Dtype::F16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_role_and_width() {
        let early = Role::Sensitive { layer: 0, n_layers: 34 };
        let middle = Role::Sensitive { layer: 4, n_layers: 34 };
        let table = [
            (QuantizeKind::Q4KM, Role::Usual, 2560, Dtype::Q4K),
            (QuantizeKind::Q4KM, Role::Head, 2560, Dtype::Q6K),
            (QuantizeKind::Q4KM, early, 2560, Dtype::Q6K),
            (QuantizeKind::Q4KM, middle, 2560, Dtype::Q4K),
            (QuantizeKind::Q5KM, early, 10_240, Dtype::Q6K),
            (QuantizeKind::Q6K, early, 2560, Dtype::Q6K),
            (QuantizeKind::Q8_0, Role::Head, 2560, Dtype::Q8_0),
            (QuantizeKind::Q4_0, Role::Head, 2560, Dtype::Q6K),
            (QuantizeKind::Q4_0, early, 2560, Dtype::Q4_0),
            // Widths that blocks of 256 do not fit.
            (QuantizeKind::Q4KM, Role::Usual, 1120, Dtype::Q5_0),
            (QuantizeKind::Q5KM, Role::Usual, 1120, Dtype::Q5_1),
            (QuantizeKind::Q4KM, early, 1120, Dtype::Q8_0),
            (QuantizeKind::Q4KM, Role::Head, 1120, Dtype::Q8_0),
            (QuantizeKind::Q4_0, Role::Head, 1120, Dtype::Q8_0),
            // Nor blocks of 32.
            (QuantizeKind::Q4KM, Role::Usual, 40, Dtype::F16),
            (QuantizeKind::Q8_0, Role::Head, 40, Dtype::F16),
        ];
        for (kind, role, width, expected) in table {
            assert_eq!(kind.dtype(role, width), expected, "{kind:?} {role:?} {width}");
        }
    }

    #[test]
    fn layers_with_more_bits_are_those_of_llama_cpp() {
        // Counted by hand: an eighth of 34 is 4, seven eighths are 29.
        let of_34: Vec<_> = (0..34).filter(|layer| gets_more(*layer, 34)).collect();
        assert_eq!(of_34, [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 29, 30, 31, 32, 33]);
    }
}
