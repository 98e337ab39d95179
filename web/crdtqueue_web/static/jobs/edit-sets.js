// @ts-check
/** The part of the edit dialog in which the sets of a job are sorted, edited, added and removed. */

import { jobIn } from "../api/saved-edits.js";
import { KeyedList, element, setText } from "../ui/dom.js";
import { DragSort } from "../ui/drag-sort.js";
import { SetEditor } from "./edit-set.js";
import { FilePicker } from "./file-picker.js";

/** @import {JobCalls} from "../api/job-calls.js" */
/** @import {SetFields, SetView} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

const NO_PROFILE = "Say for each file which printer it is made for; then they are added.";

/**
 * The job that is being edited. `ask` sends a change of the job; `perform` runs an action and shows
 * its error.
 *
 * @typedef {object} EditedJob
 * @property {<T>(work: (jobs: JobCalls, queue: string, id: string) => Promise<T>) => Promise<T>} ask
 * @property {(work: () => Promise<unknown>) => Promise<boolean>} perform  False if it was refused.
 */

/** The list of the sets, with a file picker that adds more of them. */
export class SetsEditor {
  /** @type {SetView[]} */
  #sets = [];
  #adding = false;
  #list = element("ol", { class: "set-edits plain" });
  #hint = element("p", { class: "hint", role: "status" });
  #rows;
  #picker;
  #job;
  #context;
  node;

  /**
   * @param {ViewContext} context
   * @param {EditedJob} job
   */
  constructor(context, job) {
    this.#job = job;
    this.#context = context;
    this.#rows = new KeyedList(this.#list, () => this.#row());
    this.#picker = new FilePicker(context, {
      id: "more-files",
      call: "Add g-code files",
      onChange: () => void this.#addFiles(),
    });
    const title = element("h3", {}, "Files, in the order in which they are printed");
    const sorter = new DragSort(
      this.#list,
      () => [this.#sortList],
      (id, _from, _to, before) => void job.perform(() => this.#place(id, before)),
    );
    this.node = element(
      "section",
      {},
      title,
      this.#list,
      sorter.node,
      this.#picker.node,
      this.#hint,
    );
  }

  /** @param {HTMLElement} area  Files that are dropped on this element are added. */
  takeDrops(area) {
    this.#picker.takeDrops(area);
  }

  /** Prepares the list for the edit of another job. */
  begin() {
    this.#picker.clear();
    void this.#picker.offerStored();
  }

  /** @param {SetView[]} sets */
  update(sets) {
    this.#sets = sets;
    const last = sets.length - 1;
    this.#rows.update(
      sets.map((set, index) => ({ set, isFirst: index === 0, isLast: index === last })),
      ({ set }) => set.id,
    );
  }

  /** The controls that save themselves. */
  get values() {
    return this.#rows.parts.flatMap((row) => row.values);
  }

  get #sortList() {
    return { key: "sets", area: this.#list, items: this.#rows.parts.map((row) => row.sortItem) };
  }

  #row() {
    const { ask, perform } = this.#job;
    return new SetEditor({
      save: (set, fields) => this.#save(set, fields),
      shift: (set, by) => void perform(() => this.#shift(set, by)),
      remove: (set) => void perform(() => ask((jobs, queue, id) => jobs.removeSet(queue, id, set))),
    });
  }

  /**
   * @param {string} set
   * @param {Partial<SetFields>} fields
   */
  #save(set, fields) {
    return this.#job.ask((jobs, queue, id) =>
      this.#context.save(
        (state) => jobIn(state, queue, id)?.sets.find((each) => each.id === set),
        fields,
        () => jobs.editSet(queue, id, set, fields),
      ),
    );
  }

  /**
   * @param {string} set
   * @param {string | null} before
   */
  #place(set, before) {
    return this.#job.ask((jobs, queue, id) => jobs.placeSet(queue, id, set, before));
  }

  /**
   * @param {string} set
   * @param {-1 | 1} by
   */
  async #shift(set, by) {
    const ids = this.#sets.map(({ id }) => id);
    const index = ids.indexOf(set);
    const before = by < 0 ? ids[index - 1] : (ids[index + 2] ?? null);
    if (before !== undefined) await this.#place(set, before);
  }

  /** Adds the chosen files in one request, as soon as all of them are uploaded. */
  async #addFiles() {
    const { rows, obstacle } = this.#picker;
    const areHere = rows.length > 0 && obstacle === "";
    const areReady = areHere && rows.every((row) => row.isReady);
    setText(this.#hint, areHere && !areReady ? NO_PROFILE : rows.length ? obstacle : "");
    if (!areReady || this.#adding) return;
    this.#adding = true;
    const sets = rows.map((row) => row.set);
    const added = await this.#job.perform(() =>
      this.#job.ask((jobs, queue, id) => jobs.addSets(queue, id, sets)),
    );
    if (added) this.#picker.clear();
    this.#adding = false;
  }
}
