/** What the server has told: who is there, which places, which commands. Messages live in message_list.js. */

/**
 * @typedef {import("./types.js").Person} Person
 * @typedef {import("./types.js").Channel} Channel
 * @typedef {import("./types.js").Command} Command
 * @typedef {import("./types.js").Names} Names
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./types.js").Levers} Levers
 */

/** @type {Person} */
const NOBODY = { id: "", name: "", role: "", hue: 0, takes_dms: true };
/** @type {Levers} */
const NO_LEVERS = { bot: "down", faults: [], tokens_per_second: 0, faults_offered: [] };
/** @type {import("./types.js").Desk} */
const EMPTY_DESK = { accounts: [], waiting: [], reviews: [] };
/** @type {import("./types.js").Author} */
const NO_APPLICATION = { id: "", name: "The application", bot: true, webhook: false, hue: 0, initial: "A" };
const PERSON = "demo-person";

export class State {
  constructor() {
    this.me = NOBODY;
    /** @type {Person[]} */
    this.people = [];
    this.serverName = "";
    /** @type {Channel[]} */
    this.channels = [];
    /** @type {Names} */
    this.names = { users: {}, roles: {}, channels: {} };
    /** @type {Command[]} */
    this.commands = [];
    /** @type {import("./types.js").BotState} */
    this.bot = "starting";
    /** @type {string | null} */
    this.botSentence = null;
    /** Of the largest file that one may upload. */
    this.uploadBytes = 0;
    this.live = false;
    /** @type {string[]} */
    this.notes = [];
    this.levers = NO_LEVERS;
    this.desk = EMPTY_DESK;
    /** @type {string | null} */
    this.open = null;
    /** @type {Set<string>} */
    this.unread = new Set();
    /** The application as its own messages in the server show it. */
    this.application = NO_APPLICATION;
    this.connected = false;
    /** Whoever this page was last told to be; a new connection begins as the first person. */
    this.wanted = sessionStorage.getItem(PERSON);
    /** @type {Map<string, Set<(value: any) => void>>} */
    this.listeners = new Map();
  }

  /**
   * Hear of a change: "state", "open", "unread", "bot", "levers", "desk", "connected", "message", "gone", "typing", "panel".
   *
   * @param {string} name
   * @param {(value: any) => void} listener
   */
  on(name, listener) {
    const all = this.listeners.get(name) ?? new Set();
    all.add(listener);
    this.listeners.set(name, all);
  }

  /** @param {string} name @param {unknown} [value] */
  tell(name, value) {
    for (const listener of this.listeners.get(name) ?? []) {
      listener(value);
    }
  }

  /**
   * Take a frame of the server in.
   *
   * @param {any} frame
   */
  take(frame) {
    switch (frame.t) {
      case "state":
        this.takeState(frame);
        break;
      case "message":
        this.takeMessage(frame.message);
        break;
      case "bot":
        this.bot = frame.state;
        this.botSentence = frame.sentence ?? null;
        this.tell("bot");
        break;
      case "levers":
        this.levers = frame;
        this.bot = frame.bot;
        this.tell("levers");
        this.tell("bot");
        break;
      case "desk":
        this.desk = frame;
        this.tell("desk");
        break;
      case "gone":
      case "typing":
      case "panel":
        this.tell(frame.t, frame);
        break;
      default:
        // A newer server may say more than this page understands.
        break;
    }
  }

  /** @param {any} frame */
  takeState(frame) {
    const person = this.me.id !== frame.me.id;
    const names = JSON.stringify(this.names) !== JSON.stringify(frame.names);
    this.me = frame.me;
    this.people = frame.people;
    this.serverName = frame.guild.name;
    this.application = frame.application;
    this.channels = frame.channels;
    if (names) {
      // Otherwise it stays the same object, by which it is seen that nothing has to be drawn anew.
      this.names = frame.names;
    }
    this.commands = frame.commands;
    this.uploadBytes = frame.upload_bytes;
    this.bot = frame.bot;
    this.live = frame.live;
    this.notes = frame.notes;
    this.levers = frame.levers;
    this.desk = frame.desk;
    this.tell("state", { person, names });
    this.tell("bot");
    this.tell("levers");
    this.tell("desk");
  }

  /** @param {Message} message */
  takeMessage(message) {
    const news = message.edited === null && message.author.id !== this.me.id;
    if (news && message.channel !== this.open && !this.unread.has(message.channel)) {
      this.unread.add(message.channel);
      this.tell("unread");
    }
    this.tell("message", message);
  }

  /** @param {string} id */
  show(id) {
    this.open = id;
    this.unread.delete(id);
    this.tell("open");
  }

  /** @param {string} id */
  want(id) {
    this.wanted = id;
    sessionStorage.setItem(PERSON, id);
  }

  /** @param {boolean} connected */
  setConnected(connected) {
    if (connected !== this.connected) {
      this.connected = connected;
      this.tell("connected");
    }
  }

  /** @returns {Channel | undefined} the channel on screen */
  get channel() {
    return this.channels.find((channel) => channel.id === this.open);
  }
}
