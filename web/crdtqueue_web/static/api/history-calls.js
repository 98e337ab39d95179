// @ts-check
/** What can be asked of a peer about prints that have ended. */

import { query } from "./paths.js";

/** @import {Api} from "./api.js" */
/** @import {Added, HistoryFilter, HistoryPage} from "./types.js" */

/** The calls of one API. */
export class HistoryCalls {
  #api;

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
  }

  /**
   * Entries that fit, the latest first.
   *
   * @param {HistoryFilter} filter
   * @param {string} after  Of the page before; empty for the first.
   * @param {number} limit
   */
  async page(filter, after, limit) {
    const path = `history${query({ ...filter, after, limit })}`;
    return /** @type {HistoryPage} */ (await this.#api.request("GET", path));
  }

  /** The names of the printers in the history, also of those that no queue has any more. */
  async printers() {
    const answer = await this.#api.request("GET", "history/printers");
    return /** @type {{printers: string[]}} */ (answer).printers;
  }

  /**
   * The prints of a job that were made though another printer had made the copy.
   *
   * @param {string} job  Its id.
   * @param {number} limit  So many of its prints are looked at, the latest.
   */
  async doublesOf(job, limit) {
    const path = `history${query({ job, result: "done", limit })}`;
    const page = /** @type {HistoryPage} */ (await this.#api.request("GET", path));
    return page.entries.filter(({ double }) => double);
  }

  /**
   * Where all entries that fit are to be had as a file.
   *
   * @param {HistoryFilter} filter
   * @param {"csv" | "json"} format
   */
  exportUrl(filter, format) {
    return this.#api.url(`history.${format}${query(filter)}`);
  }

  /**
   * Adds what was printed to a queue once more.
   *
   * @param {string} printId
   * @param {string} queue
   */
  async again(printId, queue) {
    const body = { print_id: printId, queue };
    return /** @type {Added} */ (await this.#api.request("POST", "history/again", body));
  }
}
