//! Dense blocks, matrix products, attention, norms, rotary embedding and the thread pool.
