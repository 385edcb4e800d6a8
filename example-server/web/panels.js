// The panels beside the arena: figures, running code, scores, the feed. All text is set as text, never as markup.

import { css } from "./sparks.js";

const FEED_LINES_MAX = 80;
const SCORE_LINES_MAX = 12;

const by = (id) => document.getElementById(id);

// Sets a text only when it differs: the browser lays out what changes, and this is called many times a second.
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

export function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text ?? "";
  return element;
}

export function showConnection(state, words) {
  by("connection").dataset.state = state;
  setText(by("connection-text"), words);
  by("stage").classList.toggle("offline", state === "lost");
}

export function showStatus(status) {
  setText(by("tick"), status.tick.toLocaleString("en"));
  setText(by("tick-time"), micros(status.tick_us));
  setText(by("tick-p99"), micros(status.tick_us_p99));
  setText(by("late"), String(status.late + status.skipped));
  setText(by("players"), String(status.players));
  const mods = by("mods");
  const chips = new Map([...mods.children].map((chip) => [chip.dataset.mod, chip]));
  for (const mod of status.mods) {
    const chip = chips.get(mod.name) ?? mods.appendChild(newChip(mod.name));
    chips.delete(mod.name);
    showGeneration(chip, mod.generation);
    chip.classList.toggle("paused", Boolean(mod.paused));
    chip.title = mod.paused ? `paused: ${mod.paused}` : `${mod.name}, generation ${mod.generation}`;
  }
  chips.forEach((chip) => chip.remove());
}

// Shown at once, before the next status comes.
export function showLive(name, generation) {
  const chip = [...by("mods").children].find((chip) => chip.dataset.mod === name);
  if (chip) {
    showGeneration(chip, generation);
    chip.classList.remove("fresh");
    void chip.offsetWidth;
    chip.classList.add("fresh");
  }
}

function newChip(name) {
  const chip = make("div", "mod");
  chip.dataset.mod = name;
  chip.append(make("span", "mod-name", name), make("b", "generation", ""));
  return chip;
}

function showGeneration(chip, generation) {
  chip.dataset.generation = generation ?? "";
  setText(chip.querySelector(".generation"), generation ? `g${generation}` : "-");
}

export function showScores(frame, tables, own) {
  setText(by("round"), String(frame.round));
  setText(by("table-title"), tables[0]?.title ?? "");
  const counted = new Map((tables[0]?.lines ?? []).map((line) => [line.id, line]));
  const players = [...frame.players.values()];
  const knockouts = (player) => counted.get(player.id)?.knockouts ?? 0;
  players.sort((one, other) => other.score - one.score || knockouts(other) - knockouts(one) || one.id - other.id);
  const shown = players.slice(0, SCORE_LINES_MAX);
  const ownPlace = players.findIndex((player) => player.id === own);
  if (ownPlace >= SCORE_LINES_MAX) {
    shown[SCORE_LINES_MAX - 1] = players[ownPlace];
  }
  const body = by("score-lines");
  while (body.rows.length > shown.length) {
    body.deleteRow(-1);
  }
  shown.forEach((player, index) => {
    const row = body.rows[index] ?? newRow(body);
    const [swatch, name, score, ratio, streak] = row.cells;
    const line = counted.get(player.id);
    swatch.firstChild.style.backgroundColor = css(player.color);
    setText(name, player.name);
    setText(score, String(player.score));
    setText(ratio, line ? `${line.knockouts} / ${line.outs}` : "");
    setText(streak, line?.streak > 1 ? `x${line.streak}` : "");
    streak.classList.toggle("hot", line?.streak >= 3);
    row.classList.toggle("own", player.id === own);
    row.classList.toggle("out", player.health === 0);
  });
}

function newRow(body) {
  const row = body.insertRow();
  row.insertCell().append(make("i", "swatch"));
  ["who", "number", "number", "streak"].forEach((name) => (row.insertCell().className = name));
  return row;
}

// Adds a line at the top of the feed. `details` are further lines below it.
export function tell(kind, text, details = []) {
  const feed = by("feed-lines");
  const line = make("li", kind);
  const time = new Date().toLocaleTimeString("en-GB");
  line.append(make("time", "", time), make("span", "said", text));
  details.filter(Boolean).forEach((detail) => line.append(make("span", "detail", detail)));
  feed.prepend(line);
  while (feed.children.length > FEED_LINES_MAX) {
    feed.lastElementChild.remove();
  }
}

export function clearFeed() {
  by("feed-lines").replaceChildren();
}

export function micros(value) {
  return value >= 10000 ? `${(value / 1000).toFixed(1)} ms` : `${value} \u00b5s`;
}
