// Draws one state of the arena on the canvas. Knows nothing of messages or panels.

import { css } from "./sparks.js";

const BODY = 17;
const TRAIL = 26;

export class Arena {
  #canvas;
  #context;
  #floor = null;
  #scale = 1;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
  }

  draw(state, place, own, sparks, now) {
    const context = this.#context;
    this.#fit(place);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#floor, 0, 0);
    const left = (this.#canvas.width - place.width * this.#scale) / 2;
    const top = (this.#canvas.height - place.height * this.#scale) / 2;
    context.setTransform(this.#scale, 0, 0, this.#scale, left, top);
    if (state) {
      state.hazards.forEach((hazard) => this.#hazard(hazard, now));
      this.#shots(state.shots, this.#size());
      // One's own body lies on top.
      const players = [...state.players].sort((one, other) => (one.id === own) - (other.id === own));
      players.forEach((player) => this.#player(player, player.id === own, sparks.hurt(player.id, now), now));
    }
    sparks.draw(context, place, now);
  }

  // The canvas has as many pixels as the screen shows; the floor is drawn once for each size.
  #fit(place) {
    const density = Math.min(devicePixelRatio || 1, 3);
    const width = Math.max(1, Math.round(this.#canvas.clientWidth * density));
    const height = Math.max(1, Math.round(this.#canvas.clientHeight * density));
    if (this.#floor && this.#canvas.width === width && this.#canvas.height === height && this.#floor.place === place) {
      return;
    }
    this.#canvas.width = width;
    this.#canvas.height = height;
    const margin = 10 * density;
    this.#scale = Math.min((width - margin) / place.width, (height - margin) / place.height);
    this.#floor = floor(width, height, place, this.#scale);
    this.#floor.place = place;
  }

  #hazard({ kind, x, y, radius }, now) {
    const context = this.#context;
    const color = kind === "heals" ? "90, 255, 170" : "180, 130, 255";
    const glow = context.createRadialGradient(x, y, 0, x, y, radius);
    const breath = 0.5 + 0.5 * Math.sin(now / 600);
    glow.addColorStop(0, `rgba(${color}, ${0.24 + 0.08 * breath})`);
    glow.addColorStop(0.75, `rgba(${color}, 0.08)`);
    glow.addColorStop(1, `rgba(${color}, 0)`);
    context.fillStyle = glow;
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fill();
    context.strokeStyle = `rgba(${color}, 0.75)`;
    context.lineWidth = 2;
    if (kind === "heals") {
      context.setLineDash([6, 10]);
      context.beginPath();
      context.arc(x, y, radius - 2, 0, 7);
      context.stroke();
      context.setLineDash([]);
      context.fillStyle = `rgba(${color}, 0.8)`;
      context.fillRect(x - 3, y - 12, 6, 24);
      context.fillRect(x - 12, y - 3, 24, 6);
      return;
    }
    // Arms that turn: it pushes.
    context.lineCap = "round";
    for (let arm = 0; arm < 3; arm += 1) {
      for (const [reach, width, part] of [[0.92, 3, 1.5], [0.62, 2.4, 1.2], [0.34, 2, 1]]) {
        const from = now / (220 + reach * 260) + (arm * Math.PI * 2) / 3;
        context.lineWidth = width;
        context.beginPath();
        context.arc(x, y, radius * reach, from, from + part);
        context.stroke();
      }
    }
  }

  // How much larger things are drawn on a small screen, so that they keep a readable size.
  #size() {
    return Math.max(1, 0.62 / (this.#scale / Math.min(devicePixelRatio || 1, 3)));
  }

  #shots(shots, size) {
    const context = this.#context;
    context.save();
    context.globalCompositeOperation = "lighter";
    context.lineCap = "round";
    for (const shot of shots) {
      context.strokeStyle = css(shot.color);
      context.globalAlpha = 0.35;
      context.lineWidth = 8 * size;
      this.#streak(shot, TRAIL * size);
      context.globalAlpha = 1;
      context.lineWidth = 3 * size;
      this.#streak(shot, TRAIL * size);
      context.fillStyle = "#ffffff";
      context.beginPath();
      context.arc(shot.x, shot.y, 3 * size, 0, 7);
      context.fill();
    }
    context.restore();
  }

  #streak({ x, y, vx, vy }, length) {
    const trail = length / (Math.hypot(vx, vy) || Infinity);
    this.#context.beginPath();
    this.#context.moveTo(x - vx * trail, y - vy * trail);
    this.#context.lineTo(x, y);
    this.#context.stroke();
  }

  #player(player, isOwn, hurt, now) {
    const context = this.#context;
    const { x, y, facing, health } = player;
    const color = css(player.color);
    const size = this.#size();
    const body = BODY * Math.min(size, 1.7);
    context.save();
    context.translate(x, y);
    if (health === 0) {
      context.globalAlpha = 0.35;
      context.strokeStyle = color;
      context.lineWidth = 3;
      context.setLineDash([4, 7]);
      context.beginPath();
      context.arc(0, 0, body, 0, 7);
      context.stroke();
      if (isOwn) {
        context.globalAlpha = 1;
        context.font = `700 ${17 * size}px system-ui, sans-serif`;
        context.textAlign = "center";
        context.fillStyle = "#ff8fa1";
        context.fillText("you are out", 0, -body - 11);
      }
      context.restore();
      return;
    }
    const glow = context.createRadialGradient(0, 0, body * 0.6, 0, 0, body * 2.6);
    glow.addColorStop(0, `${color}55`);
    glow.addColorStop(1, `${color}00`);
    context.fillStyle = glow;
    context.beginPath();
    context.arc(0, 0, body * 2.6, 0, 7);
    context.fill();
    context.save();
    context.rotate(facing);
    context.fillStyle = "#e9f0ff";
    context.beginPath();
    context.roundRect(body * 0.5, -body * 0.22, body * 0.95, body * 0.44, body * 0.16);
    context.fill();
    context.restore();
    context.fillStyle = color;
    context.beginPath();
    context.arc(0, 0, body, 0, 7);
    context.fill();
    context.fillStyle = "rgba(7, 10, 19, 0.55)";
    context.beginPath();
    context.arc(0, 0, body * 0.55, 0, 7);
    context.fill();
    if (hurt > 0) {
      context.fillStyle = `rgba(255, 255, 255, ${hurt * 0.85})`;
      context.beginPath();
      context.arc(0, 0, body, 0, 7);
      context.fill();
    }
    if (isOwn) {
      context.strokeStyle = "#ffffff";
      context.lineWidth = 2.5;
      context.beginPath();
      context.arc(0, 0, body + 5 + Math.sin(now / 260) * 1.5, 0, 7);
      context.stroke();
    }
    this.#nameAndHealth(player, isOwn, body, size);
    context.restore();
  }

  #nameAndHealth({ name, health }, isOwn, body, size) {
    const context = this.#context;
    const [width, height] = [body * 2.5, 5 * Math.min(size, 1.5)];
    const below = body + 13;
    context.fillStyle = "rgba(4, 7, 14, 0.75)";
    context.beginPath();
    context.roundRect(-width / 2, below, width, height, height / 2);
    context.fill();
    const share = Math.min(health / 100, 1);
    context.fillStyle = share > 0.5 ? "#7dffb2" : share > 0.25 ? "#ffc45a" : "#ff6b81";
    context.beginPath();
    context.roundRect(-width / 2, below, Math.max(width * share, height), height, height / 2);
    context.fill();
    context.font = `${isOwn ? 700 : 500} ${15 * size}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.lineJoin = "round";
    context.lineWidth = 4 * size;
    context.strokeStyle = "rgba(4, 7, 14, 0.8)";
    context.strokeText(name, 0, -body - 11);
    context.fillStyle = isOwn ? "#ffffff" : "#c9d5f5";
    context.fillText(name, 0, -body - 11);
  }
}

function floor(width, height, place, scale) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "#05070e";
  context.fillRect(0, 0, width, height);
  context.translate((width - place.width * scale) / 2, (height - place.height * scale) / 2);
  context.scale(scale, scale);
  const [centreX, centreY] = [place.width / 2, place.height / 2];
  const light = context.createRadialGradient(centreX, centreY, 60, centreX, centreY, place.width * 0.62);
  light.addColorStop(0, "#152039");
  light.addColorStop(0.6, "#0d1526");
  light.addColorStop(1, "#090e1b");
  context.fillStyle = light;
  context.beginPath();
  context.roundRect(0, 0, place.width, place.height, 14);
  context.fill();
  context.save();
  context.clip();
  context.lineWidth = 1 / scale;
  for (const [step, color] of [[50, "rgba(120, 150, 220, 0.055)"], [200, "rgba(120, 150, 220, 0.11)"]]) {
    context.strokeStyle = color;
    context.beginPath();
    for (let x = step; x < place.width; x += step) {
      context.moveTo(x, 0);
      context.lineTo(x, place.height);
    }
    for (let y = step; y < place.height; y += step) {
      context.moveTo(0, y);
      context.lineTo(place.width, y);
    }
    context.stroke();
  }
  context.strokeStyle = "rgba(120, 150, 220, 0.12)";
  context.lineWidth = 2;
  context.beginPath();
  context.arc(centreX, centreY, 190, 0, 7);
  context.moveTo(centreX, 0);
  context.lineTo(centreX, place.height);
  context.stroke();
  context.restore();
  context.strokeStyle = "rgba(90, 228, 255, 0.45)";
  context.shadowColor = "#5ae4ff";
  context.shadowBlur = 18 * scale;
  context.lineWidth = 2.5;
  context.beginPath();
  context.roundRect(0, 0, place.width, place.height, 14);
  context.stroke();
  return canvas;
}
