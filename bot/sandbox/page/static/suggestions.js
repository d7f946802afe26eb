/** The panel over the message box: a heading, and options to choose from. */

import { Mount, find, h } from "./dom.js";
import { Listbox } from "./listbox.js";

export class Suggestions {
  constructor() {
    this.node = find("#suggestions");
    this.heading = new Mount(find(".suggestions-head", this.node));
    this.note = new Mount(find(".suggestions-note", this.node));
    /** @type {((option: import("./listbox.js").Option) => void) | null} */
    this.onPick = null;
    this.list = new Listbox({ label: "Suggestions", onPick: (option) => this.onPick?.(option) });
    this.node.append(this.list.node);
  }

  /**
   * Show options for a field.
   *
   * @param {HTMLElement} field
   * @param {object} what
   * @param {import("./dom.js").Child} what.heading
   * @param {import("./listbox.js").Option[]} what.options
   * @param {(option: import("./listbox.js").Option) => void} what.onPick
   * @param {number} [what.index]
   * @param {string | null} [what.note] a line in place of options
   */
  show(field, { heading, options, onPick, index = 0, note = null }) {
    this.onPick = onPick;
    this.heading.show(heading);
    this.note.show(note !== null && h("div", { class: "note-line", role: "status" }, note));
    if (this.list.field !== field) {
      expand(this.list.field, false);
      this.list.attach(field);
    }
    this.list.show(options, index);
    this.list.node.hidden = options.length === 0;
    this.node.hidden = false;
    this.list.node.scrollTop = 0;
    expand(field, options.length > 0);
  }

  hide() {
    this.node.hidden = true;
    this.list.show([]);
    expand(this.list.field, false);
  }

  /** @returns {boolean} whether there is something to choose from */
  get isOpen() {
    return !this.node.hidden && this.list.options.length > 0;
  }
}

/**
 * Only a combobox has something to expand; the message box is a plain text field.
 *
 * @param {HTMLElement | null} field @param {boolean} open
 */
function expand(field, open) {
  if (field?.getAttribute("role") === "combobox") {
    field.setAttribute("aria-expanded", String(open));
  }
}
