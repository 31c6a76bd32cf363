//! The Noise handshakes of the network, `Noise_XK_Secp256k1_ChaChaPoly_SHA256` and `Noise_KK_…` (dmsg.md §2).
//!
//! ```text
//! XK:  <- s                         KK:  -> s
//!      ...                               <- s
//!      -> e, es                          ...
//!      <- e, ee                          -> e, es, ss
//!      -> s, se                          <- e, ee, se
//! ```
//!
//! What differs from the Noise specification, all of it fixed by the v1.3 network:
//!
//! - Public keys take 33 bytes, and the result of a key agreement is SHA-256 of the compressed product ‖ one zero byte.
//! - Whoever writes the last message sends with the second key of the split. For XK that swaps the keys.
//! - v1.3 sends empty payloads and discards what comes. So a payload is an offer that the peer may not understand.

use core::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::hash::{hmac_sha256, sha256_pair};
use crate::{Fault, Key, MAX_FRAME_BODY_BYTES, PUBLIC_KEY_BYTES, PublicKey, Records, SecretKey, aead, sha256};

/// The longest message we write: v1.3 ends a route whose frame is longer (routing.md §4.4.1).
pub const MAX_MESSAGE_BYTES: usize = MAX_FRAME_BODY_BYTES;
/// The longest payload we write, which fills a KK message: a key and a tag are beside it.
pub const MAX_PAYLOAD_BYTES: usize = MAX_MESSAGE_BYTES - PUBLIC_KEY_BYTES - aead::TAG_BYTES;
/// SHA-256 of the compressed product, and one zero byte.
const SHARED_BYTES: usize = 33;

/// Who knows whose static key before the first message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// The initiator knows the responder's: client to server.
    Xk,
    /// Both know both: stream, link, route group.
    Kk,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Initiator,
    Responder,
}

#[derive(Clone, Copy)]
enum Token {
    E,
    S,
    Ee,
    Es,
    Se,
    Ss,
}

/// What a message adds to its payload: keys and tags, bytes.
fn overhead(tokens: &[Token]) -> usize {
    let field = |token: &Token| match token {
        Token::E => PUBLIC_KEY_BYTES,
        Token::S => PUBLIC_KEY_BYTES + aead::TAG_BYTES,
        Token::Ee | Token::Es | Token::Se | Token::Ss => 0,
    };
    tokens.iter().map(field).sum::<usize>() + aead::TAG_BYTES
}

impl Pattern {
    fn name(self) -> &'static [u8] {
        match self {
            Pattern::Xk => b"Noise_XK_Secp256k1_ChaChaPoly_SHA256",
            Pattern::Kk => b"Noise_KK_Secp256k1_ChaChaPoly_SHA256",
        }
    }

    /// The initiator writes the first, third … message.
    fn messages(self) -> &'static [&'static [Token]] {
        use Token::*;
        match self {
            Pattern::Xk => &[&[E, Es], &[E, Ee], &[S, Se]],
            Pattern::Kk => &[&[E, Es, Ss], &[E, Ee, Se]],
        }
    }
}

/// One handshake from its first message to the keys. Never printed; all secrets are wiped when it is dropped.
pub struct Handshake {
    pattern: Pattern,
    role: Role,
    symmetric: Symmetric,
    local: SecretKey,
    ephemeral: SecretKey,
    remote: Option<PublicKey>,
    remote_ephemeral: Option<PublicKey>,
    /// How many messages were exchanged; `None` after a fault, which is permanent.
    done: Option<usize>,
}

impl Handshake {
    /// Begins a handshake. `ephemeral` is fresh randomness, used for this handshake only. `remote` is the peer's static
    /// key, known beforehand to all but the responder of XK, who must not give any.
    pub fn new(
        pattern: Pattern,
        role: Role,
        local: SecretKey,
        ephemeral: SecretKey,
        remote: Option<PublicKey>,
    ) -> Result<Self, Fault> {
        if remote.is_some() != (pattern == Pattern::Kk || role == Role::Initiator) {
            return Err(Fault::PublicKey);
        }
        let mut symmetric = Symmetric::new(pattern.name());
        symmetric.mix_hash(&[]);
        let public = local.public_key();
        let (initiator, responder) = match role {
            Role::Initiator => (Some(public), remote),
            Role::Responder => (remote, Some(public)),
        };
        if pattern == Pattern::Kk {
            symmetric.mix_hash(initiator.ok_or(Fault::PublicKey)?.as_bytes());
        }
        symmetric.mix_hash(responder.ok_or(Fault::PublicKey)?.as_bytes());
        Ok(Handshake { pattern, role, symmetric, local, ephemeral, remote, remote_ephemeral: None, done: Some(0) })
    }

