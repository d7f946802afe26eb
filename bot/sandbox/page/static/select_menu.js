/** The list that a select opens, in messages and in forms. */

import { Kind } from "./components.js";
import { h } from "./dom.js";
import { Listbox } from "./listbox.js";

/**
 * @typedef {import("./types.js").Component} Component
 * @typedef {import("./listbox.js").Option} Option
 * @typedef {import("./popup.js").Popups} Popups
 * @typedef {import("./state.js").State} State
 */

/**
 * Open the list of a select. One that takes a single value answers at once, one that takes several when it closes.
 *
 * @param {object} about
 * @param {Popups} about.popups
 * @param {State} about.state
 * @param {Component} about.part
 * @param {HTMLElement} about.opener
 * @param {string[]} about.chosen
 * @param {(values: string[]) => void} about.onChoose
 */
export function openSelect({ popups, state, part, opener, chosen, onChoose }) {
  const most = part.max_values ?? 1;
  const least = part.min_values ?? 1;
  const several = most > 1;
  const values = new Set(chosen);
  const options = optionsOf(part, state);
  const draw = () => options.map((option) => ({ ...option, selected: values.has(option.value) }));
  const list = new Listbox({
    label: part.placeholder || "Options",
    several,
    onPick: (option) => pick(option),
  });
  list.node.tabIndex = 0;

  /** @param {Option} option */
  function pick(option) {
    if (!several) {
      popups.close();
      // What may be left empty is emptied by choosing it again.
      onChoose(least === 0 && values.has(option.value) ? [] : [option.value]);
      return;
    }
    if (values.has(option.value)) {
      values.delete(option.value);
    } else if (values.size < most) {
      values.add(option.value);
    }
    list.show(draw(), list.index);
  }

  list.node.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (steps !== undefined) {
      list.move(steps);
    } else if (event.key === "Home" || event.key === "End") {
      list.activate(event.key === "Home" ? 0 : options.length - 1);
    } else if (event.key === " " || (event.key === "Enter" && !several)) {
      if (list.active) {
        pick(list.active);
      }
    } else if (event.key === "Enter" || event.key === "Tab" || event.key === "Escape") {
      popups.close();
    } else if (event.key.length === 1) {
      const letter = event.key.toLowerCase();
      const found = options.findIndex(
        (option, index) => index > list.index && option.label.toLowerCase().startsWith(letter),
      );
      const again = found < 0 ? options.findIndex((option) => option.label.toLowerCase().startsWith(letter)) : found;
      if (again >= 0) {
        list.activate(again);
      }
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });

  list.attach(list.node);
  list.show(
    draw(),
    Math.max(
      0,
      options.findIndex((option) => values.has(option.value)),
    ),
  );
  popups.show(list.node, {
    opener,
    sameWidth: true,
    onClose: () => {
      const same = values.size === chosen.length && chosen.every((value) => values.has(value));
      if (several && !same && values.size >= least) {
        onChoose(options.map((option) => option.value).filter((value) => values.has(value)));
      }
    },
  });
  list.node.focus({ preventScroll: true });
  list.activate(list.index);
}

/**
 * Return what a select offers: its own options, or the people, roles and channels there are.
 *
 * @param {Component} part
 * @param {State} state
 * @returns {Option[]}
 */
export function optionsOf(part, state) {
  if (part.type === Kind.STRING_SELECT) {
    return (part.options ?? []).map((option) => ({
      value: option.value,
      label: option.label,
      detail: option.description ?? "",
      sign: option.emoji?.name ? h("span", { class: "option-emoji" }, option.emoji.name) : null,
    }));
  }
  const { names } = state;
  const people = Object.entries(names.users).map(([value, name]) => ({ value, label: name }));
  const roles = Object.entries(names.roles).map(([value, name]) => ({ value, label: `@${name.replace(/^@/, "")}` }));
  switch (part.type) {
    case Kind.USER_SELECT:
      return people;
    case Kind.ROLE_SELECT:
      return roles;
    case Kind.CHANNEL_SELECT:
      return state.channels
        .filter(({ kind, type }) => kind !== "dm" && (part.channel_types ?? [type]).includes(type))
        .map((channel) => ({ value: channel.id, label: `#${channel.name}` }));
    default:
      return [...people, ...roles];
  }
}
