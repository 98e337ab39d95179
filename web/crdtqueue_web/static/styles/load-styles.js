// @ts-check

import { element } from "../ui/dom.js";

const SHEETS = [
  "base",
  "view",
  "printers",
  "jobs",
  "controls",
  "dialogs",
  "edit",
  "history",
  "settings",
];

/**
 * Puts the view's styles into its shadow root.
 *
 * @param {ShadowRoot} root
 */
export async function loadStyles(root) {
  await Promise.all(SHEETS.map((name) => load(root, new URL(`${name}.css`, import.meta.url).href)));
}

/**
 * @param {ShadowRoot} root
 * @param {string} href
 * @returns {Promise<void>}  Resolves when the styles are loaded or have failed to load.
 */
function load(root, href) {
  return new Promise((resolve) => {
    const done = () => resolve();
    root.append(element("link", { rel: "stylesheet", href, on: { load: done, error: done } }));
  });
}