    /// Writes the message that is due to the beginning of `out`; its length. A payload that does not fit beside the keys
    /// of the message is refused, and the message stays due; every other fault is permanent.
    pub fn write_message(&mut self, payload: &[u8], out: &mut [u8; MAX_MESSAGE_BYTES]) -> Result<usize, Fault> {
        let index = self.due(true)?;
        let tokens = self.pattern.messages()[index];
        if payload.len() > MAX_MESSAGE_BYTES - overhead(tokens) {
            return Err(Fault::PlaintextLength);
        }
        self.done = None;
        let mut length = 0;
        for &token in tokens {
            match token {
                Token::E => {
                    let public = self.ephemeral.public_key();
                    out[length..length + PUBLIC_KEY_BYTES].copy_from_slice(public.as_bytes());
                    self.symmetric.mix_hash(public.as_bytes());
                    length += PUBLIC_KEY_BYTES;
                }
                Token::S => {
                    length += self.symmetric.encrypt(self.local.public_key().as_bytes(), &mut out[length..])?;
                }
                agreement => self.agree(agreement)?,
            }
        }
        length += self.symmetric.encrypt(payload, &mut out[length..])?;
        self.done = Some(index + 1);
        Ok(length)
    }

    /// Reads the message that is due; its payload, however long. A fault is permanent.
    pub fn read_message(&mut self, mut message: &[u8]) -> Result<Vec<u8>, Fault> {
        let index = self.due(false)?;
        self.done = None;
        for &token in self.pattern.messages()[index] {
            match token {
                Token::E => {
                    let (bytes, rest) = message.split_at_checked(PUBLIC_KEY_BYTES).ok_or(Fault::MessageLength)?;
                    self.remote_ephemeral = Some(PublicKey::parse(bytes)?);
                    self.symmetric.mix_hash(bytes);
                    message = rest;
                }
                Token::S => {
                    let sealed = PUBLIC_KEY_BYTES + aead::TAG_BYTES;
                    let (sealed, rest) = message.split_at_checked(sealed).ok_or(Fault::MessageLength)?;
                    let mut bytes = [0; PUBLIC_KEY_BYTES];
                    self.symmetric.decrypt(sealed, &mut bytes)?;
                    self.remote = Some(PublicKey::parse(&bytes)?);
                    message = rest;
                }
                agreement => self.agree(agreement)?,
            }
        }
        let mut payload = vec![0; message.len().saturating_sub(aead::TAG_BYTES)];
        self.symmetric.decrypt(message, &mut payload)?;
        self.done = Some(index + 1);
        Ok(payload)
    }

    /// Have all messages been exchanged?
    pub fn is_complete(&self) -> bool {
        self.done == Some(self.pattern.messages().len())
    }

    /// The peer's static key; authenticated once the handshake is complete.
    pub fn remote(&self) -> Option<&PublicKey> {
        self.remote.as_ref()
    }

    /// The hash over all that was said so far: equal on both sides, different in every handshake.
    pub fn hash(&self) -> &[u8; 32] {
        &self.symmetric.hash
    }

    /// The sending and the receiving key.
    pub fn into_keys(self) -> Result<(Key, Key), Fault> {
        if !self.is_complete() {
            return Err(Fault::MessageOrder);
        }
        let (first, second) = self.symmetric.split();
        let initiator_wrote_last = self.pattern.messages().len() % 2 == 1;
        if initiator_wrote_last == (self.role == Role::Initiator) { Ok((second, first)) } else { Ok((first, second)) }
    }

    /// The record layer with the keys of the completed handshake.
    pub fn into_records(self) -> Result<Records, Fault> {
        let (send, receive) = self.into_keys()?;
        Ok(Records::new(send, receive))
    }

    /// The index of the message that is due, if it is ours to write or read.
    fn due(&self, write: bool) -> Result<usize, Fault> {
        let index = self.done.filter(|&index| index < self.pattern.messages().len()).ok_or(Fault::MessageOrder)?;
        let ours = index.is_multiple_of(2) == (self.role == Role::Initiator);
        if ours != write {
            return Err(Fault::MessageOrder);
        }
        Ok(index)
    }

