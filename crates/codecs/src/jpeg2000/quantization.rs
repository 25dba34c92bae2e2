//! Quantization of subbands: the markers QCD and QCC (T.800, A.6.4, A.6.5 and E.1).

use super::bytes::Segment;
use super::coding::MAX_LEVELS;
use super::fault::corrupt;
use crate::Result;

/// Exponents and mantissas of the quantizer step sizes of a component.
#[derive(Clone, Debug)]
pub(super) struct Quantization {
    /// Guard bits, 0 to 7.
    pub(super) n_guard_bits: u32,
    /// Whether there is no quantization: exponents only.
    pub(super) is_exact: bool,
    /// Whether only the step size of the lowest subband is given, and the others follow from it.
    is_derived: bool,
    /// Exponent and mantissa of each subband, lowest first.
    steps: Vec<(u32, u32)>,
}

impl Quantization {
    /// Reads the marker segment QCD, or QCC after its component.
    fn read(segment: &mut Segment<'_>) -> Result<Self> {
        let style = segment.u8()?;
        let (is_exact, is_derived) = match style & 31 {
            0 => (true, false),
            1 => (false, true),
            2 => (false, false),
            n => {
                return Err(corrupt(format!(
                    "marker {}: expected a quantization style of 0 to 2, found {n}",
                    segment.name()
                )));
            }
        };
        let mut steps = Vec::new();
        let most = if is_derived { 1 } else { 3 * MAX_LEVELS + 1 };
        while steps.len() < most && segment.rest().len() > usize::from(!is_exact) {
            steps.push(if is_exact {
                (u32::from(segment.u8()? >> 3), 0)
            } else {
                let step = segment.u16()?;
                (u32::from(step >> 11), u32::from(step & 0x7FF))
            });
        }
        Ok(Self { n_guard_bits: u32::from(style >> 5), is_exact, is_derived, steps })
    }

    /// Exponent and mantissa of a subband: the `k`-th of resolution level `r`.
    pub(super) fn step(&self, r: usize, k: usize) -> Result<(u32, u32)> {
        let idx = if r == 0 { 0 } else { 3 * (r - 1) + 1 + k };
        if self.is_derived {
            // (E-5): one less with each level above the lowest.
            let (exponent, mantissa) = self.missing_if(self.steps.first(), idx)?;
            let exponent = exponent.checked_sub(r.saturating_sub(1) as u32);
            return exponent.map(|e| (e, mantissa)).ok_or_else(|| {
                corrupt(format!("quantization: the derived exponent of resolution level {r} is below 0"))
            });
        }
        self.missing_if(self.steps.get(idx), idx)
    }

    fn missing_if(&self, step: Option<&(u32, u32)>, idx: usize) -> Result<(u32, u32)> {
        step.copied().ok_or_else(|| {
            corrupt(format!(
                "marker QCD or QCC: the step size of subband {idx} is missing; {} are given",
                self.steps.len()
            ))
        })
    }
}

/// Reads the marker segment QCD.
pub(super) fn read_default(mut segment: Segment<'_>) -> Result<Quantization> {
    Quantization::read(&mut segment)
}

/// Reads the marker segment QCC: the component, and its quantization.
pub(super) fn read_component(mut segment: Segment<'_>, n_components: usize) -> Result<(usize, Quantization)> {
    let idx = segment.component(n_components)?;
    Ok((idx, Quantization::read(&mut segment)?))
}
