//! What has no pixels that can be trusted, or none that are read.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};

use super::super::codes::{Dct, JpegLs, Lossless, Marks, Raster, jpeg_dct, jpeg_lossless, jpeg_ls, rle};
use super::super::file::EXPLICIT_VR_BIG_ENDIAN;
use super::super::{Case, DicomFile, Layout, Refusal, Truth};
use super::shot::Shot;

pub(super) fn cases() -> Vec<Case> {
    [syntaxes(), modules(), truncated(), coded()].concat()
}

fn refused(name: &str, bytes: Vec<u8>, kind: &'static str, says: &[&'static str]) -> Case {
    let name = format!("refused/{name}");
    Case { name, bytes, truth: Truth::Refused(Refusal { kind, says: says.to_vec() }) }
}

fn base() -> Shot {
    Shot::new(Layout::gray(7, 5, 16).stored_in(12))
        .with(|shot| shot.gray.windows = vec![("2000", "3000", "")])
}

/// Transfer syntaxes that are refused by name, with the way out.
fn syntaxes() -> Vec<Case> {
    let shot = base();
    let file = shot.file("big endian").in_syntax(EXPLICIT_VR_BIG_ENDIAN).native(shot.layout, &shot.values);
    let mut cases = vec![refused("big endian", file.written(), "Unsupported", &["Big Endian", "dcmconv"])];
    for (what, uid, says) in [
        ("MPEG2", uids::MPEG2MPML, &["MPEG"][..]),
        ("MPEG-4", "1.2.840.10008.1.2.4.102", &["MPEG"]),
        ("HEVC", "1.2.840.10008.1.2.4.107", &["HEVC"]),
        ("JPIP", "1.2.840.10008.1.2.4.94", &["JPIP"]),
        ("JPEG 2000 part 2", uids::JPEG2000MC, &["JPEG 2000"]),
        ("JPEG progressive, retired", "1.2.840.10008.1.2.4.55", &["JPEG"]),
        ("unknown syntax", "2.25.123456789", &["2.25.123456789"]),
    ] {
        let file = shot.file(what).in_syntax(uid).frames(shot.layout, &[vec![0, 1, 2, 3]]);
        cases.push(refused(what, file.written(), "Unsupported", says));
    }
    cases
}

/// Image Pixel Modules that mean nothing, or what is not read.
fn modules() -> Vec<Case> {
    let mut cases = Vec::new();
    for photometric in ["YBR_PARTIAL_422", "YBR_PARTIAL_420", "HSV", "ARGB", "CMYK", "SOMETHING"] {
        let shot = Shot::new(Layout::color(8, 4, photometric));
        let file = shot.file(photometric).native(shot.layout, &shot.values);
        let says = ["Photometric", photometric];
        cases.push(refused(photometric, file.written(), "Unsupported", &says));
    }
    let shot = base();
    let file = |name: &str| shot.file(name).native(shot.layout, &shot.values);
    let mut number = |name: &str, tag, value: u16, kind, says: &[&'static str]| {
        cases.push(refused(name, file(name).numbers(tag, &[value]).written(), kind, says));
    };
    number("12 bits allocated", tags::BITS_ALLOCATED, 12, "Unsupported", &["BitsAllocated", "12"]);
    number("24 bits allocated", tags::BITS_ALLOCATED, 24, "Unsupported", &["BitsAllocated", "24"]);
    number("more bits stored than allocated", tags::BITS_STORED, 17, "Corrupt", &["BitsStored", "17"]);
    number("no bits stored", tags::BITS_STORED, 0, "Corrupt", &["BitsStored"]);
    // pydicom takes the low bits whatever it says; the standard wants bits 4 to 15.
    number("High Bit that is not the highest stored", tags::HIGH_BIT, 15, "Corrupt", &["HighBit", "15"]);
    number("High Bit beyond the cell", tags::HIGH_BIT, 16, "Corrupt", &["HighBit", "16"]);
    number("High Bit below the bits stored", tags::HIGH_BIT, 5, "Corrupt", &["HighBit", "5"]);
    number("no rows", tags::ROWS, 0, "Corrupt", &["Rows"]);
    number("Pixel Representation 2", tags::PIXEL_REPRESENTATION, 2, "Corrupt", &["PixelRepresentation"]);
    number("two samples a pixel", tags::SAMPLES_PER_PIXEL, 2, "Unsupported", &["SamplesPerPixel", "2"]);
    for (name, tag, says) in [
        ("no Rows", tags::ROWS, "Rows"),
        ("no Columns", tags::COLUMNS, "Columns"),
        ("no Bits Allocated", tags::BITS_ALLOCATED, "BitsAllocated"),
        ("no Photometric Interpretation", tags::PHOTOMETRIC_INTERPRETATION, "PhotometricInterpretation"),
    ] {
        cases.push(refused(name, file(name).without(tag).written(), "Corrupt", &[says]));
    }
    let name = "no Pixel Data";
    cases.push(refused(name, file(name).without(tags::PIXEL_DATA).written(), "Unsupported", &["PixelData"]));
    let planes = Shot::new(Layout { planar: 2, ..Layout::color(7, 5, "RGB") });
    let name = "Planar Configuration 2";
    cases.push(refused(name, planes.native(name).bytes, "Corrupt", &["PlanarConfiguration", "2"]));
    let indices = Shot::new(Layout { photometric: "PALETTE COLOR", ..Layout::gray(7, 5, 8) });
    let name = "PALETTE COLOR without a palette";
    cases.push(refused(name, indices.native(name).bytes, "Corrupt", &["Palette"]));
    let name = "no samples, no pixels";
    let report = DicomFile::new(name).of_class(uids::BASIC_TEXT_SR_STORAGE, "SR");
    cases.push(refused(
        name,
        report.text(tags::COMPLETION_FLAG, VR::CS, "PARTIAL").written(),
        "Unsupported",
        &["PixelData"],
    ));
    cases
}

