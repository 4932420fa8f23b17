//! Random streams, one for each thing that is drawn.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a random stream is for. Each star, night and exposure draws from its own stream, so that nothing depends on
/// the order in which threads come by.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Plate,
    Spectrograph,
    Star,
    Presence,
    Noise,
    WeakLined,
    Damage,
    Air,
    Optics,
    Ripple,
    Columns,
    Steps,
    SkyLines,
    Moonlight,
}

/// The random stream of a purpose and up to three indices, each below 65,536.
pub(super) fn stream(seed: u64, purpose: Purpose, indices: [usize; 3]) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let id = indices
        .iter()
        .fold(purpose as u64, |id, i| (id << 16) | (*i as u64 & 0xFFFF));
    rng.set_stream(id);
    rng
}
