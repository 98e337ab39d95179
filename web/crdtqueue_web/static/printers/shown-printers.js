// @ts-check
/** The printers that the page shows: those of all queues, each once. */

/** @import {OwnPrinter, PrinterView, QueuePeer, State} from "../api/types.js" */

/**
 * A printer as it is shown.
 *
 * @typedef {object} ShownPrinter
 * @property {string} key
 * @property {OwnPrinter | null} own  The same as `view`, if it is this peer's own.
 * @property {boolean} online  Whether its peer is in sight.
 * @property {string} name
 * @property {string | null} profile
 * @property {number | null} heard_s
 * @property {PrinterView | null} view
 */

/**
 * The printers of all queues, each once, this peer's own first.
 *
 * @param {State} state
 * @returns {ShownPrinter[]}
 */
export function printersOf({ peer, printer, queues }) {
  /** @type {Map<string, ShownPrinter>} */
  const shown = new Map();
  if (printer) shown.set(peer.id, shownOwn(peer.id, printer));
  for (const other of queues.flatMap((queue) => queue.peers)) {
    const known = shown.get(other.id);
    if (other.self || !(other.printer || other.profile) || (known && known.online)) continue;
    shown.set(other.id, shownOther(other));
  }
  return [...shown.values()];
}

/**
 * @param {string} key
 * @param {OwnPrinter} own
 * @returns {ShownPrinter}
 */
function shownOwn(key, own) {
  const { name, profile } = own;
  return { key, own, online: true, name, profile, heard_s: 0, view: own };
}

/**
 * @param {QueuePeer} peer
 * @returns {ShownPrinter}
 */
function shownOther({ id, online, name, profile, heard_s, printer }) {
  return { key: id, own: null, online, name, profile, heard_s, view: online ? printer : null };
}
