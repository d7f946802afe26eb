/**
 * Discord's markdown: text → tree → descriptions of elements. The text is never anything but text.
 *
 * The grammar is what Discord's client was seen to do, not CommonMark: line breaks count, headings end at three, a
 * quote holds no quote, `__` underlines.
 *
 * @typedef {{kind: "text", text: string}} TextNode
 * @typedef {{kind: "strong" | "em" | "underline" | "strike" | "spoiler" | "quote" | "small",
 *   children: MarkdownNode[]}} SpanNode
 * @typedef {{kind: "heading", level: number, children: MarkdownNode[]}} HeadingNode
 * @typedef {{kind: "list", start: number | null, items: MarkdownNode[][]}} ListNode
 * @typedef {{kind: "code", text: string}} CodeNode
 * @typedef {{kind: "codeblock", language: string, text: string}} CodeBlockNode
 * @typedef {{kind: "link", address: string, masked: boolean, children: MarkdownNode[]}} LinkNode
 * @typedef {{kind: "user" | "role" | "channel", id: string}} MentionNode
 * @typedef {{kind: "everyone", text: string}} EveryoneNode
 * @typedef {{kind: "command", words: string}} CommandNode
 * @typedef {{kind: "time", at: number, style: string}} TimeNode
 * @typedef {TextNode | SpanNode | HeadingNode | ListNode | CodeNode | CodeBlockNode | LinkNode | MentionNode |
 *   EveryoneNode | CommandNode | TimeNode} MarkdownNode
 *
 * @typedef {{blocks: boolean, quote: boolean, depth: number}} Place where in a text the reader is
 * @typedef {{node: MarkdownNode, end: number}} Found what stands at a place, and where it ends
 * @typedef {{indent: number, number: number | null, text: string}} ListItem
 *
 * @typedef {object} Names
 * @property {Record<string, string>} users
 * @property {Record<string, string>} roles
 * @property {Record<string, string>} channels
 */

import { h } from "./dom.js";
import { highlight } from "./highlight.js";
import { fullDate, styledTime } from "./times.js";

/** Deeper than this, signs stand for themselves; it bounds the work that a hostile text can ask for. */
const MAX_DEPTH = 8;
const SECOND = 1_000;

