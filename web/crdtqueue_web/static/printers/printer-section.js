// @ts-check
/** The section of the page with all printers. */

import { KeyedList, element } from "../ui/dom.js";
import { emptyState, section } from "../ui/widgets.js";
import { PrinterCard } from "./printer-card.js";
import { printersOf } from "./shown-printers.js";

/** @import {State} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

/** One card for each printer. */
export class PrinterSection {
  #cards = element("ul", { class: "printers plain" });
  #empty = emptyState(
    "No printers in sight.",
    "Start crdtqueue on a printer’s computer and let it share a queue with this peer.",
    { icon: "printer" },
  );
  #list;
  node = section("Printers", "printers-title", [], this.#cards, this.#empty);

  /** @param {ViewContext} context */
  constructor(context) {
    this.#list = new KeyedList(this.#cards, () => new PrinterCard(context));
  }

  /** @param {State} state */
  update(state) {
    const printers = printersOf(state);
    this.#empty.hidden = printers.length > 0;
    this.#list.update(printers, (printer) => printer.key);
  }
}
