// @ts-check
/** The pieces that the cards and dialogs are made of: pills, chips, bars, buttons, icons. */

import { element, setAttribute, setText } from "./dom.js";
import { clamp, percent } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  add: "M8 3v10M3 8h10",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2.2v2.9h-2.9",
  bottom: "M8 3v8M4.8 8L8 11.2 11.2 8M3.5 13.8h9",
  check: "M3 8.5l3.2 3.2L13 4.8",
  clock: "M8 4.5V8l2.3 1.6M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M6 6h7v7.5H6zM3 10V2.5h7",
  down: "M8 3v10M4.2 9.2L8 13l3.8-3.8",
  download: "M8 3v8M4.8 8L8 11.2 11.2 8M3 10.5v3h10v-3",
  edit: "M3 13l.6-3L10.8 2.8l2.4 2.4L6 12.4zM9.2 4.4l2.4 2.4",
  grip: "M6 4v.1M10 4v.1M6 8v.1M10 8v.1M6 12v.1M10 12v.1",
  history: "M2.6 6A5.8 5.8 0 1 1 2.3 9M2.4 2.8V6h3.2M8 5v3.2l2 1.4",
  leave: "M6.5 2.5h-3v11h3M7 8h7M11 5l3 3-3 3",
  more: "M3.4 7.9h.2v.2h-.2zM7.9 7.9h.2v.2h-.2zM12.4 7.9h.2v.2h-.2z",
  move: "M2.5 8h10M9 4.5L12.5 8 9 11.5",
  open: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 4.8-1",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2l7.5 4.8L5 12.8z",
  printer: "M3 14V3h10v11M1.5 14h13M6 3v3h4V3M8 6v2.2M5.5 11.5h5v2.5h-5z",
  remove: "M3 4.5h10M6.3 4.5V2.8h3.4v1.7M4.3 4.5l.6 8.7h6.2l.6-8.7",
  restore: "M3 7h6.5a3.5 3.5 0 0 1 0 7H6M6 3.8L2.8 7 6 10.2",
  script: "M5 4L1.5 8 5 12M11 4l3.5 4-3.5 4",
  settings:
    "M2 5h7M12 5h2M2 11h2M7 11h7M10.5 6.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z" +
    "M5.5 12.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z",
  spool: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z",
  stop: "M4 4h8v8H4z",
  top: "M8 13V5M4.8 8L8 4.8 11.2 8M3.5 2.2h9",
  up: "M8 13V3M4.2 6.8L8 3l3.8 3.8",
  upload: "M8 11V3M4.8 6L8 2.8 11.2 6M3 10.5v3h10v-3",
  warning: "M8 6.2v3.3M8 11.6v.1M8 2.2L14.5 13.5h-13z",
};

/** @typedef {keyof typeof ICONS} IconName */
/** @typedef {"neutral" | "accent" | "good" | "warning" | "bad"} Tone */

/** @param {IconName} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * @param {string} label
 * @param {object} options
 * @param {IconName} [options.icon]
 * @param {string} [options.kind]  Classes, such as "primary", "danger", "quiet", "icon-only".
 * @param {string} [options.about]  What it acts on, for those who hear the page.
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

/** What an item is dragged by. The keyboard has other ways to move it. */
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
 * A coloured remark, lighter than a chip.
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

/** A progress bar, hidden where there is no progress to show. */
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

/** A progress bar with its percentage, and above it what it is the progress of. */
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
   * @param {string} label  For those who hear the page.
   */
  update(fraction, caption, label) {
    this.node.hidden = fraction === null;
    this.#bar.update(fraction, label);
    setText(this.#caption, caption);
    setText(this.#percent, fraction === null ? "" : percent(fraction));
  }
}

/** The mark that an open queue carries wherever it is named. */
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
