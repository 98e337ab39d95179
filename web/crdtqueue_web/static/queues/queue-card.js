// @ts-check
/** One queue: its peers, its jobs, and a place to drop g-code files. */

import { DeletedJobs } from "../jobs/deleted-jobs.js";
import { unfinishedJobs } from "../jobs/job-actions.js";
import { JobCard } from "../jobs/job-card.js";
import { KeyedList, element, rebuild, setText } from "../ui/dom.js";
import { counted, duration } from "../ui/format.js";
import { button, chip, emptyState, note, openMark } from "../ui/widgets.js";
import { modeText, modeWarning, votersOf } from "./queue-mode.js";

/** @import {QueuePeer, QueueView} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */
/** @import {QueuedJob} from "../jobs/job-actions.js" */

const DONE_SHOWN_MAX = 50;
const SAFE = "A print begins only when most of the voters agree.";
const AVAILABLE =
  "Printers go on when they do not see each other; then a job may be printed twice.";

/** The card of one queue. */
export class QueueCard {
  #name = element("h2", { class: "data" });
  #count = element("span", { class: "count" });
  #chips = element("div", { class: "chips" });
  #warning = element("div", { class: "queue-warning", role: "status" });
  #peers = element("ul", { class: "peers plain" });
  #jobs = element("ol", { class: "jobs plain" });
  #done = element("ol", { class: "jobs plain" });
  #doneCount = element("summary");
  #doneMore = element("p", { class: "hint" });
  #doneFold = element("details", { class: "done" }, this.#doneCount, this.#done, this.#doneMore);
  #empty = emptyState("No jobs yet.", "Drop g-code files here or press Add.", { icon: "upload" });
  #leaveButton = button("Leave", {
    icon: "leave",
    kind: "quiet compact",
    title: "This peer leaves the queue.",
    press: (node) => this.#leave(node),
  });
  #jobList;
  #doneList;
  #deleted;
  #context;
  /** @type {QueueView | null} */
  #queue = null;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    this.#jobList = new KeyedList(this.#jobs, () => new JobCard(context));
    this.#doneList = new KeyedList(this.#done, () => new JobCard(context));
    this.#deleted = new DeletedJobs(context);
    this.node = element(
      "section",
      { class: "queue card", tabindex: -1 },
      element(
        "header",
        {},
        element("div", { class: "title" }, this.#name, this.#count),
        this.#buttons(),
      ),
      this.#chips,
      this.#warning,
      this.#peers,
      this.#jobs,
      this.#empty,
      this.#doneFold,
      this.#deleted.node,
    );
  }

  /** What a drag has to know of this queue. */
  get sortList() {
    const items = this.#jobList.parts.map((card) => card.sortItem);
    return { key: this.queueName, area: this.node, items };
  }

  /** The name of the queue that this card shows. */
  get queueName() {
    return this.#queue?.name ?? "";
  }

  #buttons() {
    return element(
      "div",
      { class: "buttons" },
      this.#leaveButton,
      button("Settings", {
        icon: "settings",
        kind: "quiet compact settings",
        press: () => this.#context.editSettings(this.queueName),
      }),
      button("Add", {
        icon: "add",
        kind: "primary",
        title: "Add a job to this queue.",
        press: () => this.#context.addJob(this.queueName),
      }),
    );
  }

  /** @param {QueueView} queue */
  update(queue) {
    this.#queue = queue;
    const ahead = unfinishedJobs(queue);
    const done = queue.jobs.filter((job) => job.state === "done");
    setText(this.#name, queue.name);
    this.node.setAttribute("aria-label", `Queue ${queue.name}`);
    setText(this.#count, ahead.length ? counted(ahead.length, "job", "jobs") : "");
    rebuild(this.#chips, marksKey(queue), () => marks(queue));
    const warning = queue.local ? "" : modeWarning(queue, votersOf(queue));
    const shownWarning = () => [
      warning ? note(warning, { tone: "warning", icon: "warning" }) : null,
    ];
    rebuild(this.#warning, warning, shownWarning);
    const age_s = this.#context.age_s();
    const peers = queue.peers.map((peer) => ({ ...peer, heard: heardText(peer, age_s) }));
    rebuild(this.#peers, peers.map(peerKey), () => peers.map(peerRow));
    this.#empty.hidden = ahead.length > 0;
    this.#leaveButton.hidden = queue.local;
    this.#peers.hidden = queue.local;
    this.node.classList.toggle("local", queue.local);
    const shown = ahead.map((job) => ({ job, queue }));
    this.#jobList.update(shown, jobKey);
    this.#updateDone(done.map((job) => ({ job, queue })));
    this.#deleted.update(queue);
  }

  /** @param {QueuedJob[]} done */
  #updateDone(done) {
    this.#doneFold.hidden = done.length === 0;
    setText(this.#doneCount, `${counted(done.length, "job", "jobs")} done`);
    this.#doneList.update(done.slice(0, DONE_SHOWN_MAX), jobKey);
    const more = done.length - DONE_SHOWN_MAX;
    setText(this.#doneMore, more > 0 ? `… and ${more} more` : "");
  }

  /** @param {HTMLButtonElement} node */
  async #leave(node) {
    const queue = this.#queue;
    if (!queue) return;
    const alone = queue.peers.every((peer) => peer.self);
    const rest = alone
      ? "No other peer has this queue, so its jobs are lost."
      : "Its jobs stay with the other peers.";
    const sure = await this.#context.confirm({
      title: "Leave this queue?",
      text: `This peer forgets the queue “${queue.name}” and takes no more jobs from it. ${rest}`,
      yes: "Leave queue",
      no: "Stay",
    });
    if (sure) await this.#context.perform(node, () => this.#context.api().leaveQueue(queue.name));
  }
}

/** @param {QueuedJob} queued */
const jobKey = ({ job }) => job.id;

/** @param {QueueView} queue */
function marksKey({ open, mode, voters, strategy, local, synced }) {
  return [open, mode, voters, strategy, local, synced];
}

/** @param {QueueView} queue */
function marks(queue) {
  const { open, mode, strategy, local, synced } = queue;
  return [
    open ? openMark() : null,
    local ? chip("Only on this peer") : null,
    synced ? null : chip("Catching up with the other peers", { tone: "accent", icon: "clock" }),
    local ? null : chip(modeText(queue), { title: mode === "safe" ? SAFE : AVAILABLE }),
    strategy === "least-changes" ? chip("Fewest changes of material first") : null,
  ];
}

/**
 * @param {QueuePeer} peer
 * @param {number} age_s
 */
function heardText({ online, heard_s }, age_s) {
  if (online) return "in sight";
  return heard_s === null ? "not heard of yet" : `last heard of ${duration(heard_s + age_s)} ago`;
}

/** @typedef {QueuePeer & {heard: string}} ShownPeer */

/** @param {ShownPeer} peer */
const peerKey = ({ id, name, self, online, profile, address, heard }) => [
  id,
  name,
  self,
  online,
  profile,
  address,
  heard,
];

/** @param {ShownPeer} peer */
function peerRow({ name, self, online, heard, address }) {
  return element(
    "li",
    { class: online ? "online" : "offline", title: address ? `${address}, ${heard}` : heard },
    element("span", { class: "dot", "aria-hidden": "true" }),
    element("span", { class: "data" }, name),
    self ? element("span", { class: "hint" }, "this peer") : null,
    online ? null : element("span", { class: "hint" }, "out of sight"),
  );
}
