// @ts-check
/** A menu that opens at a button and is used with the pointer or the keyboard. */

import { element } from "./dom.js";
import { icon } from "./icons.js";

/** @import {IconName} from "./icons.js" */

const EDGE_PX = 8;

/**
 * @typedef {object} MenuItem
 * @property {string} label
 * @property {IconName} icon
 * @property {string} [kind]  Classes, such as "danger" or "apart".
 * @property {() => unknown} press
 */

/** One menu for all buttons; it gets its items when it opens. */
export class Menu {
  node = element("div", { class: "menu", role: "menu", popover: "auto" });
  /** @type {HTMLElement | null} */
  #anchor = null;
  /** Whether the press on the button has closed the menu; then the click must not open it again. */
  #closedByAnchor = false;

  constructor() {
    this.node.addEventListener("beforetoggle", (event) => {
      if (event.newState === "closed") this.#closes();
    });
    this.node.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {HTMLElement} anchor  The button.
   * @param {string} label
   * @param {MenuItem[]} items
   */
  open(anchor, label, items) {
    const isSecondClick = anchor === this.#anchor && this.#closedByAnchor;
    this.#closedByAnchor = false;
    if (isSecondClick) return;
    this.#containerOf(anchor).append(this.node);
    this.node.setAttribute("aria-label", label);
    this.node.replaceChildren(...items.map((item) => this.#row(item)));
    this.#anchor = anchor;
    anchor.setAttribute("aria-expanded", "true");
    anchor.addEventListener("pointerdown", this.#pressed, { once: true });
    this.node.showPopover();
    this.#place(anchor);
    this.#rows[0]?.focus();
  }

  get #rows() {
    return /** @type {HTMLElement[]} */ ([...this.node.children]);
  }

  /**
   * The element that the menu is put into. An open dialog makes everything outside of it inert.
   *
   * @param {HTMLElement} anchor
   */
  #containerOf(anchor) {
    return anchor.closest("dialog") ?? anchor.closest(".view") ?? document.body;
  }

  /** @param {MenuItem} item */
  #row({ label, icon: name, kind = "", press }) {
    const row = element(
      "button",
      { type: "button", class: `item ${kind}`, role: "menuitem", tabindex: -1 },
      icon(name),
      element("span", { class: "data" }, label),
    );
    row.addEventListener("click", () => {
      this.node.hidePopover();
      press();
    });
    return row;
  }

  #pressed = () => {
    this.#closedByAnchor = this.node.matches(":popover-open");
  };

  #closes() {
    this.#anchor?.removeAttribute("aria-expanded");
    if (this.node.matches(":focus-within")) this.#anchor?.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const rows = this.#rows;
    const now = rows.findIndex((row) => row.matches(":focus"));
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      rows.at(to % rows.length)?.focus();
    } else if (event.key === "Tab") {
      this.node.hidePopover();
    }
  }

  /**
   * Puts the menu below the button or, where there is no room, above it.
   *
   * @param {HTMLElement} anchor
   */
  #place(anchor) {
    const at = anchor.getBoundingClientRect();
    const { width, height } = this.node.getBoundingClientRect();
    const below = at.bottom + 4;
    const fits = below + height + EDGE_PX < window.innerHeight;
    const top = fits ? below : Math.max(EDGE_PX, at.top - 4 - height);
    const left = Math.min(Math.max(EDGE_PX, at.right - width), window.innerWidth - width - EDGE_PX);
    this.node.style.top = `${top}px`;
    this.node.style.left = `${left}px`;
  }
}
