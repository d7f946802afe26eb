/** Names that are typed, and the marks that Discord sends in their place. */

/** @typedef {import("./types.js").Names} Names */

/**
 * @typedef {object} Mentionable
 * @property {string} shown as it is typed, such as "@Ada"
 * @property {string} wire as it is sent, such as "<@1>"
 */

/**
 * Return everybody and everything that can be mentioned.
 *
 * @param {Names} names
 * @returns {Mentionable[]}
 */
export function mentionables(names) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const [id, name] of Object.entries(names.channels)) {
    found.set(`#${name}`, `<#${id}>`);
  }
  for (const [id, name] of Object.entries(names.roles)) {
    if (!name.startsWith("@")) {
      found.set(`@${name}`, `<@&${id}>`);
    }
  }
  for (const [id, name] of Object.entries(names.users)) {
    // A person comes before a role of the same name, such as the one that Discord makes for every application.
    found.set(`@${name}`, `<@${id}>`);
  }
  return [...found].map(([shown, wire]) => ({ shown, wire }));
}

/**
 * Replace typed names by their marks; the longest name wins where one begins another.
 *
 * @param {string} text
 * @param {Names} names
 * @returns {string}
 */
export function toWire(text, names) {
  const known = mentionables(names).sort((one, other) => other.shown.length - one.shown.length);
  let sent = "";
  let at = 0;
  while (at < text.length) {
    const begins = (text[at] === "@" || text[at] === "#") && !/[\p{L}\p{N}<\\]/u.test(text[at - 1] ?? "");
    const found = begins ? known.find(({ shown }) => startsWithName(text, at, shown)) : undefined;
    sent += found ? found.wire : text[at];
    at += found ? found.shown.length : 1;
  }
  return sent;
}

/** @param {string} text @param {number} at @param {string} name */
function startsWithName(text, at, name) {
  const end = at + name.length;
  return text.slice(at, end).toLowerCase() === name.toLowerCase() && !/[\p{L}\p{N}_]/u.test(text[end] ?? "");
}

/**
 * Replace marks by names, for somebody who edits what they wrote.
 *
 * @param {string} text
 * @param {Names} names
 * @returns {string}
 */
export function fromWire(text, names) {
  return text.replace(/<(@!?|@&|#)(\d+)>/g, (mark, sign, id) => {
    const known = sign === "#" ? names.channels : sign === "@&" ? names.roles : names.users;
    const name = known[id];
    return name === undefined ? mark : `${sign === "#" ? "#" : "@"}${name}`;
  });
}
