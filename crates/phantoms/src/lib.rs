//! Studies with known truth, for tests and the demonstration.
//!
//! [`film`](fn@film) draws a chest film from a seed. It looks like one, it is of nobody, and what is on it is known: where the
//! lungs, the heart and each opacity lie, and which side the marker names. The same seed gives the same samples on
//! every machine: the drawing uses only operations that IEEE 754 defines exactly.
#![forbid(unsafe_code)]

mod anatomy;
mod canvas;
pub mod dicom;
mod encode;
mod film;
mod letters;
mod random;
mod shapes;

pub use film::{Film, Opacity, Region, Side, Truth, Zone, film, film_of_height};
