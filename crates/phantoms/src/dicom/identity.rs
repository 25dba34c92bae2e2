//! Identities of nobody.

/// A UID under the root for UUIDs, made from a name: the same name gives the same UID.
pub(crate) fn uid(name: &str) -> String {
    // FNV-1a with 128 bits; 38 digits at most behind the root.
    let hash = name.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    format!("2.25.{hash}")
}

pub(crate) const PATIENT_NAME: &str = "PHANTOM^FILM";
pub(crate) const PATIENT_ID: &str = "PHANTOM-0001";
pub(crate) const BIRTH_DATE: &str = "19000101";
pub(crate) const STUDY_DATE: &str = "20000101";
pub(crate) const STUDY_TIME: &str = "120000";
