// @ts-check
/** The dialog that makes a queue or joins one. */

import { dialog } from "../ui/dialog.js";
import { element, setText } from "../ui/dom.js";
import { sentenceOf } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { button } from "../ui/widgets.js";

/** @import {ViewContext} from "../ui/view-context.js" */

const NAME_CHARS_MAX = 200;

/** Makes a queue, or joins one that other peers have. */
export class NewQueueDialog {
  #name = element("input", {
    name: "name",
    required: true,
    maxlength: NAME_CHARS_MAX,
    autocomplete: "off",
  });
  #peers = element("textarea", {
    name: "peers",
    rows: 3,
    placeholder: "192.168.1.5:7420",
    spellcheck: "false",
    "aria-describedby": "new-queue-peers-hint",
  });
  #error = element("p", { class: "error data", role: "alert" });
  #title = element("h2", {}, "New queue");
  #submit = element("button", { type: "submit", class: "primary" }, icon("add"), "Make queue");
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    const form = element(
      "form",
      { on: { submit: (event) => this.#send(event) } },
      this.#title,
      element("label", {}, element("span", {}, "Name"), this.#name),
      element("label", {}, element("span", {}, "Other peers"), this.#peers),
      element(
        "p",
        { class: "hint", id: "new-queue-peers-hint" },
        "The addresses of peers that share this queue, one per line. To join a queue that they " +
          "have, give it the same name. Leave it empty for a queue on this peer alone.",
      ),
      this.#error,
      element(
        "div",
        { class: "buttons end" },
        button("Close", { kind: "quiet", press: () => this.node.close() }),
        this.#submit,
      ),
    );
    this.node = dialog("new-queue", "new-queue", form, this.#title);
  }

  open() {
    setText(this.#error, "");
    this.#name.value = "";
    this.#peers.value = "";
    this.node.showModal();
    this.#name.focus();
  }

  /** @param {SubmitEvent} event */
  async #send(event) {
    event.preventDefault();
    const peers = this.#peers.value.split("\n").map((line) => line.trim());
    const queue = { name: this.#name.value.trim(), peers: peers.filter((line) => line !== "") };
    setText(this.#error, "");
    this.#submit.disabled = true;
    try {
      await this.#context.api().addQueue(queue);
      this.node.close();
    } catch (error) {
      setText(this.#error, sentenceOf(error));
    } finally {
      this.#submit.disabled = false;
    }
  }
}
