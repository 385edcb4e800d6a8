// From frames that arrive unevenly to a state for each moment: a little in the past, between two frames. Draws nothing.

const KEPT = 40;
const DELAY_MIN_MS = 45;
const DELAY_MAX_MS = 260;
const FLY_ON_MS = 120;

export class Frames {
  #frames = [];
  #offset = null;
  #interval = 33;
  #shown = null;

  reset(place) {
    this.place = place;
    this.#frames = [];
    this.#offset = null;
    this.#shown = null;
  }

  get latest() {
    return this.#frames.at(-1) ?? null;
  }

  add(message, now) {
    if (!this.place) {
      return;
    }
    const time = (message.tick * 1000) / this.place.tick_rate;
    const last = this.latest;
    if (last && time <= last.time) {
      return;
    }
    const frame = {
      time,
      tick: message.tick,
      round: message.round,
      players: new Map(message.players.map((player) => [player.id, player])),
      shots: new Map(message.shots.map((shot) => [shot.id, shot])),
      hazards: message.hazards,
    };
    if (last) {
      giveSpeed(last, frame);
      this.#interval += (Math.min(time - last.time, 500) - this.#interval) * 0.1;
    }
    // How far this clock is ahead of the server's ticks: the fastest way counts, slower ones pull it up only slowly.
    const ahead = now - time;
    if (this.#offset === null || ahead < this.#offset || ahead - this.#offset > 1000) {
      this.#offset = ahead;
    } else {
      this.#offset += (ahead - this.#offset) * 0.02;
    }
    this.#frames.push(frame);
    if (this.#frames.length > KEPT) {
      this.#frames.shift();
    }
  }

  // The state to draw now. `passed(before, after)` is called for each frame that time went past.
  at(now, passed) {
    if (this.#frames.length === 0) {
      return null;
    }
    const delay = Math.min(Math.max(this.#interval * 1.6, DELAY_MIN_MS), DELAY_MAX_MS);
    const time = now - this.#offset - delay;
    let index = this.#frames.findLastIndex((frame) => frame.time <= time);
    index = Math.max(index, 0);
    const before = this.#frames[index];
    const after = this.#frames[index + 1] ?? before;
    if (this.#shown !== before) {
      const from = this.#frames.indexOf(this.#shown);
      for (let step = Math.max(from, 0); from >= 0 && step < index; step += 1) {
        passed(this.#frames[step], this.#frames[step + 1]);
      }
      this.#shown = before;
    }
    const span = after.time - before.time;
    const share = span > 0 ? Math.min(Math.max((time - before.time) / span, 0), 1) : 0;
    return { ...between(before, after, share, time), round: before.round, tick: before.tick };
  }
}

// Units per millisecond of each shot. One that is new gets its speed as soon as a second frame shows it.
function giveSpeed(before, after) {
  const span = after.time - before.time;
  for (const shot of after.shots.values()) {
    const earlier = before.shots.get(shot.id);
    if (earlier) {
      shot.vx = (shot.x - earlier.x) / span;
      shot.vy = (shot.y - earlier.y) / span;
      earlier.vx ??= shot.vx;
      earlier.vy ??= shot.vy;
    }
  }
}

function between(before, after, share, time) {
  const players = [];
  for (const player of before.players.values()) {
    const next = after.players.get(player.id) ?? player;
    // Who comes back somewhere else does not slide there.
    const jumps = Math.hypot(next.x - player.x, next.y - player.y) > 140;
    players.push({
      ...player,
      x: jumps ? player.x : mix(player.x, next.x, share),
      y: jumps ? player.y : mix(player.y, next.y, share),
      facing: player.facing + turn(player.facing, next.facing) * share,
    });
  }
  const shots = [];
  for (const shot of before.shots.values()) {
    // Shots fly straight: where the next frame is late, or does not have it any more, it flies on for a moment.
    const [vx, vy] = [shot.vx ?? 0, shot.vy ?? 0];
    const ahead = Math.min(Math.max(time - before.time, 0), FLY_ON_MS);
    shots.push({ ...shot, x: shot.x + vx * ahead, y: shot.y + vy * ahead, vx, vy });
  }
  const hazards = before.hazards.map((hazard, index) => {
    const next = after.hazards[index];
    return next?.kind === hazard.kind
      ? { ...hazard, x: mix(hazard.x, next.x, share), y: mix(hazard.y, next.y, share) }
      : hazard;
  });
  return { players, shots, hazards };
}

function mix(from, to, share) {
  return from + (to - from) * share;
}

function turn(from, to) {
  return ((((to - from + Math.PI) % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI)) - Math.PI;
}
