//! The records room through its public face. `cargo test -p lightbox-records --test records`.

mod caches;
mod compare;
mod crashes;
mod leftovers;
mod reads;
mod sample;
mod tampering;
