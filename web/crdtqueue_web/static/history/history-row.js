// @ts-check
/** One print that has ended, as a row of the history. */

import { element } from "../ui/dom.js";
import { dateTime, duration, filament, fileSize } from "../ui/format.js";
import { Pill, button, note } from "../ui/widgets.js";

/** @import {Tone} from "../ui/widgets.js" */
/** @import {HistoryEntry} from "../api/types.js" */

/** @type {Record<string, [string, Tone]>} */
const RESULTS = {
  done: ["Done", "good"],
  failed: ["Failed", "bad"],
  cancelled: ["Cancelled", "warning"],
  aborted: ["Unclear", "neutral"],
};
const DOUBLE = "Another printer had printed this copy already.";

/**
 * @param {HistoryEntry} entry
 * @param {((button: HTMLButtonElement) => void) | null} again  Null where nothing may be changed.
 */
export function historyRow(entry, again) {
  const pill = new Pill();
  pill.update(...(RESULTS[entry.result] ?? [String(entry.result), "neutral"]));
  const name = entry.job_name || entry.file_name || "A print without a name";
  const againButton =
    again && button("Print again", { icon: "again", kind: "compact", about: name, press: again });
  return element(
    "li",
    { class: "print" },
    pill.node,
    element(
      "div",
      { class: "what" },
      element("strong", { class: "data" }, name),
      element("span", { class: "hint data" }, whatText(entry)),
      entry.reason ? element("span", { class: "hint data" }, entry.reason) : null,
      entry.double
        ? note("Printed twice", { tone: "warning", icon: "warning", title: DOUBLE })
        : null,
    ),
    element("div", { class: "when hint" }, ...whenParts(entry)),
    againButton,
  );
}

/** @param {HistoryEntry} entry */
function whatText({ file_name, job_name, run, queue }) {
  const file = file_name && file_name !== job_name ? `${file_name}, ` : "";
  return `${file}run ${run}, from ${queue}`;
}

/** @param {HistoryEntry} entry */
function whenParts({ printer_name, peer, started_at_s, ended_at_s, filament_mm, bytes }) {
  const took_s = ended_at_s - started_at_s;
  const used = filament_mm > 0 ? filament(filament_mm) : bytes > 0 ? fileSize(bytes) : "";
  const spent = [started_at_s > 0 && took_s > 0 ? duration(took_s) : "", used];
  return [
    element("span", { class: "data printer-name" }, printer_name || peer),
    element("span", {}, ended_at_s > 0 ? dateTime(ended_at_s) : ""),
    element("span", {}, spent.filter((each) => each !== "").join(", ")),
  ];
}
