/** What can be done with a message: the toolbar on it, its menu, and everything in it that can be pressed. */

import { findComponent, presetOf } from "./components.js";
import { element, h, hit } from "./dom.js";
import { icon } from "./icons.js";
import { webAddress } from "./markdown.js";
import { fromWire, toWire } from "./mentions.js";
import { confirm } from "./modal.js";
import { openMenu } from "./popup.js";
import { openSelect } from "./select_menu.js";

/**
 * @typedef {import("./message_view.js").MessageView} MessageView
 * @typedef {import("./popup.js").Entry} Entry
 */

const MAX_PREVIEW_BYTES = 20_000;
const MAX_CHARACTERS = 2_000;

export class MessageActions {
  /**
   * @param {object} parts
   * @param {import("./state.js").State} parts.state
   * @param {import("./types.js").Ask} parts.ask
   * @param {import("./message_list.js").MessageList} parts.list
   * @param {import("./interactions.js").Interactions} parts.interactions
   * @param {import("./composer.js").Composer} parts.composer
   * @param {import("./popup.js").Popups} parts.popups
   * @param {import("./announcer.js").Announcer} parts.announcer
   * @param {(channel: string) => void} parts.onOpenChannel
   */
  constructor({ state, ask, list, interactions, composer, popups, announcer, onOpenChannel }) {
    this.state = state;
    this.ask = ask;
    this.list = list;
    this.interactions = interactions;
    this.composer = composer;
    this.popups = popups;
    this.announcer = announcer;
    this.onOpenChannel = onOpenChannel;
    /** @type {MessageView | undefined} */
    this.under = undefined;
    this.toolbar = element("div", { class: "toolbar", role: "group", "aria-label": "Message actions" });
    const { node } = list;
    node.addEventListener("click", (event) => this.clicked(event));
    node.addEventListener("keydown", (event) => this.pressed(event));
    node.addEventListener("contextmenu", (event) => this.menuAsked(event));
    node.addEventListener(
      "pointerover",
      (event) => event.pointerType !== "touch" && this.showToolbar(list.viewAt(event)),
    );
    node.addEventListener("pointerleave", () => this.hideToolbar());
    node.addEventListener("focusin", (event) => this.showToolbar(list.viewAt(event)));
    node.addEventListener("focusout", () => this.hideToolbar());
    composer.onEditLast = () => list.lastOwn && this.edit(list.lastOwn);
  }

  // Toolbar

  /** @param {MessageView | undefined} view */
  showToolbar(view) {
    const busy = this.toolbar.contains(document.activeElement) && this.under !== view;
    if (!view || this.under === view || busy || view.message.note) {
      return;
    }
    this.under = view;
    const { may } = view.message;
    const buttons = [
      may.edit && this.button("Edit", "pencil", () => this.edit(view)),
      may.reply && this.button("Reply", "reply", () => this.reply(view)),
      this.button("More", "dots", (opener) => this.openMenu(view, { opener })),
    ];
    this.toolbar.replaceChildren(...buttons.filter((button) => button !== false));
    view.node.append(this.toolbar);
  }

  hideToolbar() {
    // The focus may just be on its way from the message to the toolbar.
    setTimeout(() => {
      const { under } = this;
      if (under && !under.node.contains(document.activeElement) && !under.node.matches(":hover")) {
        this.toolbar.remove();
        this.under = undefined;
      }
    }, 0);
  }

