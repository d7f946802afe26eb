/** A command being filled in: one field for each option, the needed ones first, with what the application suggests. */

import { OptionKind, choicesOf, matchChoices, readOption } from "./commands.js";
import { element, find, h } from "./dom.js";
import { fileSize } from "./embeds.js";
import { icon } from "./icons.js";
import { fileWords, upload } from "./uploads.js";

/**
 * @typedef {import("./types.js").Command} Command
 * @typedef {import("./types.js").CommandOption} CommandOption
 * @typedef {import("./types.js").Choice} Choice
 * @typedef {import("./listbox.js").Option} Option
 *
 * @typedef {object} Pill an option that is filled in
 * @property {CommandOption} option
 * @property {HTMLElement} node
 * @property {HTMLInputElement} input
 * @property {string | number | null} chosen the value of what was picked, null for what is typed freely
 * @property {Choice[]} suggested what the application offered last
 * @property {boolean} stale whether more was typed since
 */

/** A pause in typing after which the application is asked. */
const DEBOUNCE_MS = 150;
const SHORTEST_FIELD = 3;
const LONGEST_STRING = 6_000;
const CHOOSE_FILE = "Choose a file";

export class CommandLine {
  /**
   * @param {object} parts
   * @param {import("./state.js").State} parts.state
   * @param {import("./types.js").Ask} parts.ask
   * @param {import("./suggestions.js").Suggestions} parts.suggestions
   * @param {(words: string, options: Record<string, unknown>) => void} parts.onRun
   * @param {() => void} parts.onEnd
   */
  constructor({ state, ask, suggestions, onRun, onEnd }) {
    this.state = state;
    this.ask = ask;
    this.suggestions = suggestions;
    this.onRun = onRun;
    this.onEnd = onEnd;
    this.node = find("#command-line");
    /** @type {Command | null} */
    this.command = null;
    /** @type {Pill[]} */
    this.pills = [];
    /** @type {Pill | null} */
    this.active = null;
    this.more = /** @type {HTMLInputElement} */ (
      element("input", {
        class: "command-more",
        id: "command-more",
        type: "text",
        role: "combobox",
        "aria-autocomplete": "list",
        "aria-expanded": "false",
        autocomplete: "off",
        spellcheck: "false",
      })
    );
    this.more.addEventListener("focus", () => this.showMore());
    this.more.addEventListener("input", () => this.showMore());
    this.more.addEventListener("keydown", (event) => this.pressedInMore(event));
    this.name = element("button", { class: "command-name", type: "button", title: "Cancel this command" });
    this.name.addEventListener("click", () => this.end());
    this.fields = element("div", { class: "command-fields" });
    this.node.append(this.name, this.fields);
    this.questions = 0;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.node.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node && this.node.contains(event.relatedTarget))) {
        this.suggestions.hide();
      }
    });
    this.node.addEventListener("click", (event) => event.target === this.fields && this.next());
  }

  /** @returns {boolean} */
  get isOpen() {
    return this.command !== null;
  }

  /**
   * Begin with a command.
   *
   * @param {Command} command
   */
  begin(command) {
    this.command = command;
    this.pills = [];
    this.active = null;
    this.name.textContent = `/${command.words}`;
    this.name.setAttribute("aria-label", `Cancel /${command.words}`);
    this.more.value = "";
    this.fields.replaceChildren(this.more);
    this.node.hidden = false;
    this.node.setAttribute("aria-label", `Command /${command.words}`);
    for (const option of command.options.filter(({ required }) => required)) {
      this.addPill(option);
    }
    this.labelMore();
    this.next();
  }

  /** Leave the command without running it. */
  end() {
    this.command = null;
    clearTimeout(this.timer);
    this.questions += 1;
    this.suggestions.hide();
    this.node.hidden = true;
    this.onEnd();
  }

  focus() {
    (this.active?.input ?? this.more).focus();
  }

  // Fields

  /** @param {CommandOption} option @returns {Pill} */
  addPill(option) {
    const pill = option.type === OptionKind.ATTACHMENT ? this.filePill(option) : this.textPill(option);
    this.pills.push(pill);
    this.fields.insertBefore(pill.node, this.more);
    pill.input.addEventListener("focus", () => this.focusPill(pill));
    pill.input.addEventListener("keydown", (event) => this.pressedInPill(event, pill));
    this.labelMore();
    return pill;
  }

  /** @param {CommandOption} option @returns {Pill} */
  filePill(option) {
    const input = /** @type {HTMLInputElement} */ (
      element("input", {
        class: "unseen",
        type: "file",
        "aria-label": `${option.name}: ${option.description}`,
        "data-option": option.name,
      })
    );
    const shown = element("span", { class: "pill-file placeholder" }, CHOOSE_FILE);
    const node = element("label", { class: "pill" }, h("span", { class: "pill-name" }, option.name));
    node.append(input, shown);
    /** @type {Pill} */
    const pill = { option, node, input, chosen: null, suggested: [], stale: false };
    input.addEventListener("change", () => void this.takeFile(pill, shown));
    return pill;
  }

  /** @param {Pill} pill @param {HTMLElement} shown where its name stands */
  async takeFile(pill, shown) {
    const file = pill.input.files?.[0];
    pill.chosen = null;
    pill.node.classList.remove("wrong");
    shown.textContent = file ? `${file.name} …` : CHOOSE_FILE;
    shown.classList.toggle("placeholder", !file);
    if (!file) {
      return;
    }
    const uploaded = await upload(this.state, file);
    if (file !== pill.input.files?.[0]) {
      return;
    }
    if ("file" in uploaded) {
      pill.chosen = uploaded.file.id;
      shown.textContent = fileWords(uploaded.file);
      this.next();
    } else {
      pill.input.value = "";
      shown.textContent = CHOOSE_FILE;
      shown.classList.add("placeholder");
      this.complain(pill, uploaded.problem);
    }
  }

  /** @param {CommandOption} option @returns {Pill} */
  textPill(option) {
    const input = /** @type {HTMLInputElement} */ (
      element("input", {
        type: "text",
        role: "combobox",
        "aria-autocomplete": "list",
        "aria-expanded": "false",
        "aria-label": `${option.name}: ${option.description}`,
        "data-option": option.name,
        "data-offers": option.autocomplete || choicesOf(option, this.state.names) !== null,
        autocomplete: "off",
        spellcheck: "false",
        size: SHORTEST_FIELD,
        maxlength: option.max_length ?? LONGEST_STRING,
      })
    );
    const node = element("label", { class: "pill" }, h("span", { class: "pill-name" }, option.name));
    node.append(input);
    /** @type {Pill} */
    const pill = { option, node, input, chosen: null, suggested: [], stale: true };
    input.addEventListener("input", () => {
      pill.chosen = null;
      pill.stale = true;
      node.classList.remove("wrong");
      fit(input);
      this.showPill(pill, DEBOUNCE_MS);
    });
    return pill;
  }

  /** @param {Pill} pill */
  removePill(pill) {
    const index = this.pills.indexOf(pill);
    this.pills.splice(index, 1);
    pill.node.remove();
    this.labelMore();
    (this.pills[index - 1]?.input ?? this.more).focus();
  }

  /** @returns {CommandOption[]} those that are not filled in */
  get left() {
    const used = new Set(this.pills.map(({ option }) => option.name));
    return (this.command?.options ?? []).filter(({ name }) => !used.has(name));
  }

  labelMore() {
    const { length } = this.left;
    this.more.placeholder = length > 0 ? `+${length} optional` : "";
    this.more.setAttribute(
      "aria-label",
      length > 0 ? "Add an option, or press Enter to send the command" : "Press Enter to send the command",
    );
    fit(this.more);
  }

  /** Go to what is to be filled in next. */
  next() {
    const pill = this.pills.find(({ input }) => input.value === "");
    (pill?.input ?? this.more).focus();
  }

  // What is offered

  /** @param {Pill} pill */
  focusPill(pill) {
    this.active = pill;
    this.showPill(pill, 0);
  }

  /** @param {Pill} pill @param {number} waitMs before the application is asked */
  showPill(pill, waitMs) {
    const { option, input } = pill;
    const choices = choicesOf(option, this.state.names);
    if (choices) {
      const typed = pill.chosen === null ? input.value : "";
      const fitting = matchChoices(choices, typed);
      this.show(pill, fitting, fitting.length === 0 ? "No options match" : null);
    } else if (option.autocomplete) {
      this.show(pill, pill.suggested, pill.suggested.length === 0 && pill.stale ? "Loading options…" : null);
      this.suggest(pill, waitMs);
    } else if (option.type === OptionKind.ATTACHMENT) {
      this.show(pill, [], `Press Enter to choose a file of at most ${fileSize(this.state.uploadBytes)}.`);
    } else {
      this.show(pill, [], null);
    }
  }

  /** @param {Pill} pill @param {Choice[]} choices @param {string | null} note */
  show(pill, choices, note) {
    const { option } = pill;
    const options = choices.map(({ name, value }) => ({ value: String(value), label: name }));
    this.suggestions.show(pill.input, {
      heading: describe(option),
      options,
      note,
      onPick: ({ value, label }) => {
        const choice = choices.find((each) => String(each.value) === value && each.name === label);
        this.pick(pill, choice ?? { name: label, value });
      },
    });
  }

  /**
   * Ask the application what fits; only the answer to the last question counts.
   *
   * @param {Pill} pill @param {number} waitMs
   */
  suggest(pill, waitMs) {
    clearTimeout(this.timer);
    this.questions += 1;
    const question = this.questions;
    this.timer = window.setTimeout(async () => {
      const answer = await this.ask("suggest", {
        channel: this.state.open,
        name: this.command?.words,
        option: pill.option.name,
        typed: pill.chosen === null ? pill.input.value : "",
        options: this.others(pill),
      });
      if (question !== this.questions || this.active !== pill || document.activeElement !== pill.input) {
        return;
      }
      const failed = !answer.ok || answer.failed === true;
      pill.stale = failed;
      pill.suggested = failed ? [] : (answer.choices ?? []);
      const nothing = failed ? (answer.sentence ?? "Loading options failed") : "No options match";
      this.show(pill, pill.suggested, pill.suggested.length === 0 ? nothing : null);
    }, waitMs);
  }

  /** @param {Pill} pill @returns {Record<string, unknown>} what the other fields are worth so far */
  others(pill) {
    /** @type {Record<string, unknown>} */
    const values = {};
    for (const { option, input, chosen } of this.pills) {
      const reading =
        option !== pill.option && input.value !== "" ? readOption(option, input.value, chosen, this.state.names) : null;
      if (reading && "value" in reading) {
        values[option.name] = reading.value;
      }
    }
    return values;
  }

  /** @param {Pill} pill @param {Choice} choice */
  pick(pill, choice) {
    pill.chosen = choice.value;
    pill.input.value = choice.name;
    pill.node.classList.remove("wrong");
    fit(pill.input);
    this.next();
  }

  showMore() {
    this.active = null;
    const typed = this.more.value.trim().toLowerCase();
    fit(this.more);
    const fitting = this.left.filter(({ name }) => name.includes(typed));
    const { command } = this;
    this.suggestions.show(this.more, {
      heading: h(
        "div",
        { class: "option-about" },
        h("strong", null, `/${command?.words ?? ""}`),
        ` ${command?.description ?? ""}`,
      ),
      options: fitting.map((option) => ({
        value: option.name,
        label: option.name,
        detail: option.description,
        group: "Options",
      })),
      index: typed === "" ? -1 : 0,
      onPick: ({ value }) => this.addNamed(value),
    });
  }

  /** @param {string} name */
  addNamed(name) {
    const option = this.left.find((each) => each.name === name);
    if (option) {
      this.more.value = "";
      this.addPill(option).input.focus();
    }
  }

  // Keyboard

  /** @param {KeyboardEvent} event @param {Pill} pill */
  pressedInPill(event, pill) {
    const { list } = this.suggestions;
    const offered =
      this.suggestions.isOpen && pill.chosen === null && !(pill.option.autocomplete && pill.stale)
        ? list.active
        : undefined;
    if (event.key === "Enter" && !event.isComposing) {
      if (offered) {
        this.suggestions.onPick?.(offered);
      } else if (pill.input.type === "file" && pill.input.value === "") {
        pill.input.click();
      } else {
        this.run();
      }
    } else if (event.key === " " && pill.input.type === "file") {
      // As on any button that chooses a file.
      return;
    } else if (event.key === "Backspace" && pill.input.type === "file" && pill.input.value !== "") {
      pill.input.value = "";
      pill.input.dispatchEvent(new Event("change"));
    } else if (event.key === "Tab" && !event.shiftKey) {
      if (offered && (pill.input.value !== "" || pill.option.required)) {
        this.suggestions.onPick?.(offered);
      } else if (pill.input.value !== "") {
        const after = this.pills[this.pills.indexOf(pill) + 1];
        (after?.input ?? this.more).focus();
      } else {
        return;
      }
    } else if (event.key === "Backspace" && pill.input.value === "") {
      this.backOut(pill);
    } else if (!this.pressedAnywhere(event)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Pill} pill an empty one */
  backOut(pill) {
    const index = this.pills.indexOf(pill);
    if (!pill.option.required) {
      this.removePill(pill);
    } else if (index > 0) {
      this.pills[index - 1].input.focus();
    } else {
      this.end();
    }
  }

  /** @param {KeyboardEvent} event */
  pressedInMore(event) {
    const { list } = this.suggestions;
    const { active } = list;
    if (event.key === "Enter" && !event.isComposing) {
      if (active && this.suggestions.isOpen) {
        this.addNamed(active.value);
      } else {
        this.run();
      }
    } else if (event.key === "Tab" && !event.shiftKey && active && this.suggestions.isOpen) {
      this.addNamed(active.value);
    } else if (event.key === "Backspace" && this.more.value === "") {
      const last = this.pills[this.pills.length - 1];
      if (last) {
        last.input.focus();
      } else {
        this.end();
      }
    } else if (!this.pressedAnywhere(event)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it meant something */
  pressedAnywhere(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.suggestions.list.move(event.key === "ArrowDown" ? 1 : -1);
      return true;
    }
    if (event.key === "Escape") {
      this.end();
      return true;
    }
    return false;
  }

  // Running

  /** Run the command, or say what is missing. */
  run() {
    const { command } = this;
    if (!command) {
      return;
    }
    /** @type {Record<string, unknown>} */
    const options = {};
    for (const pill of this.pills) {
      const { option, input, chosen } = pill;
      if (input.value === "") {
        if (option.required) {
          this.complain(pill, "This option is required. Specify a value.");
          return;
        }
        continue;
      }
      const reading = readOption(option, input.value, chosen, this.state.names);
      if ("problem" in reading) {
        this.complain(pill, reading.problem);
        return;
      }
      options[option.name] = reading.value;
    }
    this.end();
    this.onRun(command.words, options);
  }

  /** @param {Pill} pill @param {string} problem */
  complain(pill, problem) {
    pill.node.classList.add("wrong");
    pill.input.focus();
    const { list } = this.suggestions;
    this.suggestions.heading.show(
      describe(pill.option),
      h("div", { class: "option-problem", role: "alert" }, icon("warning"), problem),
    );
    this.suggestions.node.hidden = false;
    list.point();
  }
}

/** @param {CommandOption} option */
function describe(option) {
  return h("div", { class: "option-about" }, h("strong", null, option.name), ` ${option.description}`);
}

/** Fields are as wide as what stands in them. @param {HTMLInputElement} input */
function fit(input) {
  input.size = Math.max(SHORTEST_FIELD, Math.max(input.value.length, input.placeholder.length) + 1);
}
