//! `serve`: the server with its terminal, from the first build to the last goodbye.

use std::{
    error::Error,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use tickswap::console::Console;
use tickswap_console::{End, Screen, Terminal};
use tokio::sync::oneshot;

use crate::{
    bots::Bots,
    bulletin::Bulletin,
    cli::{BOT_INPUT_RATE, ServeArgs},
    console::ArenaConsole,
    development::{Development, News, NotedSources},
    door::bind,
    herald::announce_refusals,
    mods::{Listener, ModsFolder},
    server::Server,
};

/// Serves until somebody stops it.
pub fn serve(args: &ServeArgs, mut terminal: Terminal) -> Result<(), Box<dyn Error>> {
    // Whatever ends the server, the shell gets its terminal back.
    let _restore = terminal.restore_on_drop();
    // First of all: whoever chose a port that is in use should not wait for a build to learn it.
    let listener = bind(&args.host, args.port)?;
    let screen = terminal.screen();
    let folder = args.mods_folder();
    let bulletin = Bulletin::default();
    let (news, progress) = news(&screen, &bulletin);
    let builds_on_save = !args.no_build && !args.no_watch;
    // Noted before the first build, so that what is saved meanwhile is built after it.
    let noted = builds_on_save.then(|| NotedSources::of(&folder, &news)).transpose()?;
    let mods = match args.no_build {
        true => folder.read_built()?,
        false => folder.build(None, &progress)?,
    };
    let server = Server::start(listener, &args.server_config(bulletin.clone()), mods.clone())?;
    announce_refusals(&server.control(), bulletin)?;
    let _bots = match args.bots {
        0 => None,
        count => Some(Bots::hunt(loopback(server.address()), count, BOT_INPUT_RATE)?),
    };
    let watches = !args.no_watch;
    let development = watches.then(|| Development::start(&folder, &server.control(), &mods, noted, news));
    let development = development.transpose()?.map(Arc::new);
    screen.print(&welcome(&server, &folder, builds_on_save, terminal.has_prompt()));
    let game = ArenaConsole::new(&server, folder, development.clone(), progress);
    let operator = std::env::var("USER").ok().filter(|name| !name.is_empty());
    let console = Console::new(server.control(), game).operator(operator.unwrap_or_else(|| "the console".to_owned()));
    let console = Arc::new(console);
    let (stop, stopped) = oneshot::channel();
    let has_prompt = terminal.has_prompt();
    let follow = move || match terminal.run(&console) {
        End::Quit => drop(stop.send("quit")),
        End::Interrupt => drop(stop.send("ctrl-c")),
        End::Input => {
            if has_prompt {
                terminal.screen().print("the console has ended, the server goes on; ctrl-c stops it");
            }
            // Not dropped: nobody has asked to stop.
            std::mem::forget(stop);
        }
    };
    // Not waited for: reading a terminal cannot be interrupted, and the process ends without it.
    std::thread::Builder::new().name("console".to_owned()).spawn(follow)?;
    let cause = server.wait_for_stop(stopped)?;
    screen.print(&format!("{cause}: stopping, players are told"));
    drop(development);
    server.stop();
    Ok(())
}

/// Where builds and the like are told.
fn news(screen: &Screen, bulletin: &Bulletin) -> (News, Listener) {
    let for_news = screen.clone();
    let news = News::new(move |text| for_news.print(text), screen.has_colours(), bulletin.clone());
    let for_progress = screen.clone();
    (news, Arc::new(move |line| for_progress.print(line)))
}

fn welcome(server: &Server, folder: &ModsFolder, builds_on_save: bool, has_prompt: bool) -> String {
    let address = server.address();
    let rules = folder.path().join("arena/src");
    let then = match builds_on_save {
        true => "save: it is built, and goes live between two ticks",
        false => "type `build` here: it is built, and goes live between two ticks",
    };
    let help = match has_prompt {
        true => "type `help` for what else can be done here; ctrl-c stops the server",
        false => "`help` on the standard input lists what can be done; ctrl-c stops the server",
    };
    format!(
        "\nThe arena is open: http://{address}/\n\n\
         Try first:\n  \
         1. open that page and play, in two windows or on a phone (`--host 0.0.0.0`); `--bots 8` brings company\n  \
         2. edit a rule in {}, say RELOAD in fighter.rs\n  \
         3. {then}\n  \
         4. {help}\n",
        rules.display()
    )
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
