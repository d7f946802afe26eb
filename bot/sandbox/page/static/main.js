/** Puts the page together. */

import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { cover, uncover } from "./cover.js";
import { DeskPage } from "./desk.js";
import { build, find } from "./dom.js";
import { icon } from "./icons.js";
import { Interactions } from "./interactions.js";
import { LeversPage } from "./levers.js";
import { MessageActions } from "./message_actions.js";
import { MessageList } from "./message_list.js";
import { FormDialog } from "./modal.js";
import { Panel } from "./panel.js";
import { Popups } from "./popup.js";
import { ChannelHead, Sidebar } from "./sidebar.js";
import { Socket } from "./socket.js";
import { State } from "./state.js";
import { Theme } from "./theme.js";
import { styledTime } from "./times.js";
import { Typing } from "./typing.js";

const REFRESH_TIMES_MS = 20_000;
const PLACE = "demo-channel";

class App {
  constructor() {
    this.state = new State();
    const { state } = this;
    /** Whether the messages on screen are from before the connection was lost. */
    this.connectionIsNew = false;
    this.socket = new Socket(
      socketAddress(),
      (frame) => state.take(frame),
      (connected) => state.setConnected(connected),
    );
    /** @type {import("./types.js").Ask} */
    const ask = (verb, fields) => this.socket.ask(verb, fields);
    this.ask = ask;
    this.popups = new Popups();
    const { popups } = this;
    this.announcer = new Announcer(state);
    const { announcer } = this;
    this.list = new MessageList({ state, ask });
    const { list } = this;
    const form = new FormDialog({ state, ask, popups, onLeft: () => this.composer.focus() });
    this.interactions = new Interactions({ state, ask, list, form });
    const { interactions } = this;
    this.composer = new Composer({
      state,
      ask,
      announcer,
      list,
      onRun: (words, options) => void interactions.command(words, options),
    });
    const { composer } = this;
    const onOpenChannel = (/** @type {string} */ id) => this.open(id);
    this.actions = new MessageActions({ state, ask, list, interactions, composer, popups, announcer, onOpenChannel });
    this.sidebar = new Sidebar({
      state,
      popups,
      onOpen: onOpenChannel,
      onBecome: (id) => void this.become(id),
      onPrivacy: (takes) => void this.setPrivacy(takes),
    });
    this.panel = new Panel({ state, levers: new LeversPage({ state, ask }), desk: new DeskPage({ state, ask }) });
    this.head = new ChannelHead({ state, onBot: () => this.panel.open("levers") });
    this.typing = new Typing(state);
    this.theme = new Theme();
    this.drawers();
    state.on("state", ({ person }) => this.settle(person));
    state.on("connected", () => this.connected());
    setInterval(refreshTimes, REFRESH_TIMES_MS);
  }

  start() {
    this.socket.connect();
  }

  connected() {
    if (this.state.connected) {
      this.connectionIsNew = true;
    } else {
      this.announcer.say(
        "The connection is lost. If the demo was stopped, start it again and open the address it prints.",
      );
    }
  }

  /**
   * Find one's place after the server told who one is: the channel from before where there is one, else the first.
   *
   * @param {boolean} person whether one is somebody else now, as after every new connection
   */
  settle(person) {
    const { state } = this;
    if (state.wanted !== null && state.wanted !== state.me.id && state.people.some(({ id }) => id === state.wanted)) {
      void this.become(state.wanted);
      return;
    }
    const seen = new Set(state.channels.map(({ id }) => id));
    const kept = state.open ?? sessionStorage.getItem(PLACE);
    const place = kept !== null && seen.has(kept) ? kept : state.channels[0]?.id;
    if (place !== undefined && (person || this.connectionIsNew || place !== state.open)) {
      this.connectionIsNew = false;
      this.open(place);
    }
  }

  /** @param {string} id */
  open(id) {
    const { state } = this;
    this.closeDrawers();
    if (!state.channels.some((channel) => channel.id === id)) {
      this.announcer.say("You do not have access to that channel.");
      return;
    }
    sessionStorage.setItem(PLACE, id);
    state.show(id);
    void this.list.load();
    this.composer.focus();
  }

  /** @param {string} id */
  async become(id) {
    this.state.want(id);
    const answer = await this.ask("become", { person: id });
    if (!answer.ok) {
      this.announcer.say(answer.sentence ?? "That did not work.");
    }
  }

  /** @param {boolean} takes whether one takes direct messages */
  async setPrivacy(takes) {
    const answer = await this.ask("privacy", { takes_dms: takes });
    const done = takes
      ? "The bot can send you direct messages."
      : "Direct messages are closed: the bot cannot write to you.";
    this.announcer.say(answer.ok ? done : (answer.sentence ?? "That did not work."));
  }

  // Narrow screens, where the list of channels lies over the messages

  drawers() {
    const opener = find("#open-sidebar");
    opener.append(build(icon("menu")));
    find("#close-sidebar").append(build(icon("close")));
    find("#close-panel").append(build(icon("close")));
    find("#toggle-panel").append(build(icon("pulse")));
    find("#toggle-panel").setAttribute("aria-label", "What happens beneath");
    find("#toggle-panel").title = "What happens beneath";
    find("#apps-button").append(build(icon("plus")));
    find("#send").append(build(icon("send")));
    opener.addEventListener("click", () => this.openSidebar());
    const goBack = () => {
      this.closeDrawers();
      opener.focus();
    };
    find("#close-sidebar").addEventListener("click", goBack);
    find("#veil").addEventListener("click", goBack);
    find("#sidebar").addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        goBack();
      }
    });
  }

  openSidebar() {
    document.documentElement.classList.add("sidebar-open");
    find("#veil").hidden = false;
    find("#open-sidebar").setAttribute("aria-expanded", "true");
    cover(find("#sidebar"));
    find("#channels button").focus();
  }

  closeDrawers() {
    document.documentElement.classList.remove("sidebar-open");
    find("#veil").hidden = true;
    find("#open-sidebar").setAttribute("aria-expanded", "false");
    uncover(find("#sidebar"));
  }
}

/** @returns {string} beside the page, so that the token in its address goes along */
function socketAddress() {
  const address = new URL("socket", document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  address.hash = "";
  return address.href;
}

/** Bring times such as "in 5 minutes" up to date. */
function refreshTimes() {
  for (const node of document.querySelectorAll('time[data-style="R"]')) {
    const words = styledTime(Number(node.getAttribute("data-at")), "R", Date.now());
    const text = node.firstChild;
    if (text instanceof Text && text.data !== words) {
      text.data = words;
    }
  }
}

const app = new App();
app.start();
