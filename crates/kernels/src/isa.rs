//! The instruction sets that kernels are compiled for; which of them this machine has is asked at run time.

use std::fmt;

use crate::lanes::{Lanes, Portable};

/// An instruction set that this machine has: a value cannot be made where the CPU lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(crate::lanes::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(crate::lanes::Avx512),
}

/// A piece of work that is compiled once for each instruction set.
///
/// `run` and everything that it calls must be `#[inline(always)]`, so that it is compiled with the features of the
/// copy that it ends up in.
pub(crate) trait Job {
    fn run<S: Lanes>(self, s: S);
}

impl Isa {
    /// Plain Rust, on every machine.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// The fastest one that this machine has.
    #[must_use]
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self::PORTABLE)
    }

    /// All that this machine has, from the plainest to the fastest.
    #[must_use]
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "only x86-64 has further paths"))]
        let mut found = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = crate::lanes::Avx2::detect() {
            found.push(Self(Kind::Avx2(avx2)));
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = crate::lanes::Avx512::detect() {
            found.push(Self(Kind::Avx512(avx512)));
        }
        found
    }

    /// Runs the copy of `job` that was compiled for this instruction set.
    pub(crate) fn run<J: Job>(self, job: J) {
        match self.0 {
            Kind::Portable => job.run(Portable),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(avx2) => avx2.apart(job),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(avx512) => avx512.apart(job),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2+fma",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "avx512",
        })
    }
}
