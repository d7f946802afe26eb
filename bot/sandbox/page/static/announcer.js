/** What a screen reader says by itself: news, each once, when it has stopped changing. */

import { find } from "./dom.js";
import { parse, plainText } from "./markdown.js";

/** A streamed reply is read out when nothing more has come for this long. */
const QUIET_MS = 1_500;
const LONGEST = 400;
const SHOWN_MS = 4_000;

export class Announcer {
  /** @param {import("./state.js").State} state */
  constructor(state) {
    this.state = state;
    this.region = find("#announcements");
    this.notice = find("#notice");
    /** @type {Map<string, number>} */
    this.waiting = new Map();
    /** @type {number | undefined} */
    this.hiding = undefined;
    state.on("message", (message) => this.heard(message));
    state.on("gone", ({ id }) => clearTimeout(this.waiting.get(id)));
  }

  /** @param {import("./types.js").Message} message */
  heard(message) {
    const known = this.waiting.has(message.id);
    if (
      message.channel !== this.state.open ||
      message.author.id === this.state.me.id ||
      (message.edited !== null && !known)
    ) {
      return;
    }
    clearTimeout(this.waiting.get(message.id));
    const timer = window.setTimeout(() => {
      this.waiting.delete(message.id);
      const parts = [message.content, ...message.embeds.flatMap((embed) => [embed.title, embed.description])];
      const text = plainText(parse(parts.filter(Boolean).join("\n")), this.state.names).slice(0, LONGEST);
      if (!message.loading) {
        this.region.textContent = `${message.author.name}: ${text}`;
      }
    }, QUIET_MS);
    this.waiting.set(message.id, timer);
  }

  /**
   * Show a short sentence for a moment, and have it read out.
   *
   * @param {string} sentence
   */
  say(sentence) {
    this.notice.textContent = sentence;
    this.notice.hidden = false;
    clearTimeout(this.hiding);
    this.hiding = window.setTimeout(() => {
      this.notice.hidden = true;
    }, SHOWN_MS);
  }
}
