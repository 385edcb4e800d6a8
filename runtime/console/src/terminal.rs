//! Reads lines, has them carried out, and writes the answers: with an editor on a terminal, plainly elsewhere.

use std::{
    io::{self, BufRead, IsTerminal, Read, Write},
    path::PathBuf,
    sync::Arc,
};

use rustyline::{
    Config, Editor, completion::FilenameCompleter, config::CompletionType, error::ReadlineError, history::FileHistory,
};
use tickswap::{console::Console, limits::CONSOLE_LINE_BYTES_MAX};

use crate::{
    history::{HISTORY_LINES_MAX, history_file},
    line::LineHelper,
    screen::{LogWriter, RestoreTerminal, Screen},
};

/// How a terminal is set up.
#[derive(Clone, Debug)]
pub struct TerminalOptions {
    prompt: String,
    history: Option<PathBuf>,
}

/// The terminal that a server was started from, or whatever stands in for one.
pub struct Terminal {
    prompt: String,
    history: Option<PathBuf>,
    editor: Option<Editor<LineHelper, FileHistory>>,
    screen: Screen,
}

/// Why a console ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There are no more lines, or nobody takes the answers. The server goes on.
    Input,
    /// `quit` was typed.
    Quit,
    /// Ctrl-c was typed.
    Interrupt,
}

impl TerminalOptions {
    /// A terminal with that prompt, and a history for as long as it runs.
    pub fn new(prompt: impl Into<String>) -> Self {
        Self { prompt: prompt.into(), history: None }
    }

    /// Keeps the history in the user's state folder (see [`history_file`]).
    #[must_use]
    pub fn history_of(mut self, application: &str) -> Self {
        self.history = history_file(application);
        self
    }

    /// Keeps the history in that file.
    #[must_use]
    pub fn history(mut self, file: impl Into<PathBuf>) -> Self {
        self.history = Some(file.into());
        self
    }
}

impl Terminal {
    /// Takes the standard input and output. If one of them is no terminal, or one that cannot edit lines, lines are read
    /// plainly: no prompt, no history, no escape codes.
    pub fn open(options: TerminalOptions) -> Self {
        let TerminalOptions { prompt, history } = options;
        let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb();
        let edited = is_terminal.then(editor).and_then(Result::ok);
        let (editor, screen) = match edited {
            Some((editor, screen)) => (Some(editor), screen),
            None => (None, Screen::plain()),
        };
        Self { prompt, history, editor, screen }
    }

    /// Whether lines are edited, with prompt and completion.
    pub fn has_prompt(&self) -> bool {
        self.editor.is_some()
    }

    /// Where text goes that belongs to no answer.
    pub fn screen(&self) -> Screen {
        self.screen.clone()
    }

    /// Where log lines go.
    pub fn log_writer(&self) -> LogWriter {
        self.screen.log_writer()
    }

    /// Gives the terminal back as it is now when the value is dropped: to be held by what ends the process.
    pub fn restore_on_drop(&self) -> RestoreTerminal {
        RestoreTerminal::new()
    }

    /// Carries lines out until there are no more, or one says that the server shall stop. Waits on the calling thread, and
    /// cannot be interrupted from outside.
    pub fn run(&mut self, console: &Arc<Console>) -> End {
        match self.editor.take() {
            Some(editor) => self.run_editor(editor, console),
            None => run_plain(io::stdin().lock(), &mut io::stdout(), console),
        }
    }

    fn run_editor(&mut self, mut editor: Editor<LineHelper, FileHistory>, console: &Arc<Console>) -> End {
        let has_colours = self.screen.has_colours();
        editor.set_helper(Some(LineHelper { console: console.clone(), files: FilenameCompleter::new(), has_colours }));
        if let Some(file) = &self.history
            && let Err(error) = load_history(&mut editor, file)
        {
            self.screen.print(&format!("no history in {}: {error}", file.display()));
            self.history = None;
        }
        loop {
            let line = match editor.readline(&self.prompt) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => return End::Interrupt,
                Err(ReadlineError::Eof) => return End::Input,
                Err(error) => {
                    self.screen.print(&format!("the console ends, the server goes on: {error}"));
                    return End::Input;
                }
            };
            if editor.add_history_entry(line.trim_end()).unwrap_or(false)
                && let Some(file) = &self.history
                // At once: a server may end in many ways.
                && let Err(error) = editor.append_history(file)
            {
                self.screen.print(&format!("no history in {}: {error}", file.display()));
                self.history = None;
            }
            if let Some(end) = answer(console, &line, &mut io::stdout()) {
                return end;
            }
        }
    }
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Terminal").field("history", &self.history).finish_non_exhaustive()
    }
}

