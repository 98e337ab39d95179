// @ts-check
/** The dialog with the settings of a queue. They are the same on all its peers. */

import { modeWarning, votersOf } from "../queues/queue-mode.js";
import { ChoiceField } from "../ui/choice-field.js";
import { dialog } from "../ui/dialog.js";
import { element, setText } from "../ui/dom.js";
import { sentenceOf } from "../ui/format.js";
import { button } from "../ui/widgets.js";
import { VoterList } from "./voter-list.js";

/** @import {QueueSettings, QueueView, State} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

const STRATEGIES = [
  {
    value: "in-order",
    label: "In order.",
    about: "Each printer takes the first job of the queue that fits it.",
  },
  {
    value: "least-changes",
    label: "Fewest changes of material.",
    about:
      "Jobs that need the fewest changes come first, but the first of the queue is overtaken at " +
      "most four times in a row.",
  },
];
const MODES = [
  {
    value: "available",
    label: "Available.",
    about:
      "Printers go on when they do not see each other; while the network is broken, a job may be " +
      "printed twice.",
  },
  {
    value: "safe",
    label: "Safe.",
    about:
      "A print begins only when most of the voters agree, so no job is printed twice; without " +
      "them nothing begins.",
  },
];
const ALL_IN_SIGHT =
  "Not all peers are in sight. Those that have not heard of a change go by the old settings: best " +
  "change the mode and the voters while all are on.";
const GONE = "This peer has left the queue. Close this, and choose another queue.";

/** Edits one queue at a time. */
export class QueueSettingsDialog {
  /** @type {QueueView | null}  As it was when the dialog was opened. */
  #before = null;
  #title = element("h2", { class: "data" });
  #strategy = new ChoiceField("strategy", "Which job comes first", STRATEGIES);
  #mode = new ChoiceField("mode", "When peers do not see each other", MODES);
  #voters = new VoterList();
  #warning = element("p", { class: "banner warning data", role: "status" });
  #sight = element("p", { class: "hint", role: "status" });
  #error = element("p", { class: "error data", role: "alert" });
  #submit = element("button", { type: "submit", class: "primary" }, "Save");
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    const close = button("Close", { kind: "quiet", press: () => this.node.close() });
    const handlers = {
      submit: (/** @type {SubmitEvent} */ event) => void this.#send(event),
      change: () => this.update(context.queues()),
    };
    const form = element(
      "form",
      { on: handlers },
      this.#title,
      element("p", { class: "hint" }, "They hold for all peers of the queue."),
      this.#strategy.node,
      this.#mode.node,
      this.#voters.node,
      this.#warning,
      this.#sight,
      this.#error,
      element("div", { class: "buttons end" }, close, this.#submit),
    );
    this.node = dialog("queue-settings", "queue-settings", form, this.#title);
    this.node.addEventListener("close", () => (this.#before = null));
  }

  /** @param {string} name */
  open(name) {
    const queue = this.#context.queues().find((each) => each.name === name);
    if (!queue) return;
    this.#before = queue;
    setText(this.#title, `Settings of “${name}”`);
    setText(this.#error, "");
    this.#strategy.value = queue.strategy;
    this.#mode.value = queue.mode;
    this.#mode.node.hidden = queue.local;
    this.#voters.choose(queue.voters);
    this.update(this.#context.queues());
    this.node.showModal();
  }

  /** @param {QueueView[]} queues  What the peer has now. */
  update(queues) {
    if (!this.#before) return;
    const { name } = this.#before;
    const queue = queues.find((each) => each.name === name);
    this.#submit.disabled = !queue;
    if (!queue) {
      setText(this.#error, GONE);
      return;
    }
    const settings = this.#settings;
    const peers = votersOf({ peers: queue.peers, voters: this.#before.voters });
    this.#voters.node.hidden = queue.local || settings.mode !== "safe";
    this.#voters.update(peers);
    setText(this.#warning, modeWarning(settings, peers));
    const absent = queue.peers.some((peer) => !peer.online);
    setText(this.#sight, absent && !queue.local ? ALL_IN_SIGHT : "");
  }

  /** @returns {QueueSettings} */
  get #settings() {
    const { value: strategy } = this.#strategy;
    const { value: mode } = this.#mode;
    const settings = { strategy, mode, voters: this.#voters.chosen };
    return /** @type {QueueSettings} */ (settings);
  }

  /**
   * @param {string} name
   * @param {Partial<QueueSettings>} changed
   */
  #save(name, changed) {
    const place = (/** @type {State} */ { queues }) => queues.find((each) => each.name === name);
    return this.#context.save(place, changed, () => this.#context.api().editQueue(name, changed));
  }

  /** @param {SubmitEvent} event */
  async #send(event) {
    event.preventDefault();
    if (!this.#before) return;
    const { name } = this.#before;
    const changed = changes(this.#before, this.#settings);
    setText(this.#error, "");
    this.#submit.disabled = true;
    try {
      if (Object.keys(changed).length) await this.#save(name, changed);
      this.node.close();
    } catch (error) {
      setText(this.#error, sentenceOf(error));
    } finally {
      this.#submit.disabled = false;
    }
  }
}

/**
 * The settings that were changed in this dialog. The others may have changed elsewhere meanwhile.
 *
 * @param {QueueSettings} before
 * @param {QueueSettings} now
 * @returns {Partial<QueueSettings>}
 */
function changes(before, now) {
  const sorted = { ...before, voters: [...before.voters].sort() };
  const names = /** @type {(keyof QueueSettings)[]} */ (["strategy", "mode", "voters"]);
  const changed = names.filter(
    (each) => JSON.stringify(sorted[each]) !== JSON.stringify(now[each]),
  );
  return Object.fromEntries(changed.map((each) => [each, now[each]]));
}
