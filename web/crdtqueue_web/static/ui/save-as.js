// @ts-check

import { element } from "./dom.js";

/** After this the browser has long begun to save. */
const KEEP_MS = 60_000;

/**
 * Saves data as a file, as if a link to it had been clicked.
 *
 * @param {Blob} data
 * @param {string} name
 */
export function saveAs(data, name) {
  const href = URL.createObjectURL(data);
  element("a", { href, download: name }).click();
  window.setTimeout(() => URL.revokeObjectURL(href), KEEP_MS);
}
