// @ts-check
/**
 * The fields that this page has saved. A state that the peer made before that does not show them
 * yet, so they are put into it.
 */

/** @import {State} from "./types.js" */

/** No state that is older than the saved fields comes after this time. */
const ON_ITS_WAY_MS = 15_000;

/**
 * Finds the object that has the fields.
 *
 * @typedef {(state: State) => object | null | undefined} Place
 */

/**
 * One field that was saved. A state that still has the value before is an older one.
 *
 * @typedef {object} SavedEdit
 * @property {Place} place
 * @property {string} name
 * @property {unknown} value
 * @property {string | undefined} before  JSON.
 * @property {number} end_ms
 */

/** Puts saved fields into older states. */
export class SavedEdits {
  /** @type {SavedEdit[]} */
  #edits = [];

  /**
   * Call it before fields are saved.
   *
   * @param {State} state  The state that is shown.
   * @param {Place} place
   * @param {Record<string, unknown>} fields  As the peer will show them.
   * @returns {(state: State) => void}  Call this after the fields are saved, with the state that is
   *   shown then.
   */
  begin(state, place, fields) {
    const target = place(state) ?? {};
    const before = new Map(Object.keys(fields).map((name) => [name, textOf(target, name)]));
    return (shown) => {
      const end_ms = performance.now() + ON_ITS_WAY_MS;
      for (const [name, value] of Object.entries(fields)) {
        const edit = { place, name, value, before: before.get(name), end_ms };
        if (put(edit, shown)) this.#edits.push(edit);
      }
    };
  }

  /** @param {State} state  A new one. */
  putInto(state) {
    this.#edits = this.#edits.filter((edit) => performance.now() < edit.end_ms && put(edit, state));
  }
}

/**
 * @param {SavedEdit} edit
 * @param {State} state
 * @returns {boolean}  Whether the state was an older one, so that the edit was put into it.
 */
function put({ place, name, value, before }, state) {
  const target = place(state);
  if (!target || textOf(target, name) !== before) return false;
  Object.assign(target, { [name]: value });
  return true;
}

/**
 * @param {Pick<State, "queues">} state
 * @param {string} queue
 * @param {string} id
 */
export function jobIn({ queues }, queue, id) {
  return queues.find(({ name }) => name === queue)?.jobs.find((job) => job.id === id);
}

/**
 * @param {object} target
 * @param {string} name
 */
function textOf(target, name) {
  return JSON.stringify(new Map(Object.entries(target)).get(name));
}
