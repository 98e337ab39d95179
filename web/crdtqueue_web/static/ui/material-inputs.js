// @ts-check
/** One input for the material of each tool, and a button for another tool. */

import { element } from "./dom.js";
import { button } from "./widgets.js";

const TOOLS_MAX = 16;
const NAME_CHARS_MAX = 200;

/** The inputs. They do not save anything by themselves. */
export class MaterialInputs {
  inputs = element("div", { class: "tools" });
  #another = button("Another tool", {
    icon: "add",
    kind: "quiet compact",
    press: () => this.#add("")?.focus(),
  });
  #empty;
  #about;
  node = element("div", { class: "row" }, this.inputs, this.#another);

  /**
   * @param {object} options
   * @param {string} options.empty  The meaning of an empty input.
   * @param {string} options.about  The owner of the tools, for screen readers.
   */
  constructor({ empty, about }) {
    this.#empty = empty;
    this.#about = about;
  }

  /** The materials of the tools. Empty inputs at the end are left out. */
  get materials() {
    const given = [...this.inputs.querySelectorAll("input")].map((each) => each.value.trim());
    const last = given.findLastIndex((each) => each !== "");
    return given.slice(0, last + 1);
  }

  /** @param {string[]} materials */
  show(materials) {
    this.inputs.replaceChildren();
    this.#another.hidden = false;
    for (const each of materials.length ? materials : [""]) this.#add(each);
  }

  /** @param {string} material */
  #add(material) {
    const number = this.inputs.children.length + 1;
    if (number > TOOLS_MAX) return null;
    const input = element("input", {
      list: "known-materials",
      placeholder: `Tool ${number}: ${this.#empty}`,
      maxlength: NAME_CHARS_MAX,
      autocomplete: "off",
      "aria-label": `Material of tool ${number} ${this.#about}`,
    });
    input.value = material;
    this.inputs.append(input);
    this.#another.hidden = number === TOOLS_MAX;
    return input;
  }
}
