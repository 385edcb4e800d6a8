//! The page in a real browser: two players, one at a keyboard and one with thumbs, and bots. The arena's rules are swapped under them.
//!
//! Needs Chromium (Debian: `apt-get install chromium`; `CHROMIUM` names another program). Without one the test says so and is
//! skipped; with `TICKSWAP_BROWSER=required` that is a failure. `TICKSWAP_SCREENSHOTS=FOLDER` keeps pictures of what the pages show.
//! Waiting times only end a test that hangs.

#![allow(clippy::unwrap_used)]

mod devtools;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use example_server::{
    ARENA_MOD, Server, ServerConfig, bind,
    bots::Bots,
    browser,
    bulletin::Entry,
    mods::{Listener, ModFile, ModsFolder},
    soak::Candidates,
};
use serde_json::json;
use tickswap::SubmissionState;
use tickswap_abi::ModName;

use crate::devtools::{Browser, PATIENCE, Page, say};

/// The arena as it is, another mod, and the arena with another rule of the day.
struct Mods {
    first: Vec<ModFile>,
    changed: ModFile,
}

fn mods() -> Mods {
    let listener: Listener = Arc::new(|_| ());
    let folder = ModsFolder::of_the_example();
    let candidates = Candidates::build(&folder, 1, None, &listener).unwrap();
    let arena = ModName::try_from(ARENA_MOD).unwrap();
    let mut first = folder.build(Some("scoreboard"), &listener).unwrap();
    first.push((arena.clone(), candidates.base));
    Mods { first, changed: (arena, candidates.versions[0].bytes.clone()) }
}

