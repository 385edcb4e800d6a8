// What flashes and fades: hits, knockouts, arrivals, and the wave of a swap. Made from two frames that follow each other.

const SPARKS_MAX = 600;
const WAVE_MS = 1400;

export class Sparks {
  #sparks = [];
  #rings = [];
  #hurt = new Map();
  #wave = null;

  // Compares two frames and lights what happened between them.
  between(before, after, now) {
    for (const player of after.players.values()) {
      const earlier = before.players.get(player.id);
      if (!earlier || (earlier.health === 0 && player.health > 0)) {
        this.#ring(player.x, player.y, player.color, 46, 500, now);
      } else if (earlier.health > 0 && player.health === 0) {
        this.#burst(player.x, player.y, player.color, 34, 260, now);
        this.#ring(player.x, player.y, player.color, 90, 650, now);
      } else if (player.health < earlier.health) {
        this.#hurt.set(player.id, now);
        this.#burst(player.x, player.y, 0xffffff, 7, 150, now);
      }
    }
  }

  // New code is live.
  swapped(now) {
    this.#wave = now;
  }

  // From 1 right after a hit to 0.
  hurt(id, now) {
    return Math.max(0, 1 - (now - (this.#hurt.get(id) ?? -1e9)) / 220);
  }

  draw(context, { width, height }, now) {
    context.save();
    context.globalCompositeOperation = "lighter";
    this.#sparks = this.#sparks.filter((spark) => now - spark.born < spark.life);
    for (const spark of this.#sparks) {
      const age = share(now - spark.born, spark.life);
      const way = (1 - (1 - age) ** 2) * spark.speed * (spark.life / 1000);
      context.globalAlpha = (1 - age) ** 1.5;
      context.fillStyle = spark.color;
      context.beginPath();
      context.arc(spark.x + spark.cos * way, spark.y + spark.sin * way, 2.6 * (1 - age) + 0.6, 0, 7);
      context.fill();
    }
    this.#rings = this.#rings.filter((ring) => now - ring.born < ring.life);
    for (const ring of this.#rings) {
      const age = share(now - ring.born, ring.life);
      context.globalAlpha = (1 - age) ** 2;
      context.strokeStyle = ring.color;
      context.lineWidth = 4 * (1 - age) + 0.5;
      context.beginPath();
      context.arc(ring.x, ring.y, 14 + (ring.reach - 14) * (1 - (1 - age) ** 3), 0, 7);
      context.stroke();
    }
    if (this.#wave !== null) {
      this.#drawWave(context, width, height, share(now - this.#wave, WAVE_MS));
    }
    context.restore();
  }

  #drawWave(context, width, height, age) {
    if (age >= 1) {
      this.#wave = null;
      return;
    }
    const reach = Math.hypot(width, height) * 0.55 * (1 - (1 - age) ** 2);
    context.globalAlpha = (1 - age) * 0.9;
    context.strokeStyle = "#5ae4ff";
    context.lineWidth = 3 + 26 * (1 - age);
    context.beginPath();
    context.arc(width / 2, height / 2, reach, 0, 7);
    context.stroke();
    context.globalAlpha = Math.max(0, 0.22 - age * 0.4);
    context.fillStyle = "#5ae4ff";
    context.fillRect(0, 0, width, height);
  }

  #burst(x, y, color, count, speed, now) {
    for (let spark = 0; spark < count && this.#sparks.length < SPARKS_MAX; spark += 1) {
      const angle = Math.random() * Math.PI * 2;
      this.#sparks.push({
        x,
        y,
        cos: Math.cos(angle),
        sin: Math.sin(angle),
        speed: speed * (0.3 + Math.random()),
        color: css(color),
        born: now,
        life: 260 + Math.random() * 380,
      });
    }
  }

  #ring(x, y, color, reach, life, now) {
    this.#rings.push({ x, y, color: css(color), reach, life, born: now });
  }
}

// The moment of drawing may lie a little before that of a message.
function share(age, life) {
  return Math.min(Math.max(age / life, 0), 1);
}

export function css(color) {
  return `#${(color >>> 0).toString(16).padStart(6, "0").slice(-6)}`;
}
