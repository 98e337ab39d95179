// @ts-check
/** The dialog in which somebody says what is loaded in this peer's printer. */

import { dialog } from "../ui/dialog.js";
import { element, setText } from "../ui/dom.js";
import { sentenceOf } from "../ui/format.js";
import { MaterialInputs } from "../ui/material-inputs.js";
import { button } from "../ui/widgets.js";
import { withMissing } from "./printer-states.js";

/** @import {ViewContext} from "../ui/view-context.js" */

const ASKING =
  "A print that wants another material waits until you say that it is loaded. Leave a tool empty " +
  "if nothing is in it.";
const NOT_ASKING =
  "Nobody is asked about material now. Once you say what is loaded, a print that wants another " +
  "material waits until you say that it is loaded.";

/** Saves the materials, or forgets them. */
export class LoadedDialog {
  #title = element("h2", { class: "data" }, "What is loaded?");
  #about = element("p", { class: "hint" });
  #tools = new MaterialInputs({ empty: "nothing", about: "of the printer" });
  #error = element("p", { class: "error data", role: "alert" });
  #forget = button("Forget it", {
    kind: "quiet",
    title: "Nobody is asked about material any more.",
    press: (node) => void this.#send(node, null),
  });
  #submit = element("button", { type: "submit", class: "primary" }, "That is loaded");
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    const close = button("Close", { kind: "quiet", press: () => this.node.close() });
    const form = element(
      "form",
      { on: { submit: (event) => this.#submitted(event) } },
      this.#title,
      this.#about,
      this.#tools.node,
      this.#error,
      element("div", { class: "buttons end" }, this.#forget, close, this.#submit),
    );
    this.node = dialog("loaded", "loaded", form, this.#title);
  }

  open() {
    const printer = this.#context.printer();
    if (!printer) return;
    setText(this.#title, `What is loaded in ${printer.name}?`);
    setText(this.#about, printer.asks_for_material ? ASKING : NOT_ASKING);
    setText(this.#error, "");
    this.#forget.hidden = !printer.asks_for_material;
    this.#tools.show(withMissing(printer));
    this.node.showModal();
    this.#tools.inputs.querySelector("input")?.focus();
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    void this.#send(this.#submit, this.#tools.materials);
  }

  /**
   * @param {HTMLButtonElement} node
   * @param {string[] | null} materials
   */
  async #send(node, materials) {
    setText(this.#error, "");
    node.disabled = true;
    try {
      const loaded = { loaded: materials ?? [], asks_for_material: materials !== null };
      const calls = this.#context.api().printer;
      await this.#context.save(
        ({ printer }) => printer,
        loaded,
        () => calls.setLoaded(materials),
      );
      this.node.close();
    } catch (error) {
      setText(this.#error, sentenceOf(error));
    } finally {
      node.disabled = false;
    }
  }
}
