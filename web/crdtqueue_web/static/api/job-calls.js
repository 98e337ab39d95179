// @ts-check
/** The calls of the API about jobs. Each promise resolves when the change is durable. */

import { jobPath, query, queuePath, setPath } from "./paths.js";

/** @import {Api} from "./api.js" */
/** @import {Added, JobFields, NewJob, NewSet, SetFields} from "./types.js" */

/** The calls of one API. A job is named by its queue and its id. */
export class JobCalls {
  #api;

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
  }

  /**
   * @param {string} queue
   * @param {NewJob} job
   */
  async add(queue, job) {
    const answer = await this.#api.request("POST", `${queuePath(queue)}/jobs`, job);
    return /** @type {Added} */ (answer);
  }

  /**
   * @param {string} queue
   * @param {string} id
   * @param {Partial<JobFields>} fields  Those that change.
   */
  edit(queue, id, fields) {
    return this.#api.request("PATCH", jobPath(queue, id), fields);
  }

  /**
   * @param {string} queue
   * @param {string} id
   * @param {"pause" | "resume" | "print-again" | "duplicate" | "restore" | "lost"} verb
   *   "lost" means that a person has seen that the printer does not print the job any more.
   */
  act(queue, id, verb) {
    return this.#api.request("POST", `${jobPath(queue, id)}/${verb}`);
  }

  /**
   * @param {string} queue
   * @param {string} id
   * @param {{afterCopy?: boolean}} [options]  Whether a copy that is being printed may be finished.
   */
  delete(queue, id, { afterCopy = false } = {}) {
    const path = jobPath(queue, id) + query({ after_copy: afterCopy ? "true" : "" });
    return this.#api.request("DELETE", path);
  }

  /**
   * @param {string} queue
   * @param {string} id
   * @param {string | null} before  The job in front of which it is placed; null for the end.
   */
  place(queue, id, before) {
    return this.#api.request("POST", `${jobPath(queue, id)}/place`, { before });
  }

  /**
   * @param {string} queue
   * @param {string} id
   * @param {string} to  The name of another queue.
   * @param {string | null} before  The job there in front of which it is placed; null for the end.
   */
  move(queue, id, to, before) {
    return this.#api.request("POST", `${jobPath(queue, id)}/move`, { to, before });
  }

  /**
   * Holds the job back because a person edits it.
   *
   * @param {string} queue
   * @param {string} id
   */
  beginDraft(queue, id) {
    return this.#api.request("PUT", `${jobPath(queue, id)}/draft`);
  }

  /**
   * @param {string} queue
   * @param {string} id
   * @param {{keepalive?: boolean}} [options]
   */
  endDraft(queue, id, { keepalive = false } = {}) {
    return this.#api.request("DELETE", `${jobPath(queue, id)}/draft`, undefined, { keepalive });
  }

  /**
   * @param {string} queue
   * @param {string} id
   * @param {NewSet[]} sets
   */
  addSets(queue, id, sets) {
    return this.#api.request("POST", `${jobPath(queue, id)}/sets`, { sets });
  }

  /**
   * @param {string} queue
   * @param {string} id
   * @param {string} set
   * @param {Partial<SetFields>} fields  Those that change.
   */
  editSet(queue, id, set, fields) {
    return this.#api.request("PATCH", setPath(queue, id, set), fields);
  }

  /**
   * @param {string} queue
   * @param {string} id
   * @param {string} set
   */
  removeSet(queue, id, set) {
    return this.#api.request("DELETE", setPath(queue, id, set));
  }

  /**
   * @param {string} queue
   * @param {string} id
   * @param {string} set
   * @param {string | null} before  The set in front of which it is placed; null for the end.
   */
  placeSet(queue, id, set, before) {
    return this.#api.request("POST", `${setPath(queue, id, set)}/place`, { before });
  }

  /**
   * Makes a job of a .gjob file.
   *
   * @param {string} queue
   * @param {File} file
   * @param {(fraction: number) => void} onProgress  From 0 to 1.
   * @param {AbortSignal} signal
   */
  async importFile(queue, file, onProgress, signal) {
    const answer = await this.#api.send(`${queuePath(queue)}/gjob`, file, onProgress, signal);
    return /** @type {Added} */ (answer);
  }

  /**
   * The job with its files as a .gjob file.
   *
   * @param {string} queue
   * @param {string} id
   */
  exportFile(queue, id) {
    return this.#api.file(`${jobPath(queue, id)}/gjob`);
  }
}
