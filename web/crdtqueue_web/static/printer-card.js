// @ts-check
/** One printer: its state, progress, temperatures and, for this peer's own, its buttons. */

import { element, rebuild, setText } from "./dom.js";
import { duration, heaterName, printTime, temperatureText } from "./format.js";
import { Pill, Progress, button, chip } from "./pieces.js";

/** @import {PrinterView, QueuePeer, State, ViewContext} from "./types.js" */

/**
 * A printer as it is shown.
 *
 * @typedef {object} ShownPrinter
 * @property {string} key
 * @property {boolean} own
 * @property {boolean} online  Whether its peer is in sight.
 * @property {string} name
 * @property {string | null} profile
 * @property {number | null} heard_s
 * @property {PrinterView | null} view
 */

/** @type {Record<string, [string, import("./pieces.js").Tone]>} */
const STATES = {
  offline: ["Offline", "neutral"],
  idle: ["Idle", "good"],
  claiming: ["Taking a job", "accent"],
  fetching: ["Fetching the file", "accent"],
  starting: ["Starting", "accent"],
  printing: ["Printing", "accent"],
  paused: ["Paused", "warning"],
  cancelling: ["Cancelling", "warning"],
  waiting_for_bed: ["Clear the bed", "warning"],
  stopped: ["Stopped", "bad"],
};
const BED_MATTERS = ["waiting_for_bed", "idle", "stopped"];
const RUNNING = ["starting", "printing"];

/**
 * The printers of all queues, each once, this peer's own first.
 *
 * @param {State} state
 * @returns {ShownPrinter[]}
 */
export function printersOf({ peer, printer, queues }) {
  /** @type {Map<string, ShownPrinter>} */
  const shown = new Map();
  if (printer) shown.set(peer.id, shownOwn(peer.id, printer));
  for (const other of queues.flatMap((queue) => queue.peers)) {
    const known = shown.get(other.id);
    if (other.self || !(other.printer || other.profile) || (known && known.online)) continue;
    shown.set(other.id, shownOther(other));
  }
  return [...shown.values()];
}

/**
 * @param {string} key
 * @param {PrinterView} view
 * @returns {ShownPrinter}
 */
function shownOwn(key, view) {
  const { name, profile } = view;
  return { key, own: true, online: true, name, profile, heard_s: 0, view };
}

/**
 * @param {QueuePeer} peer
 * @returns {ShownPrinter}
 */
function shownOther({ id, online, name, profile, heard_s, printer }) {
  return { key: id, own: false, online, name, profile, heard_s, view: online ? printer : null };
}

/** @param {ShownPrinter} shown */
function stateText({ online, heard_s, view }) {
  if (view) return view.text;
  if (online) return "It has not said yet what it does.";
  const heard = heard_s === null ? "Not heard of yet." : `Last heard of ${duration(heard_s)} ago.`;
  return `Its peer is switched off or out of reach. ${heard}`;
}

/** The card of one printer. */
export class PrinterCard {
  #name = element("h3", { class: "data" });
  #about = element("p", { class: "about" });
  #pill = new Pill();
  #text = element("p", { class: "sentence data" });
  #progress = new Progress();
  #time = element("p", { class: "hint" });
  #facts = element("dl", { class: "facts" });
  #buttons = element("div", { class: "buttons" });
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    this.node = element(
      "li",
      { class: "card printer" },
      element("header", {}, this.#name, this.#pill.node),
      this.#about,
      this.#text,
      this.#progress.node,
      this.#time,
      this.#facts,
      this.#buttons,
    );
  }

  /** @param {ShownPrinter} shown */
  update(shown) {
    const { own, online, name, profile, view } = shown;
    const state = view?.state ?? "offline";
    this.node.dataset.state = state;
    this.node.classList.toggle("own", own);
    this.node.classList.toggle("away", !online);
    setText(this.#name, name);
    rebuild(this.#about, [profile, own], () => [
      profile ? chip(profile, { title: "Profile" }) : null,
      own ? element("span", { class: "hint" }, "this peer’s printer") : null,
    ]);
    const [label, tone] = STATES[state] ?? [String(state), "neutral"];
    this.#pill.update(label, tone);
    setText(this.#text, stateText(shown));
    const file = view?.file_name ?? "";
    const caption = view?.text.includes(file) ? "" : file;
    this.#progress.update(view?.progress ?? null, caption, `Progress of the print on ${name}`);
    setText(this.#time, printTime(view?.elapsed_s ?? null, view?.progress ?? null));
    this.#updateFacts(view);
    this.#updateButtons(own ? view : null);
  }

  /** @param {PrinterView | null} view */
  #updateFacts(view) {
    const facts = (view?.temperatures ?? []).map((each) => [
      heaterName(each.name),
      temperatureText(each),
    ]);
    rebuild(this.#facts, facts, () => facts.map(([name, value]) => fact(name, value)));
  }

  /** @param {PrinterView | null} view */
  #updateButtons(view) {
    const key = view && [view.state, view.managing, view.bed_clear, view.name];
    rebuild(this.#buttons, key, () => (view ? this.#buttonsFor(view) : []));
  }

  /** @param {PrinterView} view */
  #buttonsFor({ state, managing, bed_clear, name }) {
    const steer =
      (/** @type {"bed-clear" | "pause" | "resume"} */ verb) =>
      (/** @type {HTMLButtonElement} */ node) =>
        this.#context.perform(node, () => this.#context.api().steerPrinter(verb));
    const askForBed = state === "waiting_for_bed" || (!bed_clear && BED_MATTERS.includes(state));
    return [
      askForBed
        ? button("Bed is clear", { icon: "check", kind: "primary wide", press: steer("bed-clear") })
        : null,
      RUNNING.includes(state)
        ? button("Pause", { icon: "pause", kind: "compact", about: name, press: steer("pause") })
        : null,
      state === "paused"
        ? button("Resume", {
            icon: "play",
            kind: "primary compact",
            about: name,
            press: steer("resume"),
          })
        : null,
      RUNNING.includes(state) || state === "paused"
        ? button("Cancel print", {
            icon: "stop",
            kind: "danger compact",
            press: (node) => this.#cancel(node),
          })
        : null,
      this.#managingButton(managing, askForBed),
    ];
  }

  /**
   * @param {boolean} managing
   * @param {boolean} bedFirst  Whether another button matters more.
   */
  #managingButton(managing, bedFirst) {
    return button(managing ? "Stop managing" : "Start managing", {
      kind: managing || bedFirst ? "soft compact" : "primary compact",
      title: "While managing, this printer takes jobs from its queue by itself.",
      press: (node) =>
        this.#context.perform(node, () => this.#context.api().setManaging(!managing)),
    });
  }

  /** @param {HTMLButtonElement} node */
  async #cancel(node) {
    const sure = await this.#context.confirm({
      title: "Cancel this print?",
      text: "The printer stops, and the copy on the bed is lost. This cannot be undone.",
      yes: "Cancel print",
      no: "Keep printing",
    });
    if (sure) await this.#context.perform(node, () => this.#context.api().steerPrinter("cancel"));
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function fact(name, value) {
  return element("div", {}, element("dt", { class: "data" }, name), element("dd", {}, value));
}
