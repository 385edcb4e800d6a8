//! A server with `--data-dir` that starts again: it compiles nothing.

use example_server::{Server, ServerConfig, bind};
use tickswap::CodeFacts;

use crate::{PATIENCE, mods};

#[test]
fn a_server_that_starts_again_with_its_data_compiles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let config = ServerConfig { data_dir: Some(folder.path().join("data")), ..ServerConfig::default() };
        let server = Server::start(bind("127.0.0.1", 0).unwrap(), &config, mods()).unwrap();
        // Answered when what was compiled for the first submission is written.
        let again = server.control().submit(mods()).unwrap();
        assert!(server.control().wait(again, PATIENCE).is_success());
        let status = server.control().status();
        let generations = status.mods.iter().flat_map(|known| &known.generations);
        let facts: Vec<CodeFacts> = generations.map(|generation| generation.prepared.code).collect();
        server.stop();
        facts
    };
    let first = start();
    assert_eq!(first.len(), mods().len());
    assert!(first.iter().any(|facts| facts.functions_compiled > 0), "{first:?}");
    assert!(first.iter().all(|facts| !facts.is_kept), "{first:?}");
    let again = start();
    assert_eq!(again.len(), mods().len());
    assert!(again.iter().all(|facts| facts.is_kept && facts.functions_compiled == 0), "{again:?}");
}
