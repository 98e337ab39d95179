// @ts-check
/**
 * `<crdtqueue-view>`: printers and queues of one peer, live.
 *
 * Its host gives it an `api` (see api/api.js), which starts it. The attribute `embedded` leaves out the
 * peer's heading, `readonly` all that changes anything, `no-settings` scripts and the settings of
 * queues, and `theme="light"` keeps it light on a host that has no dark colours. For each state that it shows it dispatches a `crdtqueue-state` event.
 */

import { Connection } from "./api/connection.js";
import { SavedEdits } from "./api/saved-edits.js";
import { Banners } from "./banners.js";
import { importJobs } from "./jobs/job-files.js";
import { PrinterCard, printersOf } from "./printers/printer-card.js";
import { DropTarget } from "./queues/file-drop.js";
import { QueueCard } from "./queues/queue-card.js";
import { Suggestions } from "./queues/suggestions.js";
import { loadStyles } from "./styles/load-styles.js";
import { KeyedList, element, setText } from "./ui/dom.js";
import { Sorter } from "./ui/drag-sort.js";
import { noPrinters, noQueues } from "./ui/empty.js";
import { sentenceOf } from "./ui/format.js";
import { countOn } from "./ui/live-text.js";
import { Menu } from "./ui/menu.js";
import { Notices } from "./ui/notices.js";
import { button, section } from "./ui/widgets.js";
import { ViewDialogs } from "./view-dialogs.js";

/** @import {State} from "./api/types.js" */
/** @import {Surroundings, ViewContext} from "./ui/view-context.js" */
/** @import {Api} from "./api/api.js" */
/** @import {Status} from "./api/connection.js" */

/** Ages such as "3 min ago" are brought up to date this often. */
const REFRESH_MS = 30_000;
/** And those that count, this often. */
const COUNT_MS = 1_000;
const NOT_UNDERSTOOD =
  "This page cannot show all that the peer sent. Reload it; if that does not help, upgrade the peer.";

/** The whole view. */
export class CrdtqueueView extends HTMLElement {
  /** @type {Api | null} */
  #api = null;
  /** @type {Connection | null} */
  #connection = null;
  /** @type {State | null} */
  #state = null;
  /** Whether the last state could not be shown. */
  #broken = false;
  #refresh = 0;
  #counting = 0;
  /** When the state was as it is shown, by this page's clock. */
  #stateAt_ms = 0;
  /** Since when the peer is out of touch: what becomes of a silence then, nobody knows. */
  /** @type {number | null} */
  #lostAt_ms = null;
  #saved = new SavedEdits();

  #banners;
  #name = element("h1", { class: "data" });
  #address = element("p", { class: "hint data" });
  #live = element("span", { class: "connection" });
  #printers = element("ul", { class: "printers plain" });
  #noPrinters = noPrinters();
  #queues = element("div", { class: "queues" });
  #noQueues = noQueues(this.#newQueueButton("primary"));
  #loading = element("p", { class: "loading", role: "status" }, "Asking this peer …");
  #content = element("main", { class: "content" });
  #versionLine = element("p", { class: "hint data" });
  #another = this.#newQueueButton("compact");
  #notices = new Notices();
  #menu = new Menu();
  #suggestions = new Suggestions();
  #context;
  #dialogs;
  #printerList;
  #queueList;

