// @ts-check
/** The states of a printer: their names, and what a person can do in each. */

/** @import {Tone} from "../ui/widgets.js" */
/** @import {OwnPrinter} from "../api/types.js" */

/** @type {Record<string, [string, Tone]>} */
const STATES = {
  offline: ["Offline", "neutral"],
  idle: ["Idle", "good"],
  claiming: ["Taking a job", "accent"],
  fetching: ["Fetching the file", "accent"],
  starting: ["Starting", "accent"],
  printing: ["Printing", "accent"],
  paused: ["Paused", "warning"],
  cancelling: ["Cancelling", "warning"],
  busy: ["Busy otherwise", "neutral"],
  script: ["Running a script", "accent"],
  cooling: ["Cooling down", "accent"],
  waiting_for_bed: ["Clear the bed", "warning"],
  waiting_for_material: ["Load material", "warning"],
  stopped: ["Stopped", "bad"],
  holding_back: ["Holding back", "warning"],
};
const BED_MATTERS = ["waiting_for_bed", "cooling", "idle", "stopped"];
const RUNNING = ["starting", "printing", "script"];

/**
 * @param {string} state
 * @returns {[string, Tone]}
 */
export function printerPill(state) {
  return STATES[state] ?? [String(state), "neutral"];
}

/** @param {OwnPrinter} printer */
export function asksForBed({ state, bed_clear }) {
  return state === "waiting_for_bed" || (!bed_clear && BED_MATTERS.includes(state));
}

/** @param {OwnPrinter} printer */
export function asksForMaterial({ missing }) {
  return Object.keys(missing).length > 0;
}

/** @param {OwnPrinter} printer */
export function isRunning({ state }) {
  return RUNNING.includes(state);
}

/**
 * The materials of the tools after a person has loaded the missing ones.
 *
 * @param {OwnPrinter} printer
 */
export function withMissing({ loaded, missing }) {
  const materials = [...loaded];
  for (const [tool, material] of Object.entries(missing)) materials[Number(tool)] = material;
  return Array.from(materials, (each) => each ?? "");
}
