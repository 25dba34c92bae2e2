//! Matrix products, attention, norms, rotary embedding, pooling and the threads that run them.
//!
//! Activations are f32 and row-major; weights ([`Matrix`]) and keys and values ([`KvCache`]) are packed and opaque.
//! Operations are methods of [`Backend`], which holds an instruction set ([`Isa`]) and a fixed number of threads.
//!
//! # The same bits everywhere
//!
//! All arithmetic is written once, over eight f32 lanes (sixteen in tiles), and every lane operation is one that IEEE 754 defines,
//! the fused multiply-add included. Sums run in the order that each operation's documentation states. So the bits of
//! a row depend on that row alone: not on the instruction set, the threads, the rows that it is computed beside, the
//! chunk that it came in, or what else a cache holds. (The payload of a NaN is the one exception: hardware chooses it.)
//!
//! A product of a row and a weight column is a sum over blocks of 256 consecutive inputs at fixed positions: within a
//! block `acc = +0; acc = fma(x[k], w[k], acc)`, k ascending; then the first block's sum plus the second's, and so on. So
//! it is for weights of plain numbers; products with quantized weights are sums of whole numbers, which have no order, and
//! `quantized` states what is made of them in f32.
//!
//! # Where the code is unsafe
//!
//! A `Lanes` value (a token of an instruction set) can only be made where the CPU has that instruction set, which
//! makes its arithmetic safe to call; what stays unsafe is reading and writing through pointers in the tiles
//! (`tile`, `linear`, `attention`, `quantized` over `integers`), packed weights (`matrix`), pages of keys and values that
//! several caches share (`cache`), disjoint writes by several threads (`backend::Shared`) and the lifetime of a region in
//! the thread pool (`pool`).

#![allow(unsafe_code)]

mod attention;
mod backend;
pub mod blocks;
mod cache;
mod dtype;
mod error;
mod integers;
mod isa;
mod lanes;
mod linear;
mod maths;
mod matrix;
mod norms;
mod packing;
mod pool;
mod pooling;
mod quantized;
mod rope;
mod tile;
mod trigonometry;

pub use backend::Backend;
pub use cache::{KEY_BLOCK, KvCache, KvDtype, KvPage, KvPool};
pub use dtype::Dtype;
pub use error::{Error, ErrorKind, Result};
pub use isa::Isa;
pub use linear::Epilogue;
pub use matrix::Matrix;
pub use packing::{MatrixBuilder, RowsPart};
pub use rope::Rope;
