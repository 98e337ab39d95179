// @ts-check
/** The card of one job: its state with the reason, its print, its sets, and its buttons. */

import { element, rebuild, setText } from "../ui/dom.js";
import { ago, counted } from "../ui/format.js";
import { showLiveText } from "../ui/live-text.js";
import { Pill, Progress, button, grip, note } from "../ui/widgets.js";
import { DoublesMark } from "./doubles-mark.js";
import { JobActions } from "./job-actions.js";
import { setsOf } from "./job-sets.js";

/** @import {QueuedJob} from "./job-actions.js" */
/** @import {Tone} from "../ui/widgets.js" */
/** @import {JobView, QueueView} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

/** @type {Record<string, [string, Tone]>} */
const STATES = {
  waiting: ["Waiting", "neutral"],
  printing: ["Printing", "accent"],
  paused: ["Paused", "warning"],
  blocked: ["Paused", "bad"],
  done: ["Done", "good"],
};
/** @type {[string, Tone]} */
const IN_EDIT = ["Being edited", "accent"];

/** The card of one job. */
export class JobCard {
  #pill = new Pill();
  #name = element("h3", { class: "data" });
  #count = element("span", { class: "count" });
  #buttons = element("div", { class: "buttons" });
  #why = element("p", { class: "sentence data" });
  #note = element("p", { class: "job-note data" });
  #progress = new Progress();
  #sets = element("div", { class: "sets" });
  #added = element("span", { class: "data" });
  #marks = element("span", { class: "marks" });
  #doubles;
  #context;
  #actions;
  /** @type {QueuedJob | null} */
  #queued = null;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    this.#actions = new JobActions(context);
    this.#doubles = new DoublesMark(context);
    const title = element("div", { class: "title" }, this.#pill.node, this.#name, this.#count);
    this.node = element(
      "li",
      { class: "job" },
      element("header", {}, grip(), title, this.#buttons),
      this.#why,
      this.#note,
      this.#progress.node,
      this.#sets,
      element("p", { class: "meta" }, this.#added, this.#doubles.node, this.#marks),
    );
  }

  /** What a drag has to know of this card. */
  get sortItem() {
    const job = this.#queued?.job;
    return { id: job?.id ?? "", label: job?.name ?? "", node: this.node };
  }

  /** @param {QueuedJob} queued */
  update(queued) {
    const { job, queue } = queued;
    this.#queued = queued;
    this.node.dataset.state = job.state;
    this.#pill.update(...pillOf(job));
    setText(this.#name, job.name);
    setText(this.#count, copiesText(job));
    const age_s = this.#context.age_s();
    showLiveText(this.#why, job.why_parts ?? [job.why], age_s);
    setText(this.#note, job.note);
    setText(this.#added, `Added by ${job.created_by}, ${ago(job.created_at_s)}`);
    this.#updateProgress(job);
    rebuild(this.#sets, job.sets, () => setsOf(job.sets));
    this.#doubles.update(job);
    rebuild(this.#marks, marksKey(job, queue, age_s), () => marksOf(job, queue, age_s));
    rebuild(this.#buttons, [job.name, ...pauseAndResume(job)], () => this.#makeButtons(job));
  }

  /** @param {JobView} job */
  #updateProgress({ name, why, printing_by: print }) {
    const file = print?.file_name ?? "";
    const caption = print && file && !why.includes(file) ? `${file} on ${print.name}` : "";
    const label = `Progress of the copy of ${name} that is being printed`;
    this.#progress.update(print?.progress ?? null, caption, label);
  }

  /** @param {JobView} job */
  #makeButtons(job) {
    const { name: about } = job;
    const [mayPause, mayResume] = pauseAndResume(job);
    const kind = "quiet compact";
    const steer =
      (/** @type {"pause" | "resume"} */ verb) => (/** @type {HTMLButtonElement} */ node) =>
        this.#perform(node, ({ jobs, queue, id }) => jobs.act(queue, id, verb));
    const more = button("More", {
      icon: "more",
      kind: "quiet icon-only looks",
      about: `actions for ${about}`,
      press: (node) => this.#queued && this.#actions.openMenu(node, this.#queued),
    });
    more.setAttribute("aria-haspopup", "menu");
    return [
      mayPause ? button("Pause", { icon: "pause", kind, about, press: steer("pause") }) : null,
      mayResume
        ? button("Resume", { icon: "play", kind: "compact", about, press: steer("resume") })
        : null,
      button("Edit", { icon: "edit", kind, about, press: (node) => this.#edit(node) }),
      more,
    ];
  }

  /** @param {HTMLButtonElement} node */
  #edit(node) {
    return this.#perform(node, ({ queue, id }) => this.#context.editJob(queue, id));
  }

  /**
   * @param {HTMLButtonElement} node
   * @param {(on: {jobs: import("../api/job-calls.js").JobCalls, queue: string, id: string}) =>
   *   Promise<unknown>} work
   */
  async #perform(node, work) {
    if (!this.#queued) return;
    const { job, queue } = this.#queued;
    const on = { jobs: this.#context.api().jobs, queue: queue.name, id: job.id };
    await this.#context.perform(node, () => work(on));
  }
}

/** @param {JobView} job  @returns {[string, Tone]} */
function pillOf({ state, draft, paused }) {
  if (state === "blocked" && draft && !paused) return IN_EDIT;
  return STATES[state] ?? [String(state), "neutral"];
}

/**
 * Whether the job can be paused, and whether it can be resumed.
 *
 * @param {JobView} job
 */
function pauseAndResume({ state, paused, draft, deleting }) {
  const failed = state === "blocked" && !draft && !deleting;
  return [!paused && (state === "waiting" || state === "printing"), paused || failed];
}

/** @param {JobView} job */
function copiesText({ copies_done, copies_total, run, runs, state }) {
  const copies = `${copies_done} of ${counted(copies_total, "copy", "copies")}`;
  if (runs === 1) return copies;
  return state === "done" ? `${copies}, ${runs} runs` : `${copies}, run ${run} of ${runs}`;
}

/**
 * @param {JobView} job
 * @param {QueueView} queue
 * @param {number} age_s
 */
function marksKey({ state, safe_to_leave, created_by, deleting, draft }, { local }, age_s) {
  const begun_s = draft && Math.round(performance.now() / 1000 - age_s - draft.for_s);
  const edit = draft && [draft.by, draft.self, begun_s];
  return [state, safe_to_leave, created_by, deleting, edit, local];
}

/**
 * @param {JobView} job
 * @param {QueueView} queue
 * @param {number} age_s
 */
function marksOf(job, queue, age_s) {
  return [editMark(job, age_s), deletingMark(job), safetyMark(job, queue)];
}

/**
 * @param {JobView} job
 * @param {number} age_s
 */
function editMark({ draft }, age_s) {
  if (!draft) return null;
  const text = element("span");
  const where = draft.self ? "here" : `on ${draft.by}`;
  showLiveText(text, [`Being edited ${where} for `, { for_s: draft.for_s }], age_s);
  return note(text, { tone: "accent", icon: "edit" });
}

/** @param {JobView} job */
function deletingMark({ deleting }) {
  if (!deleting) return null;
  return note("Is deleted when this copy is done", { tone: "warning", icon: "remove" });
}

/**
 * Says whether the computer of the submitter may be switched off. A finished job needs no files,
 * and in a local queue no other peer could hold them.
 *
 * @param {JobView} job
 * @param {QueueView} queue
 */
function safetyMark({ state, safe_to_leave, created_by }, { local }) {
  if (state === "done" || local) return null;
  if (!safe_to_leave) {
    const text = `Keep ${created_by} on until another peer has the files`;
    return note(text, { tone: "warning", icon: "warning" });
  }
  const title = "The files are on at least two peers.";
  return note("The submitter may be switched off", { tone: "good", icon: "check", title });
}
