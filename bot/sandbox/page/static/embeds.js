/** Cards and files of a message, as descriptions of elements. No picture is loaded from anywhere: they are drawn. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { parse, render, webAddress } from "./markdown.js";

/**
 * @typedef {import("./types.js").Embed} Embed
 * @typedef {import("./types.js").Attachment} Attachment
 * @typedef {import("./types.js").Names} Names
 * @typedef {import("./dom.js").VNode} VNode
 */

const KIB = 1024;
const FIELDS_A_ROW = 3;
const HUES = 360;
const CRC_32 = 0xedb88320;
const utf8 = new TextEncoder();

/**
 * Describe a card.
 *
 * @param {Embed} embed
 * @param {Names} names
 * @returns {VNode}
 */
export function drawEmbed(embed, names) {
  const address = embed.url ? webAddress(embed.url) : null;
  const title = embed.title && render(parse(embed.title, { blocks: false }), names);
  return h(
    "div",
    { class: embed.thumbnail ? "embed with-thumbnail" : "embed", vars: { "--accent": cssColor(embed.color) } },
    embed.link && address && h("div", { class: "embed-provider" }, new URL(address).host),
    embed.author && h("div", { class: "embed-author" }, embed.author),
    title &&
      h(
        "div",
        { class: "embed-title" },
        address
          ? h("a", { href: address, target: "_blank", rel: "noopener noreferrer", title: address }, title)
          : title,
      ),
    embed.description && h("div", { class: "embed-description markup" }, render(parse(embed.description), names)),
    embed.fields.length > 0 && h("div", { class: "embed-fields" }, drawFields(embed.fields, names)),
    embed.image && drawPicture(embed.title || "Picture", "embed-image"),
    embed.footer && h("div", { class: "embed-footer" }, embed.footer),
    embed.thumbnail && drawPicture(embed.title || "Picture", "embed-thumbnail"),
  );
}

/**
 * Up to three short fields share a row, as many as follow each other.
 *
 * @param {Embed["fields"]} fields
 * @param {Names} names
 */
function drawFields(fields, names) {
  return fields.map((field, index) => {
    let before = 0;
    while (before < index && fields[index - before - 1].inline) {
      before += 1;
    }
    let after = 0;
    while (index + after + 1 < fields.length && fields[index + after + 1].inline) {
      after += 1;
    }
    const place = before % FIELDS_A_ROW;
    const share = field.inline ? Math.min(FIELDS_A_ROW, place + 1 + after) : 1;
    return h(
      "div",
      { class: `embed-field share-${share}` },
      h("div", { class: "embed-field-name" }, render(parse(field.name, { blocks: false }), names)),
      h("div", { class: "embed-field-value markup" }, render(parse(field.value), names)),
    );
  });
}

/**
 * Describe what stands for a picture.
 *
 * @param {string} of what it shows, for its colour and its letter
 * @param {string} style the class that gives it its size
 * @returns {VNode}
 */
export function drawPicture(of, style) {
  return h(
    "div",
    {
      class: `picture ${style}`,
      role: "img",
      "aria-label": `Picture: ${of}`,
      title: "Pictures are not loaded in the demo",
      vars: { "--hue": hueOf(of) },
    },
    style === "embed-thumbnail" ? firstLetter(of) : icon("picture"),
  );
}

/**
 * Return the colour that stands for a name, in degrees: the server's own sum (CRC-32), so that a face has one colour.
 *
 * @param {string} text
 * @returns {number}
 */
export function hueOf(text) {
  let sum = ~0;
  for (const byte of utf8.encode(text)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      sum = (sum >>> 1) ^ (CRC_32 & -(sum & 1));
    }
  }
  return (~sum >>> 0) % HUES;
}

/**
 * Return the letter that stands for a name.
 *
 * @param {string} text
 * @returns {string}
 */
export function firstLetter(text) {
  return /[\p{L}\p{N}]/u.exec(text)?.[0].toUpperCase() ?? "?";
}

/**
 * Return a colour of Discord's as one of CSS.
 *
 * @param {number | null | undefined} color
 * @returns {string}
 */
export function cssColor(color) {
  return typeof color === "number" ? `#${color.toString(16).padStart(6, "0")}` : "var(--line-strong)";
}

/**
 * Describe a file. A text opens below its card when asked; see message_actions.js.
 *
 * @param {Attachment} file
 * @returns {VNode}
 */
export function drawAttachment(file) {
  const address = `files/${encodeURIComponent(file.id)}`;
  const readable = file.type.startsWith("text/") || /\.(?:txt|md|json|log|csv)$/i.test(file.name);
  return h(
    "div",
    { class: "attachment", "data-file": file.id },
    h(
      "div",
      { class: "attachment-card" },
      icon("file"),
      h(
        "div",
        { class: "attachment-words" },
        h("a", { class: "attachment-name", href: address, download: file.name }, file.name),
        h("span", { class: "attachment-size" }, fileSize(file.size)),
      ),
      h(
        "a",
        { class: "icon-button", href: address, download: file.name, "aria-label": `Download ${file.name}` },
        icon("download"),
      ),
    ),
    readable &&
      h(
        "button",
        { class: "attachment-expand", type: "button", "data-do": "expand-file", "aria-expanded": "false" },
        icon("down"),
        "Show",
      ),
    readable && h("pre", { class: "attachment-text", hidden: true, tabindex: "0" }),
  );
}

/**
 * Return a size as people read it.
 *
 * @param {number} bytes
 * @returns {string}
 */
export function fileSize(bytes) {
  if (bytes < KIB) {
    return `${bytes} bytes`;
  }
  return bytes < KIB * KIB ? `${(bytes / KIB).toFixed(2)} KB` : `${(bytes / KIB / KIB).toFixed(2)} MB`;
}
