// What happens to the code: builds, swaps, refusals. The ribbon, the panels of trouble, and its lines in the feed.

import { make, setText, showLive, tell } from "./panels.js";

const RIBBON_MS = 4200;
// Older entries come from before this page looked: they are listed, not announced.
const NEWS_MS = 4000;

const by = (id) => document.getElementById(id);

export class Code {
  #run = null;
  #last = 0;
  #ribbonTimer = 0;

  constructor({ swapped }) {
    this.swapped = swapped;
  }

  // Entries are numbered for each run of the server.
  begin(run) {
    if (this.#run !== run) {
      this.#run = run;
      this.#last = 0;
      by("trouble").replaceChildren();
      this.#building("");
    }
  }

  heard(entry, world) {
    if (entry.number <= this.#last) {
      return;
    }
    this.#last = entry.number;
    const isNews = entry.ago_ms < NEWS_MS;
    const known = {
      build_started: () => this.#building(`building ${entry.mods.join(", ")}`),
      built: () => this.#built(entry),
      build_failed: () => this.#failed(entry),
      live: () => this.#live(entry, world, isNews),
      refused: () => this.#refused(entry, isNews),
      awaiting_approval: () => this.#awaiting(entry),
      said: () => this.#said(entry, isNews),
    };
    known[entry.event]?.();
  }

  #building(words) {
    by("build").hidden = !words;
    setText(by("build-text"), words);
  }

  #built({ mod_name, took_ms, bytes }) {
    this.#building("");
    this.#settle(mod_name);
    tell("built", `built ${mod_name} in ${seconds(took_ms)}`, [`${(bytes / 1048576).toFixed(1)} MiB`]);
  }

  #failed({ mod_name, text }) {
    this.#building("");
    this.#trouble(mod_name, "failed", `${mod_name} does not compile`, text);
    tell("failed", `${mod_name} does not compile`, ["what runs goes on running"]);
  }

  #refused({ mod_name, text }, isNews) {
    this.#building("");
    const title = `${mod_name || "a submission"} was refused`;
    this.#trouble(mod_name || "submission", "refused", title, text);
    tell("refused", title, ["what runs goes on running"]);
    if (isNews) {
      this.#ribbon("refused", title, "what runs goes on running");
    }
  }

  #awaiting({ submission, text }) {
    this.#building("");
    this.#trouble(`submission ${submission}`, "refused", `Submission ${submission} waits for approval`, text);
    tell("refused", `submission ${submission} waits for approval`);
  }

  #said({ text }, isNews) {
    tell("operator", text);
    if (isNews) {
      this.#ribbon("operator", "The operator says", text);
    }
  }

  #live(entry, world, isNews) {
    const { mod_name, previous, generation, changed_functions, changed_total, pause_ns, since_save_ms } = entry;
    this.#settle(mod_name);
    this.#building("");
    if (entry.world !== world) {
      return;
    }
    const way = previous ? `g${previous} \u2192 g${generation}` : `g${generation}`;
    const isBack = previous > generation;
    const more = changed_total > changed_functions.length ? [`and ${changed_total - changed_functions.length} more`] : [];
    const names = [...new Set(changed_functions.map(short).filter(Boolean)), ...more].join(", ");
    const pause = `pause ${(pause_ns / 1000).toFixed(1)} \u00b5s`;
    const since = since_save_ms === undefined ? "" : `${seconds(since_save_ms)} after saving`;
    tell("live", `${mod_name} ${way} is live`, [names && `changed: ${names}`, [pause, since].filter(Boolean).join(", ")]);
    if (!isNews) {
      return;
    }
    showLive(mod_name, generation);
    const count = changed_total === 1 ? "1 function changed" : `${changed_total} functions changed`;
    const words = [isBack ? "went back" : changed_total ? count : "", pause, since].filter(Boolean).join(" \u00b7 ");
    this.#ribbon("live", `${mod_name}: generation ${generation} is live`, words);
    this.swapped();
  }

  // The last trouble of each mod stays until it is settled or closed.
  #trouble(name, kind, title, text) {
    this.#settle(name);
    const panel = make("article", `panel ${kind}`);
    panel.dataset.mod = name;
    const close = make("button", "close", "\u00d7");
    close.type = "button";
    close.setAttribute("aria-label", "close");
    close.addEventListener("click", () => panel.remove());
    const head = make("header", "");
    head.append(make("b", "", title), make("span", "", "what runs goes on running"), close);
    panel.append(head, make("pre", "", text.trim()));
    by("trouble").append(panel);
  }

  #settle(name) {
    for (const panel of [...by("trouble").children]) {
      if (panel.dataset.mod === name || panel.dataset.mod.startsWith("submission")) {
        panel.remove();
      }
    }
  }

  #ribbon(kind, title, text) {
    const ribbon = by("ribbon");
    ribbon.className = kind;
    setText(by("ribbon-title"), title);
    setText(by("ribbon-text"), text);
    ribbon.hidden = false;
    // Starts the animation anew.
    ribbon.getAnimations().forEach((animation) => {
      animation.cancel();
      animation.play();
    });
    clearTimeout(this.#ribbonTimer);
    this.#ribbonTimer = setTimeout(() => (ribbon.hidden = true), RIBBON_MS);
  }
}

// What a reader of the sources knows of `<arena::Arena>.move_shots::{closure#0}`: `Arena::move_shots`. Null for the compiler's glue.
function short(name) {
  if (name.includes("{shim")) {
    return null;
  }
  // Exported entries of hooks, into which the hook itself was compiled.
  const hook = name.match(/^tickswap_(?:hook__\w+?__)?(\w+)$/);
  if (hook) {
    return hook[1];
  }
  let text = name.replace(/::\{[^}]*\}/g, "");
  if (text.startsWith("<")) {
    const end = closing(text);
    text = text.slice(1, end).split(" as ")[0].replace(/^[&* ]*(?:mut |dyn )?/, "") + text.slice(end + 1);
  }
  while (/<[^<>]*>/.test(text)) {
    text = text.replace(/(?:::)?<[^<>]*>/g, "");
  }
  return text.split("::").at(-1).replace(".", "::");
}

// Where the bracket closes that a text begins with.
function closing(text) {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    depth += text[at] === "<" ? 1 : text[at] === ">" && text[at - 1] !== "-" ? -1 : 0;
    if (depth === 0) {
      return at;
    }
  }
  return text.length;
}

function seconds(ms) {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
