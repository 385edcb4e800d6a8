//! Chromium, driven over its DevTools protocol (<https://chromedevtools.github.io/devtools-protocol/>): as much of it as the
//! browser test needs.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use example_server::browser;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// After this something has hung.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// How often a page is asked whether it is as expected.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A browser with a profile of its own. Ends when dropped.
pub(crate) struct Browser {
    child: Child,
    profile: tempfile::TempDir,
    socket: WebSocketStream<TcpStream>,
    last_id: u64,
    /// Errors that pages reported, in order: exceptions, and what their policy forbade.
    pub(crate) complaints: Vec<String>,
}

/// A window of its own, with storage of its own.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    session: String,
}

impl Browser {
    pub(crate) async fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut command = browser::command(program, profile.path());
        let mut child =
            command.args(["--remote-debugging-port=0", "about:blank"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = tokio::task::block_in_place(|| {
            let said = lines.by_ref().map_while(Result::ok);
            let address = said.filter_map(|line| line.strip_prefix("DevTools listening on ").map(str::to_owned)).next();
            // What else it says is read and dropped, so that it never waits for a reader.
            std::thread::spawn(move || lines.for_each(drop));
            address
        });
        let address = address.expect("Chromium says where its DevTools listen");
        let host = address.trim_start_matches("ws://").split('/').next().unwrap();
        let stream = TcpStream::connect(host).await.unwrap();
        // Screenshots are large messages.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = client_async_with_config(&address, stream, Some(config)).await.unwrap();
        Self { child, profile, socket, last_id: 0, complaints: Vec::new() }
    }

    /// A window of that size, as a phone if it has a touch screen.
    pub(crate) async fn open(&mut self, address: &str, width: u32, height: u32, is_phone: bool) -> Page {
        let context = self.command(None, "Target.createBrowserContext", json!({})).await;
        let target = json!({ "url": "about:blank", "browserContextId": context["browserContextId"] });
        let target = self.command(None, "Target.createTarget", target).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.command(None, "Target.attachToTarget", attach).await;
        let page = Page { session: attached["sessionId"].as_str().unwrap().to_owned() };
        for domain in ["Page", "Runtime", "Log"] {
            self.on(&page, &format!("{domain}.enable"), json!({})).await;
        }
        let scale = if is_phone { 2 } else { 1 };
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone });
        self.on(&page, "Emulation.setDeviceMetricsOverride", size).await;
        let touch = json!({ "enabled": is_phone, "maxTouchPoints": if is_phone { 5 } else { 1 } });
        self.on(&page, "Emulation.setTouchEmulationEnabled", touch).await;
        self.on(&page, "Page.navigate", json!({ "url": address })).await;
        page
    }

    /// The value of a JavaScript expression in the page.
    pub(crate) async fn value(&mut self, page: &Page, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.on(page, "Runtime.evaluate", parameters).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true in the page. While it cannot be evaluated, it is not: the page may still be loading.
    pub(crate) async fn until(&mut self, page: &Page, expression: &str) {
        let began = Instant::now();
        let asked = format!("(() => {{ try {{ return Boolean({expression}) }} catch {{ return false }} }})()");
        while self.value(page, &asked).await != json!(true) {
            if began.elapsed() > PATIENCE {
                let text = self.value(page, "document.body.innerText").await;
                panic!("waited for {expression}; the page shows:\n{}", text.as_str().unwrap_or_default());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Presses a key and keeps it down, or lets it go.
    pub(crate) async fn key(&mut self, page: &Page, code: &str, is_down: bool) {
        let kind = if is_down { "keyDown" } else { "keyUp" };
        self.on(page, "Input.dispatchKeyEvent", json!({ "type": kind, "code": code, "key": code })).await;
    }

    /// Types a text where the cursor is.
    pub(crate) async fn type_text(&mut self, page: &Page, text: &str) {
        self.on(page, "Input.insertText", json!({ "text": text })).await;
    }

    /// Puts fingers on these places, moves them there, or lifts all if there are none.
    pub(crate) async fn touch(&mut self, page: &Page, kind: &str, fingers: &[(u32, f64, f64)]) {
        let point = |&(id, x, y): &(u32, f64, f64)| json!({ "id": id, "x": x, "y": y });
        let points: Vec<Value> = fingers.iter().map(point).collect();
        self.on(page, "Input.dispatchTouchEvent", json!({ "type": kind, "touchPoints": points })).await;
    }

    /// Saves what the window shows, as WebP.
    pub(crate) async fn screenshot(&mut self, page: &Page, path: &Path) {
        let shot = self.on(page, "Page.captureScreenshot", json!({ "format": "webp", "quality": 82 })).await;
        std::fs::write(path, from_base64(shot["data"].as_str().unwrap())).unwrap();
    }

    async fn on(&mut self, page: &Page, method: &str, parameters: Value) -> Value {
        self.command(Some(&page.session), method, parameters).await
    }

    /// Sends a command and waits for its result. What pages complain of meanwhile is kept.
    async fn command(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut command = json!({ "id": self.last_id, "method": method, "params": parameters });
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(command.to_string())).await.unwrap();
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("DevTools answer");
            let Some(Ok(Message::Text(text))) = message else {
                panic!("{method}: DevTools have ended: {message:?}");
            };
            let mut message: Value = serde_json::from_str(&text).unwrap();
            if message["id"] == json!(self.last_id) {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            match message["method"].as_str() {
                Some("Runtime.exceptionThrown") => self.complaints.push(message["params"].to_string()),
                Some("Log.entryAdded") if message["params"]["entry"]["level"] == json!("error") => {
                    self.complaints.push(message["params"]["entry"]["text"].to_string());
                }
                _ => {}
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Helper processes end a moment later and may still write into the profile: what is left is a temporary folder.
        let _ = std::fs::remove_dir_all(self.profile.path());
    }
}

/// Says something that the test harness does not swallow.
pub(crate) fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

fn from_base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|&byte| byte != b'=').map(digit).collect();
    let bits =
        |group: &[u8]| group.iter().fold(0_u32, |bits, &digit| bits << 6 | u32::from(digit)) << (6 * (4 - group.len()));
    digits.chunks(4).flat_map(|group| bits(group).to_be_bytes()[1..group.len()].to_vec()).collect()
}
