//! What the tests of several crates share: the vector files that both languages read, and repeatable choices. Never part of
//! the module.

mod dice;

pub use dice::Dice;
use serde_json::Value;

/// All cases of a file of `tests/vectors/`.
pub fn cases(file: &str) -> Vec<Value> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(file);
    let content = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let parsed: Value = serde_json::from_str(&content).expect("a vector file is JSON");
    parsed["cases"].as_array().expect("a vector file has cases").clone()
}

/// A field that is text.
pub fn text(value: &Value) -> &str {
    value.as_str().expect("the field is text")
}

/// A field that is a whole number.
pub fn number(value: &Value) -> usize {
    value.as_u64().expect("the field is a number") as usize
}

/// A field that is bytes in hex.
pub fn bytes(value: &Value) -> Vec<u8> {
    let digits = text(value);
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex")).collect()
}

/// A field that is so many bytes in hex.
pub fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("the field has the right length")
}
