//! Refusals of the derive.

use serde::{Deserialize, Serialize};
use tickswap_abi::Payload;

#[derive(Serialize, Deserialize, Payload)]
struct Flat {
    #[serde(flatten)]
    inner: std::collections::BTreeMap<String, u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maybe: Option<u32>,
}

#[derive(Serialize, Deserialize, Payload)]
#[serde(untagged)]
enum Untagged {
    Number(u32),
    Text(String),
}

#[derive(Payload)]
struct Borrowed<'a> {
    text: &'a str,
}

#[derive(Payload)]
union Either {
    number: u32,
    real: f32,
}

fn main() {}
