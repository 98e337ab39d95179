// @ts-check
/** What this page has saved, for as long as the states of the peer do not show it yet. */

/** @import {State} from "./types.js" */

/** A state that is older than what was saved comes within this time, or never. */
const ON_ITS_WAY_MS = 15_000;

/** @typedef {(state: State) => object | null | undefined} Place  What the fields are fields of. */

/**
 * One field that was saved. Where a state still has what was there before, it is an older one.
 *
 * @typedef {object} SavedEdit
 * @property {Place} place
 * @property {string} name
 * @property {unknown} value
 * @property {string | undefined} before  JSON.
 * @property {number} end_ms
 */

/** Puts it into each state that comes from before it. */
export class SavedEdits {
  /** @type {SavedEdit[]} */
  #edits = [];

  /**
   * Something is about to be saved.
   *
   * @param {State} state  As it is shown.
   * @param {Place} place
   * @param {Record<string, unknown>} fields  As the peer will show them.
   * @returns {(state: State) => void}  Call it with the state that is shown once they are saved.
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
 * @returns {boolean}  Whether the state is an older one, and has the edit now.
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
