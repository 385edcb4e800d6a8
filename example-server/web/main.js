// Puts the page together: messages go to frames, panels and code; controls go to the server.
//
// Parameters of the address: `name` enters at once, `world` chooses one, `watch` never asks for a name.

import { Arena } from "./arena.js";
import { Code } from "./code.js";
import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { Frames } from "./frames.js";
import { clearFeed, setText, showConnection, showScores, showStatus, tell } from "./panels.js";
import { Sparks } from "./sparks.js";

const SCORES_EVERY_MS = 250;
const TOAST_MS = 1800;
const NAME_KEY = "tickswap-arena-name";
const EMPTY = { width: 1600, height: 900, tick_rate: 60 };

const by = (id) => document.getElementById(id);
const wishes = new URLSearchParams(location.search);
const canvas = by("arena");
const arena = new Arena(canvas);
const frames = new Frames();
const sparks = new Sparks();
const code = new Code({ swapped: () => sparks.swapped(performance.now()) });

let name = wishes.get("name");
let own = null;
let world = null;
let run = null;
let tables = [];
let sequence = 0;
let scoresShown = 0;
let toastTimer = 0;

const controls = new Controls((now) => {
  if (own !== null && connection.say({ type: "input", sequence: sequence + 1, ...now })) {
    sequence += 1;
  }
});

const connection = new Connection({
  opened(connection) {
    const place = wishes.get("world");
    connection.say(name === null ? { type: "watch", world: place } : { type: "hello", name, world: place });
    document.documentElement.dataset.opens = connection.opens;
  },
  heard(message) {
    messages[message.type]?.(message);
  },
  stands(state, words) {
    if (state === "lost") {
      leave();
    }
    showConnection(state, words);
  },
});

const messages = {
  watching(message) {
    arrive(message);
    showConnection("watching", "watching");
    askForName();
  },
  welcome(message) {
    arrive(message);
    own = message.player;
    sequence = 0;
    controls.isOn = true;
    controls.release();
    document.body.classList.add("playing");
    by("join").hidden = true;
    showConnection("playing", `playing as ${message.name}`);
  },
  frame(message) {
    frames.add(message, performance.now());
  },
  status(message) {
    tables = message.tables;
    showStatus(message);
  },
  notice(message) {
    tell("notice", message.text);
  },
  award(message) {
    toast(`+${message.points}`);
  },
  bulletin(message) {
    code.heard(message, world);
  },
};

function arrive(place) {
  if (run !== place.run) {
    if (run !== null) {
      clearFeed();
      tell("notice", "the server has been started anew");
    }
    run = place.run;
  }
  world = place.world;
  code.begin(run);
  frames.reset(place);
  setText(by("world"), world);
}

function leave() {
  own = null;
  controls.isOn = false;
  document.body.classList.remove("playing");
}

function askForName() {
  if (name !== null || wishes.has("watch")) {
    return;
  }
  by("join").hidden = false;
  by("name").value ||= remembered();
  if (matchMedia("(pointer: fine)").matches) {
    by("name").focus();
  }
}

by("join").addEventListener("submit", (event) => {
  event.preventDefault();
  name = by("name").value;
  remember(name);
  by("name").blur();
  connection.say({ type: "hello", name, world });
});

// A browser may forbid storage; then the name is asked for again.
function remembered() {
  try {
    return localStorage.getItem(NAME_KEY) ?? "";
  } catch {
    return "";
  }
}

function remember(text) {
  try {
    localStorage.setItem(NAME_KEY, text);
  } catch {
    // Nothing depends on it.
  }
}

function toast(text) {
  const element = by("toast");
  element.textContent = text;
  element.hidden = false;
  element.getAnimations().forEach((animation) => {
    animation.cancel();
    animation.play();
  });
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (element.hidden = true), TOAST_MS);
}

function draw(now) {
  requestAnimationFrame(draw);
  const state = frames.at(now, (before, after) => sparks.between(before, after, now));
  arena.draw(state, frames.place ?? EMPTY, own, sparks, now);
  if (frames.latest && now - scoresShown > SCORES_EVERY_MS) {
    scoresShown = now;
    showScores(frames.latest, tables, own);
    // For whoever drives the page from outside: what the canvas shows.
    const me = frames.latest.players.get(own);
    canvas.dataset.own = me ? `${me.x} ${me.y}` : "";
    canvas.dataset.shots = frames.latest.shots.size;
  }
}

requestAnimationFrame(draw);
addEventListener("touchmove", (event) => event.target.closest("#feed, .panel") || event.preventDefault(), { passive: false });
addEventListener("pointerdown", (event) => event.pointerType === "touch" && document.body.classList.add("touch"));
if (matchMedia("(pointer: coarse)").matches) {
  document.body.classList.add("touch");
}
