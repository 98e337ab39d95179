// @ts-check
/** The calls of the API about the printer of the peer. */

import { scriptPath } from "./paths.js";

/** @import {Api} from "./api.js" */

/** The calls of one API. */
export class PrinterCalls {
  #api;

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
  }

  /** @param {"bed-clear" | "pause" | "resume" | "cancel"} verb */
  steer(verb) {
    return this.#api.request("POST", `printer/${verb}`);
  }

  /** @param {boolean} managing */
  setManaging(managing) {
    return this.#api.request("POST", "printer/managing", { managing });
  }

  /** @param {string[] | null} materials  Of each tool; with null nobody is asked about material. */
  setLoaded(materials) {
    return this.#api.request("POST", "printer/loaded", { materials });
  }

  /** The g-code of each event that has any. */
  async scripts() {
    const scripts = await this.#api.request("GET", "printer/scripts");
    return /** @type {Record<string, string>} */ (scripts);
  }

  /**
   * @param {string} event
   * @param {string} gcode
   */
  setScript(event, gcode) {
    return this.#api.request("PUT", scriptPath(event), { gcode });
  }

  /** @param {string} event */
  removeScript(event) {
    return this.#api.request("DELETE", scriptPath(event));
  }
}
