//! Logging: lines go to the server's `tracing` with the mod's name, world and tick.

use core::fmt;

/// How much a line matters. The numbers are the wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// Something is wrong.
    Error = 1,
    /// Something may be wrong.
    Warn = 2,
    /// Worth knowing in production.
    Info = 3,
    /// Worth knowing while developing.
    Debug = 4,
    /// Every detail.
    Trace = 5,
}

/// Sends one line to the server's log. The macros [`error!`](crate::error), [`warn!`](crate::warn),
/// [`info!`](crate::info), [`debug!`](crate::debug) and [`trace!`](crate::trace) are the usual way.
///
/// Formats into the mod's reusable buffer. Does nothing on targets other than wasm32.
pub fn write(level: Level, text: fmt::Arguments<'_>) {
    #[cfg(target_arch = "wasm32")]
    tickswap_abi::guest::with_text(text, |text| {
        tickswap_abi::guest::log(level as u32, text);
    });
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (level, text);
}

/// Logs an error; arguments as of `format!`.
#[macro_export]
macro_rules! error {
    ($($text:tt)+) => { $crate::write($crate::Level::Error, ::core::format_args!($($text)+)) };
}

/// Logs a warning; arguments as of `format!`.
#[macro_export]
macro_rules! warn {
    ($($text:tt)+) => { $crate::write($crate::Level::Warn, ::core::format_args!($($text)+)) };
}

/// Logs what is worth knowing in production; arguments as of `format!`.
#[macro_export]
macro_rules! info {
    ($($text:tt)+) => { $crate::write($crate::Level::Info, ::core::format_args!($($text)+)) };
}

/// Logs what is worth knowing while developing; arguments as of `format!`.
#[macro_export]
macro_rules! debug {
    ($($text:tt)+) => { $crate::write($crate::Level::Debug, ::core::format_args!($($text)+)) };
}

/// Logs every detail; arguments as of `format!`.
#[macro_export]
macro_rules! trace {
    ($($text:tt)+) => { $crate::write($crate::Level::Trace, ::core::format_args!($($text)+)) };
}
