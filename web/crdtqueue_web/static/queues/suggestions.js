// @ts-check
/** Suggestions while a person types: the profiles and materials that occur in the queues. */

import { element, rebuild } from "../ui/dom.js";

/** @import {QueueView} from "../api/types.js" */

const ANY_PRINTER = "ANY";
const MATERIALS = ["PLA", "PETG", "ABS", "ASA", "TPU", "PC", "PA", "PVA"];

/** The lists that inputs name in their attribute `list`. */
export class Suggestions {
  #profiles = element("datalist", { id: "known-profiles" });
  #materials = element("datalist", { id: "known-materials" });
  node = element("div", { class: "unseen", inert: true }, this.#profiles, this.#materials);

  /** @param {QueueView[]} queues */
  update(queues) {
    const peers = queues.flatMap((queue) => queue.peers.map((peer) => peer.profile));
    const sets = queues.flatMap((queue) => queue.jobs.flatMap((job) => job.sets));
    fill(this.#profiles, [...peers, ...sets.flatMap((set) => set.profiles), ANY_PRINTER]);
    fill(this.#materials, [...MATERIALS, ...sets.flatMap((set) => set.materials)]);
  }
}

/**
 * @param {HTMLElement} list
 * @param {(string | null)[]} values
 */
function fill(list, values) {
  const known = [...new Set(values.filter((each) => each))];
  rebuild(list, known, () => known.map((value) => element("option", { value })));
}
