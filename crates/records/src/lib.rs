//! The versioned written form of a reading, the tamper-evident log, replay.
