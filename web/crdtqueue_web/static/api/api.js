// @ts-check
/** The API of a peer, as the view uses it. A host of the view may give it a class of its own. */

import { HistoryCalls } from "./history-calls.js";
import { JobCalls } from "./job-calls.js";
import { query, queuePath } from "./paths.js";
import { PrinterCalls } from "./printer-calls.js";

/** @import {NewQueue, QueueSettings, State, StoredFile, UploadedFile} from "./types.js" */

const ANSWER_MS = 20_000;
const FILE_MS = 600_000;
const UNREACHABLE = "This peer did not answer. Check that it is switched on, then try again.";

/** An error whose message is one sentence for people. */
export class ApiError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = "ApiError";
    this.code = code;
  }
}

/**
 * The error in the body of an answer. A body that the peer did not write gets a general sentence.
 *
 * @param {number} status
 * @param {string} body
 * @returns {ApiError}
 */
export function errorFrom(status, body) {
  try {
    const { code, message } = JSON.parse(body).error;
    if (typeof message === "string" && message !== "") return new ApiError(String(code), message);
  } catch {
    // The peer did not write this: it is the page of a proxy, or empty.
  }
  return new ApiError("http", `This peer refused (${status}). Reload the page, then try again.`);
}

/**
 * @typedef {object} Listener
 * @property {(state: State, age_s?: number) => void} state  A new state; by default its age is 0.
 * @property {() => void} ping
 * @property {() => void} error  The stream has broken, and does not open again by itself.
 */

/**
 * @typedef {object} RequestOptions
 * @property {number} [answer_ms]  How long to wait for the answer.
 * @property {boolean} [keepalive]  Whether the request goes on when the page is closed.
 */

/** One peer's API below a base URL. */
export class Api {
  jobs = new JobCalls(this);
  history = new HistoryCalls(this);
  printer = new PrinterCalls(this);
  #base;
  #headers;

  /**
   * @param {string | URL} base  Where the API is, for instance "/api".
   * @param {() => Record<string, string>} [headers]  Added to each request but the event stream.
   */
  constructor(base, headers = () => ({})) {
    this.#base = String(base).replace(/\/+$/, "");
    this.#headers = headers;
  }

  /** @param {string} path */
  url(path) {
    return `${this.#base}/${path}`;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {RequestOptions} [options]
   * @returns {Promise<unknown>}  The JSON of the answer, or null.
   */
  async request(method, path, body, options) {
    const answer = await this.#fetch(method, path, body, options);
    try {
      return answer.size === 0 ? null : JSON.parse(await answer.text());
    } catch {
      throw new ApiError("unreachable", UNREACHABLE);
    }
  }

  /**
   * Downloads a file of the peer. A link would be simpler, but could not show a refusal.
   *
   * @param {string} path
   */
  file(path) {
    return this.#fetch("GET", path, undefined, { answer_ms: FILE_MS });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   * @param {RequestOptions} [options]
   * @returns {Promise<Blob>}
   */
  async #fetch(method, path, body, { answer_ms = ANSWER_MS, keepalive = false } = {}) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), answer_ms);
    try {
      const answer = await fetch(this.url(path), {
        method,
        headers: { "Content-Type": "application/json", ...this.#headers() },
        body: body === undefined ? null : JSON.stringify(body),
        signal: abort.signal,
        keepalive,
      });
      if (!answer.ok) throw errorFrom(answer.status, await answer.text());
      return await answer.blob();
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError("unreachable", UNREACHABLE);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The files that the host of the view stores; null if the host stores no files.
   *
   * @returns {Promise<StoredFile[] | null>}
   */
  storedFiles() {
    return Promise.resolve(null);
  }

  /**
   * The body of the request that sends a file. Only a host that stores files gets a `StoredFile`.
   *
   * @param {File | StoredFile} file
   * @returns {File | FormData}
   */
  packed(file) {
    return /** @type {File} */ (file);
  }

  /**
   * Uploads a g-code file to the peer.
   *
   * @param {File | StoredFile} file
   * @param {(fraction: number) => void} onProgress  From 0 to 1.
   * @param {AbortSignal} signal
   * @returns {Promise<UploadedFile>}
   */
  async upload(file, onProgress, signal) {
    const answer = await this.send("files", file, onProgress, signal);
    return /** @type {UploadedFile} */ (answer);
  }

  /**
   * Sends a file, by XMLHttpRequest, because fetch does not report the progress of an upload.
   *
   * @param {string} path
   * @param {File | StoredFile} file
   * @param {(fraction: number) => void} onProgress  From 0 to 1.
   * @param {AbortSignal} signal
   * @returns {Promise<unknown>}  The JSON of the answer.
   */
  send(path, file, onProgress, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", this.url(path + query({ name: file.name })));
      for (const [name, value] of Object.entries(this.#headers())) {
        request.setRequestHeader(name, value);
      }
      const body = this.packed(file);
      if (body === file) request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => {
        if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
      };
      request.onload = () => {
        if (request.status < 200 || request.status > 299) {
          reject(errorFrom(request.status, request.responseText));
          return;
        }
        try {
          resolve(JSON.parse(request.responseText));
        } catch {
          reject(errorFrom(request.status, ""));
        }
      };
      request.onerror = () => reject(new ApiError("unreachable", UNREACHABLE));
      request.onabort = () => reject(new ApiError("aborted", "The upload was stopped."));
      signal.addEventListener("abort", () => request.abort());
      request.send(body);
    });
  }

  /**
   * Opens the event stream.
   *
   * @param {Listener} listener
   * @returns {() => void}  Closes it.
   */
  subscribe(listener) {
    const source = new EventSource(this.url("events"));
    source.addEventListener("state", (event) => {
      try {
        listener.state(JSON.parse(event.data));
      } catch (error) {
        console.error(error);
        listener.error();
      }
    });
    source.addEventListener("ping", () => listener.ping());
    source.addEventListener("error", () => listener.error());
    return () => source.close();
  }

  /** @param {NewQueue} queue */
  addQueue(queue) {
    return this.request("POST", "queues", queue);
  }

  /** @param {string} name */
  leaveQueue(name) {
    return this.request("DELETE", queuePath(name));
  }

  /**
   * @param {string} name
   * @param {Partial<QueueSettings>} settings  Those that change.
   */
  editQueue(name, settings) {
    return this.request("PATCH", queuePath(name), settings);
  }

  /** Tells the peer that a person has read what its store has lost. */
  acceptDamage() {
    return this.request("POST", "store/accept-damage");
  }
}