    /// Mixes in the secret that the token names, the initiator's key first: `es` is initiator's ephemeral with
    /// responder's static.
    fn agree(&mut self, token: Token) -> Result<(), Fault> {
        let (initiator_static, responder_static) = match token {
            Token::Ee => (false, false),
            Token::Es => (false, true),
            Token::Se => (true, false),
            Token::Ss => (true, true),
            Token::E | Token::S => return Err(Fault::MessageOrder),
        };
        let (ours, theirs) = match self.role {
            Role::Initiator => (initiator_static, responder_static),
            Role::Responder => (responder_static, initiator_static),
        };
        let secret = if ours { &self.local } else { &self.ephemeral };
        let public = if theirs { &self.remote } else { &self.remote_ephemeral };
        let mut shared = [0; SHARED_BYTES];
        shared[..32].copy_from_slice(&secret.shared_secret(public.as_ref().ok_or(Fault::MessageOrder)?));
        self.symmetric.mix_key(&shared);
        shared.zeroize();
        Ok(())
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handshake(redacted)")
    }
}

/// The symmetric state of the Noise specification: chaining key, hash, and the key of the next encryption.
struct Symmetric {
    chaining_key: Key,
    hash: [u8; 32],
    key: Option<Key>,
    counter: u64,
}

impl Symmetric {
    /// Both protocol names are longer than a hash, so they are hashed.
    fn new(name: &[u8]) -> Self {
        let hash = sha256(name);
        Symmetric { chaining_key: Zeroizing::new(hash), hash, key: None, counter: 0 }
    }

    fn mix_hash(&mut self, bytes: &[u8]) {
        self.hash = sha256_pair(&self.hash, bytes);
    }

    fn mix_key(&mut self, material: &[u8]) {
        let (chaining_key, key) = derive(&self.chaining_key, material);
        self.chaining_key = chaining_key;
        self.key = Some(key);
        self.counter = 0;
    }

    /// Encrypts with the hash as associated data and mixes the result in; its length.
    fn encrypt(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
        let key = self.key.as_ref().ok_or(Fault::MessageOrder)?;
        let length = aead::seal_into(key, &aead::counter_nonce(self.counter), &self.hash, plaintext, out)?;
        self.counter += 1;
        self.mix_hash(&out[..length]);
        Ok(length)
    }

    /// Decrypts likewise, into the beginning of `out`.
    fn decrypt(&mut self, ciphertext: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
        let key = self.key.as_ref().ok_or(Fault::MessageOrder)?;
        if ciphertext.len() < aead::TAG_BYTES {
            return Err(Fault::MessageLength);
        }
        let length = aead::open_into(key, &aead::counter_nonce(self.counter), &self.hash, ciphertext, out)?;
        self.counter += 1;
        self.mix_hash(ciphertext);
        Ok(length)
    }

    fn split(&self) -> (Key, Key) {
        derive(&self.chaining_key, &[])
    }
}

/// Two keys from a chaining key and new material: HKDF with HMAC-SHA-256.
fn derive(chaining_key: &Key, material: &[u8]) -> (Key, Key) {
    let temporary = Zeroizing::new(hmac_sha256(chaining_key, &[material]));
    let first = Zeroizing::new(hmac_sha256(&temporary, &[&[1]]));
    let second = Zeroizing::new(hmac_sha256(&temporary, &[&first[..], &[2]]));
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_longer_than_we_write_is_given_back() {
        let secret = |byte: u8| SecretKey::parse(&[byte; 32]).expect("a scalar");
        let (local, remote) = (secret(1).public_key(), secret(2).public_key());
        let begin = |role, own, ephemeral, peer| {
            Handshake::new(Pattern::Kk, role, secret(own), secret(ephemeral), Some(peer)).expect("keys of KK")
        };
        let mut initiator = begin(Role::Initiator, 1, 3, remote);
        let mut responder = begin(Role::Responder, 2, 4, local);

        let payload = vec![7; 60_000];
        let mut message = secret(3).public_key().as_bytes().to_vec();
        initiator.symmetric.mix_hash(&message);
        initiator.agree(Token::Es).expect("both keys are there");
        initiator.agree(Token::Ss).expect("both keys are there");
        let mut sealed = vec![0; payload.len() + aead::TAG_BYTES];
        initiator.symmetric.encrypt(&payload, &mut sealed).expect("it fits");
        message.append(&mut sealed);

        assert_eq!(responder.read_message(&message), Ok(payload));
    }
}
