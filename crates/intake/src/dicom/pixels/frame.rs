//! Frames: what a data set states of its pixels, and one frame of them decoded.

use std::borrow::Cow;

use dicom_dictionary_std::tags;

use super::facts::Facts;
use super::functional;
use super::gray::Gray;
use super::image_pixel::{ImagePixel, Photometric};
use super::modality::Modality;
use super::padding::Padding;
use super::palette::Palette;
use super::rgb::Rgb;
use super::steps::PixelStep;
use super::stored::Stored;
use super::voi::{self, VoiView};
use super::{decode, expected};
use crate::Result;
use crate::dicom::{Dataset, Note, PixelBytes, TransferSyntax, pixel_tags};

/// The pixels of a data set: described, not yet decoded.
pub struct Pixels<'d> {
    dataset: &'d Dataset<'d>,
    syntax: &'static TransferSyntax,
    image: ImagePixel,
    bytes: PixelBytes<'d>,
    facts: Facts,
}

impl<'d> Pixels<'d> {
    /// Reads and checks what a data set states of its pixels; nothing is decoded.
    ///
    /// # Errors
    /// As [`ImagePixel::of`]; [`crate::ErrorKind::Truncated`] if pixel data are missing; for a transfer syntax that is
    /// not decoded, [`crate::ErrorKind::Unsupported`] with its name and the way out.
    pub fn of(dataset: &'d Dataset<'d>, syntax: &'static TransferSyntax) -> Result<Self> {
        syntax.check_decoded()?;
        let image = ImagePixel::of(dataset)?;
        let bytes = PixelBytes::of(dataset, syntax, image.n_frames, image.n_native_bits())?;
        check_subsampled(dataset, &image)?;
        let facts = Facts::of(dataset, image.photometric.is_gray());
        Ok(Self { dataset, syntax, image, bytes, facts })
    }

    /// Whether a data set has pixels at all: reports and plans have none.
    #[must_use]
    pub fn are_in(dataset: &Dataset<'_>) -> bool {
        pixel_tags(dataset).next().is_some()
    }

    /// How many frames there are.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.bytes.n_frames()
    }

    /// The Image Pixel Module.
    #[must_use]
    pub fn image(&self) -> &ImagePixel {
        &self.image
    }

    /// How the pixels are coded.
    #[must_use]
    pub fn syntax(&self) -> &'static TransferSyntax {
        self.syntax
    }

    /// What is stated besides.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// How stored values of a frame (from 0) become modality values: by its functional groups, else by the image.
    ///
    /// # Errors
    /// Names the element that is wrong.
    pub fn modality(&self, frame_idx: usize) -> Result<Modality> {
        Modality::of(functional::of_modality(self.dataset, frame_idx)?)
    }

    /// The windows and tables that are offered for a frame (from 0), in the order of their numbers, which start at 1.
    ///
    /// # Errors
    /// Names the element that is wrong.
    pub fn views(&self, frame_idx: usize) -> Result<Vec<VoiView>> {
        voi::views(functional::of_voi(self.dataset, frame_idx)?)
    }

    /// Stored values that stand for no picture.
    ///
    /// # Errors
    /// Names the element that is wrong.
    pub fn padding(&self) -> Result<Option<Padding>> {
        Padding::of(self.dataset, &self.image)
    }

    /// The palette of a PALETTE COLOR image.
    ///
    /// # Errors
    /// Names the element that is missing or wrong.
    pub fn palette(&self) -> Result<Option<Palette>> {
        match self.image.photometric {
            Photometric::PaletteColor => Palette::of(self.dataset).map(Some),
            _ => Ok(None),
        }
    }

    /// What was odd in the way the pixel data are written, and how it was taken.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        self.bytes.notes()
    }

    /// Decodes a frame (from 0).
    ///
    /// # Errors
    /// [`crate::ErrorKind::Truncated`] if bytes of the frame are missing; else as its codec, or if its coded data are
    /// not the picture that the header describes.
    pub fn frame(&self, frame_idx: usize) -> Result<StoredFrame<'_>> {
        let bytes = self.bytes.frame(frame_idx)?;
        let mut steps = Vec::new();
        let (values, photometric) = decode::frame(&bytes, &self.image, self.syntax, &mut steps)?;
        Ok(StoredFrame {
            dataset: self.dataset,
            image: &self.image,
            facts: &self.facts,
            frame_idx,
            values,
            photometric,
            steps,
        })
    }
}

