/** What lies over the conversation on a narrow screen, and keeps the focus from getting beneath. */

import { find } from "./dom.js";

/** As in layout.css. */
const narrow = window.matchMedia("(max-width: 760px)");
/** What is open; on a wide screen it stands beside. @type {Set<HTMLElement>} */
const open = new Set();

/**
 * Take note that something opens that covers a narrow screen.
 *
 * @param {HTMLElement} node
 * @returns {boolean} whether it covers the screen now
 */
export function cover(node) {
  open.add(node);
  settle();
  return narrow.matches;
}

/** @param {HTMLElement} node what closes */
export function uncover(node) {
  open.delete(node);
  settle();
}

function settle() {
  find("#main").inert = narrow.matches && open.size > 0;
}

narrow.addEventListener("change", settle);
