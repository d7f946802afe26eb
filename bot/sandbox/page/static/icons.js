/** Line drawings on a grid of 24. */

import { h } from "./dom.js";

/** @type {Record<string, string>} */
const SHAPES = {
  hash: "M9 4 7 20M17 4l-2 16M4.5 9h16M3.5 15h16",
  thread: "M5 4v9a3 3 0 0 0 3 3h11M15 12l4 4-4 4",
  menu: "M4 6h16M4 12h16M4 18h16",
  pulse: "M3 12h4l3-8 4 16 3-8h4",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1 1M18 18l1 1M5 19l1-1M19 5l-1 1",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4 7 7 0 0 0 20 14.5Z",
  close: "M6 6l12 12M18 6 6 18",
  plus: "M12 5v14M5 12h14",
  send: "M4 12 20 4l-5 16-3.5-6.5L4 12ZM11.5 13.5 20 4",
  reply: "M10 6 4 12l6 6M4 12h9a7 7 0 0 1 7 7",
  pencil: "M4 20l1-4L16.5 4.5a2 2 0 0 1 3 3L8 19l-4 1ZM14.5 6.5l3 3",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  copy: "M9 9h11v11H9ZM15 9V4H4v11h5",
  dots: "M6 12h.01M12 12h.01M18 12h.01",
  down: "M6 9l6 6 6-6",
  right: "M9 6l6 6-6 6",
  eye: "M2 12s3.5-6.5 10-6.5S22 12 22 12s-3.5 6.5-10 6.5S2 12 2 12ZM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
  external: "M13 5h6v6M19 5l-9 9M17 14v5H5V7h5",
  file: "M6 3h8l4 4v14H6ZM14 3v4h4",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14",
  check: "M5 12.5 10 17.5 19 7",
  warning: "M12 4 2.5 20h19L12 4ZM12 10v4.5M12 17.3h.01",
  picture: "M4 5h16v14H4ZM4 16l5-5 4 4 3-3 4 4M15.5 9h.01",
  at: "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M15.5 8.5v5a2.5 2.5 0 0 0 5 0V12a8.5 8.5 0 1 0-3.5 6.9",
};

/** By the kind of place. @type {Record<import("./types.js").Channel["kind"], string>} */
export const PLACE_ICONS = { text: "hash", thread: "thread", dm: "at" };

/**
 * Describe a drawing; what it stands for is said by the text or the label around it.
 *
 * @param {string} name one of the shapes above
 * @returns {import("./dom.js").VElement}
 */
export function icon(name) {
  return h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: SHAPES[name] }));
}
