// @ts-check
/** The draft of a job: it holds the job back while a person edits it. */

import { ApiError } from "../api/api.js";

/** @import {JobCalls} from "../api/job-calls.js" */

/** A draft that is not renewed ends by itself after ten minutes. */
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
   * Begins the draft. While somebody edits the job elsewhere, the peer refuses it.
   *
   * @param {(refusal: string) => Promise<boolean>} takeOver  Asks whether to end the other edit.
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

  /** Renews the draft from time to time; call it whenever the person types. */
  async touch() {
    if (performance.now() - this.#renewedAt_ms >= RENEW_MS) await this.#renew();
  }

  /** The peer has ended the draft, so the next `touch` renews it at once. */
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
