//! Keys derived from a seed (dmsg.md §1.2): for tests and tools that want the same keys every time.

use zeroize::Zeroize;

use crate::hash::sha256_pair;
use crate::{Fault, SecretKey, sha256};

/// A derived key, and the seed of the next one.
pub struct Derived {
    pub secret: SecretKey,
    /// The secret's 32 bytes.
    pub secret_bytes: [u8; 32],
    pub next_seed: [u8; 32],
}

impl Drop for Derived {
    fn drop(&mut self) {
        self.secret_bytes.zeroize();
        self.next_seed.zeroize();
    }
}

/// Derives a key pair from a seed of any length but none.
pub fn deterministic_key_pair(seed: &[u8]) -> Result<Derived, Fault> {
    if seed.is_empty() {
        return Err(Fault::EmptySeed);
    }
    let hash = sha256(seed);
    let (first, _) = step(hash);
    let (second, _) = step(sha256(&hash));
    let next_seed = sha256_pair(&hash, &first.multiply(&second.public_key()));
    let (secret, secret_bytes) = step(sha256_pair(seed, &next_seed));
    Ok(Derived { secret, secret_bytes, next_seed })
}

/// Hashes until the hash is a valid scalar.
fn step(mut bytes: [u8; 32]) -> (SecretKey, [u8; 32]) {
    loop {
        bytes = sha256(&bytes);
        if let Ok(secret) = SecretKey::parse(&bytes) {
            return (secret, bytes);
        }
    }
}
