//! The program: parses the command line, sets the log up, starts what was asked for. Everything else is in the library.

use std::{
    error::Error,
    io::{IsTerminal, Write},
    net::ToSocketAddrs,
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use example_server::{
    bots::Bots,
    cli::{BotsArgs, Cli, Command, ServeArgs, SoakArgs},
    log::LogLines,
    mods::Listener,
    serve,
    soak::{self, Candidates},
};
use tickswap_console::{Terminal, TerminalOptions};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => serve(&cli.serve),
        Some(Command::Serve(args)) => serve(&args),
        Some(Command::Bots(args)) => play(&args),
        Some(Command::Soak(args)) => soak(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn serve(args: &ServeArgs) -> Result<ExitCode, Box<dyn Error>> {
    let options = TerminalOptions::new("arena> ");
    let terminal = Terminal::open(match &args.history {
        Some(file) => options.history(file),
        None => options.history_of("tickswap-arena"),
    });
    let log = terminal.log_writer();
    let has_colours = log.has_colours();
    // What is refused is told by whoever submitted it; the runtime would say it once more.
    start_log(log, has_colours, "warn,tickswap=error,tickswap::mods=warn");
    serve::serve(args, terminal)?;
    Ok(ExitCode::SUCCESS)
}

fn play(args: &BotsArgs) -> Result<ExitCode, Box<dyn Error>> {
    start_log(std::io::stderr(), std::io::stderr().is_terminal(), "warn");
    let address = args.server.to_socket_addrs().ok().and_then(|mut found| found.next());
    let address = address.ok_or_else(|| format!("expected HOST:PORT of a server, found {:?}", args.server))?;
    let bots = Bots::hunt(address, args.count, args.input_rate)?;
    say(&format!("{} bots play on {address}; ctrl-c sends them home", args.count))?;
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    waiting.block_on(tokio::signal::ctrl_c())?;
    drop(bots);
    Ok(ExitCode::SUCCESS)
}

fn soak(args: &SoakArgs) -> Result<ExitCode, Box<dyn Error>> {
    start_log(std::io::stderr(), std::io::stderr().is_terminal(), "warn");
    let progress: Listener = Arc::new(|line| eprintln!("{line}"));
    let config = args.soak_config();
    let mut candidates = Candidates::build(&args.mods_folder(), config.swaps, config.faulty_every, &progress)?;
    if args.compile_large {
        candidates = candidates.with_large(&args.mods_folder(), soak::LARGE_FUNCTIONS, &progress)?;
    }
    let outcome = soak::run(&config, &candidates, &progress)?;
    match args.json {
        true => say(&serde_json::to_string_pretty(&outcome.report)?)?,
        false => say(&outcome.report.to_string())?,
    }
    for failure in &outcome.failures {
        eprintln!("FAILED: {failure}");
    }
    Ok(if outcome.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `RUST_LOG` says what is logged, if it is set.
fn start_log(output: impl Write + Send + 'static, has_colours: bool, filter: &str) {
    match LogLines::to(output) {
        Ok(lines) => {
            let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
            tracing_subscriber::fmt().with_writer(lines).with_ansi(has_colours).with_env_filter(filter).init();
        }
        Err(error) => eprintln!("error: no log: {error}"),
    }
}

fn say(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()
}
