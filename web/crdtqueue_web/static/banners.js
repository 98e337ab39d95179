// @ts-check
/** The banners above the view: a lost connection, an upgrade, problems of the peer. */

import { element, rebuild } from "./ui/dom.js";
import { icon } from "./ui/icons.js";
import { button } from "./ui/widgets.js";

/** @import {PeerView} from "./api/types.js" */
/** @import {ViewContext} from "./ui/view-context.js" */

/** The banners at the top of the view. */
export class Banners {
  #lost = element("div", { class: "banner bad", role: "alert", hidden: true });
  #upgraded = element("div", { class: "banner", role: "status", hidden: true });
  problems = element("ul", { class: "problems plain" });
  nodes = [this.#lost, this.#upgraded];
  /** @type {string | null} */
  #version = null;
  #context;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {string} version  Of the peer. A version other than the first means an upgrade. */
  showVersion(version) {
    this.#version ??= version;
    this.#upgraded.hidden = version === this.#version;
    if (this.#upgraded.hidden) return;
    rebuild(this.#upgraded, "upgraded", () => [
      element("span", {}, "This peer was upgraded. Reload the page to use what is new."),
      button("Reload", { kind: "compact", press: () => window.location.reload() }),
    ]);
  }

  /** @param {PeerView} peer */
  showProblems({ problems, store_damaged }) {
    const seen = store_damaged ? this.#seenButton() : null;
    const rows = () => problems.map((each, index) => problemRow(each, index === 0 ? seen : null));
    rebuild(this.problems, [problems, store_damaged], rows);
  }

  #seenButton() {
    return button("I have seen this", {
      kind: "compact",
      title: "This peer takes jobs again.",
      press: (node) => this.#context.perform(node, () => this.#context.api().acceptDamage()),
    });
  }

  /** @param {Date | null} shownFrom  The time of the state that is shown; null if none is shown. */
  showLost(shownFrom) {
    const at = shownFrom?.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const shown = at ? ` What you see is from ${at}.` : "";
    const title = element("strong", {}, "No connection to this peer");
    const words = element("span", {}, title, " … trying again.", shown);
    this.#lost.replaceChildren(icon("warning"), words);
    this.#lost.hidden = false;
  }

  hideLost() {
    this.#lost.hidden = true;
  }
}

/**
 * @param {string} text
 * @param {HTMLButtonElement | null} action
 */
function problemRow(text, action) {
  return element(
    "li",
    { class: "banner warning" },
    icon("warning"),
    element("span", { class: "data" }, text),
    action,
  );
}
