// @ts-check
/** Makes the view for OctoPrint's tab. Its requests and its live state go through OctoPrint. */

import { Api } from "../view/api/api.js";
import { CrdtqueueView } from "../view/crdtqueue-view.js";

/** @import {Listener} from "../view/api/api.js" */
/** @import {State, StoredFile, UploadedFile} from "../view/api/types.js" */

/** The peer copies a file of OctoPrint within this time. */
const COPY_MS = 150_000;

/**
 * What OctoPrint's page gives to the view.
 *
 * @typedef {object} Host
 * @property {string} base  Where the plugin's API is.
 * @property {() => Record<string, string>} headers  With OctoPrint's CSRF token.
 * @property {(listener: (message: Message) => void) => () => void} listen  To plugin messages.
 * @property {(message: Message) => void} onMessage  Told of each state that the view fetches.
 * @property {() => Promise<StoredFile[]>} files  OctoPrint's own.
 *
 * A message of the plugin. The state was right `age_s` ago; with `changed` it has to be fetched.
 *
 * @typedef {{changed?: true, state?: State | null, age_s?: number}} Message
 */

/** The API of the peer behind the plugin. */
class OctoPrintApi extends Api {
  #host;

  /** @param {Host} host */
  constructor(host) {
    super(host.base, host.headers);
    this.#host = host;
  }

  /** @override */
  storedFiles() {
    return this.#host.files();
  }

  /**
   * OctoPrint writes files of forms to disk as they come in, and holds other bodies in memory.
   *
   * @override
   * @param {File | StoredFile} file
   */
  packed(file) {
    const form = new FormData();
    if (file instanceof File) form.append("file", file);
    return form;
  }

  /**
   * @override
   * @param {File | StoredFile} file
   * @param {(fraction: number) => void} onProgress
   * @param {AbortSignal} signal
   */
  async upload(file, onProgress, signal) {
    if (file instanceof File) return super.upload(file, onProgress, signal);
    onProgress(1);
    const uploaded = await this.request(
      "POST",
      "stored-files",
      { path: file.path },
      {
        answer_ms: COPY_MS,
      },
    );
    return /** @type {UploadedFile} */ (uploaded);
  }

  /**
   * The state comes in plugin messages; the first one, and those too large for messages, are
   * fetched.
   *
   * @override
   * @param {Listener} listener
   */
  subscribe(listener) {
    let open = true;
    const show = (/** @type {Message} */ message) => {
      if (!open) return;
      if (message.state) listener.state(message.state, message.age_s);
      else listener.error();
    };
    const fetchState = async () => {
      try {
        const message = /** @type {Message} */ (await this.request("GET", "state"));
        this.#host.onMessage(message);
        show(message);
      } catch {
        if (open) listener.error();
      }
    };
    const stop = this.#host.listen((message) => {
      if (message.changed) void fetchState();
      else if ("state" in message) show(message);
    });
    void fetchState();
    return () => {
      open = false;
      stop();
    };
  }
}

/**
 * A view for the tab.
 *
 * @param {Host} host
 */
export function makeView(host) {
  const view = new CrdtqueueView();
  view.setAttribute("embedded", "");
  view.setAttribute("theme", "light");
  view.api = new OctoPrintApi(host);
  return view;
}