/// Shows what the pixels are, not their bytes.
impl std::fmt::Debug for Pixels<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pixels")
            .field("syntax", &self.syntax.name)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}

/// Refuses uncompressed YBR_FULL_422 whose pixel data are long enough for chroma of every pixel, as pydicom does: then
/// the colours are stored otherwise.
fn check_subsampled(dataset: &Dataset<'_>, image: &ImagePixel) -> Result<()> {
    let Some(bytes) = dataset.bytes(image.source.tag()) else { return Ok(()) };
    if image.photometric != Photometric::YbrFull422 {
        return Ok(());
    }
    let n_samples = (image.n_values() as u64).saturating_mul(image.n_frames as u64);
    let n_full = n_samples.saturating_mul(u64::from(image.bits_allocated / 8));
    if bytes.len() as u64 >= n_full.saturating_add(n_full % 2) {
        return Err(expected(
            tags::PHOTOMETRIC_INTERPRETATION,
            "RGB or YBR_FULL, which the length of the pixel data is for",
            image.photometric.term(),
        )
        .hint("correct the element, for example with dcmodify of DCMTK"));
    }
    Ok(())
}

/// A frame with its values as stored.
#[derive(Debug)]
pub struct StoredFrame<'p> {
    pub(crate) dataset: &'p Dataset<'p>,
    pub(crate) image: &'p ImagePixel,
    pub(crate) facts: &'p Facts,
    frame_idx: usize,
    values: Stored,
    photometric: Photometric,
    steps: Vec<PixelStep>,
}

/// A frame after the modality stage.
#[derive(Debug)]
pub enum ModalityFrame<'f> {
    /// Gray values.
    Gray(Gray<'f>),
    /// Colours.
    Rgb(Rgb<'f>),
}

impl StoredFrame<'_> {
    /// Width and height in pixels.
    #[must_use]
    pub fn sides(&self) -> (usize, usize) {
        (self.image.width, self.image.height)
    }

    /// Samples a pixel: 1 or 3.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.image.n_samples
    }

    /// The samples as stored, `[height, width]` or `[height, width, 3]`, row-major from the top left; chroma of
    /// YBR_FULL_422 given to every pixel.
    #[must_use]
    pub fn values(&self) -> &Stored {
        &self.values
    }

    /// What the samples stand for: as the header says, or as the coded data correct it.
    #[must_use]
    pub fn photometric(&self) -> Photometric {
        self.photometric
    }

    /// What was done from the coded bytes to the stored values.
    #[must_use]
    pub fn steps(&self) -> &[PixelStep] {
        &self.steps
    }

    /// The values of one sample a pixel after the modality rule.
    ///
    /// # Errors
    /// Names the element that is missing or wrong.
    pub(crate) fn gray(&self) -> Result<Gray<'_>> {
        Ok(Gray {
            stored: &self.values,
            modality: Modality::of(functional::of_modality(self.dataset, self.frame_idx)?)?,
            padding: Padding::of(self.dataset, self.image)?,
        })
    }

    /// The values as stored, and what was done to get them.
    pub(crate) fn into_values(self) -> (Stored, Vec<PixelStep>) {
        (self.values, self.steps)
    }

    /// Which frame it is, from 0.
    #[must_use]
    pub fn frame_idx(&self) -> usize {
        self.frame_idx
    }

    /// Gray values after the modality rule, or colours as RGB.
    ///
    /// # Errors
    /// Names the element that is missing or wrong.
    pub fn modality(&self) -> Result<ModalityFrame<'_>> {
        let image = self.image;
        match self.photometric {
            Photometric::Monochrome1 | Photometric::Monochrome2 => self.gray().map(ModalityFrame::Gray),
            Photometric::PaletteColor => {
                let (palette, step) = Palette::of_frame(self.dataset)?;
                let values = Cow::Owned(palette.apply(&self.values)?);
                Ok(ModalityFrame::Rgb(Rgb { values, max: palette.max, steps: vec![step] }))
            }
            Photometric::Rgb | Photometric::YbrIct | Photometric::YbrRct | Photometric::Xyb => {
                Ok(ModalityFrame::Rgb(Rgb {
                    values: Cow::Borrowed(&self.values),
                    max: u64::MAX >> (64 - image.bits_stored),
                    steps: Vec::new(),
                }))
            }
            Photometric::YbrFull | Photometric::YbrFull422 => {
                Rgb::of_ybr(&self.values, image).map(ModalityFrame::Rgb)
            }
        }
    }
}
