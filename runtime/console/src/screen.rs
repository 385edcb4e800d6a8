//! What is written while a line is being typed: it goes above the prompt, and the line stays.

use std::{
    io::{self, IsTerminal, Write},
    sync::Arc,
};

use parking_lot::Mutex;
use rustyline::ExternalPrinter;

/// A place for text that belongs to no answer: log lines, progress, news. Cheap to clone, usable from any thread, but not
/// from one that may not wait for a terminal: there, put a queue before it.
#[derive(Clone)]
pub struct Screen(Arc<Inner>);

struct Inner {
    /// None where no line is edited: text goes to the standard error then.
    printer: Option<Mutex<Box<dyn ExternalPrinter + Send>>>,
    has_colours: bool,
}

/// Takes whole lines, as a subscriber of `tracing` writes them.
#[derive(Clone, Debug)]
pub struct LogWriter {
    /// None where the standard error leads elsewhere than to the terminal.
    screen: Option<Screen>,
}

/// Gives the terminal back as it was found, when it is dropped. Needed where a server ends while a line is being typed.
#[derive(Debug)]
pub struct RestoreTerminal {
    #[cfg(unix)]
    settings: Option<nix::sys::termios::Termios>,
}

impl Screen {
    /// A screen on which no line is edited.
    pub(crate) fn plain() -> Self {
        Self(Arc::new(Inner { printer: None, has_colours: false }))
    }

    pub(crate) fn above_prompt(printer: impl ExternalPrinter + Send + 'static) -> Self {
        let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(Arc::new(Inner { printer: Some(Mutex::new(Box::new(printer))), has_colours: !is_unwanted }))
    }

    /// Writes text on lines of its own: above the prompt, or to the standard error where there is none.
    pub fn print(&self, text: &str) {
        let mut text = text.to_owned();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        if let Some(printer) = &self.0.printer {
            // The standard library forgets its own lock on a terminal's output; the printer's has to be taken.
            match printer.lock().print(text.clone()) {
                Ok(()) => return,
                // The editor is gone, and with it the prompt.
                Err(_) => drop(io::stdout().write_all(text.as_bytes())),
            }
            return;
        }
        // Nobody is left to be told that nobody reads.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Whether colours are shown and wanted (`NO_COLOR` is not set, see <https://no-color.org>).
    pub fn has_colours(&self) -> bool {
        self.0.has_colours
    }

    /// Where log lines go: above the prompt if the standard error is a terminal, else to the standard error.
    pub fn log_writer(&self) -> LogWriter {
        LogWriter { screen: io::stderr().is_terminal().then(|| self.clone()) }
    }
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Screen").field("has_prompt", &self.0.printer.is_some()).finish_non_exhaustive()
    }
}

impl LogWriter {
    /// Whether the lines may be coloured.
    pub fn has_colours(&self) -> bool {
        self.screen.as_ref().is_some_and(Screen::has_colours)
    }
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.screen {
            Some(screen) => screen.print(&String::from_utf8_lossy(bytes)),
            None => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl RestoreTerminal {
    /// Remembers how the terminal is set.
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(unix)]
            settings: nix::sys::termios::tcgetattr(io::stdin()).ok(),
        }
    }
}

impl Drop for RestoreTerminal {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(settings) = &self.settings {
            use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
            // An editor that was left alone has lines switched off, and pasted text marked.
            if tcgetattr(io::stdin()).is_ok_and(|now| !now.local_flags.contains(LocalFlags::ICANON)) {
                let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, settings);
                let _ = io::stdout().write_all(b"\x1b[?2004l\r\n").and_then(|()| io::stdout().flush());
            }
        }
    }
}
