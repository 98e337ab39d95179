// @ts-check
/** The buttons and the menu of the peer's own printer. */

import { button } from "../ui/widgets.js";
import { asksForBed, asksForMaterial, isRunning, withMissing } from "./printer-states.js";

/** @import {MenuItem} from "../ui/menu.js" */
/** @import {OwnPrinter} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

/** The buttons of one printer. */
export class PrinterButtons {
  #context;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
  }

  /**
   * The facts that the buttons depend on.
   *
   * @param {OwnPrinter} printer
   */
  static key({ state, managing, bed_clear, name, loaded, missing }) {
    return [state, managing, bed_clear, name, loaded, missing];
  }

  /** @param {OwnPrinter} printer */
  make(printer) {
    const wanted = [this.#bedButton(printer), this.#loadedButton(printer)];
    return [
      ...wanted,
      ...this.#printButtons(printer),
      this.#managingButton(printer.managing, wanted.some(Boolean)),
      this.#moreButton(printer.name),
    ];
  }

  get #calls() {
    return this.#context.api().printer;
  }

  /** @param {"bed-clear" | "pause" | "resume"} verb */
  #steer(verb) {
    return (/** @type {HTMLButtonElement} */ node) =>
      this.#context.perform(node, () => this.#calls.steer(verb));
  }

  /** @param {OwnPrinter} printer */
  #bedButton(printer) {
    if (!asksForBed(printer)) return null;
    const press = this.#steer("bed-clear");
    return button("Bed is clear", { icon: "check", kind: "primary wide", press });
  }

  /** @param {OwnPrinter} printer */
  #loadedButton(printer) {
    if (!asksForMaterial(printer)) return null;
    const materials = withMissing(printer);
    const press = (/** @type {HTMLButtonElement} */ node) =>
      this.#context.perform(node, () => this.#calls.setLoaded(materials));
    return button("It is loaded", { icon: "check", kind: "primary wide", press });
  }

  /** @param {OwnPrinter} printer */
  #printButtons(printer) {
    const { name: about } = printer;
    const running = isRunning(printer);
    const paused = printer.state === "paused";
    const pause = { icon: /** @type {const} */ ("pause"), kind: "compact", about };
    const resume = { icon: /** @type {const} */ ("play"), kind: "primary compact", about };
    return [
      running ? button("Pause", { ...pause, press: this.#steer("pause") }) : null,
      paused ? button("Resume", { ...resume, press: this.#steer("resume") }) : null,
      running || paused ? this.#cancelButton(printer) : null,
    ];
  }

  /** @param {OwnPrinter} printer */
  #cancelButton({ state }) {
    return button(state === "script" ? "Cancel script" : "Cancel print", {
      icon: "stop",
      kind: "danger compact",
      press: (node) => this.#cancel(node, state === "script"),
    });
  }

  /**
   * @param {HTMLButtonElement} node
   * @param {boolean} isScript
   */
  async #cancel(node, isScript) {
    const sure = await this.#context.confirm(isScript ? ASK_SCRIPT : ASK_PRINT);
    if (sure) await this.#context.perform(node, () => this.#calls.steer("cancel"));
  }

  /**
   * @param {boolean} managing
   * @param {boolean} isSecond  Whether another button is more important.
   */
  #managingButton(managing, isSecond) {
    return button(managing ? "Stop managing" : "Start managing", {
      kind: managing || isSecond ? "soft compact" : "primary compact",
      title: "While managing, this printer takes jobs from its queue by itself.",
      press: (node) => this.#context.perform(node, () => this.#calls.setManaging(!managing)),
    });
  }

  /** @param {string} name */
  #moreButton(name) {
    const more = button("More", {
      icon: "more",
      kind: "quiet icon-only",
      about: `actions for ${name}`,
      press: (node) => this.#context.menu(node, `Actions for ${name}`, this.#items()),
    });
    more.setAttribute("aria-haspopup", "menu");
    return more;
  }

  /** @returns {MenuItem[]} */
  #items() {
    /** @type {MenuItem[]} */
    const items = [
      { label: "What is loaded", icon: "spool", press: () => this.#context.editLoaded() },
    ];
    if (this.#context.maySet()) {
      items.push({ label: "Scripts", icon: "script", press: () => this.#context.editScripts() });
    }
    return items;
  }
}

const ASK_PRINT = {
  title: "Cancel this print?",
  text: "The printer stops, and the copy on the bed is lost. This cannot be undone.",
  yes: "Cancel print",
  no: "Keep printing",
};
const ASK_SCRIPT = {
  title: "Cancel this script?",
  text: "The printer stops in the middle of the script, and takes no jobs until you start managing.",
  yes: "Cancel script",
  no: "Let it run",
};
