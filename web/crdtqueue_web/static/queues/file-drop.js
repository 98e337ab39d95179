// @ts-check
/** Files that are dropped on a queue go to it; those dropped elsewhere go to the first queue. */

import { isJobFile } from "../jobs/job-files.js";

/** @import {QueueCard} from "./queue-card.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

/** Takes the drops on one element. */
export class FileDrop {
  #view;
  #cards;

  /**
   * @param {HTMLElement} view
   * @param {() => QueueCard[]} cards  The queues as they are shown, from the top.
   * @param {ViewContext} context
   */
  constructor(view, cards, context) {
    this.#view = view;
    this.#cards = cards;
    view.addEventListener("dragover", (event) => this.#over(event));
    view.addEventListener("dragleave", (event) => this.#leave(event));
    view.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#mark(undefined);
      const queue = this.#cardOf(event)?.queueName;
      const files = [...(event.dataTransfer?.files ?? [])];
      const jobs = files.filter(isJobFile);
      const others = files.filter((file) => !isJobFile(file));
      if (queue !== undefined && jobs.length) context.importJobs(queue, jobs);
      if (queue !== undefined && others.length) context.addJob(queue, others);
    });
  }

  /** @param {DragEvent} event */
  #over(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.#mark(this.#cardOf(event));
  }

  /** @param {DragEvent} event */
  #leave(event) {
    const into = event.relatedTarget;
    if (!(into instanceof Node && this.#view.contains(into))) this.#mark(undefined);
  }

  /** @param {DragEvent} event */
  #cardOf(event) {
    const path = event.composedPath();
    const cards = this.#cards();
    return cards.find((card) => path.includes(card.node)) ?? cards[0];
  }

  /** @param {QueueCard | undefined} target */
  #mark(target) {
    for (const card of this.#cards()) card.node.classList.toggle("target", card === target);
  }
}
