/** Windows over the page: the application's forms, and questions before something that cannot be taken back. */

import { Kind, isSelect, presetOf } from "./components.js";
import { build, element, h } from "./dom.js";
import { firstLetter, hueOf } from "./embeds.js";
import { icon } from "./icons.js";
import { sentenceOf } from "./interactions.js";
import { parse, render } from "./markdown.js";
import { openSelect, optionsOf } from "./select_menu.js";
import { UPLOADING, fileWords, upload } from "./uploads.js";

/**
 * @typedef {import("./types.js").Form} Form
 * @typedef {import("./types.js").Component} Component
 * @typedef {import("./state.js").State} State
 * @typedef {import("./popup.js").Popups} Popups
 *
 * @typedef {string | string[] | boolean | null} Value null is sent as nothing at all
 *
 * @typedef {object} Field a part of a form that is filled in
 * @property {string} customId
 * @property {HTMLElement} node
 * @property {() => Value} read
 * @property {() => string | null} check what is wrong with it, in a sentence
 * @property {() => void} focus
 */

const PARAGRAPH = 2;
const LONGEST_TEXT = 4_000;
const REQUIRED = "This field is required.";
const NO_ANSWER = "Something went wrong. Try again.";

export class FormDialog {
  /**
   * @param {object} parts
   * @param {State} parts.state
   * @param {import("./types.js").Ask} parts.ask
   * @param {Popups} parts.popups
   * @param {() => void} parts.onLeft called when a form has closed and nothing has the focus
   */
  constructor({ state, ask, popups, onLeft }) {
    this.state = state;
    this.ask = ask;
    this.popups = popups;
    this.onLeft = onLeft;
  }

