//! Every limit of the example server, with its unit and the reason for its value. Nothing else lives here.

use std::time::Duration;

/// Bytes of one message from a client. The longest that makes sense, a hello, stays far below.
pub const MESSAGE_BYTES_MAX: usize = 4 << 10;

/// Characters of a player's name; the rest is cut.
pub const NAME_CHARS_MAX: usize = 24;

/// Messages that one client may send within a second. Controls at 60 per second are far below.
pub const MESSAGES_PER_SECOND_MAX: u32 = 600;

/// Inputs of one player that wait for their world. When they are full, the server stops reading from that client's socket.
pub const INPUTS_QUEUED_MAX: usize = 64;

/// Inputs of one player that one tick applies; the rest stays queued. A player who sends a burst cannot stretch a tick.
pub const INPUTS_PER_TICK_MAX: usize = 8;

/// Players who wait to enter one world.
pub const ARRIVALS_QUEUED_MAX: usize = 256;

/// Players who enter one world in one tick.
pub const ARRIVALS_PER_TICK_MAX: usize = 32;

/// Lines of text and awards that wait for one client. A client who lets more pile up is disconnected as too slow.
pub const NOTICES_QUEUED_MAX: usize = 512;

/// Entries of the bulletin that wait for one reader. A slower reader loses the oldest.
pub const BULLETIN_QUEUED_MAX: usize = 256;

/// Entries of the bulletin that are kept for readers who come later.
pub const BULLETIN_KEPT_MAX: usize = 32;

/// Bytes of a text in the bulletin; the rest is cut. A compiler's first errors fit, a flood of them does not.
pub const BULLETIN_TEXT_BYTES_MAX: usize = 16 << 10;

/// Functions that one entry of the bulletin names; it tells how many there are.
pub const BULLETIN_FUNCTIONS_MAX: usize = 16;

/// Submissions of which it is remembered when their source was saved.
pub const SAVES_REMEMBERED_MAX: usize = 64;

/// What ticks of one world hand out that waits to be encoded. More is dropped: the tick never waits for it.
pub const OUTPUTS_QUEUED_MAX: usize = 64;

/// Commands that wait for one world's thread.
pub const COMMANDS_QUEUED_MAX: usize = 16;

/// Log lines that wait to be written. More are dropped.
pub const LOG_LINES_QUEUED_MAX: usize = 4096;

/// Bytes of log that are collected to be written in one piece.
pub const LOG_WRITE_BYTES: usize = 64 << 10;

/// How long a source file must rest before its mod is built: editors write in several steps.
pub const SAVE_SETTLE: Duration = Duration::from_millis(25);

/// How often sources are looked at when the system gives no notice of a change.
pub const SOURCES_LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How long nothing may change in the folder of finished mods before they are submitted. They come there whole, by rename.
pub const BUILT_SETTLE: Duration = Duration::from_millis(25);

/// Files of a mod's sources, its local dependencies included. More are not looked at.
pub const SOURCE_FILES_MAX: usize = 20_000;

/// Bytes of one source file that are looked at for changes.
pub const SOURCE_FILE_BYTES_MAX: u64 = 16 << 20;

/// A file whose time lies further back than this when its change is noticed was not saved then, but moved there.
pub const SAVE_AGE_MAX: Duration = Duration::from_secs(5);

/// Niceness of builds on Linux, 0 to 19: ticks go first on a busy machine.
pub const BUILD_NICENESS: i32 = 10;

/// Connections at one time.
pub const SESSIONS_MAX: usize = 4096;

/// Bytes of the reason in a close frame: RFC 6455, section 5.5, allows 125 with the code.
pub const CLOSE_REASON_BYTES_MAX: usize = 123;

/// Bytes that are read from, or collected for, one socket at a time. The WebSocket library would take 128 KiB per connection.
pub const SOCKET_BUFFER_BYTES: usize = 8 << 10;

/// How long the hello of a new WebSocket may take.
pub const HELLO_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long one connection may ask for files of the page, from its first byte on; a WebSocket has to be opened within it.
pub const HTTP_WAIT_MAX: Duration = Duration::from_secs(10);

/// Bytes of the head of an HTTP request. More is answered with status 431.
pub const HTTP_HEAD_BYTES_MAX: usize = 16 << 10;

/// Header lines of an HTTP request.
pub const HTTP_HEADERS_MAX: usize = 64;

/// Times per second that clients are told how their world does.
pub const STATUSES_PER_SECOND: u32 = 2;

/// Seconds of ticks that a world's figures are taken from.
pub const STATUS_SECONDS: u32 = 5;

/// Tables of mods, and lines of each, that one status shows.
pub const TABLES_MAX: usize = 4;

/// See [`TABLES_MAX`].
pub const TABLE_LINES_MAX: usize = 16;

/// Bots that can be asked for.
pub const BOTS_MAX: usize = 2000;

/// How long a bot whose connection ended waits before it tries again.
pub const BOT_PAUSE: Duration = Duration::from_secs(1);

/// How long a client may take to accept one message before it is disconnected as too slow.
pub const WRITE_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long a closing handshake may take.
pub const CLOSE_WAIT_MAX: Duration = Duration::from_secs(1);

/// How long sessions have to end when the server stops.
pub const STOP_WAIT_MAX: Duration = Duration::from_secs(3);

/// How long preparing a submission may take.
pub const SUBMISSION_WAIT_MAX: Duration = Duration::from_secs(300);

/// How long a world's thread may take to answer a command: reserving a gibibyte of state takes seconds.
pub const COMMAND_WAIT_MAX: Duration = Duration::from_secs(120);

/// Ticks that a world catches up on after a stall; time beyond that is skipped.
pub const CATCH_UP_TICKS_MAX: u32 = 30;

/// Ticks per second that can be asked for.
pub const TICK_RATE_MAX: u32 = 1000;

/// Worlds that can be asked for: each has a thread.
pub const WORLDS_MAX: usize = 1024;

/// Events of a world that one mod has not heard yet because it faulted: those of a few ticks.
pub const OWED_EVENTS_MAX: usize = 1 << 16;

/// Ticks with the same events that may fail before those events are given up.
pub const TICK_TRIES_MAX: u32 = 3;

const _: () = assert!(INPUTS_PER_TICK_MAX <= INPUTS_QUEUED_MAX);
const _: () = assert!(NAME_CHARS_MAX * 4 < MESSAGE_BYTES_MAX);
const _: () = assert!(BULLETIN_KEPT_MAX <= BULLETIN_QUEUED_MAX);