const ORDINARY = /[^\\`<@*_~|[\nhH]+/y;
const ESCAPED = /\\([^0-9A-Za-z\s])/y;
const FENCE = /```(?:([\w+\-.#]+)\n)?\n*([^\n][^]*?)\n*```/y;
const CODE = /(`+)(?!`)([^]*?[^`])\1(?!`)/y;
const STRONG = /\*\*((?:\\[^]|[^\\])+?)\*\*(?!\*)/y;
const UNDERLINE = /__((?:\\[^]|[^\\])+?)__(?!_)/y;
const EM_STAR = /\*(?=\S)((?:\*\*|\\[^]|\s+(?:\\[^]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)/y;
const EM_UNDERSCORE = /_((?:__|\\[^]|[^\\_])+?)_(?![\p{L}\p{N}_])/uy;
const STRIKE = /~~([^]+?)~~/y;
const SPOILER = /\|\|([^]+?)\|\|/y;
const USER = /<@!?(\d{1,20})>/y;
const ROLE = /<@&(\d{1,20})>/y;
const CHANNEL = /<#(\d{1,20})>/y;
const COMMAND = /<\/([^:<>\n]{1,100}):\d{1,20}>/y;
const TIME = /<t:(-?\d{1,13})(?::([tTdDfFR]))?>/y;
const NAMED_EMOJI = /<a?:(\w{2,32}):\d{1,20}>/y;
const ANGLED_LINK = /<(https?:\/\/[^\s<>]+)>/iy;
const BARE_LINK = /https?:\/\/[^\s<]*[^\s<.,:;"'\]]/iy;
const LINK_TARGET = /\(\s*<?(https?:\/\/(?:\([^\s()<>]*\)|[^\s()<>])+)>?(?:\s+"[^"\n]*")?\s*\)/iy;
const EVERYONE = /@(?:everyone|here)\b/y;
const HEADING = /(#{1,3}) +(\S[^\n]*)(?:\n|$)/y;
const SMALL = /-# +(\S[^\n]*)(?:\n|$)/y;
const QUOTE = /(?:> [^\n]*(?:\n|$))+/y;
const QUOTE_REST = />>> ([^]*)/y;
const ITEM = /( *)(?:[-*]|(\d{1,9})\.) +(?=\S)/y;
const WORD_SIGN = /[\p{L}\p{N}_]/u;
const LINK_INSIDE = /https?:\/\//i;
const EMOJI_AND_SPACES = /^[\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\u200d\ufe0f\s]+$/u;
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}/gu;
/** More of them are drawn at the usual size. */
const MOST_LARGE = 27;
const MAX_LABEL = 500;

/**
 * Read a text. Without `blocks` (titles, names of fields, quoted lines) only what stands within a line counts.
 *
 * @param {string} text
 * @param {{blocks?: boolean}} [how]
 * @returns {MarkdownNode[]}
 */
export function parse(text, how = {}) {
  return read(text, { blocks: how.blocks ?? true, quote: false, depth: 0 });
}

/** @param {RegExp} pattern sticky @param {string} text @param {number} at @returns {RegExpExecArray | null} */
function match(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** @param {string} text @param {Place} place @returns {MarkdownNode[]} */
function read(text, place) {
  /** @type {MarkdownNode[]} */
  const nodes = [];
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain) {
      nodes.push({ kind: "text", text: plain });
      plain = "";
    }
  };
  while (at < text.length) {
    const atLineStart = at === 0 || text[at - 1] === "\n";
    const found = (place.blocks && atLineStart && readBlock(text, at, place)) || readSpan(text, at, place);
    if (found) {
      if (found.node.kind === "text") {
        plain += found.node.text;
      } else {
        flush();
        nodes.push(found.node);
      }
      at = found.end;
      continue;
    }
    const ordinary = match(ORDINARY, text, at);
    plain += ordinary ? ordinary[0] : text[at];
    at += ordinary ? ordinary[0].length : 1;
  }
  flush();
  return nodes;
}

/** @param {string} text @param {Place} place @returns {MarkdownNode[]} */
function within(text, place) {
  const depth = place.depth + 1;
  return depth > MAX_DEPTH ? [{ kind: "text", text }] : read(text, { blocks: false, quote: place.quote, depth });
}

// Blocks

/** @param {string} text @param {number} at @param {Place} place @returns {Found | null} */
function readBlock(text, at, place) {
  const heading = match(HEADING, text, at);
  if (heading) {
    const node = {
      kind: /** @type {const} */ ("heading"),
      level: heading[1].length,
      children: within(heading[2], place),
    };
    return { node, end: at + heading[0].length };
  }
  const small = match(SMALL, text, at);
  if (small) {
    return { node: { kind: "small", children: within(small[1], place) }, end: at + small[0].length };
  }
  if (!place.quote) {
    const rest = match(QUOTE_REST, text, at);
    if (rest) {
      return { node: quote(rest[1], place), end: text.length };
    }
    const lines = match(QUOTE, text, at);
    if (lines) {
      const inside = lines[0].replace(/^> /gm, "").replace(/\n$/, "");
      return { node: quote(inside, place), end: at + lines[0].length };
    }
  }
  return readList(text, at, place);
}

/** @param {string} text @param {Place} place @returns {SpanNode} */
function quote(text, place) {
  return { kind: "quote", children: read(text, { blocks: true, quote: true, depth: place.depth + 1 }) };
}

/** @param {string} text @param {number} at @param {Place} place @returns {Found | null} */
function readList(text, at, place) {
  /** @type {ListItem[]} */
  const items = [];
  let here = at;
  while (here < text.length) {
    const item = match(ITEM, text, here);
    let end = lineEnd(text, here);
    if (
      item &&
      items.length > 0 &&
      item[1].length <= items[0].indent &&
      isNumbered(item) !== (items[0].number !== null)
    ) {
      break; // Points after numbers are another list.
    }
    if (item) {
      const start = here + item[0].length;
      end = pastFence(text, start, end);
      const lines = text.slice(start, end).split("\n");
      const number = isNumbered(item) ? Number(item[2]) : null;
      items.push({ indent: item[1].length, number, text: dedented(lines, item[0].length) });
    } else if (items.length > 0 && /^ {2,}\S/.test(text.slice(here, end))) {
      const last = items[items.length - 1];
      end = pastFence(text, here, end);
      last.text += `\n${dedented(["", ...text.slice(here, end).split("\n")], last.indent + 3).slice(1)}`;
    } else {
      break;
    }
    here = end + 1;
  }
  return items.length === 0 ? null : { node: nested(items, place), end: Math.min(here, text.length) };
}

/** @param {RegExpExecArray} item */
function isNumbered(item) {
  return item[2] !== undefined;
}

/** @param {string} text @param {number} at @returns {number} where the line ends that `at` is on */
function lineEnd(text, at) {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/**
 * Return the end of a line, or of the line in which the code block ends that begins on it.
 *
 * @param {string} text @param {number} start @param {number} end
 */
function pastFence(text, start, end) {
  const open = text.slice(start, end).indexOf("```");
  if (open < 0) {
    return end;
  }
  const close = text.indexOf("```", start + open + 3);
  return close < 0 ? end : Math.max(end, lineEnd(text, close));
}

/** @param {string[]} lines the first as it is, the others indented @param {number} width */
function dedented(lines, width) {
  const indent = new RegExp(`^ {0,${width}}`);
  return lines.map((line, index) => (index === 0 ? line : line.replace(indent, ""))).join("\n");
}

/** @param {ListItem[]} items @param {Place} place @returns {ListNode} */
function nested(items, place) {
  /** @type {{indent: number, list: ListNode, within: MarkdownNode[]}[]} */
  const open = [];
  /** @type {MarkdownNode[]} */
  const outermost = [];
  for (const item of items) {
    while (open.length > 1 && item.indent < open[open.length - 1].indent) {
      open.pop();
    }
    const top = open[open.length - 1];
    const isDeeper = top !== undefined && item.indent >= top.indent + 2 && open.length <= MAX_DEPTH;
    const isOther = top !== undefined && open.length > 1 && (top.list.start === null) !== (item.number === null);
    if (top === undefined || isDeeper || isOther) {
      /** @type {ListNode} */
      const list = { kind: "list", start: item.number, items: [] };
      if (isOther && !isDeeper) {
        open.pop();
      }
      const around = isDeeper ? top.list.items[top.list.items.length - 1] : (top?.within ?? outermost);
      around.push(list);
      open.push({ indent: item.indent, list, within: around });
    }
    open[open.length - 1].list.items.push(within(item.text, place));
  }
  return /** @type {ListNode} */ (outermost[0]);
}

// Spans

/** @param {string} text @param {number} at @param {Place} place @returns {Found | null} */
function readSpan(text, at, place) {
  switch (text[at]) {
    case "\\":
      return literal(match(ESCAPED, text, at), at);
    case "`":
      return readCode(text, at);
    case "<":
      return readAngled(text, at);
    case "*":
      return span("strong", match(STRONG, text, at), at, place) ?? span("em", match(EM_STAR, text, at), at, place);
    case "_":
      return readUnderscore(text, at, place);
    case "~":
      return span("strike", match(STRIKE, text, at), at, place);
    case "|":
      return span("spoiler", match(SPOILER, text, at), at, place);
    case "[":
      return readMaskedLink(text, at, place);
    case "@": {
      const everyone = match(EVERYONE, text, at);
      return everyone && { node: { kind: "everyone", text: everyone[0] }, end: at + everyone[0].length };
    }
    case "h":
    case "H":
      return readBareLink(text, at);
    default:
      return null;
  }
}

/** @param {RegExpExecArray | null} found @param {number} at @returns {Found | null} */
function literal(found, at) {
  return found && { node: { kind: "text", text: found[1] }, end: at + found[0].length };
}

/**
 * @param {SpanNode["kind"]} kind @param {RegExpExecArray | null} found @param {number} at @param {Place} place
 * @returns {Found | null}
 */
function span(kind, found, at, place) {
  return found && { node: { kind, children: within(found[1], place) }, end: at + found[0].length };
}

/** @param {string} text @param {number} at @param {Place} place @returns {Found | null} */
function readUnderscore(text, at, place) {
  const underline = span("underline", match(UNDERLINE, text, at), at, place);
  if (underline || (at > 0 && WORD_SIGN.test(text[at - 1]))) {
    return underline;
  }
  return span("em", match(EM_UNDERSCORE, text, at), at, place);
}

/** @param {string} text @param {number} at @returns {Found | null} */
function readCode(text, at) {
  const fence = match(FENCE, text, at);
  if (fence) {
    const end = at + fence[0].length;
    const node = { kind: /** @type {const} */ ("codeblock"), language: fence[1] ?? "", text: fence[2] };
    return { node, end: text[end] === "\n" ? end + 1 : end };
  }
  const code = match(CODE, text, at);
  if (code) {
    return { node: { kind: "code", text: code[2].replace(/^ (?= *`)|(` *) $/g, "$1") }, end: at + code[0].length };
  }
  // Signs that open nothing are passed over together: the middle of them must not open something either.
  let end = at;
  while (text[end] === "`") {
    end += 1;
  }
  return { node: { kind: "text", text: text.slice(at, end) }, end };
}

/** @param {string} text @param {number} at @returns {Found | null} */
function readAngled(text, at) {
  for (const [pattern, make] of ANGLED) {
    const found = match(pattern, text, at);
    const node = found && make(found);
    if (found && node) {
      return { node, end: at + found[0].length };
    }
  }
  return null;
}

/** @type {[RegExp, (found: RegExpExecArray) => MarkdownNode | null][]} */
const ANGLED = [
  [USER, (found) => ({ kind: "user", id: found[1] })],
  [ROLE, (found) => ({ kind: "role", id: found[1] })],
  [CHANNEL, (found) => ({ kind: "channel", id: found[1] })],
  [COMMAND, (found) => ({ kind: "command", words: found[1] })],
  [TIME, (found) => ({ kind: "time", at: Number(found[1]) * SECOND, style: found[2] ?? "f" })],
  [NAMED_EMOJI, (found) => ({ kind: "text", text: `:${found[1]}:` })],
  [ANGLED_LINK, (found) => link(found[1])],
];

/** @param {string} text @param {number} at @returns {Found | null} */
function readBareLink(text, at) {
  if (at > 0 && WORD_SIGN.test(text[at - 1])) {
    return null;
  }
  const found = match(BARE_LINK, text, at);
  const shown = withoutStrayBrackets(found?.[0] ?? "");
  const node = shown ? link(shown) : null;
  return node && { node, end: at + shown.length };
}

/**
 * An address in brackets does not end with the bracket.
 *
 * @param {string} text
 */
function withoutStrayBrackets(text) {
  let stray = text.split(")").length - text.split("(").length;
  let end = text.length;
  while (stray > 0 && text[end - 1] === ")") {
    stray -= 1;
    end -= 1;
  }
  return text.slice(0, end);
}

/** @param {string} shown @returns {LinkNode | null} */
function link(shown) {
  const address = webAddress(shown);
  return address === null ? null : { kind: "link", address, masked: false, children: [{ kind: "text", text: shown }] };
}

/** @param {string} text @param {number} at @param {Place} place @returns {Found | null} */
function readMaskedLink(text, at, place) {
  const close = closingBracket(text, at);
  const target = close < 0 ? null : match(LINK_TARGET, text, close + 1);
  const address = target && webAddress(target[1]);
  const label = text.slice(at + 1, close);
  if (!target || !address || !label.trim() || LINK_INSIDE.test(label)) {
    return null;
  }
  const node = { kind: /** @type {const} */ ("link"), address, masked: true, children: within(label, place) };
  return { node, end: close + 1 + target[0].length };
}

/** @param {string} text @param {number} at @returns {number} where the bracket is closed, -1 for nowhere near */
function closingBracket(text, at) {
  let depth = 0;
  for (let here = at; here < Math.min(text.length, at + MAX_LABEL); here += 1) {
    if (text[here] === "\\") {
      here += 1;
    } else if (text[here] === "[") {
      depth += 1;
    } else if (text[here] === "]") {
      depth -= 1;
      if (depth === 0) {
        return here;
      }
    }
  }
  return -1;
}

/**
 * Return a text as an address of the web, or null when it is none: nothing else may become a link.
 *
 * @param {string} text
 * @returns {string | null}
 */
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

// Out of the tree

/**
 * Return the words of a tree, for a quoted line or a screen reader.
 *
 * @param {MarkdownNode[]} nodes
 * @param {Names} names
 * @returns {string}
 */
export function plainText(nodes, names) {
  return nodes.map((node) => words(node, names)).join("");
}

/** @param {MarkdownNode} node @param {Names} names @returns {string} */
function words(node, names) {
  switch (node.kind) {
    case "text":
    case "code":
    case "everyone":
      return node.text;
    case "codeblock":
      return `${node.text}\n`;
    case "spoiler":
      return "[spoiler]";
    case "list":
      return node.items.map((item) => `${plainText(item, names)}\n`).join("");
    case "user":
    case "role":
    case "channel":
      return mentionText(node, names);
    case "command":
      return `/${node.words}`;
    case "time":
      return styledTime(node.at, node.style, Date.now());
    case "heading":
    case "small":
    case "quote":
      return `${plainText(node.children, names)}\n`;
    default:
      return plainText(node.children, names);
  }
}

/** @param {MentionNode} node @param {Names} names */
function mentionText(node, names) {
  if (node.kind === "channel") {
    return `#${names.channels[node.id] ?? "unknown"}`;
  }
  const known = node.kind === "user" ? names.users : names.roles;
  return `@${known[node.id] ?? (node.kind === "user" ? "unknown-user" : "deleted-role")}`;
}

/**
 * Describe the elements of a tree.
 *
 * @param {MarkdownNode[]} nodes
 * @param {Names} names
 * @returns {import("./dom.js").VNode[]}
 */
export function render(nodes, names) {
  return nodes.map((node) => draw(node, names));
}

/** @param {MarkdownNode} node @param {Names} names @returns {import("./dom.js").VNode} */
function draw(node, names) {
  switch (node.kind) {
    case "text":
      return node.text;
    case "strong":
      return h("strong", null, render(node.children, names));
    case "em":
      return h("em", null, render(node.children, names));
    case "underline":
      return h("u", null, render(node.children, names));
    case "strike":
      return h("s", null, render(node.children, names));
    case "spoiler":
      return h(
        "span",
        {
          class: "spoiler",
          role: "button",
          tabindex: "0",
          "data-do": "reveal",
          "aria-label": "Spoiler, press to show it",
        },
        h("span", { class: "spoiler-text", "aria-hidden": "true" }, render(node.children, names)),
      );
    case "quote":
      return h("blockquote", null, render(node.children, names));
    case "small":
      return h("small", null, render(node.children, names));
    case "heading":
      return h(`h${node.level + 2}`, null, render(node.children, names));
    case "list":
      return drawList(node, names);
    case "code":
      return h("code", null, node.text);
    case "codeblock":
      return h(
        "div",
        { class: "codeblock" },
        node.language && h("span", { class: "language" }, node.language),
        h("pre", null, h("code", null, highlight(node.text, node.language))),
      );
    case "link":
      return drawLink(node, names);
    case "time":
      return h(
        "time",
        { class: "stamp", title: fullDate(node.at), "data-at": node.at, "data-style": node.style },
        styledTime(node.at, node.style, Date.now()),
      );
    case "command":
      return h(
        "button",
        { class: "mention", type: "button", "data-do": "use-command", "data-words": node.words },
        `/${node.words}`,
      );
    case "channel":
      if (node.id in names.channels) {
        const props = { class: "mention", type: "button", "data-do": "open-channel", "data-channel": node.id };
        return h("button", props, mentionText(node, names));
      }
      return h("span", { class: "mention" }, mentionText(node, names));
    case "everyone":
      return h("span", { class: "mention" }, node.text);
    default:
      return h("span", { class: "mention" }, mentionText(node, names));
  }
}

/** @param {ListNode} node @param {Names} names */
function drawList(node, names) {
  const items = node.items.map((item) => h("li", null, render(item, names)));
  return node.start === null ? h("ul", null, items) : h("ol", { start: node.start }, items);
}

/**
 * A link whose words hide its address shows the address before it is followed.
 *
 * @param {LinkNode} node @param {Names} names
 */
function drawLink(node, names) {
  return h(
    "a",
    {
      href: node.address,
      target: "_blank",
      rel: "noopener noreferrer",
      title: node.address,
      "data-do": node.masked ? "ask-link" : null,
    },
    render(node.children, names),
  );
}

/**
 * Tell whether a text is a few emoji and nothing else; Discord draws those large.
 *
 * @param {string} text
 * @returns {boolean}
 */
export function isOnlyEmoji(text) {
  const found = EMOJI_AND_SPACES.test(text) ? (text.match(EMOJI)?.length ?? 0) : 0;
  return found > 0 && found <= MOST_LARGE;
}