  /**
   * Put a form before the person.
   *
   * @param {Form} form
   */
  open(form) {
    const { name } = this.state.application;
    const parts = form.components.map((part) => this.part(part));
    const fields = parts.flatMap(({ field }) => (field ? [field] : []));
    const status = element("p", { class: "form-status", role: "alert" });
    const submit = /** @type {HTMLButtonElement} */ (
      element("button", { class: "button primary", type: "submit" }, "Submit")
    );
    const cancel = element("button", { class: "button plain", type: "button" }, "Cancel");
    const body = element("form", { class: "form-body", novalidate: true });
    const warning = h(
      "div",
      { class: "form-warning" },
      icon("warning"),
      h(
        "span",
        null,
        `This form will be submitted to ${name}. Do not share passwords or other sensitive information.`,
      ),
    );
    body.append(element("div", { class: "form-fields" }), status, element("div", { class: "dialog-buttons" }));
    body.children[0].append(build(warning), ...parts.map(({ node }) => node));
    body.children[2].append(cancel, submit);
    const dialog = openDialog(form.title, body, { onClose: this.onLeft, sign: name });
    cancel.addEventListener("click", () => dialog.close());
    body.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit(form, fields, { dialog, status, submit });
    });
    fields[0]?.focus();
  }

  /**
   * @param {Form} form
   * @param {Field[]} fields
   * @param {{dialog: HTMLDialogElement, status: HTMLElement, submit: HTMLButtonElement}} shown
   */
  async submit(form, fields, { dialog, status, submit }) {
    const wrong = fields.filter((field) => showProblem(field, field.check()));
    if (wrong.length > 0) {
      wrong[0].focus();
      return;
    }
    /** @type {Record<string, Value>} */
    const values = {};
    for (const field of fields) {
      const value = field.read();
      if (value !== null) {
        values[field.customId] = value;
      }
    }
    submit.disabled = true;
    submit.setAttribute("aria-busy", "true");
    status.textContent = "";
    const failure = sentenceOf(await this.ask("submit", { form: form.form, values }), NO_ANSWER);
    submit.disabled = false;
    submit.removeAttribute("aria-busy");
    if (failure === null) {
      dialog.close();
    } else {
      status.textContent = failure;
    }
  }

  /** @param {Component} part @returns {{node: HTMLElement, field: Field | null}} */
  part(part) {
    if (part.type === Kind.TEXT) {
      const node = element("div", { class: "form-text markup" }, render(parse(part.content ?? ""), this.state.names));
      return { node, field: null };
    }
    const control = part.type === Kind.ROW ? part.components?.[0] : part.component;
    if (!control) {
      return { node: element("div"), field: null };
    }
    const label = part.type === Kind.ROW ? (control.label ?? "") : (part.label ?? "");
    const field = this.field(control, label);
    const describedBy = `about-${field.customId}`;
    const isGroup = control.type === Kind.RADIO_GROUP || control.type === Kind.CHECKBOX_GROUP;
    const needed = isRequired(control) && h("span", { class: "needed", "aria-hidden": "true" }, "*");
    const heading = isGroup
      ? element("div", { class: "field-label", id: `label-${field.customId}` }, label, needed)
      : element(
          "label",
          { class: "field-label", for: `field-${field.customId}`, id: `label-${field.customId}` },
          label,
          needed,
        );
    const node = element("div", { class: "field", "data-field": field.customId });
    const about = part.description
      ? [element("div", { class: "field-description", id: describedBy }, part.description)]
      : [];
    node.append(heading, ...about, field.node, element("div", { class: "field-problem", role: "alert" }));
    if (about.length > 0) {
      field.node.querySelector("input, textarea, button")?.setAttribute("aria-describedby", describedBy);
    }
    return { node, field };
  }

  /** @param {Component} part @param {string} label @returns {Field} */
  field(part, label) {
    if (part.type === Kind.TEXT_INPUT) {
      return textField(part);
    }
    if (part.type === Kind.RADIO_GROUP || part.type === Kind.CHECKBOX_GROUP) {
      return choiceField(part, label);
    }
    if (part.type === Kind.CHECKBOX) {
      return checkboxField(part);
    }
    if (isSelect(part)) {
      return this.selectField(part, label);
    }
    if (part.type === Kind.FILE_UPLOAD) {
      return this.filesField(part);
    }
    const node = element("p", { class: "field-description" }, "This kind of field is not part of the demo.");
    return { customId: part.custom_id ?? "", node, read: () => null, check: () => null, focus: () => undefined };
  }

  /** @param {Component} part @returns {Field} */
  filesField(part) {
    const customId = part.custom_id ?? "";
    const most = part.max_values ?? 1;
    const input = /** @type {HTMLInputElement} */ (
      element("input", { class: "unseen", type: "file", id: `field-${customId}`, name: customId, multiple: most > 1 })
    );
    const opener = element("label", { class: "button secondary file-opener", for: `field-${customId}` }, "Choose a file");
    const list = element("ul", { class: "files", role: "status" });
    const node = element("div", { class: "control file-control" });
    node.append(input, opener, list);
    /** Ids by entry; null while a file is on its way. @type {Map<HTMLElement, string | null>} */
    const files = new Map();
    const about = { customId, node };

    /** @param {File} file */
    const take = async (file) => {
      const entry = element("li", { class: "file-entry" });
      const words = element("span", { class: "file-words" }, `${file.name} …`);
      const remove = element("button", { class: "icon-button", type: "button" }, icon("close"));
      remove.setAttribute("aria-label", `Remove ${file.name}`);
      remove.addEventListener("click", () => {
        files.delete(entry);
        entry.remove();
        input.focus();
      });
      entry.append(build(icon("file")), words, remove);
      files.set(entry, null);
      list.append(entry);
      const uploaded = await upload(this.state, file);
      if (!files.has(entry)) {
        return;
      }
      if ("file" in uploaded) {
        files.set(entry, uploaded.file.id);
        words.textContent = fileWords(uploaded.file);
      } else {
        files.delete(entry);
        entry.remove();
        showProblem(/** @type {Field} */ (about), uploaded.problem);
      }
    };
    input.addEventListener("change", () => {
      const given = [...(input.files ?? [])];
      input.value = "";
      showProblem(/** @type {Field} */ (about), null);
      if (most === 1) {
        files.clear();
        list.replaceChildren();
      }
      for (const file of given.slice(0, most - files.size)) {
        void take(file);
      }
    });
    return {
      ...about,
      read: () => [...files.values()].filter((id) => id !== null),
      check: () => {
        if ([...files.values()].includes(null)) {
          return UPLOADING;
        }
        return isRequired(part) && files.size < (part.min_values ?? 1) ? REQUIRED : null;
      },
      focus: () => input.focus(),
    };
  }

  /** @param {Component} part @param {string} label @returns {Field} */
  selectField(part, label) {
    const customId = part.custom_id ?? "";
    const options = optionsOf(part, this.state);
    let chosen = presetOf(part);
    const words = element("span", { class: "select-shown" });
    const opener = element("button", {
      class: "select",
      type: "button",
      id: `field-${customId}`,
      "aria-haspopup": "listbox",
      "aria-expanded": "false",
    });
    opener.append(words, build(icon("down")));
    const node = element("div", { class: "control" });
    node.append(opener);
    const draw = () => {
      const shown = options
        .filter((option) => chosen.includes(option.value))
        .map((option) => option.label)
        .join(", ");
      words.textContent = shown || part.placeholder || "Make a selection";
      words.classList.toggle("placeholder", !shown);
      opener.setAttribute("aria-label", `${label}: ${words.textContent}`);
    };
    opener.addEventListener("click", () => {
      const onChoose = (/** @type {string[]} */ values) => {
        chosen = values;
        draw();
      };
      openSelect({ popups: this.popups, state: this.state, part, opener, chosen, onChoose });
    });
    draw();
    return {
      customId,
      node,
      read: () => chosen,
      check: () => (isRequired(part) && chosen.length < (part.min_values ?? 1) ? REQUIRED : null),
      focus: () => opener.focus(),
    };
  }
}

