//! One way through development mode: a change, nothing, an error, its repair, a refusal, and the way back.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use example_server::{
    Server, ServerConfig, announce_refusals, bind,
    bulletin::{Bulletin, Entry},
    development::{Development, News, NotedSources},
    mods::Listener,
    protocol::ServerMessage,
};
use tickswap::GenerationId;
use tokio::task::block_in_place;

use crate::{alone, client::Client, copy::Copy};

const RULE: &str = "arena/src/rule_of_the_day.rs";
const BONUS: &str = "(updates % 2) as u32";

struct Stage {
    copy: Copy,
    server: Server,
    /// What the terminal would show.
    said: Arc<Mutex<Vec<String>>>,
    player: Client,
    _development: Development,
}

impl Stage {
    async fn open(copy: Copy) -> Self {
        let said = Arc::new(Mutex::new(Vec::new()));
        let (terminal, bulletin) = (Arc::clone(&said), Bulletin::default());
        let news = News::new(move |line| terminal.lock().unwrap().push(line.to_owned()), true, bulletin.clone());
        let (server, development) = block_in_place(|| {
            let noted = NotedSources::of(&copy.folder, &news).unwrap();
            let silent: Listener = Arc::new(|_| ());
            let mods = copy.folder.build(None, &silent).unwrap();
            let config = ServerConfig { bulletin: bulletin.clone(), ..ServerConfig::default() };
            let server = Server::start(bind("127.0.0.1", 0).unwrap(), &config, mods.clone()).unwrap();
            announce_refusals(&server.control(), bulletin).unwrap();
            let development = Development::start(&copy.folder, &server.control(), &mods, Some(noted), news).unwrap();
            (server, development)
        });
        let (player, _) = Client::enter(server.address(), "player", None).await;
        Self { copy, server, said, player, _development: development }
    }

    /// The next entry of the bulletin that is wanted, as the player's client hears it.
    async fn hear(&mut self, wanted: impl Fn(&Entry) -> bool) -> Entry {
        let is_wanted = |message: &ServerMessage<'_>| match message {
            ServerMessage::Bulletin { entry, .. } => wanted(entry),
            _ => false,
        };
        match self.player.hear_until(is_wanted).await {
            ServerMessage::Bulletin { entry, .. } => entry.into_owned(),
            other => panic!("expected an entry, found {other:?}"),
        }
    }

    async fn goes_live(&mut self, generation: u32) {
        let wanted = GenerationId::new(generation);
        let live = self.hear(|entry| matches!(entry, Entry::Live { generation, .. } if *generation == wanted)).await;
        let Entry::Live { since_save_ms, changed_functions, .. } = live else {
            panic!("expected what went live");
        };
        assert!(since_save_ms.is_some(), "a save began it");
        assert_eq!(changed_functions.len(), 1, "{changed_functions:?}");
    }

    /// The player's inputs go on being applied, on the generation of that number.
    async fn goes_on(&mut self, generation: u32) {
        self.player.send_inputs(5).await;
        self.player.wait_for_acknowledgement().await;
        let mods = self.server.control().status().mods;
        let arena = mods.iter().find(|known| known.mod_name == "arena").unwrap();
        assert_eq!(arena.current, GenerationId::new(generation));
    }

    fn said(&self, part: &str) -> usize {
        self.said.lock().unwrap().iter().filter(|line| line.contains(part)).count()
    }

    /// Waits until the terminal shows it: it may do so a little after clients hear of it.
    async fn shows(&self, part: &str) {
        let shown = async {
            while self.said(part) == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let found = tokio::time::timeout(crate::PATIENCE, shown).await;
        assert!(found.is_ok(), "{part:?} is not among {:?}", self.said.lock().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_save_goes_live_while_players_play_and_errors_disturb_nobody() {
    let _alone = block_in_place(alone);
    let mut stage = Stage::open(block_in_place(Copy::fresh)).await;
    stage.goes_on(1).await;
    let original = stage.copy.text(RULE);

    // A change, in one step.
    stage.copy.edit(RULE, BONUS, "(updates % 3) as u32");
    stage.goes_live(2).await;
    stage.goes_on(2).await;
    stage.shows("after saving").await;
    stage.shows("flipped").await;

    // What editors leave behind, and a save without change, build nothing. The next build shows that there was none.
    let folder = stage.copy.path("arena/src");
    for temporary in ["4913", ".rule_of_the_day.rs.swp", ".#lib.rs", "lib.rs~"] {
        fs::write(folder.join(temporary), "x").unwrap();
    }
    fs::write(stage.copy.path(RULE), stage.copy.text(RULE)).unwrap();
    // An error, saved as some editors do: beside the file, then renamed.
    let aside = stage.copy.path("arena/src/.rule.tmp");
    fs::write(&aside, stage.copy.text(RULE) + "fn broken( {\n").unwrap();
    fs::rename(&aside, stage.copy.path(RULE)).unwrap();
    let failed = stage.hear(|entry| matches!(entry, Entry::BuildFailed { .. })).await;
    let Entry::BuildFailed { mod_name, text } = failed else {
        panic!("expected a failed build");
    };
    assert_eq!(mod_name, "arena");
    assert!(text.contains("rule_of_the_day.rs") && !text.contains('\x1b'), "{text}");
    stage.shows("what ran goes on running").await;
    assert!(stage.said("\x1b[") > 0, "the terminal has the compiler's colours");
    assert_eq!(stage.said("building arena"), 2, "{:?}", stage.said.lock().unwrap());
    stage.goes_on(2).await;

    // Its repair, by truncating and writing in two steps, with another change.
    let repaired = original.replace(BONUS, "(updates % 4) as u32");
    fs::write(stage.copy.path(RULE), &repaired[..repaired.len() / 2]).unwrap();
    fs::write(stage.copy.path(RULE), &repaired).unwrap();
    stage.goes_live(3).await;
    stage.goes_on(3).await;

    // It builds, and cannot be put over live state.
    let fighter = stage.copy.text("arena/src/fighter.rs");
    stage.copy.edit(
        "arena/src/fighter.rs",
        "pub(crate) struct Fighter {",
        "pub(crate) struct Fighter {\n    pub(crate) shield: u64,",
    );
    stage.copy.edit(
        "arena/src/fighter.rs",
        "        Self {\n            name,",
        "        Self {\n            shield: 0,\n            name,",
    );
    let refused = stage.hear(|entry| matches!(entry, Entry::Refused { .. })).await;
    let Entry::Refused { mod_name, text } = refused else {
        panic!("expected a refusal");
    };
    assert_eq!(mod_name, "arena");
    assert!(text.contains("Fighter"), "{text}");
    stage.shows("is not loaded").await;
    stage.goes_on(3).await;

    // Back to what can be, with a change.
    fs::write(stage.copy.path("arena/src/fighter.rs"), fighter).unwrap();
    stage.copy.edit(RULE, "(updates % 4) as u32", "(updates % 5) as u32");
    stage.goes_live(4).await;
    stage.goes_on(4).await;
    let Stage { server, player, .. } = stage;
    block_in_place(|| server.stop());
    assert_eq!(u16::from(player.closed().await.code), 1001, "never disconnected until the server stopped");
}
