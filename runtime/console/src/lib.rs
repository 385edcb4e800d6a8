//! The terminal of a server: lines of [`tickswap::console`] with a prompt, completion, hints and a history that survives
//! restarts, while log lines go on above the prompt. Where input or output is no terminal it reads plain lines.
//!
//! What lives here is the terminal only. The language, its answers and their looks are in `tickswap`, so that other consoles
//! share them. This crate is the one that may print.
//!
//! ```no_run
//! # use tickswap::{Runtime, console::{Console, GameConsole, PlayerInfo}};
//! # struct Duel;
//! # impl GameConsole for Duel {
//! #     fn players(&self) -> Vec<PlayerInfo> { Vec::new() }
//! #     fn say(&self, _text: &str) -> Result<usize, String> { Ok(0) }
//! # }
//! # fn runtime() -> Runtime { unimplemented!() }
//! use std::sync::Arc;
//! use tickswap_console::{End, Terminal, TerminalOptions};
//!
//! # fn serve() {
//! let mut terminal = Terminal::open(TerminalOptions::new("duel> ").history_of("duel"));
//! let _restore = terminal.restore_on_drop(); // whatever ends the server, the shell gets its terminal back
//! let log = terminal.log_writer(); // for a tracing subscriber: lines stay above the prompt
//! let console = Arc::new(Console::new(runtime().control(), Duel)); // `Duel` lists players and says things
//! match terminal.run(&console) {
//!     End::Input => std::thread::park(), // the server goes on without a console
//!     End::Quit | End::Interrupt => {} // stop it here
//! }
//! # drop(log);
//! # }
//! ```

mod history;
mod line;
mod screen;
mod terminal;

pub use history::history_file;
pub use screen::{LogWriter, RestoreTerminal, Screen};
pub use terminal::{End, Terminal, TerminalOptions};
