// @ts-check
/** The sets of a job in its card: for each the file, the profiles, the materials and the counts. */

import { element } from "../ui/dom.js";
import { counted, fileSize } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { chip } from "../ui/widgets.js";

/** @import {SetView} from "../api/types.js" */

const ANY_PRINTER = "ANY";
const UNFOLDED_MAX = 4;

/** @param {SetView[]} sets */
export function setsOf(sets) {
  const list = element("ul", { class: "plain" }, ...sets.map(setRow));
  if (sets.length <= UNFOLDED_MAX) return [list];
  return [element("details", {}, element("summary", {}, `${sets.length} files`), list)];
}

/** @param {SetView} set */
function setRow(set) {
  const { file, pending, run_done, run_total } = set;
  const complete = pending === 0 && set.done > 0;
  return element(
    "li",
    { class: complete ? "complete" : "" },
    element("span", { class: "file data", title: fileSize(file.size_bytes) }, file.name),
    element("span", { class: "chips" }, ...profilesOf(set), ...materialsOf(set)),
    element(
      "span",
      { class: "counts" },
      count(`${set.copies} per run`, `${counted(set.copies, "copy", "copies")} in each run`),
      count(`${run_done} of ${run_total} this run`, "Printed of those wanted in the present run"),
      complete
        ? count("all done", "Nothing is left to print", icon("check"))
        : count(`${pending} pending`, "Copies still to be printed, in all runs"),
    ),
  );
}

/** @param {SetView} set */
function profilesOf({ profiles }) {
  return profiles.map((each) =>
    each === ANY_PRINTER ? chip("any printer") : chip(each, { title: "Profile" }),
  );
}

/** @param {SetView} set */
function materialsOf({ materials }) {
  const chips = materials.map((each, index) =>
    each ? chip(each, { tone: "accent", title: `Material of tool ${index + 1}` }) : null,
  );
  return chips.filter((each) => each !== null);
}

/**
 * @param {string} text
 * @param {string} title
 * @param {Node | null} [mark]
 */
function count(text, title, mark = null) {
  return element("span", { class: "count", title }, mark, text);
}
