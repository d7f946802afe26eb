/** One message on screen: its element, and how it is drawn from what the server says. */

import { drawComponent } from "./components.js";
import { Mount, element, h } from "./dom.js";
import { drawAttachment, drawEmbed, firstLetter, hueOf } from "./embeds.js";
import { icon } from "./icons.js";
import { isOnlyEmoji, parse, plainText, render } from "./markdown.js";
import { dayName, fullDate, messageTime, sameDay, timeOfDay } from "./times.js";

/**
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./types.js").Names} Names
 * @typedef {import("./dom.js").VNode} VNode
 */

/** Messages of one author within this time stand under one name. */
const GROUP_MS = 7 * 60_000;

/**
 * Note that is no message: a command that is under way, or that failed. Only its author sees it.
 *
 * @typedef {Message & {note?: "sending" | "failed", sentence?: string}} Shown
 */

/** A message and its element. */
export class MessageView {
  /** @param {Shown} message */
  constructor(message) {
    this.message = message;
    this.node = element("div", { class: "message", role: "article", tabindex: "-1", "data-message": message.id });
    const frame = element("div", { class: "message-frame" });
    this.node.append(frame);
    this.frame = new Mount(frame);
    /** @type {string | null} */
    this.busy = null;
    /** @type {string | null} */
    this.failure = null;
    this.editing = false;
    /** @type {Map<string, string[]>} */
    this.chosen = new Map();
    /** What the content was drawn from; drawing it is most of the work. @type {unknown[]} */
    this.drawnFrom = [];
    /** @type {VNode[]} */
    this.content = [];
  }

  /**
   * Draw anew what differs.
   *
   * @param {Message | null} before
   * @param {Names} names
   * @param {string} me
   */
  draw(before, names, me) {
    const { message } = this;
    const head = startsGroup(message, before);
    const day = before === null || !sameDay(before.at, message.at);
    const mentioned = message.content.includes(`<@${me}>`) && message.author.id !== me;
    const style = [
      "message",
      head ? "head" : "",
      message.only_you ? "only-you" : "",
      mentioned ? "mentioned" : "",
      this.editing ? "editing" : "",
      message.loading ? "thinking" : "",
    ]
      .filter(Boolean)
      .join(" ");
    const label = `${message.author.name}, ${messageTime(message.at, Date.now())}`;
    if (this.node.className !== style) {
      this.node.className = style;
    }
    if (this.node.getAttribute("aria-label") !== label) {
      this.node.setAttribute("aria-label", label);
    }
    this.frame.show(
      day && h("div", { class: "day", key: "day", role: "separator" }, h("span", null, dayName(message.at))),
      // The same four places whatever stands in them, so that a message that joins a group keeps its parts as they are.
      h(
        "div",
        { class: "message-body", key: "body" },
        h("div", { class: "context" }, head && drawOrigin(message, names)),
        h(
          "div",
          { class: "gutter" },
          head
            ? drawAvatar(message)
            : h("time", { class: "side-time", title: fullDate(message.at) }, timeOfDay(message.at)),
        ),
        h("div", { class: "message-head" }, head && drawHeader(message)),
        h("div", { class: "message-parts" }, this.drawParts(names)),
      ),
    );
  }

  /** @param {Names} names */
  drawParts(names) {
    const { message } = this;
    const around = { names, files: message.attachments, busy: this.busy, chosen: this.chosen };
    return [
      this.editing ? h("div", { class: "edit-slot", key: "edit" }) : this.drawContent(names),
      message.attachments.length > 0 &&
        !message.v2 &&
        h("div", { class: "attachments", key: "files" }, message.attachments.map(drawAttachment)),
      message.embeds.length > 0 &&
        h(
          "div",
          { class: "embeds", key: "embeds" },
          message.embeds.map((embed) => drawEmbed(embed, names)),
        ),
      message.components.length > 0 &&
        h(
          "div",
          { class: message.v2 ? "components v2" : "components", key: "components" },
          message.components.map((part) => drawComponent(part, around)),
        ),
      this.failure !== null &&
        h("div", { class: "failure", key: "failure", role: "status" }, icon("warning"), this.failure),
      message.only_you && drawOnlyYou(message),
    ];
  }

