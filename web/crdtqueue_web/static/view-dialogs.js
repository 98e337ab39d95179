// @ts-check
/** All dialogs of the view, and the functions that open them. */

import { HistoryDialog } from "./history/history-dialog.js";
import { AddJobDialog } from "./jobs/add-job-dialog.js";
import { EditJobDialog } from "./jobs/edit-job-dialog.js";
import { LoadedDialog } from "./printers/loaded-dialog.js";
import { NewQueueDialog } from "./queues/new-queue-dialog.js";
import { QueueSettingsDialog } from "./settings/queue-settings-dialog.js";
import { ScriptsDialog } from "./settings/scripts-dialog.js";
import { ConfirmDialog } from "./ui/dialog.js";

/** @import {QueueView} from "./api/types.js" */
/** @import {DialogContext, ViewContext} from "./ui/view-context.js" */

/** One dialog of each kind. */
export class ViewDialogs {
  #addJob;
  #editJob;
  #history;
  #loaded;
  #newQueue;
  #scripts;
  #settings;
  #confirm = new ConfirmDialog();
  #context;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    this.#addJob = new AddJobDialog(context);
    this.#editJob = new EditJobDialog(context);
    this.#history = new HistoryDialog(context);
    this.#loaded = new LoadedDialog(context);
    this.#newQueue = new NewQueueDialog(context);
    this.#scripts = new ScriptsDialog(context);
    this.#settings = new QueueSettingsDialog(context);
  }

  get nodes() {
    const dialogs = [this.#addJob, this.#editJob, this.#history, this.#loaded, this.#newQueue];
    // The question comes last, so that it lies above the others.
    return [...dialogs, this.#scripts, this.#settings, this.#confirm].map(({ node }) => node);
  }

  /** @returns {DialogContext} */
  get openers() {
    return {
      confirm: (question) => this.#confirm.ask(question),
      addJob: (queue, files = []) => this.#addJob.open(this.#context.queues(), queue, files),
      editJob: (queue, id) => this.#editJob.open(queue, id),
      showHistory: (job) => this.#history.open(job),
      newQueue: () => this.#newQueue.open(),
      editLoaded: () => this.#loaded.open(),
      editScripts: () => void this.#scripts.open(),
      editSettings: (queue) => this.#settings.open(queue),
    };
  }

  /** @param {QueueView[]} queues  What the peer has now. */
  update(queues) {
    this.#editJob.update(queues);
    this.#settings.update(queues);
  }

  /** The view or the page is going away. */
  leave() {
    this.#editJob.leave();
  }
}
