//! What a unit's rows depend on: the settings, its stars and their files. As SHA-256, so that no two of anything are taken for
//! the same.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::measure::{Plan, Unit};

/// Takes in fields one by one; lengths too, so that no two lists run together.
struct Hash(Sha256);

impl Hash {
    fn new() -> Self {
        Hash(Sha256::new())
    }

    fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The first 128 bits in hexadecimal digits: no two things that anybody will meet share them.
    fn finish(self) -> String {
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

/// Hash of the settings of a run and of its attempt, the name of its start from the beginning.
pub fn of_settings(settings: &Map<String, Value>, attempt: &str) -> String {
    of_texts(&[&Value::Object(settings.clone()).to_string(), attempt])
}

/// Hash of a unit: names and positions of its stars, and name, place, size and time of each of their files.
pub fn of_unit(plan: &Plan, unit: &Unit) -> String {
    let mut hash = Hash::new();
    hash.add(unit.planid.as_bytes());
    hash.add(&unit.spid.to_le_bytes());
    for (_, star) in &unit.stars {
        hash.add(star.designation.as_bytes());
        hash.add(&star.ra_deg.to_le_bytes());
        hash.add(&star.dec_deg.to_le_bytes());
        for &member in &star.members {
            let (path, stamp) = (&plan.paths[member], plan.stamps[member]);
            hash.add(path.as_os_str().as_encoded_bytes());
            // The same relative path names another file in another folder.
            let place = std::path::absolute(path).unwrap_or_default();
            hash.add(place.as_os_str().as_encoded_bytes());
            hash.add(&stamp.len.to_le_bytes());
            hash.add(&stamp.mtime_ns.to_le_bytes());
        }
    }
    hash.finish()
}
