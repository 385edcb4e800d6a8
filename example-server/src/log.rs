//! Log lines on their way to the standard error. Worlds log too, and a terminal that does not take its text would
//! hold up a tick: lines go through a bounded channel to a thread of their own, and are dropped when it is full.

use std::io::{self, Write};

use crossbeam_channel::{Sender, bounded};
use tracing_subscriber::fmt::MakeWriter;

use crate::limits::LOG_LINES_QUEUED_MAX;

/// Makes writers that never wait.
#[derive(Clone, Debug)]
pub struct LogLines(Sender<Vec<u8>>);

impl LogLines {
    /// Starts the thread that writes to `output`.
    pub fn to(mut output: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, lines) = bounded::<Vec<u8>>(LOG_LINES_QUEUED_MAX);
        let write = move || {
            for line in lines {
                // There is nobody to tell that nobody reads the log.
                let _ = output.write_all(&line).and_then(|()| output.flush());
            }
        };
        std::thread::Builder::new().name("log".to_owned()).spawn(write)?;
        Ok(Self(sender))
    }
}

/// One line: the subscriber writes an event in one piece.
#[derive(Debug)]
pub struct LogLine<'a>(&'a Sender<Vec<u8>>);

impl<'a> MakeWriter<'a> for LogLines {
    type Writer = LogLine<'a>;

    fn make_writer(&'a self) -> LogLine<'a> {
        LogLine(&self.0)
    }
}

impl Write for LogLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.try_send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;

    /// Passes on what is written, when it is asked to.
    struct Slow(Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_an_output_that_is_stuck() {
        let (sender, written) = bounded(0);
        let lines = LogLines::to(Slow(sender)).unwrap();
        for _ in 0..10 * LOG_LINES_QUEUED_MAX {
            lines.make_writer().write_all(b"line\n").unwrap();
        }
        assert_eq!(written.recv_timeout(Duration::from_secs(60)).unwrap(), b"line\n");
    }
}
