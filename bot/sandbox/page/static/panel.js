/** The side panel: what the bot writes, says to Discord and asks of NanoGPT, as it happens. */

import { cover, uncover } from "./cover.js";
import { Mount, element, find, h } from "./dom.js";
import { timeToTheSecond } from "./times.js";

/**
 * @typedef {import("./types.js").RestEntry} RestEntry
 * @typedef {import("./types.js").GatewayEntry} GatewayEntry
 * @typedef {import("./types.js").UpstreamEntry} UpstreamEntry
 * @typedef {import("./types.js").LogEntry} LogEntry
 * @typedef {import("./types.js").PanelFrame} PanelFrame
 * @typedef {import("./dom.js").VNode} VNode
 */

/** Entries kept of each kind; older ones are dropped. */
const MOST_ENTRIES = 400;
/** Entries that are put on the page at once; the others follow a moment later. */
const CHUNK = 40;
const AT_BOTTOM = 4;
const OPEN = "demo-panel";
const MILLISECONDS = 1_000;

/** A list of the panel that grows at its end, and is drawn only while somebody looks at it. */
class Feed {
  /**
   * @param {HTMLElement} page
   * @param {string} empty said while there is nothing
   */
  constructor(page, empty) {
    this.page = page;
    this.node = element("div", { class: "feed" });
    this.empty = element("p", { class: "feed-empty" }, empty);
    page.append(this.empty, this.node);
    /** Descriptions by key, in order. @type {Map<string, VNode>} */
    this.entries = new Map();
    /** @type {Map<string, Mount>} */
    this.drawn = new Map();
    /** @type {Set<string>} */
    this.stale = new Set();
    this.asked = false;
    this.pinned = true;
    page.addEventListener("scroll", () => {
      this.pinned = page.scrollHeight - page.scrollTop - page.clientHeight <= AT_BOTTOM;
    });
  }

  /** @param {string} key @param {VNode} entry */
  put(key, entry) {
    this.entries.set(key, entry);
    this.stale.add(key);
    if (this.entries.size > MOST_ENTRIES) {
      const [oldest] = this.entries.keys();
      this.entries.delete(oldest);
      this.stale.delete(oldest);
      this.drawn.get(oldest)?.parent.remove();
      this.drawn.delete(oldest);
    }
    this.ask();
  }

  ask() {
    if (!this.asked && this.stale.size > 0 && !this.page.hidden && this.page.isConnected) {
      this.asked = true;
      requestAnimationFrame(() => this.draw());
    }
  }

  draw() {
    this.asked = false;
    this.empty.hidden = this.entries.size > 0;
    let left = CHUNK;
    for (const key of this.stale) {
      const entry = this.entries.get(key);
      let mount = this.drawn.get(key);
      if (!mount) {
        mount = new Mount(element("div", { class: "entry" }));
        this.node.append(mount.parent);
        this.drawn.set(key, mount);
      }
      mount.show(entry);
      this.stale.delete(key);
      left -= 1;
      if (left === 0) {
        break;
      }
    }
    if (this.pinned) {
      this.page.scrollTop = this.page.scrollHeight;
    }
    this.ask();
  }

  /** Show what came while nobody looked. */
  shown() {
    this.pinned = true;
    this.ask();
    this.page.scrollTop = this.page.scrollHeight;
  }
}

const TABS = [
  { name: "log", label: "Bot log" },
  { name: "discord", label: "Discord traffic" },
  { name: "upstream", label: "NanoGPT calls" },
  { name: "levers", label: "Levers" },
  { name: "desk", label: "NanoGPT desk" },
];

