/** The one connection to the demo: frames come in, questions are answered, and it comes back when it breaks. */

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 5_000;
const LOST = "The connection to the demo is lost. Is it still running?";

/** @typedef {import("./types.js").Answer} Answer */

export class Socket {
  /**
   * Take what is called with each frame, and with whether the connection stands, whenever that changes.
   *
   * @param {string} address
   * @param {(frame: any) => void} onFrame
   * @param {(connected: boolean) => void} onChange
   */
  constructor(address, onFrame, onChange) {
    this.address = address;
    this.onFrame = onFrame;
    this.onChange = onChange;
    this.number = 0;
    this.waitMs = FIRST_WAIT_MS;
    /** @type {Map<number, (answer: Answer) => void>} */
    this.asked = new Map();
    /** @type {WebSocket | null} */
    this.socket = null;
  }

  /** Connect, and again after every loss. */
  connect() {
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.waitMs = FIRST_WAIT_MS;
      this.onChange(true);
    });
    socket.addEventListener("message", (event) => this.receive(JSON.parse(event.data)));
    socket.addEventListener("close", () => this.lost());
  }

  /**
   * Ask the server to do something. Never rejects: a lost connection is an answer like any other refusal.
   *
   * @param {string} verb
   * @param {Record<string, unknown>} [fields]
   * @returns {Promise<Answer>}
   */
  ask(verb, fields = {}) {
    const { socket } = this;
    if (socket?.readyState !== WebSocket.OPEN) {
      return Promise.resolve({ ok: false, sentence: LOST });
    }
    this.number += 1;
    const n = this.number;
    return new Promise((resolve) => {
      this.asked.set(n, resolve);
      socket.send(JSON.stringify({ n, do: verb, ...fields }));
    });
  }

  /** @param {any} frame */
  receive(frame) {
    if (frame.t !== "answer") {
      this.onFrame(frame);
      return;
    }
    const resolve = this.asked.get(frame.n);
    this.asked.delete(frame.n);
    resolve?.(frame);
  }

  lost() {
    for (const resolve of this.asked.values()) {
      resolve({ ok: false, sentence: LOST });
    }
    this.asked.clear();
    this.onChange(false);
    setTimeout(() => this.connect(), this.waitMs);
    this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
  }
}
