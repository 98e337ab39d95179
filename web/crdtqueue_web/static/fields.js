// @ts-check
/** Fields that save themselves: a text, a number, and what each tool is loaded with. */

import { element } from "./dom.js";
import { button } from "./pieces.js";
import { SavedValue } from "./saved-value.js";

const COUNT_MAX = 999_999;
const TOOLS_MAX = 16;
const NAME_CHARS_MAX = 200;

let lastId = 0;

/**
 * The line below a control in which a refusal is said, and the control that it describes.
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
 * @property {string} [about]  What it belongs to, for those who hear the page.
 */

/** A line, or some lines, of text. */
export class TextField {
  node;
  saved;

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
    this.saved = new SavedValue({
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
  saved;

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
    this.saved = new SavedValue({
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
  #inputs = element("div", { class: "tools" });
  #another = button("Another tool", {
    icon: "add",
    kind: "quiet compact",
    press: () => this.#addTool("")?.focus(),
  });
  #about;
  node;
  saved;

  /** @param {FieldOptions<string[]>} options */
  constructor({ save, about = "" }) {
    this.#about = about;
    const { error } = withError(this.#inputs);
    const caption = element("span", {}, "Material of each tool");
    const row = element("div", { class: "row" }, this.#inputs, this.#another);
    this.node = element("div", { class: "field grow" }, caption, row, error);
    this.saved = new SavedValue({
      node: this.node,
      read: () => this.#materials(),
      write: (materials) => this.#show(materials),
      save,
      error,
    });
  }

  /** Tools without a wish are left out behind the last one that has one. */
  #materials() {
    const wished = [...this.#inputs.querySelectorAll("input")].map((each) => each.value.trim());
    const last = wished.findLastIndex((each) => each !== "");
    return wished.slice(0, last + 1);
  }

  /** @param {string[]} materials */
  #show(materials) {
    this.#inputs.replaceChildren();
    for (const each of materials.length ? materials : [""]) this.#addTool(each);
  }

  /** @param {string} material */
  #addTool(material) {
    const number = this.#inputs.children.length + 1;
    if (number > TOOLS_MAX) return null;
    const input = element("input", {
      list: "known-materials",
      placeholder: `Tool ${number}: any`,
      maxlength: NAME_CHARS_MAX,
      autocomplete: "off",
      "aria-label": `Material of tool ${number} ${this.#about}`,
    });
    input.value = material;
    this.#inputs.append(input);
    this.#another.hidden = number === TOOLS_MAX;
    return input;
  }
}
