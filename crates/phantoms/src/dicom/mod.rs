//! DICOM files with known values: what each rule of the pixel layer is tried with.
//!
//! [`cases()`] is the catalogue: each [`Case`] is the bytes of a file and what is true of it, either the values of its
//! frames at three stages (stored, modality, display) or why it has to be refused. The values come from the definition,
//! computed plainly beside the file that is made; no decoder takes part. [`DicomFile`] writes a well-formed file through
//! dicom-rs, [`Parts`] takes it apart for the files that mislead, and [`codes`] has the encoders.
//!
//! Nobody is in these files: names are invented and say so, identifiers lie under the UID root 2.25.

mod cases;
pub mod codes;
mod file;
mod film;
mod gray;
mod identity;
mod layout;
mod lut;
mod parts;
mod raw;
mod truth;

pub use cases::cases;
pub use file::{DicomFile, Item};
pub use film::{Coding, DicomOptions, Photometric};
pub use layout::Layout;
pub use parts::Parts;
pub use truth::{Case, Display, FrameTruth, Known, Refusal, Tolerances, Truth};
