//! What a unit's rows depend on beside the settings: its stars and their files.

use crate::pipeline::{Plan, Unit};

/// 64-bit FNV-1a (Fowler, Noll, Vo): tells changed input from the same; no protection against forgery is meant.
struct Fnv(u64);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        // Lengths too, so that no two lists run together.
        for byte in (bytes.len() as u64).to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Of any bytes.
pub fn of_bytes(bytes: &[u8]) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.add(bytes);
    hash.0
}

/// Of a unit: names and positions of its stars, and name, size and time of each of their files.
pub fn of_unit(plan: &Plan, unit: &Unit) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.add(unit.planid.as_bytes());
    hash.add(&unit.spid.to_le_bytes());
    for (_, star) in &unit.stars {
        hash.add(star.designation.as_bytes());
        hash.add(&star.ra_deg.to_le_bytes());
        hash.add(&star.dec_deg.to_le_bytes());
        for &member in &star.members {
            let stamp = plan.stamps[member];
            hash.add(plan.paths[member].as_os_str().as_encoded_bytes());
            hash.add(&stamp.len.to_le_bytes());
            hash.add(&stamp.mtime_ns.to_le_bytes());
        }
    }
    hash.0
}