export class Panel {
  /**
   * @param {object} parts
   * @param {import("./state.js").State} parts.state
   * @param {import("./levers.js").LeversPage} parts.levers
   * @param {import("./desk.js").DeskPage} parts.desk
   */
  constructor({ state, levers, desk }) {
    this.node = find("#panel");
    this.toggleButton = find("#toggle-panel");
    const tabs = find("#panel-tabs");
    const pages = find("#panel-pages");
    /** @type {Map<string, {tab: HTMLElement, page: HTMLElement}>} */
    this.tabs = new Map();
    for (const { name, label } of TABS) {
      const tab = element(
        "button",
        {
          class: "tab",
          type: "button",
          role: "tab",
          id: `tab-${name}`,
          "aria-controls": `page-${name}`,
          "aria-selected": "false",
          tabindex: "-1",
        },
        label,
      );
      const page = element("div", {
        class: `panel-page ${name}`,
        role: "tabpanel",
        id: `page-${name}`,
        "aria-labelledby": `tab-${name}`,
        tabindex: "0",
        hidden: true,
      });
      tab.addEventListener("click", () => this.select(name));
      tabs.append(tab);
      pages.append(page);
      this.tabs.set(name, { tab, page });
    }
    tabs.addEventListener("keydown", (event) => this.pressed(event));
    this.feeds = {
      log: new Feed(this.page("log"), "The bot has written nothing yet."),
      discord: new Feed(this.page("discord"), "Nothing has passed between the bot and Discord yet."),
      upstream: new Feed(this.page("upstream"), "Nothing has been asked of NanoGPT yet."),
    };
    levers.fill(this.page("levers"));
    desk.fill(this.page("desk"));
    state.on("panel", (frame) => this.take(frame));
    this.toggleButton.addEventListener("click", () => (this.node.hidden ? this.open() : this.close()));
    find("#close-panel").addEventListener("click", () => this.close());
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.close();
      }
    });
    this.select("log");
    const wide = window.matchMedia("(min-width: 1280px)").matches;
    if (wide && localStorage.getItem(OPEN) !== "closed") {
      this.open();
    }
  }

  /** @param {string} name @returns {HTMLElement} */
  page(name) {
    return /** @type {{page: HTMLElement}} */ (this.tabs.get(name)).page;
  }

  /**
   * Open the panel.
   *
   * @param {string} [name] the tab to show
   */
  open(name) {
    this.node.hidden = false;
    this.toggleButton.setAttribute("aria-expanded", "true");
    document.documentElement.classList.add("panel-open");
    localStorage.setItem(OPEN, "open");
    if (name) {
      this.select(name);
    }
    this.refresh();
    if (cover(this.node)) {
      find("#close-panel").focus();
    }
  }

  close() {
    const hadFocus = this.node.contains(document.activeElement);
    this.node.hidden = true;
    this.toggleButton.setAttribute("aria-expanded", "false");
    document.documentElement.classList.remove("panel-open");
    localStorage.setItem(OPEN, "closed");
    uncover(this.node);
    if (hadFocus) {
      this.toggleButton.focus();
    }
  }

  /** @param {string} name */
  select(name) {
    for (const [each, { tab, page }] of this.tabs) {
      const chosen = each === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.setAttribute("tabindex", chosen ? "0" : "-1");
      page.hidden = !chosen;
    }
    this.refresh();
  }

  refresh() {
    for (const [name, feed] of Object.entries(this.feeds)) {
      if (!this.page(name).hidden) {
        feed.shown();
      }
    }
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const names = [...this.tabs.keys()];
    const index = names.findIndex((name) => this.tabs.get(name)?.tab === document.activeElement);
    const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: names.length - 1 }[event.key];
    if (index >= 0 && to !== undefined) {
      event.preventDefault();
      const name = names[(to + names.length) % names.length];
      this.select(name);
      this.tabs.get(name)?.tab.focus();
    }
  }

  /** @param {PanelFrame} frame */
  take(frame) {
    for (const entry of frame.log ?? []) {
      this.feeds.log.put(String(entry.n), drawLog(entry));
    }
    for (const entry of frame.upstream ?? []) {
      this.feeds.upstream.put(String(entry.n), drawUpstream(entry));
    }
    const traffic = [
      ...(frame.rest ?? []).map((entry) => ({ at: entry.at, key: `rest ${entry.n}`, drawn: () => drawRest(entry) })),
      ...(frame.gateway ?? []).map((entry) => ({
        at: entry.at,
        key: `gateway ${entry.n}`,
        drawn: () => drawGateway(entry),
      })),
    ];
    for (const { key, drawn } of traffic.sort((one, other) => one.at - other.at)) {
      this.feeds.discord.put(key, drawn());
    }
  }
}

