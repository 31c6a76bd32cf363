//! The exported functions of the core: integers and byte ranges only, no imports, no callbacks. The only crate with
//! `unsafe`: it turns pointers that the TypeScript side passes into slices. The twin of this crate is `lib/core`.
//!
//! Results are `i32`: zero or more is a length or value, less than zero is a fault of [`layout`]. A trap means a bug.

mod codec;
mod crypto_faults;
mod handles;
mod keys;
pub mod layout;
mod memory;
mod mux;
mod noise;
mod records;
mod sessions;
mod switch;

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of the interface; `lib/core/instance.ts` refuses any other.
#[wasm_bindgen]
pub fn abi_version() -> u32 {
    layout::ABI_VERSION
}
