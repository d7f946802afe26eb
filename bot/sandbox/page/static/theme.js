/** Light or dark: as the system has it, until the reader says otherwise. */

import { build, find } from "./dom.js";
import { icon } from "./icons.js";

const KEPT = "demo-theme";

export class Theme {
  constructor() {
    this.button = find("#theme");
    this.system = window.matchMedia("(prefers-color-scheme: dark)");
    this.chosen = localStorage.getItem(KEPT);
    this.button.addEventListener("click", () => this.toggle());
    this.system.addEventListener("change", () => this.apply());
    this.apply();
  }

  get isDark() {
    return this.chosen === null ? this.system.matches : this.chosen === "dark";
  }

  toggle() {
    this.chosen = this.isDark ? "light" : "dark";
    localStorage.setItem(KEPT, this.chosen);
    this.apply();
  }

  apply() {
    if (this.chosen === null) {
      delete document.documentElement.dataset.theme;
    } else {
      document.documentElement.dataset.theme = this.chosen;
    }
    const words = this.isDark ? "Switch to light colours" : "Switch to dark colours";
    this.button.replaceChildren(build(icon(this.isDark ? "sun" : "moon")));
    this.button.setAttribute("aria-label", words);
    this.button.title = words;
  }
}
