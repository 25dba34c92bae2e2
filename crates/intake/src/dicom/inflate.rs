//! Deflated data sets and frames (RFC 1951), inflated within a bound.

use flate2::{Decompress, FlushDecompress, Status};

use crate::{Error, ErrorKind, Result, memory};

/// Inflated bytes that any data set may have, however few it was deflated to: a blank film of 4096 × 4096 pixels of 16
/// bits and its header. Deflate shrinks nothing by more than 1032.
const ALWAYS_BYTES: usize = 40 << 20;

/// How many inflated bytes a deflated one is believed to yield, above [`ALWAYS_BYTES`].
const MOST_PER_BYTE: usize = 16;

/// Bytes that any frame may have, however few it was deflated to: those of 4096 × 4096 pixels of 16 bits.
const ALWAYS_FRAME_BYTES: usize = 32 << 20;

/// How many inflated bytes of a frame a deflated one is believed to yield, above [`ALWAYS_FRAME_BYTES`].
const MOST_FRAME_BYTES_PER_BYTE: usize = 10;

/// What came out, and how many of the deflated bytes it took.
pub(crate) struct Inflated {
    /// The inflated bytes.
    pub(crate) bytes: Vec<u8>,
    /// Deflated bytes that were read; what is behind them is not part of the stream.
    pub(crate) n_read: usize,
}

/// Inflates a data set. It is gone through twice: what comes out is counted before memory is asked for.
///
/// # Errors
/// [`ErrorKind::Corrupt`] or [`ErrorKind::Truncated`] if the stream is broken or ends early; [`ErrorKind::TooLarge`] if
/// it yields more than its size is believed to hold.
pub(crate) fn data_set(deflated: &[u8]) -> Result<Inflated> {
    let most = deflated.len().saturating_mul(MOST_PER_BYTE).max(ALWAYS_BYTES);
    let (n_inflated, n_read) = count(deflated, most)?.ok_or_else(|| {
        Error::new(
            ErrorKind::TooLarge,
            format!(
                "DICOM: the data set, deflated to {} bytes, inflates to more than the {most} bytes believed",
                deflated.len()
            ),
        )
        .hint("convert it first: `dcmconv +te IN OUT` of DCMTK writes it in Explicit VR Little Endian")
    })?;
    let mut bytes = memory::filled::<u8>(n_inflated)?;
    fill(deflated, &mut bytes)?;
    Ok(Inflated { bytes, n_read })
}

/// Inflates a frame that should have `n_expected` bytes, and a byte of padding at most.
///
/// # Errors
/// [`ErrorKind::Corrupt`] or [`ErrorKind::Truncated`] if the stream is broken, ends early or yields more;
/// [`ErrorKind::TooLarge`] if its size is not believed to hold as many.
pub(crate) fn frame(deflated: &[u8], n_expected: usize) -> Result<Vec<u8>> {
    let most = ALWAYS_FRAME_BYTES.saturating_add(deflated.len().saturating_mul(MOST_FRAME_BYTES_PER_BYTE));
    if n_expected > most {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "DICOM: a deflated frame: expected at most {most} bytes from {} deflated ones, found {n_expected}",
                deflated.len()
            ),
        )
        .hint("have it sent again in Explicit VR Little Endian (1.2.840.10008.1.2.1) by the system that it came from"));
    }
    let (n_inflated, _) = count(deflated, n_expected.saturating_add(1))?.ok_or_else(|| {
        Error::new(
            ErrorKind::Corrupt,
            format!("DICOM: a deflated frame: expected {n_expected} inflated bytes, found more"),
        )
        .hint("the header and the pixels contradict each other; copy or export it again")
    })?;
    let mut bytes = memory::filled::<u8>(n_inflated)?;
    fill(deflated, &mut bytes)?;
    Ok(bytes)
}

/// How many bytes the stream yields, and how many it takes; `None` if it yields more than `most`.
fn count(deflated: &[u8], most: usize) -> Result<Option<(usize, usize)>> {
    let mut decoder = Decompress::new(false);
    let mut window = vec![0; 64 << 10];
    loop {
        let (n_in, n_out) = (to_usize(decoder.total_in()), to_usize(decoder.total_out()));
        if n_out > most {
            return Ok(None);
        }
        let rest = deflated.get(n_in..).unwrap_or(&[]);
        let status = decoder.decompress(rest, &mut window, FlushDecompress::None).map_err(|_| broken())?;
        let is_stuck = to_usize(decoder.total_in()) == n_in && to_usize(decoder.total_out()) == n_out;
        match status {
            Status::StreamEnd => {
                let (n_in, n_out) = (to_usize(decoder.total_in()), to_usize(decoder.total_out()));
                return Ok((n_out <= most).then_some((n_out, n_in)));
            }
            Status::Ok | Status::BufError if is_stuck => return Err(ends_early(n_out)),
            Status::Ok | Status::BufError => {}
        }
    }
}

/// Inflates into memory of the size that [`count`] told: in one step, since only then does the decoder notice a
/// reference to bytes before the first one, which it otherwise takes for zeros.
fn fill(deflated: &[u8], bytes: &mut [u8]) -> Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    match Decompress::new(false).decompress(deflated, bytes, FlushDecompress::Finish) {
        Ok(Status::StreamEnd) => Ok(()),
        _ => Err(broken()),
    }
}

/// Counts fit: they are of bytes in memory.
fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn broken() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "DICOM: expected deflated data (RFC 1951), found bytes that cannot be inflated",
    )
    .hint("copy or export it again")
}

fn ends_early(n_out: usize) -> Error {
    Error::new(
        ErrorKind::Truncated,
        format!("DICOM: the deflated data end before their stream does, after {n_out} inflated bytes"),
    )
    .hint("copy or export it again")
}
