/** The tab on NanoGPT's side of things: the made-up accounts, what waits for a moderator, and the reviews. */

import { Mount, element, find, h, hit } from "./dom.js";

/**
 * @typedef {import("./types.js").DeskAccount} DeskAccount
 * @typedef {import("./types.js").DeskCharacter} DeskCharacter
 * @typedef {import("./types.js").DeskReview} DeskReview
 */

const MOST_STARS = 5;
const LONGEST_REASON = 300;

export class DeskPage {
  /**
   * @param {object} parts
   * @param {import("./state.js").State} parts.state
   * @param {import("./types.js").Ask} parts.ask
   */
  constructor({ state, ask }) {
    this.state = state;
    this.ask = ask;
    /** @type {string | null} */
    this.refusal = null;
  }

  /**
   * Build the tab.
   *
   * @param {HTMLElement} page
   */
  fill(page) {
    const node = element("div", { class: "desk-sections" });
    page.append(node);
    this.mount = new Mount(node);
    page.addEventListener("click", (event) => {
      const button = hit(event, "button[data-desk]");
      if (button) {
        void this.act(button.dataset.desk ?? "", fieldsOf(button));
      }
    });
    page.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = hit(event, "form[data-desk]");
      if (form) {
        const input = /** @type {HTMLInputElement} */ (find("input", form));
        const value = input.type === "number" ? input.valueAsNumber : input.value;
        void this.act(form.dataset.desk ?? "", { ...fieldsOf(form), [input.name]: value });
      }
    });
    this.state.on("desk", () => this.draw());
    this.draw();
  }

  /** @param {string} name @param {Record<string, unknown>} fields */
  async act(name, fields) {
    const answer = await this.ask("desk", { name, ...fields });
    this.refusal = answer.ok ? null : (answer.sentence ?? "That did not work.");
    this.draw();
  }

  draw() {
    const { accounts, waiting, reviews } = this.state.desk;
    this.mount?.show(
      this.refusal !== null && h("p", { class: "refusal", role: "alert", key: "refusal" }, this.refusal),
      h(
        "section",
        { class: "lever-group", key: "waiting" },
        h("h3", null, "Waiting for a moderator"),
        h("p", { class: "lever-about" }, "Here you are NanoGPT's moderators. An author hears of it in Discord within minutes."),
        waiting.length === 0 && h("p", { class: "lever-about" }, "Nothing waits."),
        waiting.map(drawWaiting),
      ),
      h(
        "section",
        { class: "lever-group", key: "accounts" },
        h("h3", null, "Accounts"),
        h("p", { class: "lever-about" }, "Made up, all of them. /account link lets one of them approve."),
        accounts.map(drawAccount),
      ),
      h(
        "section",
        { class: "lever-group", key: "reviews" },
        h("h3", null, "Reviews"),
        reviews.length === 0 && h("p", { class: "lever-about" }, "Nobody has published one yet."),
        reviews.map(drawReview),
      ),
    );
  }
}

/** @param {HTMLElement} node @returns {Record<string, unknown>} what it is about */
function fieldsOf({ dataset }) {
  const { account, character, subscribed } = dataset;
  return {
    ...(account ? { account } : {}),
    ...(character ? { character } : {}),
    ...(subscribed ? { subscribed: subscribed === "true" } : {}),
  };
}

/** @param {DeskAccount} account */
function drawAccount(account) {
  const { id, usd, nano, subscribed, keys } = account;
  return h(
    "article",
    { class: "desk-card", key: id, "data-account": id },
    h(
      "div",
      { class: "desk-line" },
      h("h4", null, id),
      h(
        "span",
        { class: account.may_review ? "badge good" : "badge warn" },
        account.may_review ? "may review" : "may not review",
      ),
    ),
    h(
      "p",
      { class: "lever-about" },
      `$${usd.toFixed(2)}`,
      nano > 0 && ` and ${nano} Nano`,
      subscribed ? ", with a subscription. " : ", no subscription. ",
      keys.length === 0 ? "No key." : `Keys: ${keys.join(", ")}.`,
    ),
    h(
      "form",
      { class: "desk-form", "data-desk": "set_balance", "data-account": id },
      h("label", { for: `usd-${id}` }, "Dollars"),
      h("input", {
        ...{ id: `usd-${id}`, name: "usd", type: "number", min: 0, step: 0.01, required: true },
        value: String(usd),
      }),
      h("button", { class: "button secondary", type: "submit" }, "Set"),
    ),
    h(
      "div",
      { class: "lever-row" },
      h(
        "button",
        {
          ...{ class: "button secondary", type: "button" },
          ...{ "data-desk": "set_subscription", "data-account": id, "data-subscribed": String(!subscribed) },
        },
        subscribed ? "End the subscription" : "Give it a subscription",
      ),
      h(
        "button",
        {
          ...{ class: "button danger", type: "button", disabled: keys.length === 0 },
          ...{ "data-desk": "revoke_keys", "data-account": id },
        },
        "Revoke its keys",
      ),
    ),
  );
}

/** @param {DeskCharacter} character */
function drawWaiting(character) {
  const { id, name, slug, owner, summary, first_message: greeting, rating } = character;
  return h(
    "article",
    { class: "desk-card", key: id, "data-character": id },
    h(
      "div",
      { class: "desk-line" },
      h("h4", null, name),
      h("span", { class: "badge" }, rating ?? "not rated"),
      h("span", { class: "desk-by" }, `${slug}, by ${owner ?? "NanoGPT"}`),
    ),
    summary && h("p", { class: "desk-text" }, summary),
    greeting && h("blockquote", { class: "desk-text" }, greeting),
    h(
      "div",
      { class: "lever-row" },
      h(
        "button",
        { class: "button success", type: "button", "data-desk": "approve", "data-character": id },
        "Approve",
      ),
    ),
    h(
      "form",
      { class: "desk-form", "data-desk": "reject", "data-character": id },
      h("label", { for: `reason-${id}` }, "Reason"),
      h("input", {
        ...{ id: `reason-${id}`, name: "reason", type: "text", required: true, autocomplete: "off" },
        maxlength: LONGEST_REASON,
      }),
      h("button", { class: "button danger", type: "submit" }, "Reject"),
    ),
  );
}

/** @param {DeskReview} review */
function drawReview({ character, account, rating, text }) {
  const stars = `${"★".repeat(rating)}${"☆".repeat(MOST_STARS - rating)}`;
  return h(
    "article",
    { class: "desk-card", key: `${character} ${account}`, "data-review": character },
    h(
      "div",
      { class: "desk-line" },
      h("h4", null, character),
      h("span", { class: "stars", role: "img", "aria-label": `${rating} of ${MOST_STARS} stars` }, stars),
      h("span", { class: "desk-by" }, `by ${account}`),
    ),
    text && h("p", { class: "desk-text" }, text),
  );
}
