// @ts-check
/** A modal dialog, and the one that asks for a yes or a no. */

import { element, setText } from "./dom.js";

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} text
 * @property {string} yes
 * @property {string} no
 * @property {string} [oath]  A statement that the person has to tick before the yes is enabled.
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

/** Asks for a yes before an action that cannot be undone easily. */
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
   * @returns {Promise<boolean>}  False also if the dialog was closed without an answer.
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
