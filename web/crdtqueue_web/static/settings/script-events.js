// @ts-check
/** The events on which a printer can run g-code, in the order in which they come. */

/** @typedef {{event: string, label: string, about: string}} ScriptEvent */

/** @type {ScriptEvent[]} */
export const SCRIPT_EVENTS = [
  {
    event: "activated",
    label: "Managing starts",
    about: "When somebody, or the printer itself, starts managing it.",
  },
  {
    event: "before-print",
    label: "Before a print",
    about: "When the next print is about to begin, once for each print.",
  },
  { event: "print-done", label: "A print is done", about: "When a print has run to its end." },
  {
    event: "print-failed",
    label: "A print has failed",
    about: "When a print has failed or was cancelled.",
  },
  {
    event: "cooldown",
    label: "The bed is to cool down",
    about:
      "Before the wait for a cool bed. It is used only if the peer was started with " +
      "--cool-bed-c, which says how cool.",
  },
  {
    event: "clear-bed",
    label: "Clear the bed",
    about:
      "When a print is done and the bed is cool: takes the part off. Once it has run to its end " +
      "the bed counts as clear, and the next print begins without anybody having looked.",
  },
  {
    event: "waiting",
    label: "Waiting for somebody",
    about: "When the printer begins to wait for a person, at the bed or with material.",
  },
  {
    event: "queue-finished",
    label: "Nothing left to print",
    about: "When the last job that this printer can print is done.",
  },
  {
    event: "deactivated",
    label: "Managing stops",
    about: "When somebody, or the printer itself, stops managing it.",
  },
];
