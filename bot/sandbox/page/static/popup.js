/** Small windows beside what opened them: menus and lists of options. At most one is open. */

import { element } from "./dom.js";

const GAP = 6;
const MARGIN = 8;

/**
 * @typedef {object} Open
 * @property {HTMLElement} node
 * @property {HTMLElement} opener where the focus goes back to
 * @property {() => void} [onClose]
 */

export class Popups {
  constructor() {
    /** @type {Open[]} */
    this.open = [];
    document.addEventListener("pointerdown", (event) => this.pressedOutside(event), true);
    window.addEventListener("resize", () => this.closeAll());
  }

  /**
   * Show a window below or above an element, or at a point.
   *
   * @param {HTMLElement} node
   * @param {object} where
   * @param {HTMLElement} where.opener
   * @param {{x: number, y: number}} [where.point]
   * @param {boolean} [where.beside] to the side of the opener, as a menu of a menu is
   * @param {boolean} [where.sameWidth]
   * @param {() => void} [where.onClose]
   */
  show(node, { opener, point, beside = false, sameWidth = false, onClose }) {
    if (!beside) {
      this.closeAll();
    }
    node.classList.add("popup");
    // A dialog leaves nothing outside itself within reach.
    (opener.closest("dialog, main") ?? document.body).append(node);
    const around = point ? new DOMRect(point.x, point.y, 0, 0) : opener.getBoundingClientRect();
    if (sameWidth) {
      node.style.setProperty("min-width", `${around.width}px`);
    }
    place(node, around, beside);
    opener.setAttribute("aria-expanded", "true");
    this.open.push({ node, opener, onClose });
  }

  /** Close the innermost window and give the focus back. */
  close() {
    const last = this.open.pop();
    if (last) {
      const hadFocus = last.node.contains(document.activeElement);
      last.node.remove();
      if (last.opener.hasAttribute("aria-expanded")) {
        last.opener.setAttribute("aria-expanded", "false");
      }
      last.onClose?.();
      if (hadFocus && last.opener.isConnected) {
        last.opener.focus({ preventScroll: true });
      }
    }
  }

  closeAll() {
    while (this.open.length > 0) {
      this.close();
    }
  }

  /** @param {Event} event */
  pressedOutside(event) {
    const target = /** @type {Node} */ (event.target);
    if (
      this.open.length > 0 &&
      !this.open.some(({ node, opener }) => node.contains(target) || opener.contains(target))
    ) {
      this.closeAll();
    }
  }
}

/** @param {HTMLElement} node @param {DOMRect} around @param {boolean} beside */
function place(node, around, beside) {
  const { width, height } = node.getBoundingClientRect();
  const { innerWidth, innerHeight } = window;
  let left = beside ? around.right + GAP : around.left;
  let top = beside ? around.top : around.bottom + GAP;
  if (beside && left + width > innerWidth - MARGIN) {
    left = around.left - width - GAP;
    if (left < MARGIN) {
      left = around.left;
      top = around.bottom + GAP;
    }
  }
  if (top + height > innerHeight - MARGIN) {
    top = beside ? innerHeight - MARGIN - height : around.top - height - GAP;
  }
  node.style.setProperty("left", `${Math.max(MARGIN, Math.min(left, innerWidth - MARGIN - width))}px`);
  node.style.setProperty("top", `${Math.max(MARGIN, Math.min(top, innerHeight - MARGIN - height))}px`);
}

/**
 * A menu entry.
 *
 * @typedef {object} Entry
 * @property {string} label
 * @property {import("./dom.js").VNode} [icon]
 * @property {boolean} [danger]
 * @property {boolean} [apart] whether a line parts it from the entry before
 * @property {() => void} [act]
 * @property {Entry[]} [entries] a menu of its own
 */

/**
 * Open a menu that arrows, letters and the mouse work on.
 *
 * @param {Popups} popups
 * @param {Entry[]} entries
 * @param {string} label
 * @param {Parameters<Popups["show"]>[1]} where
 */
export function openMenu(popups, entries, label, where) {
  const node = element("div", { class: "menu", role: "menu", "aria-label": label });
  const items = entries.map((entry) => {
    const item = element(
      "button",
      {
        class: entry.danger ? "menu-item danger" : "menu-item",
        type: "button",
        role: "menuitem",
        tabindex: "-1",
        "aria-haspopup": entry.entries ? "menu" : null,
        "aria-expanded": entry.entries ? "false" : null,
      },
      entry.label,
      entry.icon,
    );
    item.addEventListener("click", () => choose(entry, item));
    item.addEventListener("pointermove", () => item.focus({ preventScroll: true }));
    return item;
  });
  for (const [index, item] of items.entries()) {
    node.append(...(entries[index].apart ? [element("div", { class: "menu-line", role: "separator" })] : []), item);
  }

  /** @param {Entry} entry @param {HTMLElement} item */
  function choose(entry, item) {
    if (entry.entries) {
      if (item.getAttribute("aria-expanded") !== "true") {
        openMenu(popups, entry.entries, entry.label, { opener: item, beside: true });
      }
      return;
    }
    popups.closeAll();
    entry.act?.();
  }

  node.addEventListener("keydown", (event) => {
    const index = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const entry = entries[index];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      items[(index + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length].focus();
    } else if (event.key === "Home" || event.key === "End") {
      items[event.key === "Home" ? 0 : items.length - 1].focus();
    } else if (event.key === "ArrowRight" && entry?.entries) {
      choose(entry, items[index]);
    } else if (event.key === "Escape" || (event.key === "ArrowLeft" && where.beside)) {
      popups.close();
    } else if (event.key === "Tab") {
      popups.closeAll();
    } else if (event.key.length === 1 && event.key !== " ") {
      const letter = event.key.toLowerCase();
      const found = [...entries.slice(index + 1), ...entries].find((each) =>
        each.label.toLowerCase().startsWith(letter),
      );
      if (found) {
        items[entries.indexOf(found)].focus();
      }
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  popups.show(node, where);
  items[0]?.focus({ preventScroll: true });
}
