/** The line that says who is typing. */

import { Mount, find, h } from "./dom.js";

export class Typing {
  /** @param {import("./state.js").State} state */
  constructor(state) {
    this.state = state;
    this.line = new Mount(find("#typing"));
    /** Until when, by channel and name. @type {Map<string, {channel: string, name: string, until: number}>} */
    this.active = new Map();
    /** @type {number | undefined} */
    this.timer = undefined;
    state.on("typing", ({ channel, name, until }) => {
      this.active.set(`${channel} ${name}`, { channel, name, until });
      this.draw();
    });
    state.on("message", ({ channel, author, edited }) => {
      if (edited === null && this.active.delete(`${channel} ${author.name}`)) {
        this.draw();
      }
    });
    state.on("open", () => this.draw());
  }

  draw() {
    const now = Date.now();
    for (const [key, { until }] of this.active) {
      if (until <= now) {
        this.active.delete(key);
      }
    }
    const here = [...this.active.values()].filter(({ channel }) => channel === this.state.open);
    const names = here.map(({ name }) => name);
    this.line.show(
      names.length > 0 && [
        h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
        h("strong", null, names.join(", ")),
        names.length === 1 ? " is typing…" : " are typing…",
      ],
    );
    clearTimeout(this.timer);
    if (this.active.size > 0) {
      const next = Math.min(...[...this.active.values()].map(({ until }) => until));
      this.timer = window.setTimeout(() => this.draw(), Math.max(next - now, 0) + 1);
    }
  }
}
