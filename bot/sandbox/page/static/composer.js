/** The message box: writing, replying, naming people, and where commands begin. */

import { CommandLine } from "./command_line.js";
import { matchCommands } from "./commands.js";
import { Mount, find, h } from "./dom.js";
import { icon } from "./icons.js";
import { mentionables, toWire } from "./mentions.js";
import { Suggestions } from "./suggestions.js";

/**
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./types.js").Command} Command
 * @typedef {import("./listbox.js").Option} Option
 */

const MAX_CHARACTERS = 2_000;
/** The counter shows from here on. */
const FEW_LEFT = 200;
const MOST_NAMES = 8;
const NAME_BEING_TYPED = /(?:^|\s)([@#][^\s@#]*)$/;

export class Composer {
  /**
   * @param {object} parts
   * @param {import("./state.js").State} parts.state
   * @param {import("./types.js").Ask} parts.ask
   * @param {import("./announcer.js").Announcer} parts.announcer
   * @param {import("./message_list.js").MessageList} parts.list
   * @param {(words: string, options: Record<string, unknown>) => void} parts.onRun
   */
  constructor({ state, ask, announcer, list, onRun }) {
    this.state = state;
    this.ask = ask;
    this.announcer = announcer;
    this.list = list;
    /** Called when the person asks to edit what they said last. */
    this.onEditLast = () => {};
    this.node = find("#composer");
    this.input = /** @type {HTMLTextAreaElement} */ (find("#composer-input"));
    this.counter = find("#counter");
    this.send = /** @type {HTMLButtonElement} */ (find("#send"));
    this.apps = /** @type {HTMLButtonElement} */ (find("#apps-button"));
    this.replyBar = find("#reply-bar");
    this.reply = new Mount(this.replyBar);
    /** @type {Message | null} */
    this.replied = null;
    this.ping = true;
    /** What was begun in other channels. @type {Map<string, string>} */
    this.drafts = new Map();
    /** @type {string | null} */
    this.place = null;
    this.suggestions = new Suggestions();
    this.line = new CommandLine({
      state,
      ask,
      suggestions: this.suggestions,
      onRun,
      onEnd: () => this.afterCommand(),
    });
    this.input.addEventListener("input", () => this.changed());
    this.input.addEventListener("click", () => this.offer());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.input.addEventListener("blur", () => this.suggestions.hide());
    this.send.addEventListener("click", () => this.submit());
    this.apps.addEventListener("click", () => this.openPicker());
    this.replyBar.addEventListener("click", (event) => this.replyClicked(event));
    state.on("open", () => this.changePlace());
    state.on("state", ({ person }) => this.refresh(person));
    state.on("gone", ({ id }) => this.replied?.id === id && this.replyTo(null));
  }

  focus() {
    if (this.line.isOpen) {
      this.line.focus();
    } else {
      this.input.focus();
    }
  }

  // Where one is

  changePlace() {
    if (this.place !== null && this.place !== this.state.open) {
      this.drafts.set(this.place, this.input.value);
      this.endCommand();
      this.replyTo(null);
      this.input.value = this.drafts.get(this.state.open ?? "") ?? "";
    }
    this.place = this.state.open;
    this.refresh(false);
    this.changed();
  }

  /** @param {boolean} person whether it is another person now */
  refresh(person) {
    if (person) {
      this.endCommand();
      this.replyTo(null);
    }
    const { channel } = this.state;
    const may = channel?.may_write ?? false;
    this.input.disabled = !may;
    this.apps.disabled = !may;
    this.send.disabled = !may;
    const sign = channel?.kind === "dm" ? "@" : "#";
    const where = channel?.kind === "thread" ? `"${channel.name}"` : `${sign}${channel?.name ?? ""}`;
    const words = may ? `Message ${where}` : "You do not have permission to send messages in this channel.";
    this.input.placeholder = words;
    this.input.setAttribute("aria-label", words);
    this.node.classList.toggle("closed", !may);
  }

  // Writing

  changed() {
    this.input.style.setProperty("height", "auto");
    this.input.style.setProperty("height", `${this.input.scrollHeight}px`);
    const left = MAX_CHARACTERS - toWire(this.input.value, this.state.names).length;
    this.counter.hidden = left > FEW_LEFT;
    this.counter.textContent = String(left);
    this.counter.classList.toggle("over", left < 0);
    this.counter.setAttribute("aria-label", left < 0 ? `${-left} characters too many` : `${left} characters left`);
    this.offer();
  }

  /** Offer commands or names for what is being typed. */
  offer() {
    const { value, selectionStart } = this.input;
    if (document.activeElement !== this.input) {
      this.suggestions.hide();
      return;
    }
    if (value.startsWith("/") && !value.includes("\n")) {
      this.offerCommands(value.slice(1));
      return;
    }
    const typed = NAME_BEING_TYPED.exec(value.slice(0, selectionStart ?? value.length))?.[1];
    if (typed === undefined) {
      this.suggestions.hide();
    } else {
      this.offerNames(typed);
    }
  }

  /** @param {string} typed */
  offerCommands(typed) {
    const fitting = matchCommands(this.state.commands, typed);
    const exact = typed.endsWith(" ") && fitting.find(({ words }) => words === typed.trim());
    if (exact) {
      this.beginCommand(exact);
      return;
    }
    if (fitting.length === 0) {
      this.suggestions.hide();
      return;
    }
    this.suggestions.show(this.input, {
      heading: null,
      options: fitting.map((command) => ({
        value: command.words,
        label: `/${command.words}`,
        detail: command.description,
        group: this.state.application.name,
      })),
      onPick: ({ value }) => this.startCommand(value),
    });
  }

  /** @param {string} typed with its sign */
  offerNames(typed) {
    const wanted = typed.slice(1).toLowerCase();
    const fitting = mentionables(this.state.names)
      .filter(({ shown }) => shown[0] === typed[0] && shown.slice(1).toLowerCase().includes(wanted))
      .sort(
        (one, other) =>
          Number(!one.shown.slice(1).toLowerCase().startsWith(wanted)) -
          Number(!other.shown.slice(1).toLowerCase().startsWith(wanted)),
      )
      .slice(0, MOST_NAMES);
    if (fitting.length === 0) {
      this.suggestions.hide();
      return;
    }
    this.suggestions.show(this.input, {
      heading: null,
      options: fitting.map(({ shown, wire }) => ({
        value: wire,
        label: shown,
        group: typed[0] === "#" ? "Channels" : "Members and roles",
      })),
      onPick: ({ label }) => this.complete(typed, label),
    });
  }

  /** @param {string} typed @param {string} name */
  complete(typed, name) {
    const { value } = this.input;
    const end = this.input.selectionStart ?? value.length;
    const start = end - typed.length;
    this.input.value = `${value.slice(0, start)}${name} ${value.slice(end)}`;
    const caret = start + name.length + 1;
    this.input.setSelectionRange(caret, caret);
    this.changed();
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (event.isComposing) {
      return;
    }
    if (this.suggestions.isOpen && this.pressedInPicker(event)) {
      event.preventDefault();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "ArrowUp" && this.input.value === "") {
      event.preventDefault();
      this.onEditLast();
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (this.replied) {
        this.replyTo(null);
      } else {
        this.list.toPresent();
      }
    }
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it meant something */
  pressedInPicker(event) {
    const { list } = this.suggestions;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      list.move(event.key === "ArrowDown" ? 1 : -1);
    } else if ((event.key === "Enter" && !event.shiftKey) || (event.key === "Tab" && !event.shiftKey)) {
      if (list.active) {
        this.suggestions.onPick?.(list.active);
      }
    } else if (event.key === "Escape") {
      this.suggestions.hide();
    } else {
      return false;
    }
    return true;
  }

  submit() {
    if (this.line.isOpen) {
      this.line.run();
    } else {
      void this.say();
    }
  }

  async say() {
    const typed = this.input.value;
    const text = toWire(typed.trim(), this.state.names);
    if (text === "" || this.input.disabled) {
      return;
    }
    if (text.length > MAX_CHARACTERS) {
      this.announcer.say(`Your message is ${text.length - MAX_CHARACTERS} characters too long.`);
      return;
    }
    const channel = this.state.open;
    const reply = this.replied ? { reply_to: this.replied.id, ping: this.ping } : {};
    this.input.value = "";
    this.replyTo(null);
    this.changed();
    this.list.toPresent();
    const answer = await this.ask("say", { channel, text, ...reply });
    if (!answer.ok) {
      this.announcer.say(answer.sentence ?? "Your message could not be sent.");
      if (this.input.value === "" && this.state.open === channel) {
        this.input.value = typed;
        this.changed();
      }
    }
  }

  // Replying

  /** @param {Message | null} message the one to reply to; null for none */
  replyTo(message) {
    this.replied = message;
    this.ping = true;
    this.drawReply();
    if (message) {
      this.endCommand();
      this.input.focus();
    }
  }

  drawReply() {
    this.replyBar.hidden = this.replied === null;
    this.reply.show(
      this.replied && [
        h("span", { class: "reply-words" }, "Replying to ", h("strong", null, this.replied.author.name)),
        h(
          "button",
          {
            class: this.ping ? "ping on" : "ping",
            type: "button",
            "data-do": "ping",
            "aria-pressed": String(this.ping),
            title: this.ping ? "The author is pinged" : "The author is not pinged",
          },
          icon("at"),
          this.ping ? "ON" : "OFF",
        ),
        h(
          "button",
          { class: "icon-button", type: "button", "data-do": "cancel", "aria-label": "Cancel reply" },
          icon("close"),
        ),
      ],
    );
  }

  /** @param {Event} event */
  replyClicked(event) {
    const button = event.target instanceof Element ? event.target.closest("[data-do]") : null;
    const what = button?.getAttribute("data-do");
    if (what === "ping") {
      this.ping = !this.ping;
      this.drawReply();
    } else if (what === "cancel") {
      this.replyTo(null);
      this.input.focus();
    }
  }

  // Commands

  openPicker() {
    if (!this.line.isOpen) {
      this.input.value = "/";
      this.input.focus();
      this.changed();
    }
  }

  /**
   * Begin a command by its words, as a click on its name in a message does.
   *
   * @param {string} words
   */
  startCommand(words) {
    const command = this.state.commands.find((each) => each.kind === "chat" && each.words === words);
    if (command && !this.input.disabled) {
      this.beginCommand(command);
    } else {
      this.announcer.say(`/${words} is not offered to you here.`);
    }
  }

  /** @param {Command} command */
  beginCommand(command) {
    this.input.value = "";
    this.changed();
    this.replyTo(null);
    this.input.hidden = true;
    this.node.classList.add("in-command");
    this.line.begin(command);
  }

  endCommand() {
    if (this.line.isOpen) {
      this.line.end();
    }
  }

  afterCommand() {
    this.input.hidden = false;
    this.node.classList.remove("in-command");
    this.changed();
    this.input.focus();
  }
}
