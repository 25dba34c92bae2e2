//! A contact sheet: every picture small, each with a caption, on one page.

use lightbox_models::RgbImage;
use lightbox_models::images::bilinear;

use crate::{Error, ErrorKind, Result};

/// Longest side of a picture on the sheet.
const THUMBNAIL_PX: usize = 224;
/// Pictures a row; a sheet of 85 slices then has 9 rows.
const COLUMNS: usize = 10;
const GAP_PX: usize = 4;
/// Side of a dot of a letter; letters are 3 × 5 dots.
const DOT_PX: usize = 2;
/// Room for a caption below a picture.
const CAPTION_PX: usize = 5 * DOT_PX + 2 * GAP_PX;
/// Neither black nor white, so that padding and bright films both show their edges.
const GROUND: u8 = 96;
const INK: u8 = 240;

/// A picture made small, so that a long series need not be held in memory at full size.
///
/// # Errors
/// [`ErrorKind::Model`] if there is no memory for it.
pub fn thumbnail(image: &RgbImage) -> Result<RgbImage> {
    let longest = image.width().max(image.height());
    let scaled = |side: usize| (side * THUMBNAIL_PX / longest).max(1);
    Ok(bilinear(image, scaled(image.width()), scaled(image.height()))?)
}

/// Thumbnails in their order, row by row, each with a caption of capitals, digits and a few signs; what of it does not
/// fit below its picture is cut off.
///
/// # Errors
/// [`ErrorKind::View`] if there are no pictures, one is not a [`thumbnail`], or there is no memory for the sheet.
pub fn contact_sheet(thumbnails: &[(RgbImage, String)]) -> Result<RgbImage> {
    if thumbnails.is_empty() {
        return Err(Error::new(ErrorKind::View, "contact sheet: expected at least one picture, found none"));
    }
    let n_columns = thumbnails.len().min(COLUMNS);
    let n_rows = thumbnails.len().div_ceil(n_columns);
    let pitch = (THUMBNAIL_PX + GAP_PX, THUMBNAIL_PX + CAPTION_PX);
    let (width, height) = (n_columns * pitch.0 + GAP_PX, n_rows * pitch.1 + GAP_PX);
    let mut pixels = Vec::new();
    pixels.try_reserve_exact(width * height * 3).map_err(|_| {
        Error::new(ErrorKind::View, format!("contact sheet: no memory for {width}×{height} pixels"))
            .hint("hand in fewer pictures")
    })?;
    pixels.resize(width * height * 3, GROUND);
    for (index, (picture, caption)) in thumbnails.iter().enumerate() {
        if picture.width() > THUMBNAIL_PX || picture.height() > THUMBNAIL_PX {
            return Err(Error::new(
                ErrorKind::View,
                format!(
                    "contact sheet: expected pictures of at most {THUMBNAIL_PX} pixels a side, found {}×{}",
                    picture.width(),
                    picture.height()
                ),
            )
            .hint("make a thumbnail of it first"));
        }
        let (left, top) = (GAP_PX + index % n_columns * pitch.0, GAP_PX + index / n_columns * pitch.1);
        let n_bytes = picture.width() * 3;
        for (y, row) in picture.pixels().chunks_exact(n_bytes).enumerate() {
            let first = ((top + y) * width + left) * 3;
            pixels[first..first + n_bytes].copy_from_slice(row);
        }
        write(&mut pixels, width, (left, top + THUMBNAIL_PX + GAP_PX), caption);
    }
    Ok(RgbImage::new(width, height, pixels)?)
}

/// Writes a caption of at most a thumbnail's width.
fn write(pixels: &mut [u8], width: usize, (left, top): (usize, usize), caption: &str) {
    let advance = 4 * DOT_PX;
    for (place, letter) in caption.chars().take(THUMBNAIL_PX / advance).enumerate() {
        let glyph = glyph(letter.to_ascii_uppercase());
        for dot in (0..15).filter(|dot| glyph >> (14 - dot) & 1 == 1) {
            let x = left + place * advance + dot % 3 * DOT_PX;
            let y = top + dot / 3 * DOT_PX;
            for row in y..y + DOT_PX {
                let first = (row * width + x) * 3;
                pixels[first..first + DOT_PX * 3].fill(INK);
            }
        }
    }
}

/// A letter of 3 × 5 dots, one octal digit a row from the top; a full block for signs that it does not have.
fn glyph(letter: char) -> u16 {
    const DIGITS: [u16; 10] =
        [0o75557, 0o26227, 0o71747, 0o71717, 0o55711, 0o74717, 0o74757, 0o71111, 0o75757, 0o75717];
    const CAPITALS: [u16; 26] = [
        0o25755, 0o65656, 0o34443, 0o65556, 0o74647, 0o74644, 0o34553, 0o55755, 0o72227, 0o11152, 0o55655,
        0o44447, 0o57755, 0o65555, 0o25552, 0o65644, 0o25563, 0o65655, 0o34216, 0o72222, 0o55557, 0o55552,
        0o55775, 0o55255, 0o55222, 0o71247,
    ];
    match letter {
        '0'..='9' => DIGITS[letter as usize - '0' as usize],
        'A'..='Z' => CAPITALS[letter as usize - 'A' as usize],
        ' ' => 0,
        '-' => 0o00700,
        '.' => 0o00002,
        ':' => 0o02020,
        '/' => 0o11244,
        '#' => 0o57575,
        '(' => 0o24442,
        ')' => 0o21112,
        '×' => 0o05250,
        _ => 0o77777,
    }
}
