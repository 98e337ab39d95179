// @ts-check
/** The mark of a job whose copies were printed twice; it names the printers that printed again. */

import { element, rebuild } from "../ui/dom.js";
import { counted } from "../ui/format.js";
import { note } from "../ui/widgets.js";

/** @import {JobView} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

const PRINTS_LOOKED_AT = 200;
const TITLE = "Two printers have printed the same copy, because they did not see each other.";

/** The mark of one job. It asks the history for the printers, but only if the job has doubles. */
export class DoublesMark {
  node = element("span", { hidden: true });
  /** The number of doubles at the time of the last question to the history. */
  #asked = 0;
  #by = "";
  #context;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {JobView} job */
  update({ id, doubles }) {
    this.#show(doubles);
    if (doubles === this.#asked) return;
    this.#asked = doubles;
    this.#by = "";
    if (doubles > 0) void this.#ask(id, doubles);
  }

  /** @param {number} doubles */
  #show(doubles) {
    const by = this.#by && `, the second time by ${this.#by}`;
    const text = `Printed twice: ${counted(doubles, "copy", "copies")}${by}`;
    const mark = () => note(text, { tone: "warning", icon: "warning", title: TITLE });
    rebuild(this.node, doubles && text, () => (doubles ? [mark()] : []));
  }

  /**
   * @param {string} job
   * @param {number} doubles
   */
  async #ask(job, doubles) {
    try {
      const prints = await this.#context.api().history.doublesOf(job, PRINTS_LOOKED_AT);
      if (doubles !== this.#asked) return;
      const names = prints.map(({ printer_name, peer }) => printer_name || peer);
      this.#by = [...new Set(names)].sort().join(" and ");
      this.#show(doubles);
    } catch {
      // The mark stays without names. The list of the job's prints shows why the history fails.
    }
  }
}
