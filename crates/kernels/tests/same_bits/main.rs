//! Every operation through the public interface: against its definition, against f64, and against itself on every
//! instruction set, number of threads, batch and chunk.

mod attention;
mod linear;
mod pages;
mod quantized;
mod rows;
mod support;
