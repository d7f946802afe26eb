/** The list of channels, and who one is. */

import { Mount, find, h, hit } from "./dom.js";
import { firstLetter } from "./embeds.js";
import { PLACE_ICONS, icon } from "./icons.js";
import { openMenu } from "./popup.js";

/** @typedef {import("./types.js").Channel} Channel */

export class Sidebar {
  /**
   * @param {object} parts
   * @param {import("./state.js").State} parts.state
   * @param {import("./popup.js").Popups} parts.popups
   * @param {(id: string) => void} parts.onOpen
   * @param {(id: string) => void} parts.onBecome
   * @param {(takes: boolean) => void} parts.onPrivacy called with whether the person takes direct messages
   */
  constructor({ state, popups, onOpen, onBecome, onPrivacy }) {
    this.state = state;
    this.popups = popups;
    this.onOpen = onOpen;
    this.onBecome = onBecome;
    this.onPrivacy = onPrivacy;
    this.list = new Mount(find("#channels"));
    this.person = new Mount(find("#person"));
    this.sign = find("#server-sign");
    this.serverName = find("#server-name");
    find("#channels").addEventListener("click", (event) => this.clicked(event));
    find("#person").addEventListener("click", () => this.choosePerson());
    state.on("state", () => this.draw());
    state.on("open", () => this.draw());
    state.on("unread", () => this.draw());
  }

  draw() {
    const { state } = this;
    this.serverName.textContent = state.serverName;
    this.sign.textContent = initials(state.serverName);
    const { channel: open } = state;
    document.title = open ? `${open.kind === "dm" ? "@" : "#"}${open.name} · ${state.serverName}` : state.serverName;
    const talks = state.channels.filter(({ kind }) => kind === "dm");
    const [above, own] = splitByParent(state.channels.filter(({ kind }) => kind !== "dm"));
    this.list.show(
      h("li", { class: "channel-group", key: "group" }, "Text channels"),
      above.map((channel) => [
        this.entry(channel),
        ...own.filter((thread) => thread.parent === channel.id).map((thread) => this.entry(thread)),
      ]),
      talks.length > 0 && h("li", { class: "channel-group", key: "talks" }, "Direct messages"),
      talks.map((talk) => this.entry(talk)),
    );
    const { me } = state;
    this.person.show(
      h("span", { class: "avatar", "aria-hidden": "true", vars: { "--hue": me.hue } }, firstLetter(me.name)),
      h(
        "span",
        { class: "person-words" },
        h("span", { class: "unseen" }, "You are "),
        h("span", { class: "person-name" }, me.name),
        h("span", { class: "person-role" }, ` (${me.role})`),
      ),
      icon("down"),
    );
    find("#person").setAttribute("title", "Be somebody else");
  }

  /** @param {Channel} channel */
  entry(channel) {
    const { state } = this;
    const isOpen = channel.id === state.open;
    const unread = state.unread.has(channel.id);
    const isThread = channel.kind === "thread";
    return h(
      "li",
      { class: isThread ? "channel-item thread" : "channel-item", key: channel.id },
      h(
        "button",
        {
          class: `channel${isOpen ? " open" : ""}${unread ? " unread" : ""}`,
          type: "button",
          "data-channel": channel.id,
          "aria-current": isOpen ? "page" : null,
        },
        !isThread && icon(PLACE_ICONS[channel.kind]),
        h("span", { class: "channel-name" }, channel.name),
        channel.nsfw && h("span", { class: "age-mark", title: "Age-restricted" }, "18+"),
        isThread && h("span", { class: "unseen" }, " (thread)"),
        unread && h("span", { class: "unseen" }, " (unread)"),
      ),
    );
  }

  /** @param {Event} event */
  clicked(event) {
    const id = hit(event, "[data-channel]")?.dataset.channel;
    if (id) {
      this.onOpen(id);
    }
  }

  choosePerson() {
    const opener = find("#person");
    if (opener.getAttribute("aria-expanded") === "true") {
      this.popups.closeAll();
      return;
    }
    const { me, people } = this.state;
    openMenu(
      this.popups,
      [
        ...people.map((person) => ({
          label: `${person.name} (${person.role})`,
          icon: person.id === me.id ? icon("check") : undefined,
          act: () => this.onBecome(person.id),
        })),
        {
          label: me.takes_dms ? "Close direct messages" : "Allow direct messages",
          apart: true,
          act: () => this.onPrivacy(!me.takes_dms),
        },
      ],
      "Be somebody else",
      { opener, sameWidth: true },
    );
  }
}

/** @param {Channel[]} channels @returns {[Channel[], Channel[]]} those of the list itself, and those below another */
function splitByParent(channels) {
  const ids = new Set(channels.map(({ id }) => id));
  const isBelow = (/** @type {Channel} */ { kind, parent }) => kind === "thread" && parent !== null && ids.has(parent);
  return [channels.filter((channel) => !isBelow(channel)), channels.filter(isBelow)];
}

/** @param {string} name */
function initials(name) {
  return name
    .split(/\s+/)
    .map((word) => firstLetter(word))
    .slice(0, 2)
    .join("");
}

/** The line over the messages: where one is, and how the bot is. */
export class ChannelHead {
  /**
   * @param {object} parts
   * @param {import("./state.js").State} parts.state
   * @param {() => void} parts.onBot
   */
  constructor({ state, onBot }) {
    this.state = state;
    this.name = new Mount(find("#channel-name"));
    this.topic = find("#channel-topic");
    this.bot = new Mount(find("#bot-state"));
    this.words = find("#demo-words");
    find("#bot-state").addEventListener("click", onBot);
    for (const change of ["open", "state", "bot", "connected"]) {
      state.on(change, () => this.draw());
    }
  }

  draw() {
    const { state } = this;
    const { channel } = state;
    this.name.show(
      icon(PLACE_ICONS[channel?.kind ?? "text"]),
      h("span", { class: "channel-title" }, channel?.name ?? ""),
      channel?.nsfw && h("span", { class: "age-mark", title: "Age-restricted" }, "18+"),
    );
    this.topic.textContent = channel?.topic ?? "";
    this.topic.title = channel?.topic ?? "";
    const words = state.connected ? BOT_WORDS[state.bot] : "Reconnecting…";
    const status = state.connected ? state.bot : "starting";
    this.bot.show(h("span", { class: `dot ${status}`, "aria-hidden": "true" }), h("span", null, words));
    find("#bot-state").title = state.botSentence ?? "How the bot is; levers";
    this.words.textContent = state.live
      ? "Local demo of a Discord server. Only the characters and their replies are real: your key pays for them."
      : "Local demo of a Discord server. Replies here are scripted: no AI is asked.";
  }
}

/** @type {Record<import("./types.js").BotState, string>} */
const BOT_WORDS = { up: "Bot is online", starting: "Bot is starting", down: "Bot is offline" };
