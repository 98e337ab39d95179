// @ts-check
/** What is said where there is nothing yet: what to do next. */

import { element } from "./dom.js";
import { icon } from "./widgets.js";

export function noPrinters() {
  return element(
    "div",
    { class: "empty" },
    icon("printer"),
    element("p", {}, element("strong", {}, "No printers in sight.")),
    element(
      "p",
      {},
      "Start crdtqueue on a printer’s computer and let it share a queue with this peer.",
    ),
  );
}

/** @param {HTMLButtonElement} newQueue */
export function noQueues(newQueue) {
  return element(
    "div",
    { class: "empty card" },
    icon("add"),
    element("p", {}, element("strong", {}, "This peer has no queue yet.")),
    element("p", {}, "Make one, or join one that other peers have."),
    newQueue,
  );
}
