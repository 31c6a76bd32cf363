//! Reads the vector files that both languages share.

use serde_json::Value;

pub fn cases(file: &str) -> Vec<Value> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(file);
    let content = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let parsed: Value = serde_json::from_str(&content).expect("a vector file is JSON");
    parsed["cases"].as_array().expect("a vector file has cases").clone()
}

pub fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().expect("the field is text");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex")).collect()
}