/** @param {number} at */
function when(at) {
  return h("time", { class: "entry-time", title: new Date(at).toISOString() }, timeToTheSecond(at));
}

/** @param {LogEntry} entry */
function drawLog(entry) {
  const level = entry.level.toLowerCase();
  return h(
    "div",
    { class: `log-entry ${level}` },
    when(entry.at),
    h("span", { class: `badge ${level}` }, entry.level),
    h("span", { class: "log-text" }, entry.text),
  );
}

/** @param {RestEntry} entry */
function drawRest(entry) {
  const bad = entry.status !== null && entry.status >= 400;
  return h(
    "div",
    { class: bad ? "traffic rest bad" : "traffic rest" },
    h(
      "div",
      { class: "entry-line" },
      when(entry.at),
      h("span", { class: `badge method-${entry.method.toLowerCase()}` }, entry.method),
      h("span", { class: bad ? "status bad" : "status" }, entry.status ?? "…"),
      entry.ms !== null && h("span", { class: "entry-ms" }, duration(entry.ms)),
    ),
    h("div", { class: "route" }, entry.route),
    entry.summary && h("div", { class: "summary" }, entry.summary),
  );
}

/** @param {GatewayEntry} entry */
function drawGateway(entry) {
  const toBot = entry.to === "bot";
  return h(
    "div",
    { class: toBot ? "traffic gateway to-bot" : "traffic gateway" },
    h(
      "div",
      { class: "entry-line" },
      when(entry.at),
      h("span", { class: "badge gateway" }, toBot ? "Discord → bot" : "bot → Discord"),
    ),
    h("div", { class: "route" }, entry.name),
    entry.summary && h("div", { class: "summary" }, entry.summary),
  );
}

/** @param {UpstreamEntry} entry */
function drawUpstream(entry) {
  const bad = entry.status !== null && entry.status >= 400;
  return h(
    "div",
    { class: bad ? "traffic upstream bad" : "traffic upstream" },
    h(
      "div",
      { class: "entry-line" },
      when(entry.at),
      h("span", { class: `badge method-${entry.method.toLowerCase()}` }, entry.method),
      h("span", { class: bad ? "status bad" : "status" }, entry.status ?? "…"),
      entry.outcome && h("span", { class: "outcome" }, entry.outcome),
      entry.ms !== null && h("span", { class: "entry-ms" }, duration(entry.ms)),
    ),
    h("div", { class: "route" }, entry.path),
    (entry.character_id || entry.store !== null || entry.stream !== null) &&
      h(
        "div",
        { class: "sent" },
        entry.character_id && h("code", null, `character_id: ${entry.character_id}`),
        typeof entry.store === "boolean" && h("code", null, `store: ${entry.store}`),
        typeof entry.stream === "boolean" && h("code", null, `stream: ${entry.stream}`),
      ),
    entry.items.length > 0 &&
      h(
        "details",
        { class: "items" },
        h("summary", null, `${entry.items.length} ${entry.items.length === 1 ? "item" : "items"} sent`),
        h(
          "ol",
          null,
          entry.items.map((item) =>
            h(
              "li",
              null,
              h("span", { class: `role ${item.role}` }, item.role),
              h("span", { class: "item-text" }, item.text),
            ),
          ),
        ),
      ),
  );
}

/** @param {number} ms */
function duration(ms) {
  return ms < MILLISECONDS ? `${Math.round(ms)} ms` : `${(ms / MILLISECONDS).toFixed(1)} s`;
}
