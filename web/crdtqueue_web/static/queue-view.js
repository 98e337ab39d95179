// @ts-check
/**
 * `<crdtqueue-view>`: printers and queues of one peer, live.
 *
 * Its host gives it an `api` (see api.js), which starts it. The attribute `embedded` leaves out the
 * peer's heading, `readonly` all that changes anything, and `theme="light"` keeps it light on a host
 * that has no dark colours. For each state that it shows it dispatches a `crdtqueue-state` event.
 */

import { AddJobDialog } from "./add-job.js";
import { Connection } from "./connection.js";
import { ConfirmDialog, NewQueueDialog } from "./dialogs.js";
import { KeyedList, element, rebuild, setText } from "./dom.js";
import { DropTarget } from "./drop.js";
import { Notices } from "./notices.js";
import { button, icon } from "./pieces.js";
import { PrinterCard, printersOf } from "./printer-card.js";
import { QueueCard } from "./queue-card.js";

/** @import {State, ViewContext} from "./types.js" */
/** @import {Api} from "./api.js" */
/** @import {Status} from "./connection.js" */

/** Ages such as "3 min ago" are brought up to date this often. */
const REFRESH_MS = 30_000;
const STYLES = ["base.css", "view.css", "controls.css"].map(
  (name) => new URL(name, import.meta.url).href,
);
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
  /** @type {string | null} */
  #version = null;
  /** Whether the last state could not be shown. */
  #broken = false;
  #refresh = 0;

  #lost = element("div", { class: "banner bad", role: "alert" });
  #upgraded = element("div", { class: "banner", role: "status" });
  #problems = element("ul", { class: "problems plain" });
  #name = element("h1", { class: "data" });
  #address = element("p", { class: "hint data" });
  #live = element("span", { class: "connection" });
  #printers = element("ul", { class: "printers plain" });
  #noPrinters = element("div", { class: "empty" });
  #queues = element("div", { class: "queues" });
  #noQueues = element("div", { class: "empty card" });
  #loading = element("p", { class: "loading", role: "status" }, "Asking this peer …");
  #content = element("main", { class: "content" });
  #versionLine = element("p", { class: "hint data" });
  #another = this.#newQueueButton("compact");
  #notices = new Notices();
  #confirm = new ConfirmDialog();
  #context;
  #addJob;
  #newQueue;
  #printerList;
  #queueList;

  constructor() {
    super();
    this.#context = this.#makeContext();
    this.#addJob = new AddJobDialog(this.#context);
    this.#newQueue = new NewQueueDialog(this.#context);
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
    this.#start();
  }

  disconnectedCallback() {
    this.#stop();
  }

  #start() {
    const api = this.#api;
    if (!api || this.#connection) return;
    this.#connection = new Connection({
      subscribe: (listener) => api.subscribe(listener),
      onState: (state) => this.#receive(state),
      onStatus: (status) => this.#showStatus(status),
    });
    this.#connection.start();
    this.#refresh = window.setInterval(() => this.#show(), REFRESH_MS);
  }

  #stop() {
    window.clearInterval(this.#refresh);
    this.#connection?.stop();
    this.#connection = null;
  }

  /** @returns {ViewContext} */
  #makeContext() {
    return {
      api: () => {
        if (!this.#api) throw new Error("The view has no api yet.");
        return this.#api;
      },
      perform: (node, work) => this.#perform(node, work),
      confirm: (question) => this.#confirm.ask(question),
      sharedQueues: () =>
        (this.#state?.queues ?? []).filter(({ local }) => !local).map(({ name }) => name),
      addJob: (queue, files = []) => this.#addJob.open(this.#state?.queues ?? [], queue, files),
    };
  }

  /**
   * @param {HTMLButtonElement} node
   * @param {() => Promise<unknown>} work
   */
  async #perform(node, work) {
    if (node.getAttribute("aria-busy") === "true") return;
    node.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (error) {
      this.#notices.error(error instanceof Error ? error.message : String(error));
    } finally {
      node.removeAttribute("aria-busy");
    }
  }

  /** @param {ShadowRoot} root */
  #build(root) {
    const view = element("div", { class: "view", hidden: true });
    this.#lost.hidden = true;
    this.#upgraded.hidden = true;
    this.#content.hidden = true;
    this.#fillEmpty();
    this.#content.append(
      this.#problems,
      section("Printers", "printers-title", null, this.#printers, this.#noPrinters),
      section("Queues", "queues-title", this.#another, this.#queues, this.#noQueues),
      element("footer", {}, this.#versionLine),
    );
    view.append(this.#lost, this.#upgraded, this.#top(), this.#loading, this.#content);
    view.append(this.#notices.node, this.#confirm.node, this.#addJob.node, this.#newQueue.node);
    new DropTarget(view, () => this.#dropTargets(), this.#context.addJob);
    const styled = STYLES.map((href) => addStyles(root, href));
    root.append(view);
    void Promise.all(styled).then(() => (view.hidden = false));
  }

  #dropTargets() {
    return this.hasAttribute("readonly") ? [] : this.#queueList.parts;
  }

  #top() {
    const heading = element("div", {}, this.#name, this.#address);
    return element("header", { class: "top" }, heading, this.#live);
  }

  /** @param {string} kind */
  #newQueueButton(kind) {
    return button("New queue", { icon: "add", kind, press: () => this.#newQueue.open() });
  }

  #fillEmpty() {
    this.#noPrinters.append(
      icon("printer"),
      element("p", {}, element("strong", {}, "No printers in sight.")),
      element(
        "p",
        {},
        "Start crdtqueue on a printer’s computer and let it share a queue with this peer.",
      ),
    );
    this.#noQueues.append(
      icon("add"),
      element("p", {}, element("strong", {}, "This peer has no queue yet.")),
      element("p", {}, "Make one, or join one that other peers have."),
      this.#newQueueButton("primary"),
    );
  }

  /** @param {State} state */
  #receive(state) {
    this.#state = state;
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

  /** @param {State} state */
  #render(state) {
    const { name, address, version, problems } = state.peer;
    this.#loading.hidden = true;
    this.#content.hidden = false;
    setText(this.#name, name);
    setText(this.#address, address ? `Peer at ${address}` : "");
    setText(this.#versionLine, `crdtqueue ${version}`);
    this.#version ??= version;
    this.#upgraded.hidden = version === this.#version;
    if (!this.#upgraded.hidden) this.#offerReload();
    rebuild(this.#problems, problems, () => problems.map(problemRow));
    const printers = printersOf(state);
    this.#noPrinters.hidden = printers.length > 0;
    this.#printerList.update(printers, (printer) => printer.key);
    this.#noQueues.hidden = state.queues.length > 0;
    this.#another.hidden = state.queues.length === 0;
    this.#queueList.update(state.queues, (queue) => queue.name);
  }

  #offerReload() {
    rebuild(this.#upgraded, "upgraded", () => [
      element("span", {}, "This peer was upgraded. Reload the page to use what is new."),
      button("Reload", { kind: "compact", press: () => window.location.reload() }),
    ]);
  }

  /** @param {Status} status */
  #showStatus(status) {
    const lost = status === "lost";
    this.#content.classList.toggle("stale", lost);
    this.#lost.hidden = !lost;
    this.#live.className = `connection ${status}`;
    setText(this.#live, status === "live" ? "Live" : "");
    if (!lost) return;
    const heardAt = this.#connection?.heardAt ?? new Date();
    const at = heardAt.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const shown = this.#state ? ` What you see is from ${at}.` : "";
    this.#loading.hidden = true;
    this.#lost.replaceChildren(
      icon("warning"),
      element(
        "span",
        {},
        element("strong", {}, "No connection to this peer"),
        " … trying again.",
        shown,
      ),
    );
  }
}

/**
 * @param {ShadowRoot} root
 * @param {string} href
 * @returns {Promise<void>}  When the styles are there, or cannot be had.
 */
function addStyles(root, href) {
  return new Promise((resolve) => {
    const done = () => resolve();
    root.append(element("link", { rel: "stylesheet", href, on: { load: done, error: done } }));
  });
}

/**
 * @param {string} title
 * @param {string} id
 * @param {HTMLElement | null} action
 * @param {...HTMLElement} children
 */
function section(title, id, action, ...children) {
  const heading = element("h2", { id }, title);
  const head = element("div", { class: "section-head" }, heading, action);
  return element("section", { "aria-labelledby": id }, head, ...children);
}

/** @param {string} text */
function problemRow(text) {
  return element(
    "li",
    { class: "banner warning" },
    icon("warning"),
    element("span", { class: "data" }, text),
  );
}

customElements.define("crdtqueue-view", CrdtqueueView);
