/** Colours for code: comments, texts, numbers and the commonest keywords; no grammar of any language. */

import { h } from "./dom.js";

const KEYWORDS = new Set(
  (
    "abstract and as assert async await bool boolean break case catch char class const continue def default del do " +
    "double elif else end enum except export extends false False final finally float fn for from func function " +
    "global go if impl implements import in int interface is lambda let long loop match mod mut new nil None " +
    "nonlocal not null of or package pass private protected pub public raise return self static string struct super " +
    "switch then this throw trait true True try type typeof undefined use var void where while with yield select " +
    "insert update delete into values set join on group order by limit SELECT INSERT UPDATE DELETE FROM WHERE INTO " +
    "VALUES SET JOIN ON GROUP ORDER BY LIMIT AND OR NOT NULL AS CREATE TABLE"
  ).split(" "),
);
/** Languages that are shown as they are. */
const PLAIN = new Set(["", "text", "txt", "plain", "md", "markdown", "log", "ansi", "diff"]);
const TEXT = /"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/;
const NUMBER = /\b\d[\d_.]*(?:e[+-]?\d+)?\b/;
const WORD = /([A-Za-z_]\w*)(?=(\()?)/;
const SLASHES = pattern(/\/\/[^\n]*|\/\*[^]*?\*\//);
/** What begins a comment, where it is not two slashes. */
const OTHERS = new Map([
  ...entries("py python rb ruby sh bash shell zsh toml yaml yml ini r perl pl makefile dockerfile", pattern(/#[^\n]*/)),
  ...entries("sql lua haskell hs", pattern(/--[^\n]*/)),
]);

/** @param {RegExp} comment @returns {RegExp} */
function pattern(comment) {
  return new RegExp(`(${comment.source})|(${TEXT.source})|(${NUMBER.source})|${WORD.source}`, "g");
}

/** @param {string} languages @param {RegExp} found @returns {[string, RegExp][]} */
function entries(languages, found) {
  return languages.split(" ").map((language) => [language, found]);
}

/**
 * Describe code with its parts told apart.
 *
 * @param {string} text
 * @param {string} language as it stands behind the fence
 * @returns {import("./dom.js").VNode[]}
 */
export function highlight(text, language) {
  const name = language.toLowerCase();
  if (PLAIN.has(name)) {
    return [text];
  }
  /** @type {import("./dom.js").VNode[]} */
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(OTHERS.get(name) ?? SLASHES)) {
    const kind = kindOf(found);
    if (kind) {
      parts.push(text.slice(at, found.index), h("span", { class: `code-${kind}` }, found[0]));
      at = found.index + found[0].length;
    }
  }
  parts.push(text.slice(at));
  return parts;
}

/** @param {RegExpMatchArray} found @returns {string | null} */
function kindOf([, comment, quoted, number, word, called]) {
  if (comment) {
    return "comment";
  }
  if (quoted) {
    return "text";
  }
  if (number) {
    return "number";
  }
  if (KEYWORDS.has(word)) {
    return "keyword";
  }
  return called ? "call" : null;
}
