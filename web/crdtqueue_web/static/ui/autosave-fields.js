// @ts-check
/** Fields that save themselves: a text, a count, and the materials of the tools. */

import { Autosave } from "./autosave.js";
import { element } from "./dom.js";
import { MaterialInputs } from "./material-inputs.js";

const COUNT_MAX = 999_999;

let lastId = 0;

/**
 * Gives a control a line below it that shows the sentence of a refusal.
 *
 * @template {HTMLElement} T
 * @param {T} control
 */
function withError(control) {
  lastId += 1;
  const error = element("span", { class: "error data", role: "alert", id: `error-${lastId}` });
  control.setAttribute("aria-describedby", error.id);
  return { control, error };
}

/**
 * @template T
 * @typedef {object} FieldOptions
 * @property {(value: T) => Promise<unknown>} save
 * @property {string} [hint]
 * @property {string} [about]  The owner of the field, for screen readers.
 */

/** A line, or some lines, of text. */
export class TextField {
  node;
  autosave;

  /**
   * @param {string} label
   * @param {FieldOptions<string> & {rows?: number, chars: number}} options
   */
  constructor(label, { save, rows = 1, chars }) {
    const attributes = { maxlength: chars, autocomplete: "off" };
    const { control, error } = withError(
      rows > 1 ? element("textarea", { rows, ...attributes }) : element("input", attributes),
    );
    this.node = element("label", { class: "grow" }, element("span", {}, label), control, error);
    this.autosave = new Autosave({
      node: this.node,
      read: () => control.value.trim(),
      write: (text) => (control.value = text),
      save,
      error,
    });
  }
}

/** A count. What is out of range is for the peer to refuse. */
export class CountField {
  node;
  autosave;

  /**
   * @param {string} label
   * @param {FieldOptions<number>} options
   */
  constructor(label, { save, hint, about = "" }) {
    const { control, error } = withError(
      element("input", { type: "number", min: 0, max: COUNT_MAX, step: 1, inputmode: "numeric" }),
    );
    if (about) control.setAttribute("aria-label", `${label} ${about}`);
    this.node = element("label", { title: hint }, element("span", {}, label), control, error);
    this.autosave = new Autosave({
      node: this.node,
      read: () => countIn(control),
      write: (count) => (control.valueAsNumber = count),
      save,
      error,
    });
  }
}

/** @param {HTMLInputElement} input */
function countIn(input) {
  const count = input.valueAsNumber;
  if (Number.isInteger(count)) return count;
  throw new Error(`Give a whole number from 0 to ${COUNT_MAX.toLocaleString("en")}.`);
}

/** What each tool must be loaded with. */
export class MaterialsField {
  node;
  autosave;

  /** @param {FieldOptions<string[]>} options */
  constructor({ save, about = "" }) {
    const tools = new MaterialInputs({ empty: "any", about });
    const { error } = withError(tools.inputs);
    const caption = element("span", {}, "Material of each tool");
    this.node = element("div", { class: "field grow" }, caption, tools.node, error);
    this.autosave = new Autosave({
      node: this.node,
      read: () => tools.materials,
      write: (materials) => tools.show(materials),
      save,
      error,
    });
  }
}
