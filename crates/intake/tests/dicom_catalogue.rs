//! The catalogue of DICOM files with known values, at the three stages: stored, modality, display.
//!
//! What is true of a file is computed from the definition where the file is made (`lightbox_phantoms::dicom`).

use lightbox_intake::dicom::File;
use lightbox_intake::dicom::pixels::{Display, ModalityFrame, Pixels, StoredFrame, VoiChoice, WindowRule};
use lightbox_intake::{Error, Result};
use lightbox_phantoms::dicom::{self, Case, FrameTruth, Known, Refusal, Truth};

/// What was said of a file while it was read: notes, facts and steps.
type Said = String;

#[test]
fn every_known_file_has_its_values() {
    let mut wrong = Vec::new();
    let mut n_frames = 0;
    for case in dicom::cases() {
        if let Truth::Known(known) = &case.truth {
            match compared(&case, known) {
                Ok(faults) => wrong.extend(faults.into_iter().map(|fault| format!("{}: {fault}", case.name))),
                Err(error) => wrong.push(format!("{}: refused: {error}", case.name)),
            }
            n_frames += known.frames.len();
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    assert!(n_frames > 200, "only {n_frames} frames were compared");
}

#[test]
fn every_file_without_trusted_pixels_is_refused_in_words() {
    let mut wrong = Vec::new();
    for case in dicom::cases() {
        if let Truth::Refused(refusal) = &case.truth {
            match through(&case.bytes, |_, _| ()) {
                Ok(_) => wrong.push(format!("{}: read", case.name)),
                Err(error) => {
                    wrong.extend(unsaid(refusal, &error).map(|fault| format!("{}: {fault}", case.name)))
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a refusal lacks: the kind, a word, or silence on who the patient is.
fn unsaid(refusal: &Refusal, error: &Error) -> Option<String> {
    let (kind, text) = (format!("{:?}", error.kind()), error.to_string());
    let holds = |words: &str| text.to_lowercase().contains(&words.to_lowercase());
    if kind != refusal.kind {
        return Some(format!("expected {}, found {kind}: {text}", refusal.kind));
    }
    if let Some(words) = refusal.says.iter().find(|words| !holds(words)) {
        return Some(format!("`{words}` is not in: {text}"));
    }
    holds("phantom").then(|| format!("names the patient: {text}"))
}

/// Takes every frame of a file through all stages; `look` sees each one.
fn through(bytes: &[u8], mut look: impl FnMut(usize, &StoredFrame<'_>)) -> Result<(usize, Said)> {
    let file = File::read(bytes)?;
    let dataset = file.dataset()?;
    let pixels = Pixels::of(&dataset, file.syntax())?;
    let mut said = String::new();
    for note in file.notes().iter().chain(dataset.notes()).chain(pixels.notes()) {
        said += &format!("{note}; ");
    }
    for frame_idx in 0..pixels.n_frames() {
        let frame = pixels.frame(frame_idx)?;
        frame.modality()?;
        for step in frame.display(&VoiChoice::Default, WindowRule::Standard)?.steps {
            said += &format!("{}; ", step.detail);
        }
        look(frame_idx, &frame);
    }
    Ok((pixels.n_frames(), said.to_lowercase()))
}

/// Every way in which a file is not as it should be.
fn compared(case: &Case, known: &Known) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let (n_frames, said) = through(&case.bytes, |frame_idx, frame| {
        if frame.sides() != (known.columns, known.rows) {
            faults.push(format!("sides {:?}", frame.sides()));
        }
        if let Some(truth) = known.frames.get(frame_idx) {
            let of_frame = staged(frame, truth, known).unwrap_or_else(|error| vec![error.to_string()]);
            faults.extend(of_frame.into_iter().map(|fault| format!("frame {frame_idx}, {fault}")));
        }
    })?;
    if n_frames != known.frames.len() {
        faults.push(format!("{n_frames} frames in place of {}", known.frames.len()));
    }
    faults.extend(
        known
            .says
            .iter()
            .filter(|words| !said.contains(**words))
            .map(|words| format!("`{words}` is not in: {said}")),
    );
    Ok(faults)
}

/// The faults of one frame.
fn staged(frame: &StoredFrame<'_>, truth: &FrameTruth, known: &Known) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let stored: Vec<f64> = frame.values().iter().collect();
    faults.extend(differing("stored", &stored, &truth.stored, known.tolerances.stored));
    let modality: Vec<f64> = match frame.modality()? {
        ModalityFrame::Gray(gray) => gray.iter().collect(),
        ModalityFrame::Rgb(rgb) => rgb.values.iter().collect(),
    };
    faults.extend(differing("modality", &modality, &truth.modality, known.tolerances.modality));

    let mut chosen: Vec<(VoiChoice, &dicom::Display)> = Vec::new();
    for display in &truth.displays {
        chosen.push((
            if display.choice == 0 { VoiChoice::None } else { VoiChoice::Number(display.choice) },
            display,
        ));
        if let Some(explanation) = &display.explanation {
            chosen.push((VoiChoice::Name(explanation.to_lowercase()), display));
        }
    }
    let first = truth.displays.iter().find(|display| display.choice == 1).or(truth.displays.first());
    chosen.extend(first.map(|display| (VoiChoice::Default, display)));
    for (choice, display) in chosen {
        let levels: Vec<f64> = match frame.display(&choice, WindowRule::Standard)?.picture {
            Display::Gray8(levels) | Display::Rgb8(levels) => levels.into_iter().map(f64::from).collect(),
        };
        faults.extend(differing(
            &format!("display {choice:?}"),
            &levels,
            &display.levels,
            known.tolerances.display,
        ));
    }
    Ok(faults)
}

/// The first value that is farther from the truth than it may be.
fn differing(stage: &str, values: &[f64], truth: &[f64], tolerance: f64) -> Option<String> {
    if values.len() != truth.len() {
        return Some(format!("{stage}: {} values in place of {}", values.len(), truth.len()));
    }
    let is_off = |(value, truth): (&f64, &f64)| (value - truth).abs() > tolerance || !value.is_finite();
    let place = values.iter().zip(truth).position(is_off)?;
    let n = values.iter().zip(truth).filter(|pair| is_off(*pair)).count();
    Some(format!(
        "{stage}: {n} of {} off, at {place} {} in place of {}",
        values.len(),
        values[place],
        truth[place]
    ))
}
