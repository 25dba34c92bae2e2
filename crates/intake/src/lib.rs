//! Medical inputs: files to frames with their physical meaning.
