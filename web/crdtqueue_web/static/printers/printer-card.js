// @ts-check
/** One printer: its state, progress, temperatures and, for this peer's own, its buttons. */

import { element, rebuild, setText } from "../ui/dom.js";
import { heaterName, printTime, temperatureText } from "../ui/format.js";
import { showLiveText } from "../ui/live-text.js";
import { Pill, Progress, chip } from "../ui/widgets.js";
import { PrinterButtons } from "./printer-buttons.js";
import { printerPill } from "./printer-states.js";

/** @import {OwnPrinter, PrinterView, SentencePart} from "../api/types.js" */
/** @import {ShownPrinter} from "./shown-printers.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

/** @param {ShownPrinter} shown  @returns {SentencePart[]} */
function stateText({ online, heard_s, view }) {
  if (view) return [view.text];
  if (online) return ["It has not said yet what it does."];
  const away = "Its peer is switched off or out of reach.";
  if (heard_s === null) return [`${away} Not heard of yet.`];
  return [`${away} Last heard of `, { for_s: heard_s }, " ago."];
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
  #maker;
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    this.#maker = new PrinterButtons(context);
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
    this.node.classList.toggle("own", own !== null);
    this.node.classList.toggle("away", !online);
    setText(this.#name, name);
    rebuild(this.#about, [profile, own !== null], () => [
      profile ? chip(profile, { title: "Profile" }) : null,
      own ? element("span", { class: "hint" }, "this peer’s printer") : null,
    ]);
    this.#pill.update(...printerPill(state));
    showLiveText(this.#text, stateText(shown), this.#context.age_s());
    const file = view?.file_name ?? "";
    const caption = view?.text.includes(file) ? "" : file;
    this.#progress.update(view?.progress ?? null, caption, `Progress of the print on ${name}`);
    setText(this.#time, printTime(view?.elapsed_s ?? null, view?.progress ?? null));
    this.#updateFacts(view, own);
    this.#updateButtons(own);
  }

  /**
   * @param {PrinterView | null} view
   * @param {OwnPrinter | null} own
   */
  #updateFacts(view, own) {
    const heaters = (view?.temperatures ?? []).map((each) => [
      heaterName(each.name),
      temperatureText(each),
    ]);
    const loaded = own?.asks_for_material ? [["Loaded", loadedText(own)]] : [];
    const facts = /** @type {[string, string][]} */ ([...heaters, ...loaded]);
    rebuild(this.#facts, facts, () => facts.map(([name, value]) => fact(name, value)));
  }

  /** @param {OwnPrinter | null} printer */
  #updateButtons(printer) {
    const key = printer && PrinterButtons.key(printer);
    rebuild(this.#buttons, key, () => (printer ? this.#maker.make(printer) : []));
  }
}

/** @param {OwnPrinter} printer */
function loadedText({ loaded }) {
  return loaded.some((each) => each !== "")
    ? loaded.map((each) => each || "nothing").join(", ")
    : "Nothing";
}

/**
 * @param {string} name
 * @param {string} value
 */
function fact(name, value) {
  return element(
    "div",
    {},
    element("dt", { class: "data" }, name),
    element("dd", { class: "data" }, value),
  );
}
