//! Log lines on their way to the standard error. Worlds log too, and a terminal that does not take its text would
//! hold up a tick: lines go through a bounded channel to a thread of their own, and are dropped when it is full.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crossbeam_channel::{Sender, bounded};
use tracing_subscriber::fmt::MakeWriter;

use crate::limits::{LOG_LINES_QUEUED_MAX, LOG_WRITE_BYTES};

/// Makes writers that never wait.
#[derive(Clone, Debug)]
pub struct LogLines {
    lines: Sender<Vec<u8>>,
    lost: Arc<AtomicU64>,
}

impl LogLines {
    /// Starts the thread that writes to `output`.
    pub fn to(mut output: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, lines) = bounded::<Vec<u8>>(LOG_LINES_QUEUED_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let lost_lines = Arc::clone(&lost);
        let write = move || {
            while let Ok(mut text) = lines.recv() {
                // What is there already goes out in one piece: a terminal with a prompt draws that anew each time.
                while text.len() < LOG_WRITE_BYTES
                    && let Ok(line) = lines.try_recv()
                {
                    text.extend(line);
                }
                let missed = lost.swap(0, Ordering::Relaxed);
                if missed > 0 {
                    text.extend(
                        format!("{missed} log lines were lost: they came faster than they could be written\n").bytes(),
                    );
                }
                // There is nobody to tell that nobody reads the log.
                let _ = output.write_all(&text).and_then(|()| output.flush());
            }
        };
        std::thread::Builder::new().name("log".to_owned()).spawn(write)?;
        Ok(Self { lines: sender, lost: lost_lines })
    }
}

/// One line: the subscriber writes an event in one piece.
#[derive(Debug)]
pub struct LogLine<'a>(&'a LogLines);

impl<'a> MakeWriter<'a> for LogLines {
    type Writer = LogLine<'a>;

    fn make_writer(&'a self) -> LogLine<'a> {
        LogLine(self)
    }
}

impl Write for LogLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.lines.try_send(bytes.to_vec()).is_err() {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
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
        let patience = Duration::from_secs(60);
        // Everything is written or counted.
        let (mut kept, mut lost) = (0, 0);
        while kept + lost < 10 * LOG_LINES_QUEUED_MAX {
            for line in String::from_utf8(written.recv_timeout(patience).unwrap()).unwrap().lines() {
                match line.strip_suffix(" log lines were lost: they came faster than they could be written") {
                    Some(count) => lost += count.parse::<usize>().unwrap(),
                    None => kept += 1,
                }
            }
        }
        assert!(lost > 0);
    }
}
