// @ts-check
/** The calls of the API about prints that have ended. */

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
   * A page of the entries that match the filter, the latest first.
   *
   * @param {HistoryFilter} filter
   * @param {string} after  The field `after` of the page before; empty for the first page.
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
   * The prints of a job that repeated a copy that another printer had made.
   *
   * @param {string} job  Its id.
   * @param {number} limit  How many of its latest prints are searched.
   */
  async doublesOf(job, limit) {
    const path = `history${query({ job, result: "done", limit })}`;
    const page = /** @type {HistoryPage} */ (await this.#api.request("GET", path));
    return page.entries.filter(({ double }) => double);
  }

  /**
   * The address of a file with all entries that match the filter.
   *
   * @param {HistoryFilter} filter
   * @param {"csv" | "json"} format
   */
  exportUrl(filter, format) {
    return this.#api.url(`history.${format}${query(filter)}`);
  }

  /**
   * Adds a job to a queue that repeats a print.
   *
   * @param {string} printId
   * @param {string} queue
   */
  async again(printId, queue) {
    const body = { print_id: printId, queue };
    return /** @type {Added} */ (await this.#api.request("POST", "history/print-again", body));
  }
}
