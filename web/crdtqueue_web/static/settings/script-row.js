// @ts-check
/** The script of one event: what it is for, its g-code, and a button that saves it. */

import { element, setText } from "../ui/dom.js";
import { sentenceOf } from "../ui/format.js";
import { button, chip } from "../ui/widgets.js";

/** @import {PrinterCalls} from "../api/printer-calls.js" */
/** @import {ScriptEvent} from "./script-events.js" */

/** The fold of one event. It shows the same event as long as it exists. */
export class ScriptRow {
  #set = chip("Set", { tone: "accent" });
  #text = element("textarea", {
    class: "code",
    rows: 5,
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
  });
  #error = element("span", { class: "error data", role: "alert" });
  #save = button("Save", { kind: "compact", press: (node) => void this.#send(node) });
  #said = element("span", { class: "hint", role: "status" });
  /** The g-code that the peer has; empty for none. */
  #known = "";
  #event;
  #calls;
  node;

  /**
   * @param {ScriptEvent} event
   * @param {() => PrinterCalls} calls
   */
  constructor({ event, label, about }, calls) {
    this.#event = event;
    this.#calls = calls;
    this.#error.id = `script-${event}-error`;
    this.#text.setAttribute("aria-label", `G-code: ${label}`);
    this.#text.setAttribute("aria-describedby", this.#error.id);
    this.#save.setAttribute("aria-label", `Save: ${label}`);
    this.#text.addEventListener("input", () => this.#typed());
    this.node = element(
      "details",
      { class: "script" },
      element("summary", {}, element("span", {}, label), this.#set),
      element("p", { class: "hint" }, about),
      this.#text,
      this.#error,
      element("div", { class: "buttons" }, this.#save, this.#said),
    );
  }

  /** Whether something was typed that is not saved. */
  get isChanged() {
    return this.#typedText !== this.#known;
  }

  /** What was typed; a text of blanks is no script. */
  get #typedText() {
    return this.#text.value.trim();
  }

  /** @param {string} gcode  What the peer has; empty for none. */
  show(gcode) {
    this.#known = gcode.trim();
    this.#text.value = this.#known;
    this.node.open = false;
    this.#say("", "");
    this.#update();
  }

  #typed() {
    this.#say("", "");
    this.#update();
  }

  #update() {
    this.#set.hidden = this.#known === "";
    this.#save.disabled = !this.isChanged;
  }

  /**
   * @param {string} problem
   * @param {string} said
   */
  #say(problem, said) {
    setText(this.#error, problem);
    setText(this.#said, said);
    this.node.classList.toggle("wrong", problem !== "");
  }

  /** @param {HTMLButtonElement} node */
  async #send(node) {
    if (node.getAttribute("aria-busy") === "true") return;
    const gcode = this.#typedText;
    node.setAttribute("aria-busy", "true");
    this.#say("", "");
    try {
      await (gcode ? this.#calls().setScript(this.#event, gcode) : this.#remove());
      this.#known = gcode;
      if (!this.isChanged) this.#say("", gcode ? "Saved." : "Nothing is run on this any more.");
    } catch (error) {
      this.#say(sentenceOf(error), "");
    } finally {
      node.removeAttribute("aria-busy");
      this.#update();
    }
  }

  async #remove() {
    // Somebody else may have removed the script meanwhile.
    const scripts = await this.#calls().scripts();
    if (this.#event in scripts) await this.#calls().removeScript(this.#event);
  }
}