/** @param {Component} part @returns {boolean} fields are, unless they say otherwise */
function isRequired(part) {
  return part.type !== Kind.CHECKBOX && part.required !== false;
}

/** @param {Field} field @param {string | null} problem @returns {boolean} */
function showProblem(field, problem) {
  const around = field.node.closest(".field");
  const place = around?.querySelector(".field-problem");
  if (around && place) {
    place.textContent = problem ?? "";
    around.classList.toggle("wrong", problem !== null);
  }
  return problem !== null;
}

/** @param {Component} part @returns {Field} */
function textField(part) {
  const customId = part.custom_id ?? "";
  const isLong = part.style === PARAGRAPH;
  const most = part.max_length ?? LONGEST_TEXT;
  const least = part.min_length ?? 0;
  const input = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (
    element(isLong ? "textarea" : "input", {
      id: `field-${customId}`,
      name: customId,
      type: isLong ? null : "text",
      rows: isLong ? 4 : null,
      placeholder: part.placeholder ?? null,
      maxlength: most,
      minlength: least || null,
      required: isRequired(part),
      autocomplete: "off",
    })
  );
  input.value = typeof part.value === "string" ? part.value : "";
  const counter = element("span", { class: "counter", "aria-hidden": "true" });
  const count = () => {
    counter.textContent = part.max_length || isLong ? `${input.value.length}/${most}` : "";
  };
  input.addEventListener("input", count);
  count();
  const node = element("div", { class: "control" });
  node.append(input, counter);
  return {
    customId,
    node,
    read: () => input.value,
    check: () => {
      const { length } = input.value;
      if (length === 0) {
        return isRequired(part) ? REQUIRED : null;
      }
      return length < least ? `Write at least ${least} characters.` : null;
    },
    focus: () => input.focus(),
  };
}

