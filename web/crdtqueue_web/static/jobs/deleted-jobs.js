// @ts-check
/** The deleted jobs of a queue, folded away; each can be brought back. */

import { element, rebuild, setText } from "../ui/dom.js";
import { ago } from "../ui/format.js";
import { button } from "../ui/widgets.js";

/** @import {DeletedJob, QueueView} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

/** The folded list of one queue. */
export class DeletedJobs {
  #summary = element("summary");
  #rows = element("ul", { class: "deleted-jobs plain" });
  #context;
  node = element("details", { class: "done deleted" }, this.#summary, this.#rows);

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {QueueView} queue */
  update({ name: queue, deleted }) {
    this.node.hidden = deleted.length === 0;
    setText(this.#summary, `${deleted.length} deleted`);
    rebuild(this.#rows, [queue, deleted], () => deleted.map((job) => this.#row(queue, job)));
  }

  /**
   * @param {string} queue
   * @param {DeletedJob} job
   */
  #row(queue, { id, name, created_at_s }) {
    const restore = () => this.#context.api().jobs.act(queue, id, "restore");
    return element(
      "li",
      {},
      element("span", { class: "data" }, name),
      element("span", { class: "hint" }, `added ${ago(created_at_s)}`),
      button("Restore", {
        icon: "restore",
        kind: "quiet compact",
        about: name,
        press: (node) => this.#context.perform(node, restore),
      }),
    );
  }
}
