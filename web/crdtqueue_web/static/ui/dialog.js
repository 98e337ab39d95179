// @ts-check
/** The dialogs with one question: yes or no, and a new queue. */

import { element, setText } from "./dom.js";
import { sentenceOf } from "./format.js";
import { button, icon } from "./widgets.js";

/** @import {ViewContext} from "../api/types.js" */

const NAME_CHARS_MAX = 200;

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} text
 * @property {string} yes
 * @property {string} no
 * @property {string} [oath]  What somebody has to tick before they can say yes.
 */

/**
 * A modal dialog with a title and a form.
 *
 * @param {string} id  Unique in the view.
 * @param {string} kind
 * @param {HTMLFormElement} form
 * @param {HTMLElement} title
 */
export function dialog(id, kind, form, title) {
  title.id = `${id}-title`;
  return element("dialog", { class: kind, "aria-labelledby": title.id }, form);
}

/** Asks before something that matters. */
export class ConfirmDialog {
  #title = element("h2");
  #text = element("p", { class: "data" });
  #tick = element("input", { type: "checkbox" });
  #oath = element("span", { class: "data" });
  #oathRow = element("label", { class: "check" }, this.#tick, this.#oath);
  #yes = element("button", { type: "submit", class: "danger solid", value: "yes" });
  #no = element("button", { type: "submit", value: "no" });
  node = dialog(
    "confirm",
    "confirm",
    element(
      "form",
      { method: "dialog" },
      this.#title,
      this.#text,
      this.#oathRow,
      element("div", { class: "buttons end" }, this.#no, this.#yes),
    ),
    this.#title,
  );

  constructor() {
    this.#tick.addEventListener("change", () => (this.#yes.disabled = !this.#tick.checked));
  }

  /**
   * @param {Question} question
   * @returns {Promise<boolean>}  False also where it was closed without an answer.
   */
  ask({ title, text, yes, no, oath = "" }) {
    setText(this.#title, title);
    setText(this.#text, text);
    setText(this.#yes, yes);
    setText(this.#no, no);
    setText(this.#oath, oath);
    this.#oathRow.hidden = oath === "";
    this.#tick.checked = false;
    this.#yes.disabled = oath !== "";
    this.node.returnValue = "";
    this.node.showModal();
    this.#no.focus();
    return new Promise((resolve) => {
      const closed = () => resolve(this.node.returnValue === "yes");
      this.node.addEventListener("close", closed, { once: true });
    });
  }
}

/** Makes a queue, or joins one that other peers have. */
export class NewQueueDialog {
  #name = element("input", {
    name: "name",
    required: true,
    maxlength: NAME_CHARS_MAX,
    autocomplete: "off",
  });
  #peers = element("textarea", {
    name: "peers",
    rows: 3,
    placeholder: "192.168.1.5:7420",
    spellcheck: "false",
    "aria-describedby": "new-queue-peers-hint",
  });
  #error = element("p", { class: "error data", role: "alert" });
  #title = element("h2", {}, "New queue");
  #submit = element("button", { type: "submit", class: "primary" }, icon("add"), "Make queue");
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    const form = element(
      "form",
      { on: { submit: (event) => this.#send(event) } },
      this.#title,
      element("label", {}, element("span", {}, "Name"), this.#name),
      element("label", {}, element("span", {}, "Other peers"), this.#peers),
      element(
        "p",
        { class: "hint", id: "new-queue-peers-hint" },
        "The addresses of peers that share this queue, one per line. To join a queue that they " +
          "have, give it the same name. Leave it empty for a queue on this peer alone.",
      ),
      this.#error,
      element(
        "div",
        { class: "buttons end" },
        button("Close", { kind: "quiet", press: () => this.node.close() }),
        this.#submit,
      ),
    );
    this.node = dialog("new-queue", "new-queue", form, this.#title);
  }

  open() {
    setText(this.#error, "");
    this.#name.value = "";
    this.#peers.value = "";
    this.node.showModal();
    this.#name.focus();
  }

  /** @param {SubmitEvent} event */
  async #send(event) {
    event.preventDefault();
    const peers = this.#peers.value.split("\n").map((line) => line.trim());
    const queue = { name: this.#name.value.trim(), peers: peers.filter((line) => line !== "") };
    setText(this.#error, "");
    this.#submit.disabled = true;
    try {
      await this.#context.api().addQueue(queue);
      this.node.close();
    } catch (error) {
      setText(this.#error, sentenceOf(error));
    } finally {
      this.#submit.disabled = false;
    }
  }
}
