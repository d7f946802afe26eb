/**
 * The messages of the open channel: in order, each drawn when it changes, and the reader's place kept whatever happens.
 *
 * Changes are gathered and made once a frame, for no longer than a few milliseconds at a time; a reader at the bottom
 * stays there, and for everybody else what they look at does not move.
 */

import { Mount, find, h } from "./dom.js";
import { PLACE_ICONS, icon } from "./icons.js";
import { MessageView } from "./message_view.js";

/**
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./message_view.js").Shown} Shown
 * @typedef {import("./state.js").State} State
 */

/** Longest work in one frame, in milliseconds; what is left waits for the next one. */
const FRAME_BUDGET_MS = 10;
/** Messages that are put in at once; a page of history goes in by as many steps as it takes. */
const CHUNK = 8;
/** Pixels from the top at which older messages are fetched. */
const NEAR_TOP = 900;
/** Pixels that still count as the bottom: browsers round. */
const AT_BOTTOM = 2;
/** Pages of history that a jump to a quoted message goes back through. */
const JUMP_PAGES = 10;
const GLOW_MS = 1_600;
const KEY_WIDTH = 20;

export class MessageList {
  /**
   * @param {object} parts
   * @param {State} parts.state
   * @param {import("./types.js").Ask} parts.ask
   */
  constructor({ state, ask }) {
    this.state = state;
    this.ask = ask;
    this.scroller = find("#scroller");
    this.top = new Mount(find("#history-top"));
    this.node = find("#messages");
    this.present = find("#jump-to-present");
    /** @type {Map<string, MessageView>} */
    this.views = new Map();
    /** @type {MessageView[]} */
    this.order = [];
    /** What is to be drawn in the next frame; null for what is gone. @type {Map<string, Shown | null>} */
    this.pending = new Map();
    /** Those that went while their page of history was on its way. @type {Set<string>} */
    this.gone = new Set();
    this.frameAsked = false;
    this.pinned = true;
    this.lastTop = 0;
    this.missed = 0;
    this.more = false;
    this.fetching = false;
    /** Counts the channels that were opened: answers for an earlier one are dropped. */
    this.opening = 0;
    this.loaded = false;
    /** The one message that Tab reaches. @type {MessageView | null} */
    this.reachable = null;

    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    const resized = new ResizeObserver(() => this.stay());
    resized.observe(this.scroller);
    resized.observe(this.node);
    this.present.addEventListener("click", () => this.toPresent());
    this.node.addEventListener("focusin", (event) => this.focused(event));
    this.node.addEventListener("keydown", (event) => this.pressed(event));
    state.on("message", (message) => message.channel === state.open && this.queue(message.id, message));
    state.on("gone", (frame) => frame.channel === state.open && this.queue(frame.id, null));
    state.on("state", ({ names }) => names && this.drawMentions());
  }

  // What is shown

  /** Show the open channel from its newest message. */
  async load() {
    const channel = this.state.open;
    this.opening += 1;
    const { opening } = this;
    this.loaded = false;
    this.more = false;
    this.clear();
    const answer = await this.ask("open", { channel });
    if (opening !== this.opening || !answer.ok) {
      return;
    }
    const messages = answer.messages ?? [];
    for (const { id } of messages) {
      this.pending.delete(id);
    }
    this.more = answer.more ?? false;
    await this.prepend(messages, opening);
    if (opening === this.opening) {
      this.loaded = true;
      this.keepPlace(() => this.drawTop());
      this.askFrame();
      this.scrolled();
    }
  }

  clear() {
    this.pending.clear();
    this.gone.clear();
    this.views.clear();
    this.order = [];
    this.reachable = null;
    this.fetching = false;
    this.node.replaceChildren();
    this.top.show();
    this.pinned = true;
    this.lastTop = 0;
    this.countMissed(0);
  }

  /** Fetch what was said before. */
  async loadOlder() {
    const oldest = this.order.find((view) => view.message.note === undefined);
    if (this.fetching || !this.more || !oldest) {
      return;
    }
    this.fetching = true;
    const { opening } = this;
    const answer = await this.ask("open", { channel: this.state.open, before: oldest.message.id });
    if (opening !== this.opening) {
      return;
    }
    this.more = answer.more ?? false;
    await this.prepend(answer.messages ?? [], opening);
    if (opening !== this.opening) {
      return;
    }
    this.fetching = false;
    this.keepPlace(() => this.drawTop());
    this.scrolled();
  }

  /**
   * Put a page of history in front, the newest of it first.
   *
   * @param {Message[]} messages oldest first
   * @param {number} opening
   */
  async prepend(messages, opening) {
    for (let end = messages.length; end > 0; end -= CHUNK) {
      const chunk = messages
        .slice(Math.max(0, end - CHUNK), end)
        .filter(({ id }) => !this.views.has(id) && !this.gone.has(id));
      this.keepPlace(() => chunk.reverse().forEach((message) => this.insert(message)));
      await pause();
      if (opening !== this.opening) {
        return;
      }
    }
  }

