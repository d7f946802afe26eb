/** The tab with which things are made to go wrong: the bot, its connection, the next call of NanoGPT. */

import { Mount, element, h, hit } from "./dom.js";

/** A slider is let go of before the server hears of it. */
const PACE_WAIT_MS = 200;
const SLOWEST = 2;
const FASTEST = 200;

export class LeversPage {
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
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /**
   * Build the tab.
   *
   * @param {HTMLElement} page
   */
  fill(page) {
    const upper = element("div", { class: "levers" });
    const pace = element("div", { class: "lever-group" });
    const lower = element("div", { class: "levers" });
    this.upper = new Mount(upper);
    this.lower = new Mount(lower);
    this.slider = /** @type {HTMLInputElement} */ (
      element("input", { type: "range", id: "pace", min: SLOWEST, max: FASTEST, step: 1 })
    );
    this.output = element("output", { for: "pace" });
    const label = element("label", { for: "pace" }, "Speed of the replies");
    const line = element("div", { class: "pace-line" });
    line.append(this.slider, this.output);
    pace.append(label, line);
    page.append(upper, pace, lower);
    page.addEventListener("click", (event) => {
      const button = hit(event, "[data-lever]");
      if (button) {
        void this.pull(button.dataset.lever ?? "", button.dataset.fault ? { fault: button.dataset.fault } : {});
      }
    });
    this.slider.addEventListener("input", () => this.slid());
    this.state.on("levers", () => this.draw());
    this.state.on("bot", () => this.draw());
    this.draw();
  }

  /** @param {string} name @param {Record<string, unknown>} fields */
  async pull(name, fields) {
    const answer = await this.ask("lever", { name, ...fields });
    this.refusal = answer.ok ? null : (answer.sentence ?? "That did not work.");
    this.draw();
  }

  slid() {
    const { slider, output } = this;
    if (slider && output) {
      output.textContent = paceWords(slider.valueAsNumber);
      clearTimeout(this.timer);
      this.timer = window.setTimeout(
        () => void this.pull("pace", { tokens_per_second: slider.valueAsNumber }),
        PACE_WAIT_MS,
      );
    }
  }

  draw() {
    const { levers, bot, botSentence, live, notes } = this.state;
    const labels = new Map(levers.faults_offered.map(({ name, label }) => [name, label]));
    this.upper?.show(
      this.refusal !== null && h("p", { class: "refusal", role: "alert", key: "refusal" }, this.refusal),
      h(
        "section",
        { class: "lever-group", key: "bot" },
        h("h3", null, "The bot"),
        h("p", { class: "lever-state" }, h("span", { class: `dot ${bot}`, "aria-hidden": "true" }), BOT_WORDS[bot]),
        botSentence && h("p", { class: "lever-about" }, botSentence),
        h(
          "p",
          { class: "lever-about" },
          "A process of its own. Killed, it gets no chance to tidy up; started again, it catches up.",
        ),
        h(
          "div",
          { class: "lever-row" },
          lever("Kill the bot", "kill_bot", { style: "danger", disabled: bot === "down" }),
          lever("Start it", "start_bot", { style: "success", disabled: bot !== "down" }),
          lever("Kill and restart", "restart_bot", { disabled: bot === "down" }),
          lever("Drop its gateway connection", "drop_gateway", { disabled: bot !== "up" }),
        ),
      ),
      h(
        "section",
        { class: "lever-group", key: "faults" },
        h("h3", null, "The next call of NanoGPT"),
        h(
          "p",
          { class: "lever-about" },
          "The next reply meets this, once. Write something to a character to see what its members see.",
        ),
        h(
          "div",
          { class: "lever-row" },
          levers.faults_offered.map(({ name, label }) => lever(label, "fault", { fault: name })),
        ),
        h(
          "p",
          { class: "armed", role: "status" },
          levers.faults.length === 0
            ? "Nothing is armed: the next call is answered."
            : ["Armed: ", h("strong", null, levers.faults.map((name) => labels.get(name) ?? name).join(", then "))],
        ),
        levers.faults.length > 0 && h("div", { class: "lever-row" }, lever("Clear", "clear_faults", {})),
      ),
    );
    if (this.slider && this.output && document.activeElement !== this.slider) {
      this.slider.max = String(Math.max(FASTEST, Math.ceil(levers.tokens_per_second)));
      this.slider.value = String(levers.tokens_per_second);
      this.output.textContent = paceWords(levers.tokens_per_second);
    }
    this.lower?.show(
      h(
        "section",
        { class: "lever-group" },
        h("h3", null, "What is real here"),
        h(
          "ul",
          { class: "notes" },
          h(
            "li",
            null,
            live
              ? "Live: characters and replies come from NanoGPT, asked with your key."
              : "Replies here are scripted: no AI is asked.",
          ),
          notes.map((note) => h("li", null, note)),
        ),
      ),
    );
  }
}

/** @type {Record<import("./types.js").BotState, string>} */
const BOT_WORDS = { up: "Running and connected", starting: "Starting", down: "Not running" };

/** @param {number} pace */
function paceWords(pace) {
  return `${Math.round(pace)} tokens a second`;
}

/**
 * @param {string} label
 * @param {string} name
 * @param {{style?: string, disabled?: boolean, fault?: string}} how
 */
function lever(label, name, { style = "secondary", disabled = false, fault }) {
  return h(
    "button",
    {
      class: `button ${style}`,
      type: "button",
      "data-lever": name,
      "data-fault": fault,
      disabled,
      key: `${name} ${fault}`,
    },
    label,
  );
}
