//! Files that are not as the standard wants them, and whose pixels are plain all the same.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};

use super::super::codes::{JpegLs, Raster, jpeg_ls, rle};
use super::super::raw::{ITEM, ITEM_END, SEQUENCE_END, UNDEFINED, bare, explicit, explicit_head, item};
use super::super::{Case, Layout, Parts};
use super::shot::Shot;

pub(super) fn cases() -> Vec<Case> {
    [heads(), elements(), sequences(), pixels()].concat()
}

fn base() -> Shot {
    Shot::new(Layout::gray(7, 5, 16).stored_in(12))
        .with(|shot| shot.gray.windows = vec![("2000", "3000", "")])
}

/// A case of the plain picture whose parts were changed.
fn changed(name: &str, syntax: &'static str, change: impl FnOnce(Parts) -> Parts) -> Case {
    let (shot, name) = (base(), format!("misleading/{name}"));
    let file = shot.file(&name).in_syntax(syntax).native(shot.layout, &shot.values);
    shot.case(&name, change(file.parts()).joined())
}

fn without_preamble(parts: Parts) -> Parts {
    Parts { preamble: Vec::new(), ..parts }
}

fn without_meta(parts: Parts) -> Parts {
    Parts { meta: Vec::new(), ..parts }
}

/// The length that the meta group states of itself, made wrong.
fn with_group_length(mut parts: Parts, change: fn(u32) -> u32) -> Parts {
    let own = u32::from_le_bytes(parts.meta[8..12].try_into().expect("four bytes are four bytes"));
    parts.meta[8..12].copy_from_slice(&change(own).to_le_bytes());
    parts
}

/// Preamble and meta group.
fn heads() -> Vec<Case> {
    const IMPLICIT: &str = uids::IMPLICIT_VR_LITTLE_ENDIAN;
    const EXPLICIT: &str = uids::EXPLICIT_VR_LITTLE_ENDIAN;
    let tiff = |mut parts: Parts| {
        parts.preamble[..8].copy_from_slice(b"II*\0\x10\0\0\0");
        parts
    };
    // The meta group of a file in the other notation.
    let other_meta = |syntax| base().file("other").in_syntax(syntax).parts().meta;
    vec![
        changed("no preamble", EXPLICIT, without_preamble).saying("preamble"),
        changed("no preamble, implicit", IMPLICIT, without_preamble).saying("preamble"),
        changed("no preamble, no meta group, explicit", EXPLICIT, |parts| {
            without_meta(without_preamble(parts))
        })
        .saying("transfer syntax"),
        changed("no preamble, no meta group, implicit", IMPLICIT, |parts| {
            without_meta(without_preamble(parts))
        })
        .saying("transfer syntax"),
        changed("no meta group, explicit", EXPLICIT, without_meta).saying("transfer syntax"),
        changed("no meta group, implicit", IMPLICIT, without_meta).saying("transfer syntax"),
        changed("a TIFF header in the preamble", EXPLICIT, tiff),
        changed("meta group length too small", EXPLICIT, |parts| with_group_length(parts, |own| own - 30))
            .saying("meta group"),
        changed("meta group length too large", EXPLICIT, |parts| with_group_length(parts, |own| own + 40))
            .saying("meta group"),
        changed("meta group length 0", EXPLICIT, |parts| with_group_length(parts, |_| 0))
            .saying("meta group"),
        changed("no meta group length", EXPLICIT, |mut parts| {
            parts.meta.drain(..12);
            parts
        }),
        changed("implicit under explicit's name", IMPLICIT, |parts| Parts {
            meta: other_meta(EXPLICIT),
            ..parts
        })
        .saying("implicit"),
        changed("explicit under implicit's name", EXPLICIT, |parts| Parts {
            meta: other_meta(IMPLICIT),
            ..parts
        })
        .saying("explicit"),
    ]
}

/// Elements of odd VR, odd length, private groups, wrong group lengths.
fn elements() -> Vec<Case> {
    let put = |name: &str, bytes: Vec<u8>| {
        changed(name, uids::EXPLICIT_VR_LITTLE_ENDIAN, |parts| parts.before(tags::SAMPLES_PER_PIXEL, &bytes))
    };
    let private = Tag(0x0019, 0x1010);
    let creator = explicit(Tag(0x0019, 0x0010), "LO", b"PHANTOM PRIVATE ");
    vec![
        put("private elements", [creator, explicit(private, "FD", &[0; 8])].concat()),
        put("a private element without creator", explicit(private, "UN", b"whatever")),
        put("an unknown element", explicit(Tag(0x0018, 0xfff0), "UN", &[1, 2, 3, 4])),
        put("a value of odd length", explicit(Tag(0x0020, 0x4000), "LT", b"odd")),
        put("VR UN for a known element", explicit(tags::IMAGE_COMMENTS, "UN", b"text")).saying("type"),
        put("an empty value", explicit(tags::IMAGE_COMMENTS, "LT", b"")),
        put("a group length that is wrong", explicit(Tag(0x0028, 0x0000), "UL", &[1, 0, 0, 0])),
        put("VR ZZ", explicit(private, "ZZ", &[1, 2, 3, 4])).saying("type"),
        changed("padding behind the pixels", uids::EXPLICIT_VR_LITTLE_ENDIAN, |mut parts| {
            parts.data_set.extend(explicit(Tag(0xfffc, 0xfffc), "OB", &[0; 30]));
            parts
        }),
        changed("zeros behind the data set", uids::EXPLICIT_VR_LITTLE_ENDIAN, |mut parts| {
            parts.data_set.extend([0; 50]);
            parts
        }),
        changed("Photometric Interpretation with blanks", uids::EXPLICIT_VR_LITTLE_ENDIAN, |parts| {
            let at = parts.place(tags::PHOTOMETRIC_INTERPRETATION);
            let mut parts = parts;
            let longer = explicit(tags::PHOTOMETRIC_INTERPRETATION, "CS", b"MONOCHROME2     ");
            parts.data_set.splice(at..at + 20, longer);
            parts
        }),
    ]
}