  /** @param {string} label @param {string} sign @param {(opener: HTMLElement) => void} act */
  button(label, sign, act) {
    const button = element(
      "button",
      { class: "icon-button", type: "button", "aria-label": label, title: label },
      icon(sign),
    );
    if (label === "More") {
      button.setAttribute("aria-haspopup", "menu");
      button.setAttribute("aria-expanded", "false");
    }
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      act(button);
    });
    return button;
  }

  // Menu

  /** @param {MouseEvent} event */
  menuAsked(event) {
    const view = this.list.viewAt(event);
    if (!view || view.message.note || hit(event, "a, textarea")) {
      return;
    }
    event.preventDefault();
    this.openMenu(view, { opener: view.node, point: { x: event.clientX, y: event.clientY } });
  }

  /**
   * @param {MessageView} view
   * @param {Parameters<import("./popup.js").Popups["show"]>[1]} where
   */
  openMenu(view, where) {
    const { message } = view;
    const apps = this.state.commands.filter((command) => command.kind === "message");
    /** @type {(Entry | false)[]} */
    const entries = [
      message.may.reply && { label: "Reply", icon: icon("reply"), act: () => this.reply(view) },
      message.may.edit && { label: "Edit Message", icon: icon("pencil"), act: () => this.edit(view) },
      apps.length > 0 && {
        label: "Apps",
        icon: icon("right"),
        entries: apps.map((command) => ({
          label: command.name,
          act: () => void this.interactions.menu(message.id, command.name),
        })),
      },
      message.content !== "" && { label: "Copy Text", icon: icon("copy"), act: () => void this.copy(message.content) },
      message.may.delete &&
        !message.only_you && {
          label: "Delete Message",
          icon: icon("trash"),
          danger: true,
          act: () => void this.delete(view),
        },
      message.only_you && { label: "Dismiss Message", icon: icon("close"), act: () => void this.dismiss(view) },
    ];
    openMenu(
      this.popups,
      entries.filter((entry) => entry !== false),
      "Message",
      where,
    );
  }

  /** @param {string} text */
  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.announcer.say("Copied");
    } catch {
      this.announcer.say("The browser does not let this page copy");
    }
  }

  /** @param {MessageView} view */
  reply(view) {
    this.composer.replyTo(view.message);
  }

  /** @param {MessageView} view */
  async delete(view) {
    const { message } = view;
    const yes = await confirm({
      title: "Delete Message",
      words: [
        "Are you sure you want to delete this message?",
        h("blockquote", { class: "confirm-quote" }, message.content.slice(0, 300) || "A message without text"),
      ],
      yes: "Delete",
      danger: true,
      onClose: () => this.list.focusNewest(),
    });
    if (yes) {
      await this.tellRefusal(view, this.ask("delete", { message: message.id }));
    }
  }

  /** @param {MessageView} view */
  async dismiss(view) {
    if (view.message.note) {
      this.list.removeNote(view.message.id);
    } else {
      await this.tellRefusal(view, this.ask("delete", { message: view.message.id }));
    }
    this.composer.focus();
  }

  /** @param {MessageView} view @param {Promise<import("./types.js").Answer>} asked */
  async tellRefusal(view, asked) {
    const answer = await asked;
    if (!answer.ok) {
      view.failure = answer.sentence ?? "That did not work.";
      this.list.draw(view);
    }
  }

  // Editing in place

  /** @param {MessageView} view */
  edit(view) {
    if (view.editing) {
      return;
    }
    view.editing = true;
    this.list.draw(view);
    const text = /** @type {HTMLTextAreaElement} */ (
      element("textarea", { class: "edit-text", "aria-label": "Edit message", rows: 1 })
    );
    text.value = fromWire(view.message.content, this.state.names);
    const cancel = element("button", { class: "link-button", type: "button" }, "cancel");
    const save = element("button", { class: "link-button", type: "button" }, "save");
    const hint = element("div", { class: "edit-hint" });
    hint.append("escape to ", cancel, " · enter to ", save);
    view.node.querySelector(".edit-slot")?.append(text, hint);
    const fit = () => {
      text.style.setProperty("height", "0");
      text.style.setProperty("height", `${text.scrollHeight}px`);
      this.list.stay();
    };
    text.addEventListener("input", fit);
    text.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.endEdit(view);
      } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        void this.saveEdit(view, text.value);
      } else {
        return;
      }
      event.preventDefault();
      event.stopPropagation();
    });
    cancel.addEventListener("click", () => this.endEdit(view));
    save.addEventListener("click", () => void this.saveEdit(view, text.value));
    fit();
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
    view.node.scrollIntoView({ block: "nearest" });
  }

  /** @param {MessageView} view */
  endEdit(view) {
    view.editing = false;
    this.list.draw(view);
    this.composer.focus();
  }

  /** @param {MessageView} view @param {string} typed */
  async saveEdit(view, typed) {
    const text = toWire(typed.trim(), this.state.names);
    if (text === "") {
      this.endEdit(view);
      await this.delete(view);
      return;
    }
    if (text.length > MAX_CHARACTERS) {
      this.announcer.say("The message is too long");
      return;
    }
    this.endEdit(view);
    if (text !== view.message.content) {
      await this.tellRefusal(view, this.ask("edit", { message: view.message.id, text }));
    }
  }

  // What can be pressed inside a message

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const view = this.list.viewAt(event);
    if (!view) {
      return;
    }
    const spoiler = hit(event, ".spoiler:not(.revealed)");
    if (spoiler && event.target === spoiler && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      reveal(spoiler);
    } else if (
      event.target === view.node &&
      (event.key === "Enter" || event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey))
    ) {
      event.preventDefault();
      if (!view.message.note) {
        this.openMenu(view, { opener: view.node, point: pointOf(view.node) });
      }
    } else if (event.target === view.node && event.key === "Escape") {
      this.composer.focus();
    }
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const view = this.list.viewAt(event);
    const target = hit(event, "[data-do]");
    if (!view || !target) {
      return;
    }
    const { dataset } = target;
    switch (dataset.do) {
      case "reveal":
        reveal(target);
        break;
      case "press":
        if (target.getAttribute("aria-disabled") !== "true") {
          void this.interactions.press(view.message.id, dataset.customId ?? "");
        }
        break;
      case "open-select":
        this.openSelect(view, target);
        break;
      case "dismiss":
        void this.dismiss(view);
        break;
      case "jump":
        void this.jump(dataset.to ?? "");
        break;
      case "expand-file":
        void this.expandFile(target);
        break;
      case "ask-link":
        event.preventDefault();
        void this.followLink(/** @type {HTMLAnchorElement} */ (target).href);
        break;
      case "open-channel":
        this.onOpenChannel(dataset.channel ?? "");
        break;
      case "use-command":
        this.composer.startCommand(dataset.words ?? "");
        break;
      default:
        break;
    }
  }

  /** @param {MessageView} view @param {HTMLElement} opener */
  openSelect(view, opener) {
    const customId = opener.dataset.customId ?? "";
    const part = findComponent(view.message.components, customId);
    if (!part || view.busy !== null) {
      return;
    }
    if (opener.getAttribute("aria-expanded") === "true") {
      this.popups.closeAll();
      return;
    }
    openSelect({
      popups: this.popups,
      state: this.state,
      part,
      opener,
      chosen: view.chosen.get(customId) ?? presetOf(part),
      onChoose: (values) => void this.interactions.select(view.message.id, customId, values),
    });
  }

  /** @param {string} id */
  async jump(id) {
    if (!(await this.list.jumpTo(id))) {
      this.announcer.say("That message is too far back, or gone.");
    }
  }

  /** @param {string} address */
  async followLink(address) {
    const known = webAddress(address);
    if (known) {
      await confirm({
        title: "Leaving the demo",
        words: ["This link leads to:", h("code", { class: "confirm-address" }, known)],
        yes: "Visit Site",
        href: known,
      });
    }
  }

  /** @param {HTMLElement} button */
  async expandFile(button) {
    const file = button.closest("[data-file]");
    const shown = /** @type {HTMLElement | null} */ (file?.querySelector(".attachment-text") ?? null);
    const link = file?.querySelector("a");
    if (!shown || !link) {
      return;
    }
    const open = shown.hidden;
    if (open && shown.textContent === "") {
      shown.textContent = await readText(link.href);
    }
    this.list.keepPlace(() => {
      shown.hidden = !open;
      button.setAttribute("aria-expanded", String(open));
    });
  }
}

/** @param {HTMLElement} spoiler */
function reveal(spoiler) {
  spoiler.classList.add("revealed");
  spoiler.removeAttribute("role");
  spoiler.removeAttribute("tabindex");
  spoiler.removeAttribute("aria-label");
  spoiler.querySelector(".spoiler-text")?.removeAttribute("aria-hidden");
}

/** @param {HTMLElement} node */
function pointOf(node) {
  const { left, top } = node.getBoundingClientRect();
  return { x: left + 72, y: Math.max(top, 0) + 24 };
}

/**
 * Return the beginning of a file as text.
 *
 * @param {string} address
 * @returns {Promise<string>}
 */
async function readText(address) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) {
      return "The file is gone.";
    }
    const bytes = await answer.arrayBuffer();
    const text = new TextDecoder().decode(bytes.slice(0, MAX_PREVIEW_BYTES));
    return bytes.byteLength > MAX_PREVIEW_BYTES
      ? `${text}\n… (${bytes.byteLength - MAX_PREVIEW_BYTES} bytes more)`
      : text;
  } catch {
    return "The file could not be read.";
  }
}
