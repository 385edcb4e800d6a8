//! The procedural macros of tickswap-abi and tickswap-sdk. Used through their re-exports.