/** @param {Component} part @param {string} label @returns {Field} */
function choiceField(part, label) {
  const customId = part.custom_id ?? "";
  const one = part.type === Kind.RADIO_GROUP;
  const node = element("div", { class: "choices", role: one ? "radiogroup" : "group", "aria-label": label });
  const inputs = (part.options ?? []).map((option, index) => {
    const input = /** @type {HTMLInputElement} */ (
      element("input", {
        type: one ? "radio" : "checkbox",
        name: customId,
        value: option.value,
        id: `field-${customId}-${index}`,
      })
    );
    input.checked = option.default ?? false;
    const row = element("label", { class: "choice" });
    const words = element(
      "span",
      { class: "choice-words" },
      h("span", null, option.label),
      option.description && h("span", { class: "option-detail" }, option.description),
    );
    row.append(input, words);
    node.append(row);
    return input;
  });
  const chosen = () => inputs.filter((input) => input.checked).map((input) => input.value);
  return {
    customId,
    node,
    read: () => (one ? (chosen()[0] ?? null) : chosen()),
    check: () => {
      if (isRequired(part) && chosen().length === 0) {
        return "Choose one of these.";
      }
      const most = one ? 1 : (part.max_values ?? inputs.length);
      return chosen().length > most ? `Choose at most ${most}.` : null;
    },
    focus: () => (inputs.find((input) => input.checked) ?? inputs[0])?.focus(),
  };
}

/** @param {Component} part @returns {Field} */
function checkboxField(part) {
  const customId = part.custom_id ?? "";
  const input = /** @type {HTMLInputElement} */ (
    element("input", { type: "checkbox", id: `field-${customId}`, name: customId })
  );
  input.checked = part.default ?? false;
  const node = element("div", { class: "control" });
  node.append(input);
  return { customId, node, read: () => input.checked, check: () => null, focus: () => input.focus() };
}

/**
 * Open a window over the page; Escape closes it, and the focus goes back to where it was.
 *
 * @param {string} title
 * @param {HTMLElement} body
 * @param {{onClose?: () => void, sign?: string}} [how] `sign`: whose window it is
 * @returns {HTMLDialogElement}
 */
export function openDialog(title, body, { onClose, sign } = {}) {
  const dialog = /** @type {HTMLDialogElement} */ (element("dialog", { class: "dialog", "aria-label": title }));
  const close = element("button", { class: "icon-button", type: "button", "aria-label": "Close" }, icon("close"));
  const head = element(
    "div",
    { class: "dialog-head" },
    sign &&
      h("span", { class: "avatar small", "aria-hidden": "true", vars: { "--hue": hueOf(sign) } }, firstLetter(sign)),
    h("h2", null, title),
  );
  head.append(close);
  dialog.append(head, body);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (document.activeElement === document.body) {
      onClose?.();
    }
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Ask before something is done.
 *
 * @param {object} about
 * @param {string} about.title
 * @param {import("./dom.js").Child} about.words
 * @param {string} about.yes
 * @param {boolean} [about.danger]
 * @param {string} [about.href] where `yes` leads, for links
 * @param {() => void} [about.onClose]
 * @returns {Promise<boolean>}
 */
export function confirm({ title, words, yes, danger = false, href, onClose }) {
  return new Promise((resolve) => {
    const body = element(
      "div",
      { class: "form-body" },
      h("div", { class: "form-fields" }, h("div", { class: "form-text" }, words)),
    );
    const style = `button ${danger ? "danger" : "primary"}`;
    const accept = href
      ? element("a", { class: style, href, target: "_blank", rel: "noopener noreferrer" }, yes)
      : element("button", { class: style, type: "button" }, yes);
    const cancel = element("button", { class: "button plain", type: "button" }, "Cancel");
    const buttons = element("div", { class: "dialog-buttons" });
    buttons.append(cancel, accept);
    body.append(buttons);
    let accepted = false;
    const dialog = openDialog(title, body, { onClose });
    dialog.addEventListener("close", () => resolve(accepted));
    cancel.addEventListener("click", () => dialog.close());
    accept.addEventListener("click", () => {
      accepted = true;
      dialog.close();
    });
    accept.focus();
  });
}
