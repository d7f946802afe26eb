/** Commands as data: which fit what was typed, and what a filled-in option is worth. */

import { UPLOADING } from "./uploads.js";

/**
 * @typedef {import("./types.js").Command} Command
 * @typedef {import("./types.js").CommandOption} CommandOption
 * @typedef {import("./types.js").Names} Names
 * @typedef {import("./types.js").Choice} Choice
 * @typedef {{value: string | number | boolean} | {problem: string}} Reading
 */

/** Discord's types of options. */
export const OptionKind = Object.freeze({
  STRING: 3,
  INTEGER: 4,
  BOOLEAN: 5,
  USER: 6,
  CHANNEL: 7,
  ROLE: 8,
  MENTIONABLE: 9,
  NUMBER: 10,
  ATTACHMENT: 11,
});

/**
 * Return the chat commands that fit what stands behind the slash, the best first.
 *
 * @param {Command[]} commands
 * @param {string} typed
 * @returns {Command[]}
 */
export function matchCommands(commands, typed) {
  const wanted = typed.trim().toLowerCase();
  return commands
    .filter((command) => command.kind === "chat")
    .map((command) => ({ command, rank: rankOf(command, wanted) }))
    .filter(({ rank }) => rank !== null)
    .sort((one, other) => (one.rank ?? 0) - (other.rank ?? 0))
    .map(({ command }) => command);
}

/** @param {Command} command @param {string} wanted in lower case @returns {number | null} */
function rankOf(command, wanted) {
  const words = command.words.toLowerCase();
  if (words.startsWith(wanted)) {
    return 0;
  }
  if (words.split(" ").some((word) => word.startsWith(wanted))) {
    return 1;
  }
  if (words.includes(wanted)) {
    return 2;
  }
  return wanted.length > 2 && command.description.toLowerCase().includes(wanted) ? 3 : null;
}

/**
 * Return what an option lets one choose from, apart from what the application suggests; null where anything may be
 * typed.
 *
 * @param {CommandOption} option
 * @param {Names} names
 * @returns {Choice[] | null}
 */
export function choicesOf(option, names) {
  if (option.choices.length > 0) {
    return option.choices;
  }
  switch (option.type) {
    case OptionKind.BOOLEAN:
      return [
        { name: "True", value: "true" },
        { name: "False", value: "false" },
      ];
    case OptionKind.USER:
      return named(names.users, "@");
    case OptionKind.CHANNEL:
      return named(names.channels, "#");
    case OptionKind.ROLE:
      return named(names.roles, "@");
    case OptionKind.MENTIONABLE:
      return [...named(names.users, "@"), ...named(names.roles, "@")];
    default:
      return null;
  }
}

/** @param {Record<string, string>} from @param {string} sign @returns {Choice[]} */
function named(from, sign) {
  return Object.entries(from).map(([value, name]) => ({ name: `${sign}${name.replace(/^@/, "")}`, value }));
}

/**
 * Return the choices that fit what was typed.
 *
 * @param {Choice[]} choices
 * @param {string} typed
 * @returns {Choice[]}
 */
export function matchChoices(choices, typed) {
  const wanted = typed.trim().toLowerCase();
  return choices.filter(({ name }) => name.toLowerCase().includes(wanted));
}

/**
 * Read what stands in an option that is not empty.
 *
 * @param {CommandOption} option
 * @param {string} typed
 * @param {string | number | null} chosen the value of what was picked from a list
 * @param {Names} names
 * @returns {Reading}
 */
export function readOption(option, typed, chosen, names) {
  const choices = choicesOf(option, names);
  if (choices) {
    const same = choices.find(({ name }) => name.toLowerCase() === typed.trim().toLowerCase());
    const value = chosen ?? same?.value;
    if (value === undefined) {
      return { problem: "Choose one of the options." };
    }
    return { value: option.type === OptionKind.BOOLEAN ? value === "true" : value };
  }
  if (chosen !== null) {
    return { value: chosen };
  }
  if (option.type === OptionKind.ATTACHMENT) {
    return { problem: UPLOADING };
  }
  if (option.type === OptionKind.INTEGER || option.type === OptionKind.NUMBER) {
    return readNumber(option, typed);
  }
  const least = option.min_length ?? 0;
  return typed.length < least ? { problem: `Write at least ${least} characters.` } : { value: typed };
}

/** @param {CommandOption} option @param {string} typed @returns {Reading} */
function readNumber(option, typed) {
  const value = Number(typed);
  if (!Number.isFinite(value) || (option.type === OptionKind.INTEGER && !Number.isInteger(value))) {
    return { problem: option.type === OptionKind.INTEGER ? "Write a whole number." : "Write a number." };
  }
  if (value < (option.min_value ?? -Infinity) || value > (option.max_value ?? Infinity)) {
    return { problem: `Write a number from ${option.min_value ?? "…"} to ${option.max_value ?? "…"}.` };
  }
  return { value };
}