  /** @param {Shown} message */
  insert(message) {
    const view = new MessageView(message);
    const index = this.placeOf(keyOf(message));
    this.views.set(message.id, view);
    this.order.splice(index, 0, view);
    this.node.insertBefore(view.node, this.order[index + 1]?.node ?? null);
    this.drawAt(index);
    this.drawAt(index + 1);
    if (this.pinned || this.reachable === null) {
      this.setReachable(this.order[this.order.length - 1]);
    }
  }

  /** @param {string} key @returns {number} where a message belongs; both ends, where most go, are found at once */
  placeOf(key) {
    let index = this.order.length;
    if (index > 0 && key < keyOf(this.order[0].message)) {
      return 0;
    }
    while (index > 0 && keyOf(this.order[index - 1].message) > key) {
      index -= 1;
    }
    return index;
  }

  /** @param {MessageView} view */
  remove(view) {
    const index = this.order.indexOf(view);
    this.order.splice(index, 1);
    this.views.delete(view.message.id);
    const hadFocus = view.node.contains(document.activeElement);
    view.node.remove();
    this.drawAt(index);
    if (this.reachable === view) {
      const next = this.order[Math.min(index, this.order.length - 1)] ?? null;
      this.setReachable(next);
      if (hadFocus) {
        next?.node.focus({ preventScroll: true });
      }
    }
  }

  /** @param {number} index */
  drawAt(index) {
    const view = this.order[index];
    view?.draw(this.order[index - 1]?.message ?? null, this.state.names, this.state.me.id);
  }

  /** @param {MessageView} view */
  draw(view) {
    this.keepPlace(() => this.drawAt(this.order.indexOf(view)));
  }

  drawTop() {
    const { channel } = this.state;
    if (this.more) {
      this.top.show(
        h(
          "div",
          { class: "history-loading", key: "more" },
          h("span", { class: "spinner" }),
          "Loading earlier messages…",
        ),
      );
    } else if (channel) {
      const { kind, name, topic } = channel;
      const words = {
        text: [`Welcome to #${name}!`, `This is the start of the #${name} channel. ${topic}`],
        thread: [name, "This is the start of the thread."],
        dm: [name, `This is the beginning of your direct messages with ${name}.`],
      }[kind];
      this.top.show(
        h(
          "div",
          { class: "welcome", key: "welcome" },
          h("div", { class: "welcome-sign" }, icon(PLACE_ICONS[kind])),
          h("h3", null, words[0]),
          h("p", null, words[1]),
        ),
      );
    }
  }

  /** Draw anew whatever names somebody, as the names have changed. */
  drawMentions() {
    for (const { message } of this.order) {
      if (JSON.stringify([message.content, message.embeds, message.components]).includes("<")) {
        this.queue(message.id, message);
      }
    }
  }

  // Changes, once a frame

  /** @param {string} id @param {Shown | null} change */
  queue(id, change) {
    this.pending.set(id, change);
    this.askFrame();
  }

  askFrame() {
    if (!this.frameAsked && this.pending.size > 0) {
      this.frameAsked = true;
      requestAnimationFrame(() => this.flush());
    }
  }

  flush() {
    this.frameAsked = false;
    const until = performance.now() + FRAME_BUDGET_MS;
    this.keepPlace(() => {
      for (const [id, change] of this.pending) {
        const view = this.views.get(id);
        if (change === null) {
          this.gone.add(id);
          if (view) {
            this.remove(view);
          }
        } else if (view) {
          this.update(view, change);
        } else if (this.loaded || this.views.size > 0) {
          this.arrive(change);
        } else {
          continue;
        }
        this.pending.delete(id);
        if (performance.now() > until) {
          break;
        }
      }
    });
    if (this.loaded) {
      this.askFrame();
    }
  }

  /** @param {MessageView} view @param {Shown} message */
  update(view, message) {
    const before = view.message;
    view.message = message;
    // Selects show what the message says now.
    view.chosen.clear();
    const index = this.order.indexOf(view);
    this.drawAt(index);
    if (before.author.name !== message.author.name) {
      this.drawAt(index + 1);
    }
  }

  /** @param {Shown} message */
  arrive(message) {
    const newest = this.order[this.order.length - 1]?.message;
    if (this.more && this.order[0] && keyOf(message) < keyOf(this.order[0].message)) {
      return; // It is of a page that was not fetched yet.
    }
    this.insert(message);
    if (!this.pinned && (!newest || keyOf(message) > keyOf(newest))) {
      this.countMissed(this.missed + 1);
    }
  }

  // The reader's place

