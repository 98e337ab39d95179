// @ts-check
/** The dialog with the prints that have ended: to find, to export, to print again. */

import { dialog } from "../ui/dialog.js";
import { element, setText } from "../ui/dom.js";
import { counted, sentenceOf } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { button } from "../ui/widgets.js";
import { HistoryFilterForm } from "./history-filter.js";
import { historyRow } from "./history-row.js";

/** @import {NamedJob} from "./history-filter.js" */
/** @import {HistoryEntry, HistoryPage} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

const PAGE_ENTRIES = 50;
const NOTHING = "Nothing was printed yet that fits.";

/** Shows the entries that fit, the latest first, page by page. */
export class HistoryDialog {
  #title = element("h2", {}, "History");
  #count = element("p", { class: "hint", role: "status" });
  #said = element("p", { class: "said data", role: "status" });
  #error = element("p", { class: "error data", role: "alert" });
  #list = element("ol", { class: "prints plain" });
  #csv = exportLink("CSV for spreadsheets");
  #json = exportLink("JSON for programs");
  #more = button("Show more", { kind: "soft", press: () => void this.#load(this.#after) });
  /** Asks for the page after those that are shown. */
  #after = "";
  /** The newest question; answers to older ones are not shown. */
  #asked = 0;
  #form = new HistoryFilterForm(() => void this.#load(""));
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    const close = button("Close", { kind: "looks", press: () => this.node.close() });
    const exports = element("div", { class: "buttons" }, this.#csv, this.#json);
    const form = element(
      "form",
      { on: { submit: (event) => event.preventDefault() } },
      element("div", { class: "dialog-head" }, this.#title, close),
      this.#form.node,
      element("div", { class: "dialog-head" }, this.#count, exports),
      this.#said,
      this.#error,
      this.#list,
      this.#more,
    );
    this.node = dialog("history", "history", form, this.#title);
  }

  /** @param {NamedJob | null} [job]  The only one that is wanted. */
  open(job = null) {
    this.#form.begin(this.#context.queues(), job);
    this.#list.replaceChildren();
    setText(this.#said, "");
    setText(this.#count, "");
    this.#more.hidden = true;
    this.node.showModal();
    void this.#load("");
    void this.#offerPrinters();
  }

  async #offerPrinters() {
    try {
      this.#form.offerPrinters(await this.#context.api().history.printers());
    } catch (error) {
      setText(this.#error, sentenceOf(error));
    }
  }

  /** @param {string} after  Empty for the first page. */
  async #load(after) {
    this.#asked += 1;
    const mine = this.#asked;
    const { filter } = this.#form;
    const { history } = this.#context.api();
    this.#csv.href = history.exportUrl(filter, "csv");
    this.#json.href = history.exportUrl(filter, "json");
    try {
      const page = await history.page(filter, after, PAGE_ENTRIES);
      if (mine === this.#asked) this.#show(page, after === "");
    } catch (error) {
      if (mine === this.#asked) setText(this.#error, sentenceOf(error));
    }
  }

  /**
   * @param {HistoryPage} page
   * @param {boolean} isFirst
   */
  #show({ entries, total, after }, isFirst) {
    const rows = entries.map((entry) => this.#row(entry));
    if (isFirst) this.#list.replaceChildren(...rows);
    else this.#list.append(...rows);
    this.#after = after;
    this.#more.hidden = after === "";
    setText(this.#error, "");
    setText(this.#count, total ? counted(total, "print", "prints") : NOTHING);
  }

  /** @param {HistoryEntry} entry */
  #row(entry) {
    if (this.#context.readonly()) return historyRow(entry, null);
    return historyRow(entry, (node) => this.#askWhere(node, entry));
  }

  /**
   * @param {HTMLButtonElement} node
   * @param {HistoryEntry} entry
   */
  #askWhere(node, entry) {
    const queues = this.#context.queues().map(({ name }) => name);
    const again = (/** @type {string} */ queue) => void this.#printAgain(node, entry, queue);
    const [only] = queues;
    if (queues.length === 1 && only !== undefined) {
      again(only);
      return;
    }
    const items = queues.map((queue) => ({
      label: `Add to ${queue}`,
      icon: /** @type {const} */ ("add"),
      press: () => again(queue),
    }));
    this.#context.menu(node, "Queue to print it from", items);
  }

  /**
   * @param {HTMLButtonElement} node
   * @param {HistoryEntry} entry
   * @param {string} queue
   */
  async #printAgain(node, entry, queue) {
    node.setAttribute("aria-busy", "true");
    setText(this.#said, "");
    setText(this.#error, "");
    try {
      await this.#context.api().history.again(entry.print_id, queue);
      setText(this.#said, `${entry.job_name || entry.file_name} is in ${queue} once more.`);
    } catch (error) {
      setText(this.#error, sentenceOf(error));
    } finally {
      node.removeAttribute("aria-busy");
    }
  }
}

/** @param {string} label */
function exportLink(label) {
  return element("a", { class: "link-button", download: true }, icon("download"), label);
}