  constructor() {
    super();
    const context = /** @type {ViewContext} */ (this.#makeContext());
    this.#context = context;
    this.#dialogs = new ViewDialogs(context);
    Object.assign(context, this.#dialogs.openers);
    this.#banners = new Banners(context);
    this.#printerList = new KeyedList(this.#printers, () => new PrinterCard(this.#context));
    this.#queueList = new KeyedList(this.#queues, () => new QueueCard(this.#context));
    this.#build(this.attachShadow({ mode: "open" }));
  }

  /** @param {Api | null} api */
  set api(api) {
    this.#stop();
    this.#api = api;
    if (this.isConnected) this.#start();
  }

  get api() {
    return this.#api;
  }

  connectedCallback() {
    window.addEventListener("pagehide", this.#leave);
    this.#start();
  }

  disconnectedCallback() {
    window.removeEventListener("pagehide", this.#leave);
    this.#leave();
    this.#stop();
  }

  #leave = () => this.#dialogs.leave();

  #start() {
    const api = this.#api;
    if (!api || this.#connection) return;
    this.#connection = new Connection({
      subscribe: (listener) => api.subscribe(listener),
      onState: (state, age_s) => this.#receive(state, age_s),
      onStatus: (status) => this.#showStatus(status),
    });
    this.#connection.start();
    this.#refresh = window.setInterval(() => this.#show(), REFRESH_MS);
    this.#counting = window.setInterval(() => this.#count(), COUNT_MS);
  }

  #stop() {
    window.clearInterval(this.#refresh);
    window.clearInterval(this.#counting);
    this.#connection?.stop();
    this.#connection = null;
  }

  /** @returns {Surroundings}  The context but for the dialogs, which are made with it. */
  #makeContext() {
    return {
      api: () => {
        if (!this.#api) throw new Error("The view has no api yet.");
        return this.#api;
      },
      readonly: () => this.hasAttribute("readonly"),
      maySet: () => !this.hasAttribute("no-settings"),
      perform: (node, work) => this.#notices.perform(node, work),
      menu: (anchor, label, items) => this.#menu.open(anchor, label, items),
      notices: this.#notices,
      queues: () => this.#state?.queues ?? [],
      printer: () => this.#state?.printer ?? null,
      age_s: () => ((this.#lostAt_ms ?? performance.now()) - this.#stateAt_ms) / 1000,
      save: (place, fields, work) => this.#save(place, fields, work),
      importJobs: (queue, files) =>
        void importJobs(this.#context.api(), this.#notices, queue, files),
    };
  }

  /** @type {Surroundings["save"]} */
  async #save(place, fields, work) {
    const saved = this.#state && this.#saved.begin(this.#state, place, fields);
    await work();
    if (saved && this.#state) saved(this.#state);
    this.#show();
  }

  /** @param {ShadowRoot} root */
  #build(root) {
    const view = element("div", { class: "view", hidden: true });
    const styled = loadStyles(root);
    this.#content.hidden = true;
    this.#content.append(
      this.#banners.problems,
      section("Printers", "printers-title", [], this.#printers, this.#noPrinters),
      section("Queues", "queues-title", this.#queueActions(), this.#queues, this.#noQueues),
      element("footer", {}, this.#versionLine),
    );
    view.append(...this.#banners.nodes, this.#top(), this.#loading, this.#content);
    view.append(this.#menu.node, this.#notices.node, this.#suggestions.node);
    view.append(...this.#dialogs.nodes);
    new DropTarget(view, () => this.#cardsToChange(), this.#context);
    view.append(this.#sorter().node);
    root.append(view);
    void styled.then(() => (view.hidden = false));
  }

  #queueActions() {
    const history = button("History", {
      icon: "history",
      kind: "compact looks",
      title: "What was printed, and what became of it.",
      press: () => this.#context.showHistory(),
    });
    return [history, this.#another];
  }

  #sorter() {
    const lists = () => this.#cardsToChange().map((card) => card.sortList);
    return new Sorter(this.#queues, lists, (id, from, to, before) => {
      const { jobs } = this.#context.api();
      const moved = from === to ? jobs.place(from, id, before) : jobs.move(from, id, to, before);
      moved.catch((error) => this.#notices.error(sentenceOf(error)));
    });
  }

  #cardsToChange() {
    return this.hasAttribute("readonly") ? [] : this.#queueList.parts;
  }

  #top() {
    const heading = element("div", {}, this.#name, this.#address);
    return element("header", { class: "top" }, heading, this.#live);
  }

  /** @param {string} kind */
  #newQueueButton(kind) {
    return button("New queue", { icon: "add", kind, press: () => this.#context.newQueue() });
  }

  /**
   * @param {State} state
   * @param {number} age_s
   */
  #receive(state, age_s) {
    this.#state = state;
    this.#stateAt_ms = performance.now() - 1000 * age_s;
    this.#lostAt_ms = null;
    this.#saved.putInto(state);
    this.#show();
    this.dispatchEvent(new CustomEvent("crdtqueue-state", { detail: state }));
  }

  /** Shows the state; one that this page does not understand is said once. */
  #show() {
    if (!this.#state) return;
    try {
      this.#render(this.#state);
      this.#broken = false;
    } catch (error) {
      console.error(error);
      if (!this.#broken) this.#notices.error(NOT_UNDERSTOOD);
      this.#broken = true;
    }
  }

  #count() {
    if (this.#lostAt_ms === null) countOn(this.#content);
  }

  /** @param {State} state */
  #render(state) {
    const { name, address, version } = state.peer;
    this.#banners.showVersion(version);
    this.#banners.showProblems(state.peer);
    this.#loading.hidden = true;
    this.#content.hidden = false;
    setText(this.#name, name);
    setText(this.#address, address ? `Peer at ${address}` : "");
    setText(this.#versionLine, `crdtqueue ${version}`);
    const printers = printersOf(state);
    this.#noPrinters.hidden = printers.length > 0;
    this.#printerList.update(printers, (printer) => printer.key);
    this.#noQueues.hidden = state.queues.length > 0;
    this.#another.hidden = state.queues.length === 0;
    this.#queueList.update(state.queues, (queue) => queue.name);
    this.#suggestions.update(state.queues);
    this.#dialogs.update(state.queues);
  }

  /** @param {Status} status */
  #showStatus(status) {
    const lost = status === "lost";
    this.#lostAt_ms = lost ? performance.now() : null;
    this.#content.classList.toggle("stale", lost);
    this.#live.className = `connection ${status}`;
    setText(this.#live, status === "live" ? "Live" : "");
    if (!lost) {
      this.#banners.hideLost();
      return;
    }
    this.#loading.hidden = true;
    this.#banners.showLost(this.#state ? (this.#connection?.heardAt ?? new Date()) : null);
  }
}

customElements.define("crdtqueue-view", CrdtqueueView);
