//! How long this room takes over films, for `benchmarks/dicom/run.py`: paths come on the standard input, one a line;
//! JSON goes out.
//!
//! Every file is done twice and the second time counts, so that the process is as warm as one that has long been running.
//! `dicom_speed headers` prints the milliseconds of each file, `dicom_speed headers values` what was read;
//! `dicom_speed pixels` prints the milliseconds of each file, `dicom_speed values OUT` writes its samples to OUT.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::time::Instant;

use lightbox_intake::dicom::pixels::{Pixels, Stored};
use lightbox_intake::dicom::{Dataset, File, Tag, read_bytes, read_header, tags};

const TAGS: [Tag; 6] = [
    tags::SOP_CLASS_UID,
    tags::SERIES_INSTANCE_UID,
    tags::MODALITY,
    tags::ROWS,
    tags::COLUMNS,
    tags::BITS_STORED,
];

fn main() -> Result<(), Box<dyn Error>> {
    let task: Vec<String> = std::env::args().skip(1).collect();
    let mut paths = String::new();
    std::io::stdin().read_to_string(&mut paths)?;
    let paths: Vec<&str> = paths.lines().collect();
    let answer = match task.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["headers"] => timed(&paths, |path| Ok(header(path)?.len()))?,
        ["headers", "values"] => {
            let found: Result<Vec<_>, Box<dyn Error>> = paths.iter().map(|path| header(path)).collect();
            format!("[{}]", found?.join(","))
        }
        ["pixels"] => timed(&paths, |path| frames(path, |_| Ok(())))?,
        ["values", out] => {
            let mut out = std::io::BufWriter::new(std::fs::File::create(out)?);
            let mut n = 0;
            for path in &paths {
                n += frames(path, |values| Ok(out.write_all(&values.to_le_bytes()?)?))?;
            }
            n.to_string()
        }
        _ => return Err("expected headers, pixels or values".into()),
    };
    Ok(writeln!(std::io::stdout(), "{answer}")?)
}

/// A list of milliseconds, one a file. What was done counts for something, so that it is done.
fn timed(
    paths: &[&str],
    mut work: impl FnMut(&str) -> Result<usize, Box<dyn Error>>,
) -> Result<String, Box<dyn Error>> {
    let mut times = Vec::with_capacity(paths.len());
    for path in paths.iter().flat_map(|path| [path, path]) {
        let start = Instant::now();
        let n = work(path)?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        if n == 0 {
            return Err("a file without anything".into());
        }
        times.push(format!("{milliseconds:.4}"));
    }
    let counted: Vec<String> = times.into_iter().skip(1).step_by(2).collect();
    Ok(format!("[{}]", counted.join(",")))
}

/// Reads a file, decodes all of its frames to stored values and hands each to `see`; how many samples there were.
fn frames(
    path: &str,
    mut see: impl FnMut(&Stored) -> Result<(), Box<dyn Error>>,
) -> Result<usize, Box<dyn Error>> {
    let bytes = read_bytes(path)?;
    let file = File::read(&bytes)?;
    let dataset = file.dataset()?;
    let pixels = Pixels::of(&dataset, file.syntax())?;
    let mut n = 0;
    for k in 0..pixels.n_frames() {
        let frame = pixels.frame(k)?;
        see(frame.values())?;
        n += frame.values().len();
    }
    Ok(n)
}

/// What `headers` of run.py reads, as a list of JSON strings.
fn header(path: &str) -> Result<String, Box<dyn Error>> {
    let mut line = String::from("[");
    let values: lightbox_intake::Result<Vec<String>> =
        read_header(path, |_, dataset| TAGS.iter().map(|tag| value(dataset, *tag)).collect())?;
    for (n, value) in values?.iter().enumerate() {
        write!(line, "{}{value:?}", if n == 0 { "" } else { "," })?;
    }
    line.push(']');
    Ok(line)
}

fn value(dataset: &Dataset<'_>, tag: Tag) -> lightbox_intake::Result<String> {
    if matches!(tag, tags::ROWS | tags::COLUMNS | tags::BITS_STORED) {
        return Ok(dataset.uint(tag)?.map(|n| n.to_string()).unwrap_or_default());
    }
    Ok(dataset.text(tag)?.unwrap_or_default())
}
