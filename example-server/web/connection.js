// The WebSocket: opens it, opens it again when it ends, and says how it stands. What messages mean is not known here.

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 8000;
const SILENCE_MAX_MS = 6000;

export class Connection {
  #socket = null;
  #pause = FIRST_PAUSE_MS;
  #timer = 0;
  #lastHeard = 0;

  // `opened(connection)` says the first message, `heard(message)` gets every one, `stands(state, words)` is for people.
  constructor({ opened, heard, stands }) {
    this.opened = opened;
    this.heard = heard;
    this.stands = stands;
    this.opens = 0;
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    setInterval(() => this.#watch(), 1000);
    this.open();
  }

  open() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const address = new URL("/play", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    this.stands("connecting", this.opens ? "reconnecting" : "connecting");
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#lastHeard = performance.now();
    socket.onopen = () => {
      this.opens += 1;
      this.opened(this);
    };
    socket.onmessage = (event) => {
      this.#lastHeard = performance.now();
      this.#pause = FIRST_PAUSE_MS;
      this.heard(JSON.parse(event.data));
    };
    socket.onclose = (event) => this.#ended(socket, event.reason);
  }

  say(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message));
      return true;
    }
    return false;
  }

  #ended(socket, reason) {
    if (socket !== this.#socket) {
      return;
    }
    this.#socket = null;
    const seconds = Math.max(1, Math.round(this.#pause / 1000));
    this.stands("lost", `${reason || "no connection"}, trying again in ${seconds} s`);
    // Not all clients of a server that comes back shall come at one moment.
    this.#timer = setTimeout(() => this.open(), this.#pause * (0.75 + Math.random() * 0.5));
    this.#pause = Math.min(this.#pause * 1.7, LONGEST_PAUSE_MS);
  }

  // Frames come many times a second: silence means that the network is gone and has not said so.
  #watch() {
    const socket = this.#socket;
    if (socket && !document.hidden && performance.now() - this.#lastHeard > SILENCE_MAX_MS) {
      socket.close();
      this.#ended(socket, "the server is silent");
    }
  }

  #hurry() {
    if (this.#timer) {
      this.#pause = FIRST_PAUSE_MS;
      this.open();
    }
  }
}
