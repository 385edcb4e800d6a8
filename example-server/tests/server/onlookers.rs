//! Clients that only look on, what everybody is told of a world, and bots that hunt.

use example_server::{
    bots::Bots,
    bulletin::Entry,
    protocol::{ClientMessage, ServerMessage, Status},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{client::Client, server};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn onlookers_see_the_world_are_in_no_list_and_may_enter() {
    let server = tokio::task::spawn_blocking(|| server(1)).await.unwrap();
    server.bulletin().post(Entry::Said { text: "before <b>".to_owned() });
    let mut onlooker = Client::connect(server.address()).await;
    onlooker.say(Message::text(ClientMessage::Watch { world: None }.to_json())).await;
    onlooker.hear_until(|message| matches!(message, ServerMessage::Watching { .. })).await;
    let bulletin = onlooker.hear_until(|message| matches!(message, ServerMessage::Bulletin { .. })).await;
    let ServerMessage::Bulletin { number: 1, entry, .. } = bulletin else {
        panic!("expected the first entry, found {bulletin:?}");
    };
    assert_eq!(*entry, Entry::Said { text: "before <b>".to_owned() });
    let status = onlooker.hear_until(|message| matches!(message, ServerMessage::Status(_))).await;
    let ServerMessage::Status(Status { players, mods, tables, .. }) = status else {
        panic!("expected a status");
    };
    assert_eq!(players, 0);
    let running: Vec<_> = mods.iter().map(|state| (&*state.name, state.generation.unwrap().number())).collect();
    assert_eq!(running, [("arena", 1), ("scoreboard", 1)]);
    assert_eq!(tables.len(), 1);

    onlooker.say(Message::text(ClientMessage::Hello { name: "late".to_owned(), world: None }.to_json())).await;
    onlooker.hear_until(|message| matches!(message, ServerMessage::Welcome { .. })).await;
    onlooker.send_inputs(3).await;
    onlooker.wait_for_acknowledgement().await;
    let entered = |message: &ServerMessage<'_>| matches!(message, ServerMessage::Status(status) if status.players == 1 && status.tables[0].lines.len() == 1);
    onlooker.hear_until(entered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bots_hunt_and_the_scoreboard_counts() {
    let server = tokio::task::spawn_blocking(|| server(1)).await.unwrap();
    let mut onlooker = Client::connect(server.address()).await;
    onlooker.say(Message::text(ClientMessage::Watch { world: None }.to_json())).await;
    let bots = Bots::hunt(server.address(), 6, 30).unwrap();
    let counted = |message: &ServerMessage<'_>| {
        let ServerMessage::Status(status) = message else {
            return false;
        };
        let lines = &status.tables[0].lines;
        let (knockouts, outs) = lines.iter().fold((0, 0), |sum, line| (sum.0 + line.knockouts, sum.1 + line.outs));
        assert_eq!(knockouts, outs);
        status.players == 6 && knockouts > 0
    };
    onlooker.hear_until(counted).await;
    tokio::task::block_in_place(|| drop(bots));
    onlooker.hear_until(|message| matches!(message, ServerMessage::Status(status) if status.players == 0)).await;
}
