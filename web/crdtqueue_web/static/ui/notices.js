// @ts-check
/** Short messages in the corner; errors stay until they are closed. */

import { element, setText } from "./dom.js";
import { sentenceOf } from "./format.js";
import { button } from "./widgets.js";

const NOTICES_MAX = 4;
const INFO_MS = 5_000;
const ACTION_MS = 20_000;

/**
 * An action that a message offers.
 *
 * @typedef {{label: string, press: () => Promise<unknown>}} Offer
 *
 * A message whose text changes while an action runs.
 *
 * @typedef {{say: (text: string) => void, end: () => void}} Running
 */

/** The live region that messages appear in. */
export class Notices {
  #errors = element("div", { class: "stack", role: "alert" });
  #infos = element("div", { class: "stack", role: "status" });
  node = element("div", { class: "notices" }, this.#errors, this.#infos);

  /** @param {string} text */
  error(text) {
    this.#show(this.#errors, "bad", text);
  }

  /**
   * Runs an action; the button is busy meanwhile, and an error is shown.
   *
   * @param {HTMLElement} node
   * @param {() => Promise<unknown>} work
   */
  async perform(node, work) {
    if (node.getAttribute("aria-busy") === "true") return;
    node.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (error) {
      this.error(sentenceOf(error));
    } finally {
      node.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {string} text
   * @param {Offer} [offer]
   */
  info(text, offer) {
    const { notice } = this.#show(this.#infos, "good", text, offer);
    removeLater(notice, offer ? ACTION_MS : INFO_MS);
  }

  /**
   * @param {string} text
   * @returns {Running}
   */
  running(text) {
    const { notice, words } = this.#show(this.#infos, "good", text);
    return { say: (now) => setText(words, now), end: () => notice.remove() };
  }

  /**
   * @param {HTMLElement} stack
   * @param {string} tone
   * @param {string} text
   * @param {Offer} [offer]
   */
  #show(stack, tone, text, offer) {
    const words = element("p", { class: "data" }, text);
    const notice = element(
      "div",
      { class: `notice ${tone}` },
      words,
      offer ? this.#offerButton(offer, () => notice.remove()) : null,
      button("Close this message", {
        icon: "close",
        kind: "quiet icon-only",
        press: () => notice.remove(),
      }),
    );
    while (stack.children.length >= NOTICES_MAX) stack.firstElementChild?.remove();
    stack.append(notice);
    return { notice, words };
  }

  /**
   * @param {Offer} offer
   * @param {() => void} close
   */
  #offerButton({ label, press }, close) {
    return button(label, {
      kind: "compact",
      press: async (node) => {
        node.setAttribute("aria-busy", "true");
        try {
          await press();
        } catch (error) {
          this.error(sentenceOf(error));
        }
        close();
      },
    });
  }
}

/**
 * Removes a message after a time, but not while the pointer or the focus is in it.
 *
 * @param {HTMLElement} notice
 * @param {number} after_ms
 */
function removeLater(notice, after_ms) {
  window.setTimeout(() => {
    if (notice.matches(":hover, :focus-within")) removeLater(notice, INFO_MS);
    else notice.remove();
  }, after_ms);
}