fn truncated() -> Vec<Case> {
    let shot = base();
    let file = |name: &str| shot.file(name).native(shot.layout, &shot.values);
    let three = Shot::new(Layout { n_frames: Some(3), ..shot.layout });
    let mut cases = Vec::new();
    let name = "the file ends inside its pixels";
    cases.push(refused(name, file(name).parts().shortened(20).joined(), "Truncated", &["PixelData"]));
    let name = "fewer bytes of pixels than the picture has";
    let short = shot.file(name).bytes(tags::PIXEL_DATA, VR::OW, vec![7; 40]);
    cases.push(refused(name, short.written(), "Truncated", &["PixelData", "40", "70"]));
    let name = "fewer frames than declared";
    let n = three.layout.n_values();
    let two = three.file(name).native(three.layout, &three.values[..2 * n]);
    cases.push(refused(name, two.written(), "Truncated", &["PixelData"]));
    let name = "the file ends inside its attributes";
    let mut parts = file(name).parts();
    let at = parts.place(tags::BITS_STORED);
    parts.data_set.truncate(at + 9);
    cases.push(refused(name, parts.joined(), "Truncated", &[]));
    let name = "a deflated data set that ends early";
    let deflated = file(name).in_syntax(uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN);
    cases.push(refused(name, deflated.parts().shortened(60).joined(), "Truncated", &["deflate"]));
    cases
}

/// Coded frames that end early, are missing, or are of another size than the file says.
fn coded() -> Vec<Case> {
    let shot = base();
    let picture = |samples| Raster { width: 7, height: 5, n_components: 1, bits: 12, samples };
    let samples = shot.coded(0);
    let lossless = jpeg_lossless(picture(&samples), Lossless::default());
    let (ls, _) = jpeg_ls(picture(&samples), JpegLs::default());
    let packed = rle(Raster { bits: 16, ..picture(&samples) });
    let mut cases = Vec::new();
    for (what, syntax, frame) in [
        ("JPEG lossless", uids::JPEG_LOSSLESS_SV1, &lossless),
        ("JPEG-LS", uids::JPEGLS_LOSSLESS, &ls),
        ("RLE", uids::RLE_LOSSLESS, &packed),
    ] {
        let file = |name: &str| shot.file(name).in_syntax(syntax);
        let name = format!("{what}, the frame ends early");
        let short = frame[..frame.len() - 20].to_vec();
        cases.push(refused(&name, file(&name).frames(shot.layout, &[short]).written(), "Truncated", &[]));
        let name = format!("{what}, one frame of two");
        let two =
            file(&name).frames(Layout { n_frames: Some(2), ..shot.layout }, std::slice::from_ref(frame));
        cases.push(refused(&name, two.written(), "Truncated", &["frame"]));
        let name = format!("{what}, more rows declared than coded");
        let taller = file(&name).frames(Layout { rows: 9, ..shot.layout }, std::slice::from_ref(frame));
        cases.push(refused(
            &name,
            taller.written(),
            if what == "RLE" { "Truncated" } else { "Corrupt" },
            &[],
        ));
    }
    let file = shot.file("fewer rows").in_syntax(uids::JPEGLS_LOSSLESS);
    let shorter = file.frames(Layout { rows: 3, ..shot.layout }, std::slice::from_ref(&ls));
    cases.push(refused("JPEG-LS, fewer rows declared than coded", shorter.written(), "Corrupt", &["rows"]));
    for (photometric, transform) in [("RGB", 1), ("YBR_FULL_422", 0)] {
        let color = Shot::new(Layout::color(8, 8, photometric));
        let picture = Raster { width: 8, height: 8, n_components: 3, bits: 8, samples: &color.coded(0) };
        let stream = jpeg_dct(picture, Dct { marks: Marks::Adobe(transform), ..Dct::default() });
        let name = format!("{photometric} with an Adobe marker of transform {transform}");
        let file = color.file(&name).in_syntax(uids::JPEG_BASELINE8_BIT).frames(color.layout, &[stream]);
        cases.push(refused(&name, file.written(), "Corrupt", &["PhotometricInterpretation", "Adobe"]));
    }
    let name = "RLE with a segment too few";
    let bytes = rle(Raster { bits: 8, ..picture(&samples) });
    let file = shot.file(name).in_syntax(uids::RLE_LOSSLESS).frames(shot.layout, &[bytes]);
    cases.push(refused(name, file.written(), "Corrupt", &["segment"]));
    cases
}