fn editor() -> rustyline::Result<(Editor<LineHelper, FileHistory>, Screen)> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY_LINES_MAX)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .build();
    let mut editor = Editor::with_config(config)?;
    let printer = editor.create_external_printer()?;
    Ok((editor, Screen::above_prompt(printer)))
}

/// A terminal without cursor movement.
fn is_dumb() -> bool {
    cfg!(unix) && std::env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb")
}

fn load_history(editor: &mut Editor<LineHelper, FileHistory>, file: &PathBuf) -> Result<(), String> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    match editor.load_history(file) {
        Ok(()) => Ok(()),
        Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Lines from a pipe or a file. Longer ones than any that makes sense are cut while they are read.
fn run_plain(mut input: impl BufRead, output: &mut impl Write, console: &Console) -> End {
    loop {
        let mut line = Vec::new();
        let limit = CONSOLE_LINE_BYTES_MAX as u64 + 2;
        match input.by_ref().take(limit).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return End::Input,
            Ok(_) if !line.ends_with(b"\n") && line.len() as u64 == limit => {
                // The console refuses it for its length; what is left of it is no line of its own.
                if input.skip_until(b'\n').is_err() {
                    return End::Input;
                }
            }
            Ok(_) => {}
        }
        if let Some(end) = answer(console, &String::from_utf8_lossy(&line), output) {
            return end;
        }
    }
}

/// Carries one line out. Answers why the console ends, if it does.
fn answer(console: &Console, line: &str, output: &mut impl Write) -> Option<End> {
    let mut write = |text: &str| writeln!(output, "{text}").and_then(|()| output.flush());
    let reply = console.run(line, &mut |words| {
        // If nobody reads, the answer will show that too.
        let _ = write(words);
    })?;
    let is_written = write(&reply.to_string()).is_ok();
    match reply.is_quit() {
        true => Some(End::Quit),
        false => (!is_written).then_some(End::Input),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tickswap::{
        Runtime,
        console::{GameConsole, PlayerInfo},
    };
    use tickswap_abi::Contract;

    use super::*;

    struct Game;

    impl GameConsole for Game {
        fn players(&self) -> Vec<PlayerInfo> {
            Vec::new()
        }

        fn say(&self, _text: &str) -> Result<usize, String> {
            Ok(3)
        }
    }

    fn console() -> Console {
        Console::new(Runtime::builder().contract(Contract::new("test")).build().unwrap().control(), Game)
    }

    fn run(input: &[u8]) -> (End, String) {
        let mut output = Vec::new();
        let end = run_plain(input, &mut output, &console());
        (end, String::from_utf8(output).unwrap())
    }

    #[test]
    fn plain_lines_are_answered_without_prompt_or_escape_codes() {
        assert_eq!(run(b"say hi\n\n# note\nplayers"), (End::Input, "told 3 players\nnobody is playing\n".to_owned()));
        assert_eq!(run(b"quit\nsay hi\n"), (End::Quit, "stopping the server\n".to_owned()));
        assert_eq!(run(b""), (End::Input, String::new()));
        let (end, said) = run(b"\x1b[A\xff\n");
        assert_eq!(end, End::Input);
        assert!(said.starts_with("there is no verb ") && !said.contains('\x1b'), "{said}");
    }

    #[test]
    fn a_line_that_is_too_long_is_one_error() {
        let mut input = vec![b'x'; 10 * CONSOLE_LINE_BYTES_MAX];
        input.extend(b"\nsay hi\n");
        let (end, said) = run(&input);
        assert_eq!(end, End::Input);
        assert_eq!(said.lines().count(), 2, "{said}");
        assert!(said.contains("CONSOLE_LINE_BYTES_MAX") && said.ends_with("told 3 players\n"), "{said}");
    }

    #[test]
    fn a_console_whose_answers_nobody_takes_ends() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert_eq!(run_plain(&b"say hi\nsay hi\n"[..], &mut Closed, &console()), End::Input);
        assert_eq!(run_plain(&b"quit\n"[..], &mut Closed, &console()), End::Quit);
    }
}
