//! What rests on disk about a study: encrypted blobs, keys, purge.
