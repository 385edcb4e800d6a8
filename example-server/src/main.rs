//! The program: parses the command line, starts what it asks for, prints. Everything else is in the library.

use std::{
    error::Error,
    io::{BufRead, IsTerminal, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use example_server::{
    Server, bind,
    bots::Bots,
    cli::{BOT_INPUT_RATE, BotsArgs, Cli, Command, ServeArgs, SoakArgs},
    log::LogLines,
    mods::{self, Listener, ModsFolder},
    soak::{self, Candidates},
};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = match cli.command {
        Some(Command::Soak(_)) => "warn",
        _ => "warn,tickswap=info",
    };
    if let Err(error) = log_to_stderr(filter) {
        eprintln!("error: no log: {error}");
    }
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

/// `RUST_LOG` says what is logged, if it is set.
fn log_to_stderr(filter: &str) -> std::io::Result<()> {
    let lines = LogLines::to(std::io::stderr())?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(lines).with_ansi(ansi).with_env_filter(filter).init();
    Ok(())
}

fn serve(args: &ServeArgs) -> Result<ExitCode, Box<dyn Error>> {
    // First of all: whoever chose a port that is in use should not wait for a build to learn it.
    let listener = bind(&args.host, args.port)?;
    let folder = args.mods_folder();
    let progress: Listener = Arc::new(|line| eprintln!("{line}"));
    let mods = match args.no_build {
        true => folder.read_built()?,
        false => folder.build(None, &progress)?,
    };
    let server = Server::start(listener, &args.server_config(), mods)?;
    let _bots = match args.bots {
        0 => None,
        count => Some(Bots::hunt(loopback(server.address()), count, BOT_INPUT_RATE)?),
    };
    say(&welcome(&server, &folder))?;
    follow_input(&server, folder, progress)?;
    wait_for_interrupt()?;
    say("stopping")?;
    server.stop();
    Ok(ExitCode::SUCCESS)
}

/// The address at which the server's own bots reach it, also when it listens on all.
fn loopback(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn play(args: &BotsArgs) -> Result<ExitCode, Box<dyn Error>> {
    let address = args.server.to_socket_addrs().ok().and_then(|mut found| found.next());
    let address = address.ok_or_else(|| format!("expected HOST:PORT of a server, found {:?}", args.server))?;
    let bots = Bots::hunt(address, args.count, args.input_rate)?;
    say(&format!("{} bots play on {address}; ctrl-c sends them home", args.count))?;
    wait_for_interrupt()?;
    drop(bots);
    Ok(ExitCode::SUCCESS)
}

fn welcome(server: &Server, folder: &ModsFolder) -> String {
    let address = server.address();
    let rules = folder.path().join("arena/src");
    format!(
        "\nThe arena is open: http://{address}/\n\n\
         Try first:\n  \
         1. open that page and play, in two windows or on a phone (`--host 0.0.0.0`); `--bots 8` brings company\n  \
         2. edit a rule in {}, say RELOAD in fighter.rs\n  \
         3. type `reload` here: the mods are built, and the new rules go live between two ticks\n  \
         4. ctrl-c stops the server; `cargo run --release -- soak` lets 200 bots play through 100 swaps\n",
        rules.display()
    )
}

/// Carries out lines of the standard input. That it ends means nothing: a server in the background has none.
fn follow_input(server: &Server, folder: ModsFolder, progress: Listener) -> std::io::Result<()> {
    let control = server.control();
    let follow = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let answer = match line.trim() {
                "" => continue,
                "reload" => mods::reload(&folder, &control, &progress),
                other => Ok(format!("expected `reload`, found {other:?}")),
            };
            let answer = answer.unwrap_or_else(|error| format!("{error}\nwhat ran goes on running"));
            if say(&answer).is_err() {
                return;
            }
        }
    };
    // Not waited for: reading a terminal cannot be interrupted, and the process ends without it.
    std::thread::Builder::new().name("input".to_owned()).spawn(follow).map(drop)
}

fn soak(args: &SoakArgs) -> Result<ExitCode, Box<dyn Error>> {
    let progress: Listener = Arc::new(|line| eprintln!("{line}"));
    let config = args.soak_config();
    let candidates = Candidates::build(&args.mods_folder(), config.swaps, config.faulty_every, &progress)?;
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

fn wait_for_interrupt() -> std::io::Result<()> {
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    waiting.block_on(tokio::signal::ctrl_c())
}

fn say(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()
}