  /**
   * Change what is shown, while what the reader looks at stays where it is.
   *
   * @param {() => void} change
   */
  keepPlace(change) {
    const anchor = this.pinned ? null : this.firstVisible();
    const before = anchor?.node.getBoundingClientRect().top ?? 0;
    change();
    if (this.pinned) {
      this.toBottom();
    } else if (anchor?.node.isConnected) {
      const moved = anchor.node.getBoundingClientRect().top - before;
      if (Math.abs(moved) >= 1) {
        this.scroller.scrollTop += moved;
        this.lastTop = this.scroller.scrollTop;
      }
    }
  }

  /** @returns {MessageView | null} */
  firstVisible() {
    const { scrollTop } = this.scroller;
    let low = 0;
    let high = this.order.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { node } = this.order[middle];
      if (node.offsetTop + node.offsetHeight <= scrollTop) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return this.order[low] ?? null;
  }

  toBottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.lastTop = this.scroller.scrollTop;
  }

  stay() {
    if (this.pinned) {
      this.toBottom();
    }
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const left = scrollHeight - scrollTop - clientHeight;
    if (left <= AT_BOTTOM) {
      this.pinned = true;
      this.countMissed(0);
    } else if (scrollTop < this.lastTop - 1) {
      // Only the reader moves upwards: what grows below leaves the place as it is.
      this.pinned = false;
    }
    this.lastTop = scrollTop;
    this.present.hidden = this.pinned || left < clientHeight;
    if (this.loaded && scrollTop < NEAR_TOP) {
      void this.loadOlder();
    }
  }

  /** Go to the newest message. */
  toPresent() {
    this.pinned = true;
    this.toBottom();
    this.countMissed(0);
  }

  /** @param {number} missed */
  countMissed(missed) {
    this.missed = missed;
    const words = missed === 0 ? "Jump to present" : `${missed} new ${missed === 1 ? "message" : "messages"}`;
    find(".words", this.present).textContent = words;
    if (missed > 0) {
      this.present.hidden = false;
    } else if (this.pinned) {
      this.present.hidden = true;
    }
  }

  /**
   * Show a message that another one quotes, going back for it when need be.
   *
   * @param {string} id
   * @returns {Promise<boolean>} whether it was found
   */
  async jumpTo(id) {
    for (let page = 0; page < JUMP_PAGES && !this.views.has(id) && this.more; page += 1) {
      await this.loadOlder();
    }
    const view = this.views.get(id);
    if (!view) {
      return false;
    }
    this.pinned = false;
    view.node.scrollIntoView({ block: "center" });
    this.setReachable(view);
    view.node.classList.add("glow");
    setTimeout(() => view.node.classList.remove("glow"), GLOW_MS);
    return true;
  }

  // For the others

  /** @param {string | undefined} id @returns {MessageView | undefined} */
  view(id) {
    return id === undefined ? undefined : this.views.get(id);
  }

  /** @param {Event} event @returns {MessageView | undefined} the message that an event happened in */
  viewAt(event) {
    const node = event.target instanceof Element ? event.target.closest("[data-message]") : null;
    return this.view(node?.getAttribute("data-message") ?? undefined);
  }

  /** @returns {MessageView | undefined} the newest message that the person may edit */
  get lastOwn() {
    return this.order.findLast(({ message }) => message.may.edit && message.author.id === this.state.me.id);
  }

  /** @returns {string} an id for a note that is to stand below everything that is there now */
  noteId() {
    const newest = this.order[this.order.length - 1];
    return `${newest ? keyOf(newest.message) : ""}~`;
  }

  /** @param {Shown} note */
  addNote(note) {
    this.queue(note.id, note);
  }

  /** @param {string} id */
  removeNote(id) {
    this.queue(id, null);
  }

  focusNewest() {
    this.reachable?.node.focus();
  }

  // Keyboard

  /** @param {MessageView | null} view */
  setReachable(view) {
    if (this.reachable !== view) {
      this.reachable?.node.setAttribute("tabindex", "-1");
      view?.node.setAttribute("tabindex", "0");
      this.reachable = view;
    }
  }

  /** @param {FocusEvent} event */
  focused(event) {
    this.setReachable(this.viewAt(event) ?? this.reachable);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const view = this.viewAt(event);
    if (!view || event.target !== view.node) {
      return;
    }
    const index = this.order.indexOf(view);
    const last = this.order.length - 1;
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: last }[event.key];
    const next = to === undefined ? undefined : this.order[Math.min(Math.max(to, 0), last)];
    if (next) {
      event.preventDefault();
      next.node.focus();
    }
  }
}

/** @param {Shown} message @returns {string} by which messages are in order: ids grow with time */
function keyOf(message) {
  return message.id.padStart(KEY_WIDTH, "0");
}

/** Let the browser do what waits, and go on afterwards. */
function pause() {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
