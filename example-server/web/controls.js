// Keyboard and thumbs become a direction and a trigger. When that changes, somebody is told; sending is their business.

const KEYS = {
  KeyW: [0, -1], ArrowUp: [0, -1],
  KeyS: [0, 1], ArrowDown: [0, 1],
  KeyA: [-1, 0], ArrowLeft: [-1, 0],
  KeyD: [1, 0], ArrowRight: [1, 0],
};
const STICK_REACH = 52;
const STICK_DEAD = 0.18;

export class Controls {
  #keys = new Set();
  #stick = null;
  #fires = new Set();
  #last = "";

  constructor(changed) {
    this.changed = changed;
    this.isOn = false;
    addEventListener("keydown", (event) => this.#key(event, true));
    addEventListener("keyup", (event) => this.#key(event, false));
    addEventListener("blur", () => this.release());
    document.addEventListener("visibilitychange", () => document.hidden && this.release());
    this.#thumbs();
  }

  // Lets go of everything: a key that comes up in another window is never heard of.
  release() {
    this.#keys.clear();
    this.#fires.clear();
    this.#stick = null;
    this.#tell();
  }

  #key(event, isDown) {
    const isControl = event.code in KEYS || event.code === "Space";
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLButtonElement;
    if (!this.isOn || !isControl || isTyping || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    event.preventDefault();
    isDown ? this.#keys.add(event.code) : this.#keys.delete(event.code);
    this.#tell();
  }

  #thumbs() {
    const [zone, ring, knob] = ["stick", "stick-ring", "stick-knob"].map((id) => document.getElementById(id));
    const fire = document.getElementById("fire");
    const move = (event) => {
      const [x, y] = [event.clientX - this.#stick.x, event.clientY - this.#stick.y];
      const length = Math.hypot(x, y) || 1;
      const reach = Math.min(length, STICK_REACH);
      this.#stick.dx = (x / length) * (reach / STICK_REACH);
      this.#stick.dy = (y / length) * (reach / STICK_REACH);
      knob.style.transform = `translate(${(x / length) * reach}px, ${(y / length) * reach}px)`;
      this.#tell();
    };
    const letGo = (event) => {
      if (this.#stick?.pointer === event.pointerId) {
        this.#stick = null;
        ring.style.transform = knob.style.transform = "";
        ring.classList.remove("held");
        this.#tell();
      }
    };
    zone.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      zone.setPointerCapture(event.pointerId);
      const box = ring.parentElement.getBoundingClientRect();
      // The stick comes to the thumb.
      const [x, y] = [event.clientX, event.clientY];
      this.#stick = { pointer: event.pointerId, x, y, dx: 0, dy: 0 };
      ring.style.transform = `translate(${x - box.left - ring.offsetLeft - ring.offsetWidth / 2}px, ${y - box.top - ring.offsetTop - ring.offsetHeight / 2}px)`;
      ring.classList.add("held");
    });
    zone.addEventListener("pointermove", (event) => this.#stick?.pointer === event.pointerId && move(event));
    zone.addEventListener("pointerup", letGo);
    zone.addEventListener("pointercancel", letGo);
    fire.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      fire.setPointerCapture(event.pointerId);
      this.#fires.add(event.pointerId);
      this.#tell();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      fire.addEventListener(end, (event) => {
        this.#fires.delete(event.pointerId);
        this.#tell();
      });
    }
    for (const thumbs of [zone, fire]) {
      thumbs.addEventListener("contextmenu", (event) => event.preventDefault());
    }
  }

  #tell() {
    let [dx, dy] = [0, 0];
    for (const key of this.#keys) {
      dx += KEYS[key]?.[0] ?? 0;
      dy += KEYS[key]?.[1] ?? 0;
    }
    if (this.#stick && Math.hypot(this.#stick.dx, this.#stick.dy) > STICK_DEAD) {
      [dx, dy] = [this.#stick.dx, this.#stick.dy];
    }
    const limit = (value) => Math.round(Math.min(Math.max(value, -1), 1) * 50) / 50;
    const now = { dx: limit(dx), dy: limit(dy), fire: this.#keys.has("Space") || this.#fires.size > 0 };
    document.getElementById("fire-button").classList.toggle("held", now.fire);
    const text = JSON.stringify(now);
    if (text !== this.#last) {
      this.#last = text;
      this.changed(now);
    }
  }
}
