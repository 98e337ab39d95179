// @ts-check
/** Keeps the event stream of a peer open, and tells whether it is. */

/** @import {State} from "./types.js" */
/** @import {Listener} from "./api.js" */

/** A peer says something every 5 s; three missed in a row mean that it is out of reach. */
const SILENCE_MS = 15_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000];

/** @typedef {"connecting" | "live" | "lost"} Status */

/** Opens the stream again after each loss; silence counts as a loss. */
export class Connection {
  /** @type {Status} */
  #status = "connecting";
  #tries = 0;
  #timer = 0;
  #heardAt = new Date();
  #close = () => {};
  #subscribe;
  #onState;
  #onStatus;

  /**
   * @param {object} options
   * @param {(listener: Listener) => () => void} options.subscribe
   * @param {(state: State, age_s: number) => void} options.onState
   * @param {(status: Status) => void} options.onStatus
   */
  constructor({ subscribe, onState, onStatus }) {
    this.#subscribe = subscribe;
    this.#onState = onState;
    this.#onStatus = onStatus;
  }

  /** When the peer last said anything. */
  get heardAt() {
    return this.#heardAt;
  }

  start() {
    this.stop();
    this.#watch();
    this.#close = this.#subscribe({
      state: (state, age_s = 0) => {
        this.#onState(state, age_s);
        this.#heard();
      },
      ping: () => this.#heard(),
      error: () => this.#lose(),
    });
  }

  stop() {
    window.clearTimeout(this.#timer);
    this.#close();
    this.#close = () => {};
  }

  #heard() {
    this.#tries = 0;
    this.#heardAt = new Date();
    this.#watch();
    this.#become("live");
  }

  #watch() {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#lose(), SILENCE_MS);
  }

  /** Retries after a pause. EventSource would retry by itself, but not after an HTTP error. */
  #lose() {
    this.stop();
    const pause_ms = RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)];
    this.#tries += 1;
    this.#timer = window.setTimeout(() => this.start(), pause_ms);
    this.#become("lost");
  }

  /** @param {Status} status */
  #become(status) {
    if (status === this.#status) return;
    this.#status = status;
    this.#onStatus(status);
  }
}
