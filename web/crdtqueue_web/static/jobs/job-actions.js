// @ts-check
/** The menu of a job, and the actions of its items. */

import { ApiError } from "../api/api.js";
import { exportJob } from "./job-files.js";

/** @import {MenuItem} from "../ui/menu.js" */
/** @import {JobView, QueueView} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

const LOST = "The printer is lost: print it elsewhere";

/** @typedef {{job: JobView, queue: QueueView}} QueuedJob */

/**
 * The jobs that are still to be printed, in this order.
 *
 * @param {QueueView} queue
 */
export function unfinishedJobs({ jobs }) {
  return jobs.filter(({ state }) => state !== "done");
}

/**
 * @param {QueuedJob} queued
 * @returns {string}  The name of the printer of the job, if its peer is out of sight; else empty.
 */
function lostOwner({ job, queue }) {
  const print = job.printing_by;
  const isOnline = queue.peers.some(({ id, online }) => id === print?.peer && online);
  return print && !isOnline ? print.name : "";
}

/** Opens the menu for any job of the view. */
export class JobActions {
  #context;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
  }

  get #jobs() {
    return this.#context.api().jobs;
  }

  /**
   * @param {HTMLElement} anchor  The button of the menu; it is busy while an action runs.
   * @param {QueuedJob} queued
   */
  openMenu(anchor, queued) {
    const views = this.#viewItems(anchor, queued);
    const items = this.#context.readonly()
      ? views
      : [
          ...this.#moveItems(anchor, queued),
          ...this.#copyItems(anchor, queued),
          ...views,
          ...this.#endItems(anchor, queued),
        ];
    this.#context.menu(anchor, `Actions for ${queued.job.name}`, items);
  }

  /**
   * @param {HTMLElement} anchor
   * @param {QueuedJob} queued
   * @returns {MenuItem[]}
   */
  #viewItems(anchor, { job, queue }) {
    const save = () => exportJob(this.#jobs, queue.name, job);
    return [
      { label: "Prints of this job", icon: "history", press: () => this.#context.showHistory(job) },
      {
        label: "Export as .gjob",
        icon: "download",
        press: () => this.#context.perform(anchor, save),
      },
    ];
  }

  /**
   * @param {HTMLElement} anchor
   * @param {QueuedJob} queued
   * @returns {MenuItem[]}
   */
  #moveItems(anchor, { job, queue }) {
    const ids = unfinishedJobs(queue).map(({ id }) => id);
    const index = ids.indexOf(job.id);
    const place = (/** @type {string | null} */ before) => () =>
      this.#context.perform(anchor, () => this.#jobs.place(queue.name, job.id, before));
    /** @type {MenuItem[]} */
    const items = [];
    if (index > 1) items.push({ label: "Move to top", icon: "top", press: place(ids[0] ?? null) });
    if (index > 0) {
      items.push({ label: "Move up", icon: "up", press: place(ids[index - 1] ?? null) });
    }
    if (index >= 0 && index < ids.length - 1) {
      items.push({ label: "Move down", icon: "down", press: place(ids[index + 2] ?? null) });
    }
    const others = this.#context.queues().filter(({ name }) => name !== queue.name);
    const moves = others.map(({ name }) => this.#moveItem(anchor, { job, queue }, name));
    return [...items, ...moves];
  }

  /**
   * @param {HTMLElement} anchor
   * @param {QueuedJob} queued
   * @param {string} to
   * @returns {MenuItem}
   */
  #moveItem(anchor, { job, queue }, to) {
    return {
      label: `Move to ${to}`,
      icon: "move",
      press: () =>
        this.#context.perform(anchor, () => this.#jobs.move(queue.name, job.id, to, null)),
    };
  }

  /**
   * @param {HTMLElement} anchor
   * @param {QueuedJob} queued
   * @returns {MenuItem[]}
   */
  #copyItems(anchor, { job, queue }) {
    const duplicate = () => this.#jobs.act(queue.name, job.id, "duplicate");
    /** @type {MenuItem[]} */
    const items = [
      { label: "Duplicate", icon: "copy", press: () => this.#context.perform(anchor, duplicate) },
    ];
    if (job.copies_done > 0) {
      const press = () => this.#printAgain(anchor, { job, queue });
      items.push({ label: "Print again", icon: "again", press });
    }
    return items;
  }

  /**
   * @param {HTMLElement} anchor
   * @param {QueuedJob} queued
   * @returns {MenuItem[]}
   */
  #endItems(anchor, { job, queue }) {
    /** @type {MenuItem[]} */
    const items = [];
    if (job.draft) {
      const end = () => this.#jobs.endDraft(queue.name, job.id);
      items.push({
        label: `End the edit on ${job.draft.by}`,
        icon: "check",
        press: () => this.#context.perform(anchor, end),
      });
    }
    const owner = lostOwner({ job, queue });
    if (owner) {
      const press = () => this.#markLost(anchor, { job, queue }, owner);
      items.push({ label: LOST, icon: "warning", kind: "danger", press });
    }
    if (job.deleting) {
      const keep = () => this.#jobs.act(queue.name, job.id, "restore");
      const press = () => this.#context.perform(anchor, keep);
      return [...items, { label: "Do not delete", icon: "restore", press }];
    }
    const press = () => this.#delete(anchor, { job, queue });
    return [...items, { label: "Delete", icon: "remove", kind: "danger", press }];
  }

  /**
   * @param {HTMLElement} anchor
   * @param {QueuedJob} queued
   */
  async #printAgain(anchor, { job, queue }) {
    const sure = await this.#context.confirm({
      title: "Print this job again?",
      text:
        `All copies of “${job.name}” are printed once more, from the first run on. ` +
        "What was printed of it stays in the history.",
      yes: "Print again",
      no: "Leave it as it is",
    });
    if (!sure) return;
    await this.#context.perform(anchor, () => this.#jobs.act(queue.name, job.id, "print-again"));
  }

  /**
   * @param {HTMLElement} anchor
   * @param {QueuedJob} queued
   * @param {string} owner
   */
  async #markLost(anchor, { job, queue }, owner) {
    const sure = await this.#context.confirm({
      title: `Is ${owner} lost?`,
      text:
        `${owner} has “${job.name}” and does not answer, but silence alone does not mean that it ` +
        "has stopped: the network may be broken while it prints. Then the copy is printed twice. " +
        "So somebody must look at the printer first. When it is marked lost, another printer " +
        "prints the copy.",
      oath: `Somebody has looked at ${owner}: it is not printing this.`,
      yes: "Print it elsewhere",
      no: "Go on waiting",
    });
    if (sure) await this.#context.perform(anchor, () => this.#jobs.act(queue.name, job.id, "lost"));
  }

  /**
   * @param {HTMLElement} anchor
   * @param {QueuedJob} queued
   */
  async #delete(anchor, queued) {
    const { job, queue } = queued;
    const sure = await this.#context.confirm({
      title: "Delete this job?",
      text:
        `“${job.name}” is removed from the queue “${queue.name}” on all its peers. ` +
        "You can bring it back from the queue’s list of deleted jobs.",
      yes: "Delete job",
      no: "Keep it",
    });
    if (sure) await this.#context.perform(anchor, () => this.#deleteNow(queued));
  }

  /** @param {QueuedJob} queued */
  async #deleteNow({ job, queue }) {
    let text = `“${job.name}” is deleted.`;
    try {
      await this.#jobs.delete(queue.name, job.id);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "job_is_claimed")) throw error;
      if (!(await this.#askToWait(error.message))) return;
      await this.#jobs.delete(queue.name, job.id, { afterCopy: true });
      text = `“${job.name}” is deleted when this copy is done.`;
    }
    const press = () => this.#jobs.act(queue.name, job.id, "restore");
    this.#context.notices.info(text, { label: "Undo", press });
  }

  /** @param {string} refusal */
  #askToWait(refusal) {
    return this.#context.confirm({
      title: "This job is being printed",
      text: refusal,
      yes: "Delete when this copy is done",
      no: "Keep it",
    });
  }
}
