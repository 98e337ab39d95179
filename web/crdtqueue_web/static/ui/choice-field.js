// @ts-check
/** A choice of one among a few options, each with a sentence that explains it. */

import { element } from "./dom.js";

/** @typedef {{value: string, label: string, about: string}} Choice */

/** Radio buttons. */
export class ChoiceField {
  #inputs;
  node;

  /**
   * @param {string} name  Unique in the form.
   * @param {string} label
   * @param {Choice[]} choices
   */
  constructor(name, label, choices) {
    this.#inputs = choices.map(({ value }) => element("input", { type: "radio", name, value }));
    this.node = element(
      "fieldset",
      { class: "field" },
      element("legend", {}, label),
      ...choices.map((choice, index) => choiceRow(choice, this.#inputs[index] ?? null)),
    );
  }

  get value() {
    return this.#inputs.find(({ checked }) => checked)?.value ?? "";
  }

  set value(value) {
    for (const input of this.#inputs) input.checked = input.value === value;
  }
}

/**
 * @param {Choice} choice
 * @param {HTMLInputElement | null} input
 */
function choiceRow({ label, about }, input) {
  const words = element("span", {}, element("strong", {}, label), " ", element("span", {}, about));
  return element("label", { class: "check choice" }, input, words);
}
