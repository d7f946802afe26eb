/** What a person does with the application: commands, buttons, menus, forms; and what is seen until it answers. */

import { commandNote } from "./message_view.js";

/**
 * @typedef {import("./types.js").Answer} Answer
 * @typedef {import("./types.js").Result} Result
 * @typedef {import("./state.js").State} State
 * @typedef {import("./message_list.js").MessageList} MessageList
 */

/** An answer within this time needs no note that it is waited for. */
const NOTE_AFTER_MS = 350;
const NO_ANSWER = "The application did not respond";
const FAILED = "This interaction failed";

export class Interactions {
  /**
   * @param {object} parts
   * @param {State} parts.state
   * @param {import("./types.js").Ask} parts.ask
   * @param {MessageList} parts.list
   * @param {import("./modal.js").FormDialog} parts.form
   */
  constructor({ state, ask, list, form }) {
    this.state = state;
    this.ask = ask;
    this.list = list;
    this.form = form;
  }

  /**
   * Run a command that was typed.
   *
   * @param {string} words
   * @param {Record<string, unknown>} options
   */
  async command(words, options) {
    const channel = this.state.open;
    await this.withNote(words, false, this.ask("command", { channel, name: words, options }));
  }

  /**
   * Run an entry of a message's menu.
   *
   * @param {string} message
   * @param {string} name
   */
  async menu(message, name) {
    await this.withNote(name, true, this.ask("menu", { message, name }));
  }

  /**
   * Press a button.
   *
   * @param {string} message
   * @param {string} customId
   */
  async press(message, customId) {
    await this.component(message, customId, this.ask("click", { message, custom_id: customId }));
  }

  /**
   * Choose in a select.
   *
   * @param {string} message
   * @param {string} customId
   * @param {string[]} values
   */
  async select(message, customId, values) {
    this.list.view(message)?.chosen.set(customId, values);
    await this.component(message, customId, this.ask("select", { message, custom_id: customId, values }));
  }

  /**
   * @param {string} name
   * @param {boolean} menu
   * @param {Promise<Answer>} asked
   */
  async withNote(name, menu, asked) {
    const channel = this.state.open ?? "";
    this.list.toPresent();
    const note = commandNote({
      id: this.list.noteId(),
      channel,
      user: this.state.me.name,
      name,
      menu,
      author: this.state.application,
    });
    const timer = setTimeout(() => this.showNote(note), NOTE_AFTER_MS);
    const answer = await asked;
    clearTimeout(timer);
    const failure = sentenceOf(answer, NO_ANSWER);
    if (failure !== null) {
      this.showNote({ ...note, note: "failed", sentence: failure });
      return;
    }
    this.list.removeNote(note.id);
    this.openForm(answer.result);
  }

  /** @param {import("./message_view.js").Shown} note */
  showNote(note) {
    if (note.channel === this.state.open) {
      this.list.addNote(note);
    }
  }

  /**
   * @param {string} message
   * @param {string} customId
   * @param {Promise<Answer>} asked
   */
  async component(message, customId, asked) {
    this.mark(message, customId, null);
    const answer = await asked;
    this.mark(message, null, sentenceOf(answer, FAILED));
    this.openForm(answer.result);
  }

  /** @param {string} message @param {string | null} busy @param {string | null} failure */
  mark(message, busy, failure) {
    const view = this.list.view(message);
    if (view) {
      view.busy = busy;
      view.failure = failure;
      this.list.draw(view);
    }
  }

  /** @param {Result | undefined} result */
  openForm(result) {
    if (result?.modal) {
      this.form.open(result.modal);
    }
  }
}

/**
 * Return what a person reads when it came to nothing, or null when all is well.
 *
 * @param {Answer} answer
 * @param {string} silence what is said when the application did not answer in time
 * @returns {string | null}
 */
export function sentenceOf(answer, silence) {
  if (!answer.ok) {
    return answer.sentence ?? silence;
  }
  return answer.result?.kind === "failed" ? silence : null;
}
