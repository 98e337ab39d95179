// @ts-check
/** Short messages in the corner; errors stay until they are closed. */

import { element } from "./dom.js";
import { button } from "./pieces.js";

const NOTICES_MAX = 4;
const INFO_MS = 5_000;

/** The live region that messages appear in. */
export class Notices {
  #errors = element("div", { class: "stack", role: "alert" });
  #infos = element("div", { class: "stack", role: "status" });
  node = element("div", { class: "notices" }, this.#errors, this.#infos);

  /** @param {string} text */
  error(text) {
    this.#show(this.#errors, "bad", text);
  }

  /** @param {string} text */
  info(text) {
    const notice = this.#show(this.#infos, "good", text);
    window.setTimeout(() => notice.remove(), INFO_MS);
  }

  /**
   * @param {HTMLElement} stack
   * @param {string} tone
   * @param {string} text
   */
  #show(stack, tone, text) {
    const notice = element(
      "div",
      { class: `notice ${tone}` },
      element("p", { class: "data" }, text),
      button("Close this message", {
        icon: "close",
        kind: "quiet icon-only",
        press: () => notice.remove(),
      }),
    );
    while (stack.children.length >= NOTICES_MAX) stack.firstElementChild?.remove();
    stack.append(notice);
    return notice;
  }
}
