//! OpenAI-compatible request and response types.
