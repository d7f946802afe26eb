/** A list of options to choose from by arrows or mouse; the focus stays where the typing is. */

import { Mount, element, h, hit } from "./dom.js";

/**
 * @typedef {object} Option
 * @property {string} value
 * @property {string} label
 * @property {string} [detail] in small behind or below the label
 * @property {import("./dom.js").VNode | null} [sign] drawn in front
 * @property {boolean} [selected]
 * @property {string} [group] a heading, shown where it changes
 */

let lists = 0;

export class Listbox {
  /**
   * Make an empty list.
   *
   * @param {object} how
   * @param {string} how.label
   * @param {(option: Option) => void} how.onPick
   * @param {boolean} [how.several] whether more than one may be chosen
   */
  constructor({ label, onPick, several = false }) {
    lists += 1;
    this.id = `list-${lists}`;
    this.node = element("div", {
      class: "listbox",
      role: "listbox",
      id: this.id,
      "aria-label": label,
      "aria-multiselectable": several ? "true" : null,
    });
    this.several = several;
    this.mount = new Mount(this.node);
    /** @type {Option[]} */
    this.options = [];
    this.index = -1;
    /** What has the focus, and says which option is active. @type {HTMLElement | null} */
    this.field = null;
    // The field would lose the focus to a press.
    this.node.addEventListener("pointerdown", (event) => event.preventDefault());
    this.node.addEventListener("pointermove", (event) => {
      const index = this.indexAt(event);
      if (index >= 0 && index !== this.index) {
        this.activate(index);
      }
    });
    this.node.addEventListener("click", (event) => {
      const option = this.options[this.indexAt(event)];
      if (option) {
        onPick(option);
      }
    });
  }

  /** @param {Event} event */
  indexAt(event) {
    return Number(hit(event, "[data-index]")?.dataset.index ?? -1);
  }

  /**
   * Name the field that the list belongs to.
   *
   * @param {HTMLElement | null} field
   */
  attach(field) {
    this.field?.removeAttribute("aria-activedescendant");
    this.field = field;
    field?.setAttribute("aria-controls", this.id);
    this.point();
  }

  /**
   * Show options.
   *
   * @param {Option[]} options
   * @param {number} [index] the active one; the first, unless told otherwise; -1 for none
   */
  show(options, index = 0) {
    this.options = options;
    this.index = options.length > 0 ? Math.min(index, options.length - 1) : -1;
    this.draw();
  }

  draw() {
    this.mount.show(
      this.options.map((option, index) => [
        option.group &&
          option.group !== this.options[index - 1]?.group &&
          h("div", { class: "option-group", role: "presentation", key: "group" }, option.group),
        h(
          "div",
          {
            class: index === this.index ? "option active" : "option",
            role: "option",
            key: "option",
            id: `${this.id}-${index}`,
            "data-index": index,
            "data-value": option.value,
            "aria-selected": (this.several ? option.selected : index === this.index) ? "true" : "false",
          },
          option.sign,
          h(
            "span",
            { class: "option-words" },
            h("span", { class: "option-label" }, option.label),
            option.detail && h("span", { class: "option-detail" }, option.detail),
          ),
          this.several && h("span", { class: option.selected ? "tick on" : "tick" }),
        ),
      ]),
    );
    this.point();
  }

  /** @param {number} index */
  activate(index) {
    this.index = index;
    this.draw();
    this.node.querySelector(".option.active")?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} step */
  move(step) {
    const { length } = this.options;
    if (length > 0) {
      const from = this.index < 0 && step < 0 ? 0 : this.index;
      this.activate((from + step + length) % length);
    }
  }

  /** @returns {Option | undefined} */
  get active() {
    return this.options[this.index];
  }

  point() {
    if (this.index >= 0) {
      this.field?.setAttribute("aria-activedescendant", `${this.id}-${this.index}`);
    } else {
      this.field?.removeAttribute("aria-activedescendant");
    }
  }
}
