// @ts-check
/** The form that filters the prints of the history. */

import { element, rebuild } from "../ui/dom.js";
import { button, chip } from "../ui/widgets.js";

/** @import {HistoryFilter, QueueView} from "../api/types.js" */

const TYPED_MS = 300;
const CHARS_MAX = 200;

/** @type {[string, string][]} */
const RESULTS = [
  ["", "All"],
  ["done", "Done"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
  ["aborted", "Unclear"],
];

/** @typedef {{id: string, name: string}} NamedJob */

/** The form. It calls back after each change. */
export class HistoryFilterForm {
  #text = field("search", "Any part of a name");
  #printer = element("select");
  #jobName = field("search", "Its whole name");
  #jobs = element("datalist", { id: "known-jobs" });
  #result = element("select", {}, ...RESULTS.map(([value, label]) => option(value, label)));
  #from = field("date");
  #to = field("date");
  #job = labelled("Job", this.#jobName);
  #only = element("div", { class: "field" });
  /** @type {NamedJob | null}  The one job that is wanted, whatever else is called the same. */
  #onlyJob = null;
  #timer = 0;
  #onChange;
  node;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    this.#jobName.setAttribute("list", this.#jobs.id);
    this.node = element(
      "div",
      { class: "filters", on: { input: () => this.#typed() } },
      labelled("Search", this.#text),
      this.#job,
      this.#only,
      labelled("Printer", this.#printer),
      labelled("Result", this.#result),
      labelled("From", this.#from),
      labelled("To", this.#to),
      this.#jobs,
    );
  }

  /**
   * Empties the form.
   *
   * @param {QueueView[]} queues
   * @param {NamedJob | null} job  The only one that is wanted.
   */
  begin(queues, job) {
    for (const each of [this.#text, this.#jobName, this.#from, this.#to]) each.value = "";
    this.#printer.replaceChildren(option("", "All"));
    this.#result.value = "";
    const names = new Set(queues.flatMap((queue) => queue.jobs).map(({ name }) => name));
    this.#jobs.replaceChildren(...[...names].map((each) => option(each, each)));
    this.#want(job);
  }

  /** @param {string[]} names  The printers to choose from. */
  offerPrinters(names) {
    const { value } = this.#printer;
    this.#printer.replaceChildren(option("", "All"), ...names.map((each) => option(each, each)));
    this.#printer.value = value;
  }

  /** @returns {HistoryFilter} */
  get filter() {
    return {
      text: this.#text.value.trim(),
      printer: this.#printer.value,
      job: this.#onlyJob?.id ?? this.#jobName.value.trim(),
      result: this.#result.value,
      from_s: startOfDay_s(this.#from.value, 0),
      to_s: startOfDay_s(this.#to.value, 1),
    };
  }

  /** @param {NamedJob | null} job */
  #want(job) {
    this.#onlyJob = job;
    this.#job.hidden = job !== null;
    rebuild(this.#only, job, () => (job ? this.#onlyParts(job) : []));
  }

  /** @param {NamedJob} job */
  #onlyParts({ name }) {
    const all = button("All jobs", {
      icon: "close",
      kind: "quiet compact looks",
      press: () => {
        this.#want(null);
        this.#onChange();
      },
    });
    const row = element("div", { class: "row" }, chip(name, { tone: "accent" }), all);
    return [element("span", {}, "Job"), row];
  }

  #typed() {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(this.#onChange, TYPED_MS);
  }
}

/**
 * @param {string} type
 * @param {string} [placeholder]
 */
function field(type, placeholder) {
  return element("input", { type, placeholder, maxlength: CHARS_MAX, autocomplete: "off" });
}

/**
 * @param {string} value
 * @param {string} label
 */
function option(value, label) {
  return element("option", { value }, label);
}

/**
 * @param {string} label
 * @param {HTMLElement} control
 */
function labelled(label, control) {
  return element("label", {}, element("span", {}, label), control);
}

/**
 * @param {string} date  As a date field gives it, like 2026-03-29; or empty.
 * @param {number} later_days
 * @returns {number | null}  Unix time, by this computer's zone.
 */
function startOfDay_s(date, later_days) {
  const [year, month, day] = date.split("-").map(Number);
  if (!year || !month || !day) return null;
  return new Date(year, month - 1, day + later_days).getTime() / 1000;
}
