// @ts-check
/** The widgets that cards and dialogs are made of: buttons, chips, pills, progress bars. */

import { element, setAttribute, setText } from "./dom.js";
import { clamp, percent } from "./format.js";
import { icon } from "./icons.js";

/** @import {IconName} from "./icons.js" */

/** @typedef {"neutral" | "accent" | "good" | "warning" | "bad"} Tone */

/**
 * @param {string} label
 * @param {object} options
 * @param {IconName} [options.icon]
 * @param {string} [options.kind]  Classes, such as "primary", "danger", "quiet", "icon-only".
 * @param {string} [options.about]  The object of the action, for screen readers.
 * @param {string} [options.title]
 * @param {(button: HTMLButtonElement) => void} options.press
 */
export function button(label, { icon: name, kind = "", about = "", title = "", press }) {
  const node = element(
    "button",
    { type: "button", class: kind, title: title || null },
    name ? icon(name) : null,
    element("span", { class: "label" }, label),
  );
  if (about) node.setAttribute("aria-label", `${label} ${about}`);
  node.addEventListener("click", () => press(node));
  return node;
}

/** The handle by which an item is dragged. From the keyboard, items are moved by buttons. */
export function grip() {
  const title = "Drag it to another place";
  return element("span", { class: "grip", title, "aria-hidden": "true" }, icon("grip"));
}

/**
 * @param {string} text
 * @param {object} [options]
 * @param {Tone} [options.tone]
 * @param {IconName} [options.icon]
 * @param {string} [options.title]
 */
export function chip(text, { tone = "neutral", icon: name, title } = {}) {
  return element(
    "span",
    { class: `chip ${tone}`, title },
    name ? icon(name) : null,
    element("span", { class: "data" }, text),
  );
}

/**
 * A coloured remark without the frame of a chip.
 *
 * @param {string | Node} text
 * @param {{tone: Tone, icon: IconName, title?: string}} options
 */
export function note(text, { tone, icon: name, title }) {
  return element(
    "span",
    { class: `note ${tone}`, title },
    icon(name),
    element("span", { class: "data" }, text),
  );
}

/** A coloured word that names a state. */
export class Pill {
  node = element("span", { class: "pill" });

  /**
   * @param {string} label
   * @param {Tone} tone
   */
  update(label, tone) {
    if (this.node.textContent !== label) this.node.textContent = label;
    this.node.className = `pill ${tone}`;
  }
}

/** A progress bar. It is hidden while there is no progress to show. */
export class Bar {
  #fill = element("div", { class: "fill" });
  node = element("div", {
    class: "bar",
    role: "progressbar",
    "aria-valuemin": 0,
    "aria-valuemax": 100,
  });

  constructor() {
    this.node.append(this.#fill);
  }

  /**
   * @param {number | null} fraction
   * @param {string} label
   */
  update(fraction, label) {
    this.node.hidden = fraction === null;
    setAttribute(this.node, "aria-valuenow", Math.floor(clamp(fraction ?? 0) * 100));
    setAttribute(this.node, "aria-label", label);
    this.#fill.style.width = `${clamp(fraction ?? 0) * 100}%`;
  }
}

/** A progress bar with its percentage and a caption. */
export class Progress {
  #bar = new Bar();
  #percent = element("span", { class: "percent", "aria-hidden": "true" });
  #caption = element("p", { class: "file data" });
  node = element(
    "div",
    { class: "progress" },
    this.#caption,
    element("div", { class: "measure" }, this.#bar.node, this.#percent),
  );

  /**
   * @param {number | null} fraction
   * @param {string} caption
   * @param {string} label  The description for screen readers.
   */
  update(fraction, caption, label) {
    this.node.hidden = fraction === null;
    this.#bar.update(fraction, label);
    setText(this.#caption, caption);
    setText(this.#percent, fraction === null ? "" : percent(fraction));
  }
}

/** The mark of an open queue. */
export function openMark() {
  return chip("Open: anyone on this network can use it", { tone: "warning", icon: "open" });
}

/**
 * A part of the page with a heading and its buttons.
 *
 * @param {string} title
 * @param {string} id
 * @param {HTMLElement[]} actions
 * @param {...HTMLElement} children
 */
export function section(title, id, actions, ...children) {
  const heading = element("h2", { id }, title);
  const buttons = element("div", { class: "buttons" }, ...actions);
  const head = element("div", { class: "section-head" }, heading, buttons);
  return element("section", { "aria-labelledby": id }, head, ...children);
}

/**
 * What is shown in the place of an empty list: that it is empty, and what to do next.
 *
 * @param {string} title
 * @param {string} text
 * @param {{icon: IconName, kind?: string, action?: HTMLElement | null}} options
 */
export function emptyState(title, text, { icon: name, kind = "", action = null }) {
  return element(
    "div",
    { class: `empty ${kind}`.trim() },
    icon(name),
    element("p", {}, element("strong", {}, title)),
    element("p", {}, text),
    action,
  );
}
