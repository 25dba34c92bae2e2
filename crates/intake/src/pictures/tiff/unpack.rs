//! The coded bytes of a strip or tile to plain ones.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::lzw;
use super::{corrupt, ended, unsupported};
use crate::Result;

/// The compressions that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lzw,
    Deflate,
    PackBits,
}

impl Compression {
    /// By TIFF's number.
    pub fn of(number: u64) -> Result<Self> {
        let found = match number {
            1 => return Ok(Self::None),
            5 => return Ok(Self::Lzw),
            8 | 32946 => return Ok(Self::Deflate),
            32773 => return Ok(Self::PackBits),
            2..=4 => "fax",
            6 => "old-style JPEG",
            7 => "JPEG",
            33003 | 33005 | 34712 => "JPEG 2000",
            34925 => "LZMA",
            50000 => "Zstandard",
            50001 => "WebP",
            _ => "one of no known name",
        };
        Err(unsupported(
            format!("Compression: expected none, LZW, Deflate or PackBits, found {found} ({number})"),
            "save it uncompressed or with LZW, or convert it to PNG",
        ))
    }

    /// Most bytes that one coded byte yields.
    ///
    /// LZW: the longest string of a table of 4096 from a code of 9 to 12 bits. Deflate: 258 bytes from two bits.
    /// PackBits: 128 bytes from two.
    pub fn most_per_byte(self) -> u64 {
        match self {
            Self::None => 1,
            Self::Lzw => 3640,
            Self::Deflate => 1032,
            Self::PackBits => 64,
        }
    }

    /// Fills `plain` from `coded`; what `coded` holds beyond that is left alone.
    ///
    /// # Errors
    /// If `coded` is not of this compression or yields less.
    pub fn unpack(self, coded: &[u8], plain: &mut [u8], chunk: usize) -> Result<()> {
        match self {
            Self::None => {
                let whole = coded.get(..plain.len()).ok_or_else(|| short(chunk, coded.len(), plain.len()))?;
                plain.copy_from_slice(whole);
                Ok(())
            }
            Self::Lzw => lzw::unpack(coded, plain).map_err(|fault| match fault {
                lzw::Fault::Short { got } => short(chunk, got, plain.len()),
                lzw::Fault::Code => corrupt(format!("strip or tile {chunk}: the LZW data is not valid")),
                lzw::Fault::OldStyle => unsupported(
                    format!("strip or tile {chunk}: expected LZW as in TIFF 5 and later, found the older bit order"),
                    "save it uncompressed, or convert it to PNG",
                ),
            }),
            Self::Deflate => {
                let mut decoder = ZlibDecoder::new(coded);
                let mut got = 0;
                let broken = || corrupt(format!("strip or tile {chunk}: the Deflate data is not valid"));
                while got < plain.len() {
                    match decoder.read(&mut plain[got..]).map_err(|_| broken())? {
                        0 => return Err(short(chunk, got, plain.len())),
                        n => got += n,
                    }
                }
                // The checksum is verified when the end of the stream is reached.
                decoder.read(&mut [0]).map_err(|_| broken())?;
                Ok(())
            }
            Self::PackBits => pack_bits(coded, plain).map_err(|got| short(chunk, got, plain.len())),
        }
    }
}

/// Undoes PackBits (TIFF 6.0, section 9). The error is the number of bytes that came out.
fn pack_bits(coded: &[u8], plain: &mut [u8]) -> std::result::Result<(), usize> {
    let (mut at, mut got) = (0, 0);
    while got < plain.len() {
        let control = *coded.get(at).ok_or(got)? as i8;
        at += 1;
        if control >= 0 {
            let n = (control as usize + 1).min(plain.len() - got);
            plain[got..got + n].copy_from_slice(coded.get(at..at + n).ok_or(got)?);
            at += control as usize + 1;
            got += n;
        } else if control != -128 {
            let n = usize::from(control.unsigned_abs() + 1).min(plain.len() - got);
            plain[got..got + n].fill(*coded.get(at).ok_or(got)?);
            at += 1;
            got += n;
        }
    }
    Ok(())
}

fn short(chunk: usize, got: usize, expected: usize) -> crate::Error {
    ended(format!("strip or tile {chunk} is complete: expected {expected} bytes, found {got}"))
}
