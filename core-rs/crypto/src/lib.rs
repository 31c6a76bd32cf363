//! Keys, signatures, AEAD, Noise handshakes and the record layer. Pure: randomness is an argument.
