// @ts-check
/** One job: its state and why, its print, its sets, and its buttons. */

import { element, rebuild, setText } from "./dom.js";
import { ago, counted, fileSize } from "./format.js";
import { Pill, Progress, button, chip, icon, note } from "./pieces.js";

/** @import {JobView, QueueView, SetView, ViewContext} from "./types.js" */

/** @type {Record<string, [string, import("./pieces.js").Tone]>} */
const STATES = {
  waiting: ["Waiting", "neutral"],
  printing: ["Printing", "accent"],
  paused: ["Paused", "warning"],
  held: ["On hold", "bad"],
  done: ["Done", "good"],
};
const ANY_PRINTER = "ANY";
const SETS_UNFOLDED_MAX = 4;
const TARGETS_MAX = 3;

/** @typedef {{job: JobView, queue: QueueView}} QueuedJob */

/** The row of one job. */
export class JobCard {
  #pill = new Pill();
  #name = element("h3", { class: "data" });
  #count = element("span", { class: "count" });
  #buttons = element("div", { class: "buttons" });
  #why = element("p", { class: "sentence data" });
  #progress = new Progress();
  #sets = element("div", { class: "sets" });
  #added = element("span", { class: "data" });
  #safety = element("span", { class: "safety" });
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    const title = element("div", { class: "title" }, this.#pill.node, this.#name, this.#count);
    this.node = element(
      "li",
      { class: "job" },
      element("header", {}, title, this.#buttons),
      this.#why,
      this.#progress.node,
      this.#sets,
      element("p", { class: "meta" }, this.#added, this.#safety),
    );
  }

  /** @param {QueuedJob} queued */
  update({ job, queue }) {
    const [label, tone] = STATES[job.state] ?? [String(job.state), "neutral"];
    this.node.dataset.state = job.state;
    this.#pill.update(label, tone);
    setText(this.#name, job.name);
    setText(this.#count, copiesText(job));
    setText(this.#why, job.why);
    setText(this.#added, `Added by ${job.created_by}, ${ago(job.created_at_s)}`);
    this.#updateProgress(job);
    rebuild(this.#sets, job.sets, () => setsOf(job.sets));
    rebuild(this.#safety, [job.state, job.safe_to_leave, job.created_by, queue.local], () =>
      safetyOf(job, queue),
    );
    const targets = queue.local && !job.printing_by && !job.copies_done ? this.#targets() : [];
    const shown = [queue.name, job.id, job.name, job.state, job.paused, targets];
    rebuild(this.#buttons, shown, () => this.#buttonsFor(job, queue.name, targets));
  }

  /** @param {JobView} job */
  #updateProgress({ name, why, printing_by: print }) {
    const caption =
      print && !why.includes(print.file_name) ? `${print.file_name} on ${print.name}` : "";
    const label = `Progress of the copy of ${name} that is being printed`;
    this.#progress.update(print?.progress ?? null, caption, label);
  }

  #targets() {
    return this.#context.sharedQueues().slice(0, TARGETS_MAX);
  }

  /**
   * @param {JobView} job
   * @param {string} queue
   * @param {string[]} targets
   */
  #buttonsFor({ id, name, state, paused }, queue, targets) {
    const steer =
      (/** @type {"pause" | "resume"} */ verb) => (/** @type {HTMLButtonElement} */ node) =>
        this.#context.perform(node, () => this.#context.api().steerJob(queue, id, verb));
    const move =
      (/** @type {string} */ to) => (/** @type {HTMLButtonElement} */ node) =>
        this.#context.perform(node, () => this.#context.api().moveJob(queue, id, to));
    return [
      ...targets.map((to) =>
        button(`Send to ${to}`, { kind: "quiet compact", about: name, press: move(to) }),
      ),
      !paused && (state === "waiting" || state === "printing")
        ? button("Pause", {
            icon: "pause",
            kind: "quiet compact",
            about: name,
            press: steer("pause"),
          })
        : null,
      paused
        ? button("Resume", { icon: "play", kind: "compact", about: name, press: steer("resume") })
        : null,
      button("Delete", {
        icon: "remove",
        kind: "quiet compact",
        about: name,
        press: (node) => this.#delete(node, queue, id, name),
      }),
    ];
  }

  /**
   * @param {HTMLButtonElement} node
   * @param {string} queue
   * @param {string} id
   * @param {string} name
   */
  async #delete(node, queue, id, name) {
    const sure = await this.#context.confirm({
      title: "Delete this job?",
      text: `“${name}” is removed from the queue “${queue}” on all its peers. This cannot be undone.`,
      yes: "Delete job",
      no: "Keep it",
    });
    if (sure) await this.#context.perform(node, () => this.#context.api().deleteJob(queue, id));
  }
}

/** @param {JobView} job */
function copiesText({ copies_done, copies_total, runs }) {
  const copies = `${copies_done} of ${counted(copies_total, "copy", "copies")}`;
  return runs > 1 ? `${copies}, ${runs} runs` : copies;
}

/** @param {SetView[]} sets */
function setsOf(sets) {
  const rows = sets.map((set) => setRow(set, sets.length > 1));
  const list = element("ul", { class: "plain" }, ...rows);
  if (sets.length <= SETS_UNFOLDED_MAX) return [list];
  const summary = element("summary", {}, `${sets.length} sets`);
  return [element("details", {}, summary, list)];
}

/**
 * @param {SetView} set
 * @param {boolean} withCount  The count of an only set is the job's own.
 */
function setRow({ file, profiles, done, total }, withCount) {
  const chips = profiles.map((each) =>
    each === ANY_PRINTER ? chip("any printer") : chip(each, { title: "Profile" }),
  );
  const complete = total > 0 && done >= total;
  return element(
    "li",
    { class: complete ? "complete" : "" },
    element("span", { class: "file data", title: fileSize(file.size_bytes) }, file.name),
    element("span", { class: "chips" }, ...chips),
    element(
      "span",
      {
        class: "count",
        title: `${done} of ${counted(total, "copy", "copies")} done`,
        hidden: !withCount,
      },
      complete ? icon("check") : null,
      `${done} / ${total}`,
    ),
  );
}

/**
 * Whether the submitter may be switched off. A finished job needs nobody, and in a queue that only
 * this peer has there is nobody else to hold the files.
 *
 * @param {JobView} job
 * @param {QueueView} queue
 */
function safetyOf({ state, safe_to_leave, created_by }, { local }) {
  if (state === "done" || local) return [];
  if (!safe_to_leave) {
    const text = `Keep ${created_by} on until another peer has the files`;
    return [note(text, { tone: "warning", icon: "warning" })];
  }
  const title = "The files are on at least two peers.";
  return [note("The submitter may be switched off", { tone: "good", icon: "check", title })];
}
