// @ts-check
/** A control whose value is saved by itself, and which follows what others write. */

import { setText } from "./dom.js";
import { sentenceOf } from "./format.js";
import { afterPress } from "./pressing.js";

/**
 * What a person types counts until it is saved; what others write shows up at once, unless the
 * control has the focus or holds something that could not be saved.
 *
 * @template T  JSON.
 */
export class SavedValue {
  /** What the peer has, as far as it is in the control; null before the first. */
  /** @type {string | null} */
  #base = null;
  /** @type {T | undefined} */
  #latest;
  /** What is being saved now. */
  /** @type {{text: string, done: Promise<boolean>} | null} */
  #saving = null;
  /** Counts what was typed, so that a late refusal of something older is not said. */
  #typed = 0;
  #problem = "";
  #node;
  #read;
  #write;
  #save;
  #error;

  /**
   * @param {object} options
   * @param {HTMLElement} options.node  Holds the control.
   * @param {() => T} options.read  What is in the control; throws a sentence if that is no value.
   * @param {(value: T) => void} options.write
   * @param {(value: T) => Promise<unknown>} options.save  What the peer has then is shown by then.
   * @param {HTMLElement} options.error  Where the sentence of a refusal goes.
   */
  constructor({ node, read, write, save, error }) {
    this.#node = node;
    this.#read = read;
    this.#write = write;
    this.#save = save;
    this.#error = error;
    setText(error, "");
    node.addEventListener("input", () => {
      this.#typed += 1;
      this.#say("");
    });
    node.addEventListener("change", () => void this.flush());
    node.addEventListener("focusout", (event) => {
      const into = event.relatedTarget;
      if (!(into instanceof Node && node.contains(into))) void this.flush();
    });
  }

  /** Forgets everything: what is shown next belongs to something else. */
  reset() {
    this.#base = null;
    this.#latest = undefined;
    this.#say("");
  }

  /** @param {T} value  What the peer has now. */
  show(value) {
    this.#latest = value;
    if (this.#base === null) this.#fill(value);
    else if (this.#isClean()) this.#adopt();
  }

  /**
   * Saves what was typed.
   *
   * @returns {Promise<boolean>}  Whether the peer has what is in the control.
   */
  flush() {
    try {
      return this.#flushValue(this.#read());
    } catch (error) {
      this.#say(sentenceOf(error));
      return Promise.resolve(false);
    }
  }

  /** @param {T} value */
  #flushValue(value) {
    const text = JSON.stringify(value);
    if (this.#saving?.text === text) return this.#saving.done;
    const before = this.#saving?.done ?? Promise.resolve(true);
    const typed = this.#typed;
    const done = before.then(() => this.#saveNow(value, text, typed));
    const saving = { text, done };
    this.#saving = saving;
    void done.then(() => {
      if (this.#saving === saving) this.#saving = null;
    });
    return done;
  }

  /**
   * @param {T} value
   * @param {string} text  The same as JSON.
   * @param {number} typed  How often something had been typed by then.
   */
  async #saveNow(value, text, typed) {
    try {
      if (this.#base !== null && text !== this.#base) {
        await this.#save(value);
        this.#base = text;
      }
    } catch (error) {
      if (typed === this.#typed) this.#say(sentenceOf(error));
      return false;
    }
    if (typed === this.#typed) this.#say("");
    this.#adopt();
    return true;
  }

  #isClean() {
    try {
      return JSON.stringify(this.#read()) === this.#base;
    } catch {
      return false;
    }
  }

  #adopt() {
    const value = this.#latest;
    if (value === undefined || JSON.stringify(value) === this.#base) return;
    if (!this.#node.matches(":focus-within")) this.#fill(value);
  }

  /** @param {T} value */
  #fill(value) {
    this.#base = JSON.stringify(value);
    this.#write(value);
  }

  /** @param {string} problem */
  #say(problem) {
    this.#problem = problem;
    // By then something else may be to be said.
    afterPress(() => {
      setText(this.#error, this.#problem);
      this.#node.classList.toggle("wrong", this.#problem !== "");
    });
  }
}
