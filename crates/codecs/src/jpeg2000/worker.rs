//! Decodes code-blocks, on two threads where there is enough to do.

use std::sync::{Mutex, PoisonError};

use super::block::{self, BlockDecoder};
use super::code_blocks::{CodeBlock, Piece};
use super::coding::BlockStyle;
use super::fault::{corrupt, unsupported};
use super::geometry::Band;
use super::halves::Region;
use super::ht;
use super::packets::Contents;
use crate::Result;

/// A row of code-blocks of a subband.
pub(super) struct Job<'a> {
    /// How many bytes they were coded in.
    pub(super) n_bytes: usize,
    pub(super) blocks: Vec<JobBlock<'a>>,
    /// The quantizer indices of the row, `[height, width]`.
    pub(super) region: Region<'a>,
    pub(super) width: usize,
    pub(super) band: &'a Band,
    pub(super) style: BlockStyle,
    pub(super) roi_shift: u32,
}

/// A code-block, and where it lies in the region of its job.
pub(super) struct JobBlock<'a> {
    pub(super) block: &'a CodeBlock,
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Bytes of code-blocks below which a second thread takes longer to start than it saves.
const WORTH_A_THREAD: usize = 16 << 10;

/// The pieces of a code-block.
pub(super) fn pieces<'a>(contents: &'a Contents, block: &CodeBlock) -> impl Iterator<Item = &'a Piece> {
    let mut next = block.pieces.map(|(first, _)| first);
    std::iter::from_fn(move || {
        let piece = contents.pieces.get(next? as usize)?;
        next = piece.next.map(std::num::NonZeroU32::get);
        Some(piece)
    })
}

/// Does all jobs. Each has coefficients of its own, so that the result does not depend on who does which.
pub(super) fn run(mut jobs: Vec<Job<'_>>, contents: &Contents, body: &[u8]) -> Result<()> {
    let n_bytes: usize = jobs.iter().map(|job| job.n_bytes).sum();
    let n_threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(2));
    // The longest first, so that both threads end at about the same time. Jobs are taken from the end.
    jobs.sort_by_key(|job| job.n_bytes);
    if n_threads == 1 || n_bytes < WORTH_A_THREAD || jobs.len() == 1 {
        let mut worker = Worker::default();
        return jobs.into_iter().try_for_each(|job| worker.work(job, contents, body));
    }
    let queue = Mutex::new(jobs);
    let work = || {
        let mut worker = Worker::default();
        loop {
            let job = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(job) = job else { return Ok(()) };
            worker.work(job, contents, body)?;
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let own = work();
        let other = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        own.and(other)
    })
}

/// One thread's memory.
#[derive(Default)]
struct Worker {
    decoder: BlockDecoder,
    bytes: Vec<u8>,
    segments: Vec<(usize, u8)>,
    halves: Vec<i32>,
}

impl Worker {
    fn work(&mut self, mut job: Job<'_>, contents: &Contents, body: &[u8]) -> Result<()> {
        for place in &job.blocks {
            self.gather(pieces(contents, place.block), body);
            let all_planes = job.band.n_planes + job.roi_shift;
            let n_planes = place.block.n_planes(all_planes);
            if n_planes == 0 {
                return Err(corrupt(format!(
                    "JPEG 2000: a code-block with {} empty bit planes of {all_planes}",
                    place.block.n_zero_planes
                )));
            }
            let (region, width, roi_shift) = (&mut job.region, job.width, job.roi_shift);
            let put = |y: usize, halves: &[i32]| {
                let first = (place.y + y) * width + place.x;
                if roi_shift == 0 {
                    region.put(first, halves, |v| v);
                } else {
                    region.put(first, halves, |v| lowered(v, roi_shift));
                }
            };
            if job.style.is_ht() {
                self.ht_block(place, job.style, n_planes, put)?;
                continue;
            }
            self.decoder.decode(
                &block::Block {
                    width: place.width,
                    height: place.height,
                    orientation: job.band.orientation,
                    style: job.style,
                    n_planes,
                    bytes: &self.bytes,
                    segments: &self.segments,
                },
                put,
            )?;
        }
        Ok(())
    }

    /// Brings the bytes of a code-block together, and its codeword segments.
    fn gather<'a>(&mut self, pieces: impl Iterator<Item = &'a Piece>, body: &[u8]) {
        self.bytes.clear();
        self.segments.clear();
        for piece in pieces {
            let bytes = body.get(piece.offset as usize..).and_then(|b| b.get(..piece.length as usize));
            let bytes = bytes.unwrap_or(&[]);
            self.bytes.extend_from_slice(bytes);
            match self.segments.last_mut() {
                Some((length, n_passes)) if !piece.is_start => {
                    *length += bytes.len();
                    *n_passes += piece.n_passes;
                }
                _ => self.segments.push((bytes.len(), piece.n_passes)),
            }
        }
    }

    fn ht_block(
        &mut self,
        place: &JobBlock<'_>,
        style: BlockStyle,
        n_planes: u32,
        mut put: impl FnMut(usize, &[i32]),
    ) -> Result<()> {
        if n_planes > block::MAX_PLANES {
            return Err(unsupported(format!(
                "JPEG 2000: a code-block of {n_planes} bit planes; expected 30 at most"
            )));
        }
        let n_cleanup = self.segments.first().map_or(0, |s| s.0);
        let (cleanup, refinement) = self.bytes.split_at(n_cleanup.min(self.bytes.len()));
        self.halves.clear();
        self.halves.resize(place.width * place.height, 0);
        let block = ht::Block {
            cleanup,
            refinement,
            n_passes: place.block.n_passes,
            bit_plane: n_planes - 1,
            n_cleanup_planes: u32::from(place.block.n_zero_planes) + 1,
            width: place.width,
            height: place.height,
            is_vertically_causal: style.is_vertically_causal(),
        };
        ht::decode_block(&block, &mut self.halves)?;
        self.halves.chunks_exact(place.width).enumerate().for_each(|(y, row)| put(y, row));
        Ok(())
    }
}

/// Takes a coefficient of the region of interest down to where the others are (T.800, H.1): one that is too large to be
/// of the background.
fn lowered(halves: i32, shift: u32) -> i32 {
    match 2u32.checked_shl(shift) {
        Some(least) if halves.unsigned_abs() >= least && least != 0 => {
            halves.signum() * (halves.unsigned_abs() >> shift) as i32
        }
        _ => halves,
    }
}
