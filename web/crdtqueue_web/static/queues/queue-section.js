// @ts-check
/** The section of the page with all queues, in which jobs are dragged from one to another. */

import { KeyedList, element } from "../ui/dom.js";
import { DragSort } from "../ui/drag-sort.js";
import { sentenceOf } from "../ui/format.js";
import { button, emptyState, section } from "../ui/widgets.js";
import { QueueCard } from "./queue-card.js";

/** @import {QueueView} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

/** One card for each queue. */
export class QueueSection {
  #cards = element("div", { class: "queues" });
  #another;
  #empty;
  #list;
  #drag;
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    this.#list = new KeyedList(this.#cards, () => new QueueCard(context));
    this.#another = this.#newQueueButton("compact");
    this.#empty = emptyState(
      "This peer has no queue yet.",
      "Make one, or join one that other peers have.",
      { icon: "add", kind: "card", action: this.#newQueueButton("primary") },
    );
    this.#drag = new DragSort(
      this.#cards,
      () => this.editableCards.map((card) => card.sortList),
      (id, from, to, before) => this.#move(id, from, to, before),
    );
    const actions = [this.#historyButton(), this.#another];
    this.node = section("Queues", "queues-title", actions, this.#cards, this.#empty);
  }

  /** What is shown during a drag, above the whole view. */
  get dragNode() {
    return this.#drag.node;
  }

  /** The queues that may be changed here, from the top. */
  get editableCards() {
    return this.#context.readonly() ? [] : this.#list.parts;
  }

  /** @param {QueueView[]} queues */
  update(queues) {
    this.#empty.hidden = queues.length > 0;
    this.#another.hidden = queues.length === 0;
    this.#list.update(queues, (queue) => queue.name);
  }

  /**
   * @param {string} id
   * @param {string} from
   * @param {string} to
   * @param {string | null} before
   */
  #move(id, from, to, before) {
    const { jobs } = this.#context.api();
    const moved = from === to ? jobs.place(from, id, before) : jobs.move(from, id, to, before);
    moved.catch((error) => this.#context.notices.error(sentenceOf(error)));
  }

  #historyButton() {
    return button("History", {
      icon: "history",
      kind: "compact looks",
      title: "What was printed, and what became of it.",
      press: () => this.#context.showHistory(),
    });
  }

  /** @param {string} kind */
  #newQueueButton(kind) {
    return button("New queue", { icon: "add", kind, press: () => this.#context.newQueue() });
  }
}
