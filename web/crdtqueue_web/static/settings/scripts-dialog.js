// @ts-check
/** The dialog with the scripts of this peer's printer. */

import { dialog } from "../ui/dialog.js";
import { element, setText } from "../ui/dom.js";
import { sentenceOf } from "../ui/format.js";
import { button } from "../ui/widgets.js";
import { SCRIPT_EVENTS } from "./script-events.js";
import { ScriptRow } from "./script-row.js";

/** @import {ViewContext} from "../ui/view-context.js" */

const ABOUT =
  "G-code that the printer runs by itself between prints, line by line, as it stands. Nobody is " +
  "asked before it moves or heats. Leave a script empty to run nothing.";

/** Shows all scripts. Each row saves its own script. */
export class ScriptsDialog {
  #title = element("h2", { class: "data" });
  #error = element("p", { class: "error data", role: "alert" });
  #rows;
  #list = element("div", { class: "script-list" });
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    const calls = () => context.api().printer;
    this.#rows = SCRIPT_EVENTS.map((each) => ({ ...each, row: new ScriptRow(each, calls) }));
    this.#list.append(...this.#rows.map(({ row }) => row.node));
    const close = button("Close", { press: () => void this.#close() });
    const form = element(
      "form",
      { on: { submit: (event) => event.preventDefault() } },
      this.#title,
      element("p", { class: "hint" }, ABOUT),
      this.#error,
      this.#list,
      element("div", { class: "buttons end" }, close),
    );
    this.node = dialog("scripts", "scripts", form, this.#title);
    this.node.addEventListener("cancel", (event) => {
      event.preventDefault();
      void this.#close();
    });
  }

  async open() {
    const printer = this.#context.printer();
    setText(this.#title, printer ? `Scripts of ${printer.name}` : "Scripts");
    setText(this.#error, "");
    this.#list.hidden = true;
    this.node.showModal();
    try {
      const scripts = await this.#context.api().printer.scripts();
      for (const { event, row } of this.#rows) row.show(scripts[event] ?? "");
      this.#list.hidden = false;
    } catch (error) {
      setText(this.#error, sentenceOf(error));
    }
  }

  async #close() {
    const changed = this.#list.hidden ? [] : this.#rows.filter(({ row }) => row.isChanged);
    if (changed.length === 0 || (await this.#askToDrop(changed))) this.node.close();
  }

  /** @param {{label: string}[]} changed */
  #askToDrop(changed) {
    const names = changed.map(({ label }) => `“${label}”`).join(", ");
    return this.#context.confirm({
      title: "Close without saving?",
      text: `What you have changed in ${names} is not saved.`,
      yes: "Close without saving",
      no: "Go on editing",
    });
  }
}
