// @ts-check
/**
 * The element `<crdtqueue-view>` shows the printers and the queues of one peer, live.
 *
 * It starts when its host sets the property `api` (see api/api.js). It dispatches the event
 * `crdtqueue-state` for each state that it shows. Its attributes are:
 *
 * - `embedded` leaves out the heading with the name of the peer.
 * - `readonly` leaves out every control that changes something.
 * - `no-settings` leaves out the scripts and the settings of queues.
 * - `theme="light"` keeps the view light on a host that has no dark colours.
 */

import { Connection } from "./api/connection.js";
import { SavedEdits } from "./api/saved-edits.js";
import { Banners } from "./banners.js";
import { importJobs } from "./jobs/job-files.js";
import { PrinterSection } from "./printers/printer-section.js";
import { FileDrop } from "./queues/file-drop.js";
import { QueueSection } from "./queues/queue-section.js";
import { Suggestions } from "./queues/suggestions.js";
import { loadStyles } from "./styles/load-styles.js";
import { element, setText } from "./ui/dom.js";
import { refreshLiveTexts } from "./ui/live-text.js";
import { Menu } from "./ui/menu.js";
import { Notices } from "./ui/notices.js";
import { ViewDialogs } from "./view-dialogs.js";

/** @import {Api} from "./api/api.js" */
/** @import {Status} from "./api/connection.js" */
/** @import {State} from "./api/types.js" */
/** @import {Surroundings, ViewContext} from "./ui/view-context.js" */

/** Ages such as "3 min ago" are brought up to date this often. */
const REFRESH_MS = 30_000;
/** Durations within sentences are brought up to date this often. */
const LIVE_TEXT_MS = 1_000;
const CANNOT_SHOW =
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
  #refreshTimer = 0;
  #liveTextTimer = 0;
  /** The time, by this page's clock, at which the state was right. */
  #stateAt_ms = 0;
  /**
   * When the connection was lost; durations do not go on from then.
   *
   * @type {number | null}
   */
  #lostAt_ms = null;
  #saved = new SavedEdits();

  #banners;
  #name = element("h1", { class: "data" });
  #address = element("p", { class: "hint data" });
  #live = element("span", { class: "connection" });
  #loading = element("p", { class: "loading", role: "status" }, "Asking this peer …");
  #content = element("main", { class: "content" });
  #versionLine = element("p", { class: "hint data" });
  #notices = new Notices();
  #menu = new Menu();
  #suggestions = new Suggestions();
  #context;
  #dialogs;
  #printers;
  #queues;

  constructor() {
    super();
    const context = /** @type {ViewContext} */ (this.#makeContext());
    this.#context = context;
    this.#dialogs = new ViewDialogs(context);
    Object.assign(context, this.#dialogs.openers);
    this.#banners = new Banners(context);
    this.#printers = new PrinterSection(context);
    this.#queues = new QueueSection(context);
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
    this.#refreshTimer = window.setInterval(() => this.#show(), REFRESH_MS);
    this.#liveTextTimer = window.setInterval(() => this.#refreshLiveTexts(), LIVE_TEXT_MS);
  }

  #stop() {
    window.clearInterval(this.#refreshTimer);
    window.clearInterval(this.#liveTextTimer);
    this.#connection?.stop();
    this.#connection = null;
  }

  /** @returns {Surroundings}  The context without the dialogs, which need it to be made. */
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
      this.#printers.node,
      this.#queues.node,
      element("footer", {}, this.#versionLine),
    );
    view.append(...this.#banners.nodes, this.#top(), this.#loading, this.#content);
    view.append(this.#menu.node, this.#notices.node, this.#suggestions.node);
    view.append(...this.#dialogs.nodes);
    new FileDrop(view, () => this.#queues.editableCards, this.#context);
    view.append(this.#queues.dragNode);
    root.append(view);
    void styled.then(() => (view.hidden = false));
  }

  #top() {
    const heading = element("div", {}, this.#name, this.#address);
    return element("header", { class: "top" }, heading, this.#live);
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
      if (!this.#broken) this.#notices.error(CANNOT_SHOW);
      this.#broken = true;
    }
  }

  #refreshLiveTexts() {
    if (this.#lostAt_ms === null) refreshLiveTexts(this.#content);
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
    this.#printers.update(state);
    this.#queues.update(state.queues);
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
