// @ts-check
/** Controls that save themselves, and that follow what others write. */

import { setText } from "./dom.js";
import { sentenceOf } from "./format.js";

/**
 * Saves the value of one control when it changes or loses the focus. What a person types stays
 * until it is saved. What others write appears at once, unless the control has the focus or holds
 * a value that could not be saved.
 *
 * @template T  JSON.
 */
export class Autosave {
  /**
   * The last value of the peer that the control has shown, as JSON; null before the first.
   *
   * @type {string | null}
   */
  #base = null;
  /** @type {T | undefined} */
  #latest;
  /**
   * What is being saved now.
   *
   * @type {{text: string, done: Promise<boolean>} | null}
   */
  #saving = null;
  /** Counts the inputs, so that the late refusal of an older input is not shown. */
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
   * @param {() => T} options.read  The value in the control; throws a sentence if it is invalid.
   * @param {(value: T) => void} options.write
   * @param {(value: T) => Promise<unknown>} options.save  Ends when the page shows what was saved.
   * @param {HTMLElement} options.error  Shows the sentence of a refusal.
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

  /** Forgets everything, because the control is used for another object next. */
  reset() {
    this.#base = null;
    this.#latest = undefined;
    this.#say("");
  }

  /** @param {T} value  The present value of the peer. */
  show(value) {
    this.#latest = value;
    if (this.#base === null) this.#fill(value);
    else if (this.#isClean()) this.#adopt();
  }

  /**
   * Saves what was typed.
   *
   * @returns {Promise<boolean>}  Whether the peer has the value that is in the control.
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
   * @param {number} typed  The count of inputs at that time.
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
    // The problem may be another one by then.
    afterPress(() => {
      setText(this.#error, this.#problem);
      this.#node.classList.toggle("wrong", this.#problem !== "");
    });
  }
}

/**
 * Whether a mouse button or a finger is down. A click outside of a field saves the field. A message
 * that appeared or vanished at once would move the clicked thing from under the pointer.
 */
let pressed = false;

/** @type {(() => void)[]} */
let waiting = [];

function release() {
  pressed = false;
  const now = waiting;
  waiting = [];
  // The browser dispatches the click right after the release.
  window.setTimeout(() => now.forEach((act) => act()));
}

window.addEventListener("pointerdown", () => (pressed = true), { capture: true });
window.addEventListener("pointerup", release, { capture: true });
window.addEventListener("pointercancel", release, { capture: true });

/**
 * Acts at once or, while the pointer is down, after the click.
 *
 * @param {() => void} act
 */
function afterPress(act) {
  if (pressed) waiting.push(act);
  else act();
}