  /** @param {Names} names @returns {VNode | null} */
  drawContent(names) {
    const { message } = this;
    if (message.loading || message.note === "sending") {
      const words = message.loading ? `${message.author.name} is thinking…` : "Sending command…";
      return h(
        "div",
        { class: "content waiting", key: "content" },
        h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
        words,
      );
    }
    if (message.note === "failed") {
      return h("div", { class: "content failed", key: "content" }, icon("warning"), message.sentence ?? "");
    }
    if (message.content === "") {
      return null;
    }
    const from = [message.content, names, message.edited !== null];
    if (from.some((value, index) => value !== this.drawnFrom[index])) {
      this.drawnFrom = from;
      this.content = [
        ...render(parse(message.content), names),
        ...(message.edited === null ? [] : [drawEdited(message.edited)]),
      ];
    }
    const large = isOnlyEmoji(message.content);
    return h("div", { class: large ? "content markup large" : "content markup", key: "content" }, this.content);
  }
}

/** @param {number} at */
function drawEdited(at) {
  return h("span", { class: "edited", key: "edited" }, " ", h("time", { title: fullDate(at) }, "(edited)"));
}

/**
 * Tell whether a message stands under a name of its own.
 *
 * @param {Shown} message
 * @param {Message | null} before
 * @returns {boolean}
 */
function startsGroup(message, before) {
  return (
    before === null ||
    before.author.id !== message.author.id ||
    before.author.name !== message.author.name ||
    before.only_you !== message.only_you ||
    message.reply !== null ||
    message.origin !== null ||
    message.note !== undefined ||
    message.kind === "system" ||
    message.at - before.at > GROUP_MS ||
    !sameDay(before.at, message.at)
  );
}

/** @param {Message} message @param {Names} names */
function drawOrigin(message, names) {
  if (message.origin !== null) {
    const { user, name } = message.origin;
    return h(
      "div",
      { class: "reply-line" },
      drawSmallAvatar(user),
      h("span", { class: "reply-author" }, user),
      " used ",
      h(
        "span",
        { class: "origin-command" },
        message.kind === "context_menu" ? (name ?? "") : `/${(name ?? "").replace(/^\//, "")}`,
      ),
    );
  }
  if (message.reply === null) {
    return null;
  }
  const { reply } = message;
  if (reply.gone) {
    return h("div", { class: "reply-line gone" }, icon("reply"), h("em", null, "Original message was deleted"));
  }
  const quoted = plainText(parse(reply.text.replace(/\n+/g, " "), { blocks: false }), names);
  return h(
    "button",
    { class: "reply-line", type: "button", "data-do": "jump", "data-to": reply.id },
    drawSmallAvatar(reply.author),
    h("span", { class: "reply-author" }, `@${reply.author}`),
    h("span", { class: "reply-text" }, quoted || "Click to see the message"),
  );
}

/** @param {string} name */
function drawSmallAvatar(name) {
  return h("span", { class: "avatar small", "aria-hidden": "true", vars: { "--hue": hueOf(name) } }, firstLetter(name));
}

/** @param {Message} message */
function drawAvatar(message) {
  return h(
    "div",
    { class: "avatar", "aria-hidden": "true", vars: { "--hue": message.author.hue } },
    message.author.initial,
  );
}

/** @param {Shown} message */
function drawHeader(message) {
  const { author } = message;
  return [
    h("span", { class: "author" }, author.name),
    (author.bot || author.webhook) && h("span", { class: "app-tag" }, "APP"),
    h("time", { class: "at", title: fullDate(message.at) }, messageTime(message.at, Date.now())),
  ];
}

/** @param {Shown} message */
function drawOnlyYou(message) {
  return h(
    "div",
    { class: "only-you-line", key: "only-you" },
    icon("eye"),
    "Only you can see this · ",
    h("button", { class: "link-button", type: "button", "data-do": "dismiss" }, "Dismiss message"),
  );
}

/**
 * Make the note about a command of one's own that has no answer.
 *
 * @param {object} about
 * @param {string} about.id
 * @param {string} about.channel
 * @param {string} about.user
 * @param {string} about.name the command, as its line names it
 * @param {boolean} about.menu whether it is an entry of a menu
 * @param {import("./types.js").Author} about.author
 * @returns {Shown}
 */
export function commandNote(about) {
  return {
    id: about.id,
    channel: about.channel,
    at: Date.now(),
    edited: null,
    author: about.author,
    content: "",
    kind: about.menu ? "context_menu" : "command",
    reply: null,
    origin: { user: about.user, name: about.name },
    only_you: true,
    loading: false,
    v2: false,
    embeds: [],
    components: [],
    attachments: [],
    may: { edit: false, delete: true, reply: false },
    note: "sending",
  };
}
