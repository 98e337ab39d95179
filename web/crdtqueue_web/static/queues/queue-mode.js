// @ts-check
/** The mode of a queue: its text, its voters, and a warning if too few voters are in sight. */

import { counted } from "../ui/format.js";

/** @import {QueueSettings, QueueView} from "../api/types.js" */

const VOTERS_MIN = 3;

/**
 * A peer that may be a voter.
 *
 * @typedef {{id: string, name: string, online: boolean}} Voter
 */

/**
 * The peers of a queue, and the voters that are not among its peers any more.
 *
 * @param {Pick<QueueView, "peers" | "voters">} queue
 * @returns {Voter[]}
 */
export function votersOf({ peers, voters }) {
  const known = peers.map(({ id, name, online }) => ({ id, name, online }));
  const strangers = voters.filter((id) => !known.some((each) => each.id === id));
  const gone = strangers.map((id) => ({ id, name: `Unknown peer ${id}`, online: false }));
  return [...known, ...gone];
}

/** @param {QueueView} queue */
export function modeText({ mode, voters }) {
  if (mode !== "safe") return "Available mode";
  return `Safe mode, ${voters.length ? counted(voters.length, "voter", "voters") : "no voters"}`;
}

/**
 * The warning about the voters, as a sentence; empty if all is well.
 *
 * @param {Pick<QueueSettings, "mode" | "voters">} settings
 * @param {Voter[]} known
 */
export function modeWarning({ mode, voters }, known) {
  if (mode !== "safe") return "";
  const count = voters.length;
  if (count === 0) return "Safe mode without voters: nothing is printed. Choose three or more.";
  const seen = known.filter(({ id, online }) => online && voters.includes(id)).length;
  if (2 * seen <= count) {
    const most = `${seen} of ${counted(count, "voter", "voters")} in sight`;
    const absent = known.filter(({ id, online }) => !online && voters.includes(id));
    const names = absent.map(({ name }) => name).join(", ");
    return `Only ${most}: no new print begins. Switch on ${names}.`;
  }
  if (count >= VOTERS_MIN) return "";
  const all = count === 1 ? "it is" : "both are";
  return `Only ${counted(count, "voter", "voters")}: nothing new is printed unless ${all} on. Choose three or more.`;
}
