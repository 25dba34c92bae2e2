//! One scan: its lines, one restart interval after the other.

use super::bits::Bits;
use super::lines::Coder;
use super::markers::{Events, Frame, Interleave, ScanHeader};
use super::parameters::{Parameters, Preset};
use super::{corrupt, ended};
use crate::{Error, Outline, Result, memory};

/// What holds from its segment on until stated anew.
#[derive(Default)]
pub(super) struct State {
    pub(super) preset: Preset,
    /// In lines; 0 for none.
    pub(super) restart_interval: usize,
}

/// A scan that is about to be decoded.
pub(super) struct Scan {
    coder: Coder,
    width: usize,
    height: usize,
    n_components: usize,
    interleave: Interleave,
    /// In lines, at least 1.
    interval: usize,
}

impl Scan {
    pub(super) fn new(frame: &Frame, header: &ScanHeader, state: &State) -> Result<Self> {
        let parameters = Parameters::new(frame.bits, header.near, &state.preset)?;
        let (width, height) = (frame.width, frame.height);
        let interval = if state.restart_interval == 0 { height } else { state.restart_interval };
        Ok(Self {
            coder: Coder::new(parameters),
            width,
            height,
            n_components: header.components.len(),
            interleave: header.interleave,
            interval,
        })
    }

    /// The samples, `[height, width, n_components]`, as the type that `narrow` makes of them.
    pub(super) fn decode<T: Copy>(
        self,
        events: &mut Events<'_>,
        narrow: impl Fn(u16) -> T,
    ) -> Result<Vec<T>> {
        match (self.coder.is_exact(), self.interleave, self.n_components) {
            (true, Interleave::Sample, 2) => self.pixels::<true, 2, T>(events, narrow),
            (true, Interleave::Sample, 3) => self.pixels::<true, 3, T>(events, narrow),
            (true, Interleave::Sample, _) => self.pixels::<true, 4, T>(events, narrow),
            (false, Interleave::Sample, 2) => self.pixels::<false, 2, T>(events, narrow),
            (false, Interleave::Sample, 3) => self.pixels::<false, 3, T>(events, narrow),
            (false, Interleave::Sample, _) => self.pixels::<false, 4, T>(events, narrow),
            (true, ..) => self.lines::<true, T>(events, narrow),
            (false, ..) => self.lines::<false, T>(events, narrow),
        }
    }

    /// One component, or several of which each line is coded after the other.
    fn lines<const EXACT: bool, T: Copy>(
        mut self,
        events: &mut Events<'_>,
        narrow: impl Fn(u16) -> T,
    ) -> Result<Vec<T>> {
        let n = self.n_components;
        let n_padded = self.width + 2;
        let mut above: Vec<u16> = memory::filled(n_padded * n)?;
        let mut line: Vec<u16> = memory::filled(n_padded * n)?;
        let mut run_indices = vec![0; n];
        let n_samples = self.width * self.height * self.n_components;
        let mut samples = memory::reserve(n_samples.min(Outline::ALWAYS))?;
        self.intervals(events, |coder, bits, is_first| {
            if is_first {
                above.fill(0);
                line.fill(0);
                run_indices.fill(0);
            }
            let lines = above.chunks_exact_mut(n_padded).zip(line.chunks_exact_mut(n_padded));
            for ((above, line), run_index) in lines.zip(&mut run_indices) {
                coder.line::<EXACT>(bits, above, line, run_index)?;
            }
            memory::grow(&mut samples, (n_padded - 2) * n, n_samples)?;
            if n == 1 {
                samples.extend(line[1..n_padded - 1].iter().map(|sample| narrow(*sample)));
            } else {
                samples.extend((1..n_padded - 1).flat_map(|x| {
                    let (line, narrow) = (&line, &narrow);
                    (0..n).map(move |component| narrow(line[component * n_padded + x]))
                }));
            }
            std::mem::swap(&mut above, &mut line);
            Ok(())
        })?;
        Ok(samples)
    }

    /// Several components of which each sample is coded after the other.
    fn pixels<const EXACT: bool, const N: usize, T: Copy>(
        mut self,
        events: &mut Events<'_>,
        narrow: impl Fn(u16) -> T,
    ) -> Result<Vec<T>> {
        let n_padded = self.width + 2;
        let mut above: Vec<[u16; N]> = memory::reserve(n_padded)?;
        let mut line: Vec<[u16; N]> = memory::reserve(n_padded)?;
        above.resize(n_padded, [0; N]);
        line.resize(n_padded, [0; N]);
        let mut run_index = 0;
        let n_samples = self.width * self.height * self.n_components;
        let mut samples = memory::reserve(n_samples.min(Outline::ALWAYS))?;
        self.intervals(events, |coder, bits, is_first| {
            if is_first {
                above.fill([0; N]);
                line.fill([0; N]);
                run_index = 0;
            }
            coder.pixel_line::<EXACT, N>(bits, &mut above, &mut line, &mut run_index)?;
            memory::grow(&mut samples, (n_padded - 2) * N, n_samples)?;
            samples.extend(line[1..n_padded - 1].as_flattened().iter().map(|sample| narrow(*sample)));
            std::mem::swap(&mut above, &mut line);
            Ok(())
        })?;
        Ok(samples)
    }

    /// Calls `line` for each line of the picture, with whether it is the first one of its restart interval.
    fn intervals(
        &mut self,
        events: &mut Events<'_>,
        mut line: impl FnMut(&mut Coder, &mut Bits<'_>, bool) -> Result<()>,
    ) -> Result<()> {
        let mut y = 0_usize;
        let mut n_intervals = 0;
        loop {
            let mut bits = Bits::new(events.entropy_coded());
            let end = y.saturating_add(self.interval).min(self.height);
            for in_interval in 0..end - y {
                let result = line(&mut self.coder, &mut bits, in_interval == 0);
                if bits.is_past_end() {
                    return Err(self.ended_at(y + in_interval));
                }
                result?;
            }
            if !bits.is_spent() {
                return Err(corrupt("coded bytes are left over where a scan or a restart interval ends"));
            }
            y = end;
            if y == self.height {
                return Ok(());
            }
            events.restart(n_intervals)?;
            n_intervals += 1;
            self.coder.restart();
        }
    }

    fn ended_at(&self, y: usize) -> Error {
        ended(format!("the coded data end in line {} of {}", y + 1, self.height))
    }
}