/// Sequences with and without lengths, nested, and with elements that are not the picture's.
fn sequences() -> Vec<Case> {
    const EXPLICIT: &str = uids::EXPLICIT_VR_LITTLE_ENDIAN;
    const IMPLICIT: &str = uids::IMPLICIT_VR_LITTLE_ENDIAN;
    // Other rows than the picture's: a reader that looks for them anywhere takes the wrong ones.
    let rows = explicit(tags::ROWS, "US", &[99, 0]);
    let implicit_rows = [bare(tags::ROWS, 2), vec![99, 0]].concat();
    let tag = tags::REFERENCED_IMAGE_SEQUENCE;
    let put = |name: &str, syntax, bytes: Vec<u8>| {
        changed(name, syntax, |parts| parts.before(tags::SAMPLES_PER_PIXEL, &bytes))
    };
    let open = |contents: &[u8]| {
        [bare(ITEM, UNDEFINED), contents.to_vec(), bare(ITEM_END, 0), bare(SEQUENCE_END, 0)].concat()
    };
    let nested = |depth: usize| {
        (0..depth).fold(rows.clone(), |inner, _| [explicit_head(tag, "SQ", UNDEFINED), open(&inner)].concat())
    };
    vec![
        put("a sequence of known length", EXPLICIT, explicit(tag, "SQ", &item(&rows))),
        put("a sequence of undefined length", EXPLICIT, nested(1)),
        put("an item of known length in a sequence of undefined length", EXPLICIT, {
            [explicit_head(tag, "SQ", UNDEFINED), item(&rows), bare(SEQUENCE_END, 0)].concat()
        }),
        put("twelve sequences in each other", EXPLICIT, nested(12)),
        put("an empty sequence", EXPLICIT, explicit(tag, "SQ", &[])),
        put("an empty item", EXPLICIT, explicit(tag, "SQ", &item(&[]))),
        put("a private sequence as UN of undefined length", EXPLICIT, {
            // Its contents are in implicit notation (PS3.5 6.2.2).
            [explicit_head(Tag(0x0019, 0x1020), "UN", UNDEFINED), open(&implicit_rows)].concat()
        }),
        put("implicit, a sequence of undefined length", IMPLICIT, {
            [bare(tag, UNDEFINED), open(&implicit_rows)].concat()
        }),
        put("implicit, a private sequence of undefined length", IMPLICIT, {
            [bare(Tag(0x0019, 0x1020), UNDEFINED), open(&implicit_rows)].concat()
        }),
    ]
}

/// Pixel Data that is not as long, or not ended, as it should be.
fn pixels() -> Vec<Case> {
    let mut cases = Vec::new();
    let shot = base();
    let picture = |samples| Raster { width: 7, height: 5, n_components: 1, bits: 12, samples };
    let samples = shot.coded(0);
    let (ls, _) = jpeg_ls(picture(&samples), JpegLs::default());
    let packed = rle(Raster { bits: 16, ..picture(&samples) });
    for (what, syntax, frame) in
        [("JPEG-LS", uids::JPEGLS_LOSSLESS, &ls), ("RLE", uids::RLE_LOSSLESS, &packed)]
    {
        let file = |name: &str| shot.file(name).in_syntax(syntax);
        let name = format!("misleading/{what}, no delimiter behind the fragments");
        let parts = file(&name).frames(shot.layout, std::slice::from_ref(frame)).parts().shortened(8);
        cases.push(shot.case(&name, parts.joined()).saying("delimiter"));
        let name = format!("misleading/{what}, zeros behind the coded frame");
        let mut padded = frame.clone();
        padded.extend([0; 6]);
        cases.push(shot.case(&name, file(&name).frames(shot.layout, &[padded]).written()));
        // A reader gets all frames that are there, and a word about it.
        let name = format!("misleading/{what}, more frames than declared");
        let both = shot.clone().with(|both| {
            both.layout.n_frames = Some(2);
            both.values.extend_from_within(..);
        });
        let two = both.file(&name).in_syntax(syntax).frames(both.layout, &[frame.clone(), frame.clone()]);
        let one = two.text(tags::NUMBER_OF_FRAMES, VR::IS, "1");
        cases.push(both.case(&name, one.written()).saying("frames"));
    }
    let three = Shot::new(Layout { n_frames: Some(3), ..shot.layout });
    let name = "misleading/more frames than declared";
    let file = three.file(name).native(three.layout, &three.values);
    cases.push(three.case(name, file.text(tags::NUMBER_OF_FRAMES, VR::IS, "2").written()).saying("frames"));
    cases
}
