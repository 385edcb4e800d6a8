//! Why a connection ends, and what the client is told.

use tokio_tungstenite::tungstenite::{
    Error,
    error::{CapacityError, ProtocolError},
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::limits::{CLOSE_REASON_BYTES_MAX, MESSAGE_BYTES_MAX, MESSAGES_PER_SECOND_MAX};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client said goodbye; the WebSocket library has answered.
    Left,
    /// The connection broke: there is nobody to tell.
    Gone,
    /// The client did not keep to the protocol.
    Breach(String),
    /// A binary message.
    Binary,
    /// A message that is too long.
    TooLarge,
    /// The client does not read what it is sent.
    TooSlow,
    /// The world has ended.
    WorldEnded,
    /// The server stops.
    Stopping,
}

impl End {
    /// What an error of the WebSocket library means.
    pub(super) fn of(error: Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => Self::TooLarge,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Gone,
            Error::Protocol(error) => Self::Breach(error.to_string()),
            Error::Utf8(_) => Self::Breach("a text message that is not UTF-8".to_owned()),
            _ => Self::Gone,
        }
    }

    /// The client says too much.
    pub(super) fn flood() -> Self {
        Self::Breach(format!("more than {MESSAGES_PER_SECOND_MAX} messages within a second"))
    }

    /// What to tell the client, if there is anybody to tell.
    pub(super) fn close_frame(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Left => (CloseCode::Normal, "goodbye".to_owned()),
            Self::Gone => return None,
            Self::Breach(reason) => (CloseCode::Policy, reason.clone()),
            Self::Binary => (CloseCode::Unsupported, "expected text messages, got a binary one".to_owned()),
            Self::TooLarge => (CloseCode::Size, format!("a message has at most {MESSAGE_BYTES_MAX} bytes")),
            Self::TooSlow => (CloseCode::Policy, "the client does not read what it is sent".to_owned()),
            Self::WorldEnded => (CloseCode::Error, "the world has ended".to_owned()),
            Self::Stopping => (CloseCode::Away, "the server stops".to_owned()),
        };
        let reason = shortened(&reason).into();
        Some(CloseFrame { code, reason })
    }
}

/// As much of a reason as fits into a close frame.
fn shortened(reason: &str) -> &str {
    let mut end = reason.len().min(CLOSE_REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_reason_fits_into_a_close_frame() {
        let frame = End::Breach("ä".repeat(200)).close_frame().unwrap();
        assert_eq!(frame.reason.len(), 122);
        assert_eq!(End::Gone.close_frame(), None);
    }
}