fn server(port: u16, mods: &Mods) -> Server {
    Server::start(bind("127.0.0.1", port).unwrap(), &ServerConfig::default(), mods.first.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_in_a_browser_see_the_rules_change_and_stay_connected() {
    let Some(program) = browser::find() else {
        assert!(
            std::env::var_os("TICKSWAP_BROWSER").is_none(),
            "there is no Chromium, and TICKSWAP_BROWSER asks for it"
        );
        return say("SKIPPED: the browser test needs Chromium (apt-get install chromium), or its path in CHROMIUM");
    };
    let mods = tokio::task::spawn_blocking(mods).await.unwrap();
    let server = tokio::task::block_in_place(|| self::server(0, &mods));
    let address = server.address();
    let bots = Bots::hunt(address, 5, 15).unwrap();
    let mut browser = Browser::start(&program).await;

    // One enters by the address, with markup for a name; the other looks on, types a name and has a touch screen.
    let desk = browser.open(&format!("http://{address}/?name=%3Cb%3EAda%3C/b%3E"), 1280, 720, false).await;
    let phone = browser.open(&format!("http://{address}/"), 390, 844, true).await;
    browser.until(&phone, "!document.querySelector('#join').hidden").await;
    shot(&mut browser, &phone, "phone-join").await;
    browser.value(&phone, "document.querySelector('#name').focus()").await;
    browser.type_text(&phone, "Grace").await;
    browser.value(&phone, "document.querySelector('#join button').click()").await;
    for page in [&desk, &phone] {
        browser.until(page, "document.querySelector('#connection').dataset.state === 'playing'").await;
        browser.until(page, "document.querySelectorAll('#score-lines tr').length === 7").await;
    }
    let names = "[...document.querySelectorAll('#score-lines .who')].map((cell) => cell.textContent)";
    browser.until(&phone, &format!("{names}.includes('<b>Ada</b>')")).await;
    assert_eq!(
        browser.value(&phone, "document.querySelectorAll('#score-lines b, #feed-lines b').length").await,
        json!(0)
    );

    play(&mut browser, &desk, &phone, "KeyD").await;
    shot(&mut browser, &desk, "before").await;
    shot(&mut browser, &phone, "phone").await;

    // Other code under players who hold their controls.
    let control = server.control();
    let swap = control.submit(vec![mods.changed.clone()]).unwrap();
    let state = tokio::task::block_in_place(|| control.wait(swap, PATIENCE));
    assert!(matches!(state, SubmissionState::Done { .. }), "{state}");
    browser.until(&desk, "!document.querySelector('#ribbon').hidden").await;
    browser.until(&desk, "document.querySelector('#ribbon').textContent.includes('arena: generation 2 is live')").await;
    shot(&mut browser, &desk, "after").await;
    for page in [&desk, &phone] {
        browser.until(page, r#"document.querySelector('[data-mod="arena"]').dataset.generation === '2'"#).await;
        browser.until(page, r#"document.querySelector('[data-mod="scoreboard"]').dataset.generation === '1'"#).await;
        // Said by the new code, once it runs.
        browser.until(page, "document.querySelector('#feed').textContent.includes('Rule of the day 1: below')").await;
        browser
            .until(page, "document.querySelector('#feed .live').textContent.includes('arena g1 \u{2192} g2 is live')")
            .await;
        browser.until(page, "document.querySelector('#feed .live').textContent.includes('rule_of_the_day::')").await;
    }
    // The controls that were held before were held all the time; others work as well.
    browser.key(&desk, "KeyD", false).await;
    browser.touch(&phone, "touchEnd", &[]).await;
    play(&mut browser, &desk, &phone, "KeyA").await;
    for page in [&desk, &phone] {
        assert_eq!(browser.value(page, "document.documentElement.dataset.opens").await, json!("1"));
    }

    trouble(&mut browser, &server, &desk).await;
    assert_eq!(browser.complaints, Vec::<String>::new());

    // The server goes and comes back: so do the players, by themselves.
    tokio::task::block_in_place(|| {
        drop(bots);
        server.stop()
    });
    for page in [&desk, &phone] {
        browser.until(page, "document.querySelector('#connection').dataset.state !== 'playing'").await;
    }
    let again = tokio::task::block_in_place(|| self::server(address.port(), &mods));
    assert_eq!(again.address(), address);
    for page in [&desk, &phone] {
        browser.until(page, "document.querySelector('#connection').dataset.state === 'playing'").await;
        browser.until(page, "document.querySelectorAll('#score-lines tr').length === 2").await;
    }
    sideways(&mut browser, &again.address()).await;
}

/// Both move and fire, by keyboard and by thumbs, until the server's frames say so.
async fn play(browser: &mut Browser, desk: &Page, phone: &Page, key: &str) {
    for held in [key, "KeyW", "Space"] {
        browser.key(desk, held, true).await;
    }
    let middle = "(() => { const box = document.querySelector('#stick').getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()";
    let middle = browser.value(phone, middle).await;
    let (x, y) = (middle[0].as_f64().unwrap(), middle[1].as_f64().unwrap());
    let aside = if key == "KeyA" { -40.0 } else { 40.0 };
    browser.touch(phone, "touchStart", &[(1, x, y)]).await;
    browser.touch(phone, "touchMove", &[(1, x + aside, y - 8.0)]).await;
    // A second finger, while the first stays.
    browser.touch(phone, "touchStart", &[(1, x + aside, y - 8.0), (2, x * 3.0, y)]).await;
    for page in [desk, phone] {
        let place = browser.value(page, "document.querySelector('canvas').dataset.own").await;
        let moved = "document.querySelector('canvas').dataset.own.split(' ').map(Number)";
        let began: Vec<f64> = place.as_str().unwrap().split(' ').map(|part| part.parse().unwrap()).collect();
        // Far enough that no hazard's push explains it, or back at another place after being put out.
        let far = format!("Math.hypot({moved}[0] - {}, {moved}[1] - {}) > 60", began[0], began[1]);
        browser.until(page, &far).await;
        browser.until(page, "Number(document.querySelector('canvas').dataset.shots) > 0").await;
    }
}

/// What goes wrong with the code is shown until it is settled.
async fn trouble(browser: &mut Browser, server: &Server, desk: &Page) {
    let text = "error[E0308]: mismatched types\n  --> arena/src/shot.rs:8:32\n   | expected `u32`, found `&str` <script>alert(1)</script>";
    server.bulletin().post(Entry::BuildStarted { mods: vec!["arena".to_owned()] });
    browser.until(desk, "document.querySelector('#build').textContent === 'building arena'").await;
    server.bulletin().post(Entry::BuildFailed { mod_name: "arena".to_owned(), text: text.to_owned() });
    browser.until(desk, "document.querySelector('.panel.failed pre')?.textContent.includes('<script>alert(1)')").await;
    browser
        .until(desk, "document.querySelector('.panel.failed').textContent.includes('what runs goes on running')")
        .await;
    shot(browser, desk, "build-error").await;
    server.bulletin().post(Entry::Built { mod_name: "arena".to_owned(), took_ms: 812, bytes: 2_763_755 });
    browser.until(desk, "document.querySelectorAll('.panel').length === 0").await;
    server.bulletin().post(Entry::Refused { mod_name: "arena".to_owned(), text: "needs migration".to_owned() });
    browser.until(desk, "document.querySelector('.panel.refused pre')?.textContent === 'needs migration'").await;
    browser.value(desk, "document.querySelector('.panel .close').click()").await;
    browser.until(desk, "document.querySelectorAll('.panel').length === 0").await;
}

/// A phone held sideways shows all of the arena and does not scroll.
async fn sideways(browser: &mut Browser, address: &SocketAddr) {
    let bots = Bots::hunt(*address, 4, 15).unwrap();
    let phone = browser.open(&format!("http://{address}/?name=Lin"), 844, 390, true).await;
    browser.until(&phone, "document.querySelectorAll('#score-lines tr').length === 7").await;
    let fits =
        "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight";
    browser.until(&phone, fits).await;
    browser.until(&phone, "document.querySelector('canvas').clientHeight === innerHeight").await;
    shot(browser, &phone, "phone-sideways").await;
    tokio::task::block_in_place(|| drop(bots));
}

/// Keeps a picture, if somebody wants pictures.
async fn shot(browser: &mut Browser, page: &Page, name: &str) {
    if let Some(folder) = std::env::var_os("TICKSWAP_SCREENSHOTS").map(PathBuf::from) {
        // For the eye: what has begun to appear is there.
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        std::fs::create_dir_all(&folder).unwrap();
        browser.screenshot(page, &Path::new(&folder).join(format!("{name}.webp"))).await;
    }
}
