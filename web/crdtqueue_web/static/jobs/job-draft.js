// @ts-check
/** Holds a job back while it is being edited, and lets it go on afterwards. */

import { ApiError } from "../api/api.js";

/** @import {JobCalls} from "../api/job-calls.js" */

/** A draft ends by itself ten minutes after the last keystroke that the peer was told of. */
const RENEW_MS = 20_000;

/** The draft of one job. */
export class JobDraft {
  #renewedAt_ms = -Infinity;
  #jobs;
  #queue;
  #id;

  /**
   * @param {JobCalls} jobs
   * @param {string} queue
   * @param {string} id
   */
  constructor(jobs, queue, id) {
    this.#jobs = jobs;
    this.#queue = queue;
    this.#id = id;
  }

  /**
   * Holds the job back; refused while somebody edits it elsewhere.
   *
   * @param {(refusal: string) => Promise<boolean>} takeOver  Asks whether to end that other edit.
   * @returns {Promise<boolean>}  Whether the job may be edited here now.
   */
  async begin(takeOver) {
    try {
      await this.#renew();
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "in_edit")) throw error;
      if (!(await takeOver(error.message))) return false;
      await this.#jobs.endDraft(this.#queue, this.#id);
      await this.#renew();
    }
    return true;
  }

  /** Somebody types. */
  async touch() {
    if (performance.now() - this.#renewedAt_ms >= RENEW_MS) await this.#renew();
  }

  /** Forgets that it was renewed, because the peer has ended it: the next touch begins anew. */
  lapse() {
    this.#renewedAt_ms = -Infinity;
  }

  /** @param {{keepalive?: boolean}} [options]  Whether the page is being closed. */
  end(options) {
    this.lapse();
    return this.#jobs.endDraft(this.#queue, this.#id, options);
  }

  #renew() {
    this.#renewedAt_ms = performance.now();
    return this.#jobs.beginDraft(this.#queue, this.#id);
  }
}
