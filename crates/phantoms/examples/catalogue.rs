//! Writes the catalogue of DICOM files into a folder, so that other readers can be tried with it:
//! `cargo run -p lightbox-phantoms --example catalogue -- FOLDER`.
//!
//! Beside each `NNN.dcm` lies `NNN.txt`: the name of the case; then `refused`, or a line for each frame and stage with
//! the values that are true (`stored`, `modality`, `display CHOICE`), frames counted from 0.
#![forbid(unsafe_code)]

use std::fmt::Write;
use std::{env, fs, io};

use lightbox_phantoms::dicom::{Case, Truth, cases};

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1) else {
        return Err(io::Error::other("expected a folder to write to"));
    };
    let folder = std::path::PathBuf::from(folder);
    fs::create_dir_all(&folder)?;
    for (number, case) in cases().iter().enumerate() {
        fs::write(folder.join(format!("{number:03}.dcm")), &case.bytes)?;
        fs::write(folder.join(format!("{number:03}.txt")), described(case))?;
    }
    Ok(())
}

/// The truth of a case as lines.
fn described(case: &Case) -> String {
    let mut text = format!("{}\n", case.name);
    let known = match &case.truth {
        Truth::Refused(_) => return text + "refused\n",
        Truth::Known(known) => known,
    };
    let mut line = |what: String, values: &[f64]| {
        text.push_str(&what);
        for value in values {
            let _ = write!(text, " {value}");
        }
        text.push('\n');
    };
    line("tolerance".to_owned(), &[known.tolerances.stored, known.tolerances.modality]);
    for (number, frame) in known.frames.iter().enumerate() {
        line(format!("{number} stored"), &frame.stored);
        line(format!("{number} modality"), &frame.modality);
        for display in &frame.displays {
            line(format!("{number} display:{}", display.choice), &display.levels);
        }
    }
    text
}
