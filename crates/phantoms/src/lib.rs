//! Studies with known truth, for tests and the demonstration.
