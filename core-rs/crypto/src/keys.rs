//! secp256k1 keys, signatures with recovery id, and the shared secret of two keys (dmsg.md §1).
//!
//! ```text
//! public key   02|03 ‖ x (32, big-endian)          signature   r (32) ‖ s (32) ‖ v (1)
//! secret key   d (32, big-endian), 1 ≤ d < n       v: bit 0 = R.y is odd, bit 1 = R.x ≥ n; no +27
//! ```

use core::fmt;

use ecdsa::hazmat::sign_prehashed_rfc6979;
use k256::elliptic_curve::group::Group;
use k256::elliptic_curve::ops::{MulByGeneratorVartime, Reduce};
use k256::elliptic_curve::point::DecompressPoint;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::{AffinePoint, FieldBytes, NonZeroScalar, ProjectivePoint, Scalar, Secp256k1};
use sha2::Sha256;
use zeroize::Zeroize;

use crate::Fault;
use crate::hash::sha256;

pub const PUBLIC_KEY_BYTES: usize = 33;
pub const SECRET_KEY_BYTES: usize = 32;
pub const SIGNATURE_BYTES: usize = 65;

/// The order n of the group, big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// A point on the curve, checked when it was parsed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    point: AffinePoint,
    bytes: [u8; PUBLIC_KEY_BYTES],
}

impl PublicKey {
    /// Checks the 33 bytes: prefix, x < p, x on the curve.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let bytes: [u8; PUBLIC_KEY_BYTES] = bytes.try_into().map_err(|_| Fault::PublicKey)?;
        let odd = match bytes[0] {
            2 => 0u8,
            3 => 1,
            _ => return Err(Fault::PublicKey),
        };
        let mut x = FieldBytes::default();
        x.copy_from_slice(&bytes[1..]);
        let point = Option::from(AffinePoint::decompress(&x, odd.into())).ok_or(Fault::PublicKey)?;
        Ok(PublicKey { point, bytes })
    }

    /// The compressed form.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.bytes
    }

    /// The key of a point other than infinity.
    fn of(point: ProjectivePoint) -> Self {
        let point = point.to_affine();
        PublicKey { point, bytes: compress(&point) }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A scalar from 1 to n − 1, wiped when dropped and never printed.
pub struct SecretKey(NonZeroScalar);

impl SecretKey {
    /// Checks the 32 bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let mut repr = FieldBytes::try_from(bytes).map_err(|_| Fault::SecretKey)?;
        let scalar = Option::from(NonZeroScalar::from_repr(repr));
        repr.as_mut_slice().zeroize();
        scalar.map(SecretKey).ok_or(Fault::SecretKey)
    }

    pub fn public_key(&self) -> PublicKey {
        PublicKey::of(ProjectivePoint::mul_by_generator(&self.0))
    }

    /// SHA-256 over the compressed product (dmsg.md §1.4).
    pub fn shared_secret(&self, key: &PublicKey) -> [u8; 32] {
        let mut product = compress(&(ProjectivePoint::from(key.point) * self.0.as_ref()).to_affine());
        let shared = sha256(&product);
        product.zeroize();
        shared
    }

    /// Signs a digest. The nonce follows RFC 6979; `entropy`, which may be empty, is mixed into it. s is in the lower
    /// half, and the recovery id agrees with that.
    pub fn sign_digest(&self, digest: &[u8; 32], entropy: &[u8]) -> Result<[u8; SIGNATURE_BYTES], Fault> {
        if digest.iter().all(|&byte| byte == 0) {
            return Err(Fault::NullDigest);
        }
        let (signature, id) = sign_prehashed_rfc6979::<Secp256k1, Sha256>(&self.0, digest, entropy);
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = id.to_byte();
        Ok(bytes)
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

/// Recovers the key that signed a digest. Any s from 1 to n − 1 will do here: what is a good signature beyond that,
/// [`verify`] says.
pub fn recover(digest: &[u8; 32], signature: &[u8; SIGNATURE_BYTES]) -> Result<PublicKey, Fault> {
    recover_point(digest, signature).ok_or(Fault::Signature)
}

fn recover_point(digest: &[u8; 32], signature: &[u8; SIGNATURE_BYTES]) -> Option<PublicKey> {
    let (r_bytes, s_bytes, id) = (&signature[..32], &signature[32..64], signature[64]);
    if id > 3 {
        return None;
    }
    let r = Option::<NonZeroScalar>::from(NonZeroScalar::from_repr(FieldBytes::try_from(r_bytes).ok()?))?;
    let s = Option::<NonZeroScalar>::from(NonZeroScalar::from_repr(FieldBytes::try_from(s_bytes).ok()?))?;
    let mut x = FieldBytes::try_from(r_bytes).ok()?;
    if id & 2 != 0 && add_order(&mut x) {
        return None;
    }
    // Refuses x ≥ p, so r + n < p needs no test of its own.
    let nonce_point = Option::<AffinePoint>::from(AffinePoint::decompress(&x, (id & 1).into()))?;

    // Q = r⁻¹ (s R − z G)
    let z = <Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from(*digest));
    let r_inverse = Option::<Scalar>::from(r.invert_vartime())?;
    let point = ProjectivePoint::mul_by_generator_and_mul_add_vartime(
        &-(z * r_inverse),
        &(*s * r_inverse),
        &ProjectivePoint::from(nonce_point),
    );
    if bool::from(point.is_identity()) {
        return None;
    }
    Some(PublicKey::of(point))
}

/// Does the signature over the digest come from this key? All five conditions of dmsg.md §1.3: it can be recovered,
/// the recovered key is the expected one, which is valid, s < 2²⁵⁵ (a little above the lower half), and v < 4.
pub fn verify(digest: &[u8; 32], signature: &[u8; SIGNATURE_BYTES], key: &PublicKey) -> bool {
    let s_below_2_255 = signature[32] & 0x80 == 0;
    s_below_2_255 && recover(digest, signature).is_ok_and(|recovered| recovered == *key)
}

/// Adds n in place; true when the sum exceeds 256 bits.
fn add_order(x: &mut FieldBytes) -> bool {
    let mut carry = 0;
    for (digit, order) in x.iter_mut().zip(ORDER).rev() {
        let sum = u16::from(*digit) + u16::from(order) + carry;
        *digit = sum as u8;
        carry = sum >> 8;
    }
    carry != 0
}

/// The compressed form of a point other than infinity.
fn compress(point: &AffinePoint) -> [u8; PUBLIC_KEY_BYTES] {
    let mut bytes = [0; PUBLIC_KEY_BYTES];
    let encoded = point.to_sec1_point(true);
    if encoded.as_bytes().len() == PUBLIC_KEY_BYTES {
        bytes.copy_from_slice(encoded.as_bytes());
    }
    bytes
}
