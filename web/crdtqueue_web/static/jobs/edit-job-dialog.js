// @ts-check
/** The dialog in which a job is edited. Each field saves itself when it is changed. */

import { jobIn } from "../api/saved-edits.js";
import { CountField, TextField } from "../ui/autosave-fields.js";
import { dialog } from "../ui/dialog.js";
import { element, setText } from "../ui/dom.js";
import { sentenceOf } from "../ui/format.js";
import { button } from "../ui/widgets.js";
import { SetsEditor } from "./edit-sets.js";
import { JobDraft } from "./job-draft.js";

/** @import {JobCalls} from "../api/job-calls.js" */
/** @import {JobFields, JobView, QueueView} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

const NAME_CHARS_MAX = 200;
const NOTE_CHARS_MAX = 2_000;
const ASKING = "Asking the peer …";
const HELD =
  "No printer takes this job while it is being edited. What you change is saved at once.";
const GONE = "This job is not in the queue any more: somebody has deleted or moved it.";
const LAPSED =
  "This edit has ended, so a printer may take the job. It goes on once you change something.";

/**
 * The job that is being edited. `seen` is set when the peer first shows the job. `hold` becomes
 * "blocked" when the peer shows the draft, and "lapsed" when the draft has ended.
 *
 * @typedef {object} Edit
 * @property {string} queue
 * @property {string} id
 * @property {JobDraft} draft
 * @property {boolean} seen
 * @property {"asked" | "blocked" | "lapsed"} hold
 */

/** Edits one job at a time. */
export class EditJobDialog {
  /** @type {Edit | null} */
  #edit = null;
  #title = element("h2", { class: "data" });
  #about = element("p", { class: "hint data", role: "status" });
  #error = element("p", { class: "error data", role: "alert" });
  #name = new TextField("Job name", {
    chars: NAME_CHARS_MAX,
    save: (name) => this.#save({ name }),
  });
  #runs = new CountField("Runs", {
    hint: "How often the whole job is printed",
    save: (runs) => this.#save({ runs }),
  });
  #note = new TextField("Note", {
    chars: NOTE_CHARS_MAX,
    rows: 2,
    save: (note) => this.#save({ note }),
  });
  #body = element("div", { class: "edit-body" });
  #sets;
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    this.#sets = new SetsEditor(context, {
      ask: (work) => this.#ask(work),
      perform: (work) => this.#perform(work),
    });
    this.node = dialog("edit-job", "edit-job", this.#form(), this.#title);
    this.node.addEventListener("close", () => this.#leave());
    this.node.addEventListener("cancel", (event) => {
      event.preventDefault();
      void this.#done();
    });
    this.node.addEventListener("input", () => void this.#touch());
    this.#sets.takeDrops(this.node);
  }

  #form() {
    this.#body.append(
      element("div", { class: "fields" }, this.#name.node, this.#runs.node),
      this.#note.node,
      this.#sets.node,
    );
    const done = button("Done", { icon: "check", kind: "primary", press: () => void this.#done() });
    return element(
      "form",
      { on: { submit: (event) => event.preventDefault() } },
      this.#title,
      this.#about,
      this.#body,
      this.#error,
      element("div", { class: "buttons end" }, done),
    );
  }

  /**
   * Holds the job back and opens the dialog. While somebody else edits the job, it asks first.
   *
   * @param {string} queue
   * @param {string} id
   */
  async open(queue, id) {
    const draft = new JobDraft(this.#context.api().jobs, queue, id);
    if (!(await draft.begin((refusal) => this.#askToEnd(refusal)))) return;
    this.#edit = { queue, id, draft, seen: false, hold: "asked" };
    this.#body.hidden = true;
    for (const { autosave } of [this.#name, this.#runs, this.#note]) autosave.reset();
    setText(this.#error, "");
    setText(this.#title, "Edit this job");
    setText(this.#about, ASKING);
    this.node.showModal();
    this.#sets.begin();
    this.update(this.#context.queues());
  }

  /** @param {string} refusal */
  #askToEnd(refusal) {
    return this.#context.confirm({
      title: "Somebody else edits this job",
      text: `${refusal} What they have changed so far is kept.`,
      yes: "End that edit",
      no: "Leave it alone",
    });
  }

  /** @param {QueueView[]} queues  What the peer has now. */
  update(queues) {
    const edit = this.#edit;
    if (!edit) return;
    const job = jobIn({ queues }, edit.queue, edit.id);
    if (job) this.#show(job, edit);
    else if (edit.seen) setText(this.#about, GONE);
    this.#body.inert = !job;
  }

  /** Ends the draft, because the dialog, the view or the page is closed. */
  leave() {
    // The draft has ended, and somebody else may have begun another one.
    if (this.#edit?.hold === "lapsed") return;
    this.#edit?.draft.end({ keepalive: true }).catch(() => {
      // The dialog is closed, so nobody can be told. The draft ends by itself.
    });
  }

  /**
   * @param {JobView} job
   * @param {Edit} edit
   */
  #show(job, edit) {
    edit.seen = true;
    this.#body.hidden = false;
    setText(this.#title, `Edit “${job.name}”`);
    setText(this.#about, aboutText(job, edit));
    this.#name.autosave.show(job.name);
    this.#runs.autosave.show(job.runs);
    this.#note.autosave.show(job.note);
    this.#sets.update(job.sets);
  }

  /** @param {Partial<JobFields>} fields */
  #save(fields) {
    return this.#ask((jobs, queue, id) =>
      this.#context.save(
        (state) => jobIn(state, queue, id),
        fields,
        () => jobs.edit(queue, id, fields),
      ),
    );
  }

  /**
   * @template T
   * @param {(jobs: JobCalls, queue: string, id: string) => Promise<T>} work
   */
  async #ask(work) {
    const edit = this.#edit;
    if (!edit) throw new Error(GONE);
    await edit.draft.touch();
    return work(this.#context.api().jobs, edit.queue, edit.id);
  }

  /** @param {() => Promise<unknown>} work */
  async #perform(work) {
    setText(this.#error, "");
    try {
      await work();
    } catch (error) {
      setText(this.#error, sentenceOf(error));
      return false;
    }
    return true;
  }

  async #touch() {
    await this.#perform(async () => this.#edit?.draft.touch());
  }

  /** Saves all fields, and closes the dialog unless one of them is refused. */
  async #done() {
    const values = [
      this.#name.autosave,
      this.#runs.autosave,
      this.#note.autosave,
      ...this.#sets.values,
    ];
    const gone = this.#body.inert || this.#body.hidden;
    const saved = gone || (await Promise.all(values.map((each) => each.flush()))).every(Boolean);
    if (saved) this.node.close();
  }

  #leave() {
    this.leave();
    this.#edit = null;
  }
}

/**
 * @param {JobView} job
 * @param {Edit} edit
 */
function aboutText({ draft, printing_by: print }, edit) {
  if (draft?.self) edit.hold = "blocked";
  if (edit.hold === "blocked" && !draft?.self) {
    edit.hold = "lapsed";
    edit.draft.lapse();
  }
  if (edit.hold === "lapsed") return LAPSED;
  return print ? `${HELD} ${print.name} goes on with the copy that it prints.` : HELD;
}
