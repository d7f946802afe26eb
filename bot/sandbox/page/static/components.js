/** Buttons, selects and layouts of a message, as descriptions of elements. What they do is in interactions.js. */

import { h } from "./dom.js";
import { cssColor, drawAttachment, drawPicture } from "./embeds.js";
import { icon } from "./icons.js";
import { parse, render, webAddress } from "./markdown.js";

/**
 * @typedef {import("./types.js").Component} Component
 * @typedef {import("./types.js").Names} Names
 * @typedef {import("./types.js").Attachment} Attachment
 * @typedef {import("./dom.js").VNode} VNode
 */

/** Discord's types of components. */
export const Kind = Object.freeze({
  ROW: 1,
  BUTTON: 2,
  STRING_SELECT: 3,
  TEXT_INPUT: 4,
  USER_SELECT: 5,
  ROLE_SELECT: 6,
  MENTIONABLE_SELECT: 7,
  CHANNEL_SELECT: 8,
  SECTION: 9,
  TEXT: 10,
  THUMBNAIL: 11,
  GALLERY: 12,
  FILE: 13,
  SEPARATOR: 14,
  CONTAINER: 17,
  LABEL: 18,
  FILE_UPLOAD: 19,
  RADIO_GROUP: 21,
  CHECKBOX_GROUP: 22,
  CHECKBOX: 23,
});

/** @type {ReadonlySet<number>} */
const SELECTS = new Set([
  Kind.STRING_SELECT,
  Kind.USER_SELECT,
  Kind.ROLE_SELECT,
  Kind.MENTIONABLE_SELECT,
  Kind.CHANNEL_SELECT,
]);
const LINK_STYLE = 5;
const STYLE_NAMES = ["", "primary", "secondary", "success", "danger", "link", "premium"];
const WIDE_SPACING = 2;

/**
 * @typedef {object} Surroundings
 * @property {Names} names
 * @property {Attachment[]} files
 * @property {string | null} busy the custom id of what was pressed and is not answered yet
 * @property {ReadonlyMap<string, string[]>} chosen what selects show, by custom id
 */

/** @param {Component} part @returns {boolean} whether it is one of the select menus */
export function isSelect(part) {
  return SELECTS.has(part.type);
}

/**
 * Describe one component with all that it holds.
 *
 * @param {Component} part
 * @param {Surroundings} around
 * @returns {VNode | null}
 */
export function drawComponent(part, around) {
  if (isSelect(part)) {
    return drawSelect(part, around);
  }
  switch (part.type) {
    case Kind.ROW:
      return h("div", { class: "row" }, drawAll(part.components, around));
    case Kind.BUTTON:
      return drawButton(part, around);
    case Kind.TEXT:
      return h("div", { class: "text-display markup" }, render(parse(part.content ?? ""), around.names));
    case Kind.SECTION:
      return h(
        "div",
        { class: "section" },
        h("div", { class: "section-texts" }, drawAll(part.components, around)),
        part.accessory && h("div", { class: "section-accessory" }, drawComponent(part.accessory, around)),
      );
    case Kind.THUMBNAIL:
      return drawPicture(part.description || "Picture", "embed-thumbnail");
    case Kind.SEPARATOR:
      return h("div", {
        class: `separator${part.divider === false ? " invisible" : ""}${part.spacing === WIDE_SPACING ? " wide" : ""}`,
        role: part.divider === false ? null : "separator",
      });
    case Kind.GALLERY:
      return h(
        "div",
        { class: `gallery items-${Math.min(part.items?.length ?? 1, 3)}` },
        (part.items ?? []).map((item) => drawPicture(item.description || "Picture", "gallery-item")),
      );
    case Kind.FILE:
      return drawFile(part, around);
    case Kind.CONTAINER:
      return h(
        "div",
        {
          class: `container${typeof part.accent_color === "number" ? " accented" : ""}`,
          vars: { "--accent": cssColor(part.accent_color) },
        },
        drawAll(part.components, around),
      );
    default:
      return null;
  }
}

/** @param {Component[] | undefined} parts @param {Surroundings} around */
function drawAll(parts, around) {
  return (parts ?? []).map((part) => drawComponent(part, around));
}

/** @param {Component} part @param {Surroundings} around */
function drawButton(part, around) {
  const style = STYLE_NAMES[part.style ?? 2] ?? "secondary";
  const inside = [part.emoji?.name && h("span", { class: "button-emoji" }, part.emoji.name), part.label];
  const address = part.style === LINK_STYLE ? webAddress(part.url ?? "") : null;
  if (address) {
    return h(
      "a",
      {
        class: "button link",
        href: address,
        target: "_blank",
        rel: "noopener noreferrer",
        title: address,
        "data-do": "ask-link",
      },
      inside,
      icon("external"),
    );
  }
  const busy = around.busy !== null && around.busy === part.custom_id;
  return h(
    "button",
    {
      class: `button ${style}${busy ? " busy" : ""}`,
      type: "button",
      "data-do": "press",
      "data-custom-id": part.custom_id,
      disabled: Boolean(part.disabled),
      "aria-busy": busy ? "true" : null,
      "aria-disabled": around.busy === null ? null : "true",
    },
    h("span", { class: "button-words" }, inside),
    busy && h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
  );
}

/** @param {Component} part @param {Surroundings} around */
function drawSelect(part, around) {
  const id = part.custom_id ?? "";
  const options = part.options ?? [];
  const values = around.chosen.get(id) ?? presetOf(part);
  const labels = values.map(
    (value) => options.find((option) => option.value === value)?.label ?? nameOf(value, around.names),
  );
  const busy = around.busy !== null && around.busy === id;
  return h(
    "button",
    {
      class: `select${busy ? " busy" : ""}`,
      type: "button",
      "data-do": "open-select",
      "data-custom-id": id,
      "aria-haspopup": "listbox",
      "aria-expanded": "false",
      "aria-label": [part.placeholder || "Make a selection", ...labels].join(": "),
      "aria-busy": busy ? "true" : null,
      disabled: Boolean(part.disabled),
    },
    h(
      "span",
      { class: labels.length > 0 ? "select-shown" : "select-shown placeholder" },
      labels.join(", ") || part.placeholder || "Make a selection",
    ),
    busy ? h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")) : icon("down"),
  );
}

/**
 * Return what stands in a select before anything is chosen.
 *
 * @param {Component} part
 * @returns {string[]}
 */
export function presetOf(part) {
  const options = (part.options ?? []).filter((option) => option.default).map((option) => option.value);
  return [...options, ...(part.default_values ?? []).map(({ id }) => id)];
}

/** @param {string} id @param {Names} names */
function nameOf(id, names) {
  return names.users[id] ?? names.roles[id] ?? names.channels[id] ?? id;
}

/** @param {Component} part @param {Surroundings} around */
function drawFile(part, around) {
  const name = part.name ?? (part.file?.url ?? "").split("/").pop() ?? "";
  const file = around.files.find((each) => each.name === name);
  return file ? drawAttachment(file) : h("div", { class: "attachment-card" }, icon("file"), h("span", null, name));
}

/**
 * Find a component by its custom id, however deep it lies.
 *
 * @param {Component[]} parts
 * @param {string} customId
 * @returns {Component | null}
 */
export function findComponent(parts, customId) {
  for (const part of parts) {
    if (part.custom_id === customId) {
      return part;
    }
    const held = [...(part.components ?? []), ...(part.accessory ? [part.accessory] : [])];
    const found = findComponent(held, customId);
    if (found) {
      return found;
    }
  }
  return null;
}
