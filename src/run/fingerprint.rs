//! What a unit's rows depend on: the settings, its stars and their files. As SHA-256, so that no two of anything are taken for
//! the same.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::config::of_rows;
use crate::measure::{Plan, Unit};

/// Takes in fields one by one; lengths too, so that no two lists run together.
pub struct Hash(Sha256);

impl Hash {
    pub fn new() -> Self {
        Hash(Sha256::new())
    }

    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The first 128 bits in hexadecimal digits: no two things that anybody will meet share them.
    pub fn finish(self) -> String {
        let bytes = self.0.finalize();
        bytes[..16].iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// Hash of several texts.
pub fn of_texts(texts: &[&str]) -> String {
    let mut hash = Hash::new();
    texts.iter().for_each(|text| hash.add(text.as_bytes()));
    hash.finish()
}

/// Hash of those settings of a run that the rows of its units depend on, and of its attempt, the name of its start from the
/// beginning.
pub fn of_settings(settings: &Map<String, Value>, attempt: &str) -> String {
    of_texts(&[&Value::Object(of_rows(settings)).to_string(), attempt])
}

/// Hash of a unit: names and positions of its stars, and what tells the content of their files, in their order. Not where these lie.
pub fn of_unit(plan: &Plan, unit: &Unit) -> String {
    let mut hash = Hash::new();
    hash.add(unit.planid.as_bytes());
    hash.add(&unit.spid.to_le_bytes());
    for (_, star) in &unit.stars {
        hash.add(star.designation.as_bytes());
        hash.add(&star.ra_deg.to_le_bytes());
        hash.add(&star.dec_deg.to_le_bytes());
        for &member in &star.members {
            hash.add(&plan.contents[member].to_bytes());
        }
    }
    hash.finish()
}
