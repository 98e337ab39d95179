// @ts-check
/** The peers of a queue with check boxes that choose the voters. */

import { KeyedList, element, setText } from "../ui/dom.js";

/** @import {Voter} from "../queues/queue-mode.js" */

/** The list. The choice stays while peers appear and disappear. */
export class VoterList {
  /** @type {Set<string>} */
  #chosen = new Set();
  #list = element("ul", { class: "voters plain" });
  #rows = new KeyedList(this.#list, () => new VoterRow(this.#chosen));
  node = element(
    "fieldset",
    { class: "field" },
    element("legend", {}, "Voters"),
    element(
      "p",
      { class: "hint" },
      "Best three or five computers that are mostly on. A voter needs no printer.",
    ),
    this.#list,
  );

  get chosen() {
    return [...this.#chosen].sort();
  }

  /** @param {string[]} voters */
  choose(voters) {
    this.#chosen.clear();
    for (const each of voters) this.#chosen.add(each);
  }

  /** @param {Voter[]} peers */
  update(peers) {
    this.#rows.update(peers, ({ id }) => id);
  }
}

/** One peer. */
class VoterRow {
  #box = element("input", { type: "checkbox" });
  #name = element("span", { class: "data" });
  #sight = element("span", { class: "hint" });
  #chosen;
  #id = "";
  node = element(
    "li",
    {},
    element(
      "label",
      { class: "check" },
      this.#box,
      element("span", {}, this.#name, " ", this.#sight),
    ),
  );

  /** @param {Set<string>} chosen */
  constructor(chosen) {
    this.#chosen = chosen;
    this.#box.addEventListener("change", () => {
      if (this.#box.checked) this.#chosen.add(this.#id);
      else this.#chosen.delete(this.#id);
    });
  }

  /** @param {Voter} voter */
  update({ id, name, online }) {
    this.#id = id;
    this.#box.checked = this.#chosen.has(id);
    setText(this.#name, name);
    setText(this.#sight, online ? "" : "out of sight");
  }
}
