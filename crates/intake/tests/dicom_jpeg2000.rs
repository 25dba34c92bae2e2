//! JPEG 2000 and HTJ2K within DICOM: the colours that the transforms end in, and the sign of samples.
//!
//! The streams are those of the codecs' own tests, where their samples are compared with what was coded.

use std::path::Path;

use lightbox_codecs::{Picture, Samples, jpeg2000};
use lightbox_intake::dicom::File;
use lightbox_intake::dicom::pixels::{ModalityFrame, Photometric, Pixels};
use lightbox_phantoms::dicom::{DicomFile, Layout};

const LOSSLESS: &str = "1.2.840.10008.1.2.4.90";
const LOSSY: &str = "1.2.840.10008.1.2.4.91";
const HT_LOSSLESS: &str = "1.2.840.10008.1.2.4.201";
const HT_RPCL: &str = "1.2.840.10008.1.2.4.202";
const HT: &str = "1.2.840.10008.1.2.4.203";

/// A stream of the codecs' tests with its picture.
fn stream(name: &str) -> (Vec<u8>, Picture) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codecs/tests/goldens");
    let coded = std::fs::read(folder.join(name)).expect("a stream of the codecs' tests");
    let picture = jpeg2000::decode(&coded).expect("a picture");
    (coded, picture)
}

/// The layout that a stream's own header asks for.
fn layout(picture: &Picture, photometric: &'static str) -> Layout {
    let outline = picture.outline;
    let allocated = if outline.bits > 8 { 16 } else { 8 };
    Layout {
        n_components: outline.n_components as u16,
        photometric,
        is_signed: outline.is_signed,
        ..Layout::gray(outline.width as u16, outline.height as u16, allocated).stored_in(outline.bits.into())
    }
}

/// The samples as numbers with this sign.
fn numbers(picture: &Picture, is_signed: bool) -> Vec<f64> {
    let unused = 32 - u32::from(picture.outline.bits);
    let number = |bits: u32| match is_signed {
        true => f64::from((bits << unused) as i32 >> unused),
        false => f64::from((bits << unused) >> unused),
    };
    match &picture.samples {
        Samples::U8(samples) => samples.iter().map(|sample| number(u32::from(*sample))).collect(),
        Samples::U16(samples) => samples.iter().map(|sample| number(u32::from(*sample))).collect(),
    }
}

/// Stored values, what they stand for, and modality values of the one frame.
fn read(file: &DicomFile) -> (Vec<f64>, Photometric, Vec<f64>) {
    let bytes = file.written();
    let file = File::read(&bytes).expect("a file");
    let dataset = file.dataset().expect("a data set");
    let pixels = Pixels::of(&dataset, file.syntax()).expect("pixels");
    let frame = pixels.frame(0).expect("a frame");
    let modality = match frame.modality().expect("modality values") {
        ModalityFrame::Gray(gray) => gray.iter().collect(),
        ModalityFrame::Rgb(rgb) => rgb.values.iter().collect(),
    };
    (frame.values().iter().collect(), frame.photometric(), modality)
}

#[test]
fn the_transforms_of_jpeg_2000_end_in_rgb() {
    for (name, syntax, photometric) in [
        ("jpeg2000/rgb-rct.j2k", LOSSLESS, "YBR_RCT"),
        ("jpeg2000/rgb-rct.j2k", LOSSLESS, "RGB"),
        ("jpeg2000/rgb-rct.j2k", LOSSY, "YBR_RCT"),
        ("jpeg2000/lossy-ict.j2k", LOSSY, "YBR_ICT"),
        ("htj2k/rgb8-lrcp.j2c", HT_LOSSLESS, "YBR_RCT"),
        ("htj2k/rgb8-rpcl.j2c", HT_RPCL, "YBR_RCT"),
        ("htj2k/rgb8-lossy.j2c", HT, "YBR_ICT"),
    ] {
        let (coded, picture) = stream(name);
        let file = DicomFile::new(name).in_syntax(syntax).frames(layout(&picture, photometric), &[coded]);
        let (stored, colors, modality) = read(&file);
        assert_eq!(stored, numbers(&picture, false), "{name} as {photometric}");
        assert_eq!((colors, modality), (Photometric::Rgb, stored), "{name} as {photometric}");
    }
}

#[test]
fn gray_has_the_sign_of_the_header() {
    for (name, syntax) in [
        ("jpeg2000/gray12.j2k", LOSSLESS),
        ("jpeg2000/gray16.j2k", LOSSLESS),
        ("jpeg2000/gray16s.j2k", LOSSLESS),
        ("jpeg2000/lossy12s.j2k", LOSSY),
        ("htj2k/gray16.j2c", HT_LOSSLESS),
        ("htj2k/gray16-signed.j2c", HT_LOSSLESS),
    ] {
        let (coded, picture) = stream(name);
        for is_signed in [false, true] {
            let layout = Layout { is_signed, ..layout(&picture, "MONOCHROME2") };
            let file = DicomFile::new(name).in_syntax(syntax).frames(layout, std::slice::from_ref(&coded));
            let (stored, _, modality) = read(&file);
            assert_eq!(stored, numbers(&picture, is_signed), "{name}, signed {is_signed}");
            assert_eq!(modality, stored, "{name}, signed {is_signed}");
        }
    }
}
