// @ts-check
/**
 * OctoPrint's view models of the tab and of the settings page. The view of the peer shows the queue
 * itself; embed.js puts it into the tab.
 */

/** @import {QueueView, State, StoredFile} from "../view/api/types.js" */
/** @import {CrdtqueueView} from "../view/crdtqueue-view.js" */
/** @import {Host, Message} from "./embed.js" */

/**
 * How the peer process is, as OctoPrint's server sees it.
 *
 * @typedef {{state: string, problem: string}} ServiceStatus
 *
 * What the plugin tells the page: a new state of the peer, of its process, or of the queues whose
 * change was refused.
 *
 * @typedef {Message & {service?: ServiceStatus, queues?: {refusals: string[]}, refused?: string[]}}
 *   PluginMessage
 *
 * @typedef {{name: string, leave: true} | {name: string, addresses: string}} QueueChange
 *
 * @typedef {object} PluginSettings
 * @property {Observable<string>} name
 * @property {Observable<string>} profile
 * @property {Observable<string>} port
 * @property {Observable<QueueChange[]>} queue_changes  Takes the changes to the server.
 *
 * A row of the settings page in which a queue to add is typed.
 *
 * @typedef {{name: Observable<string>, addresses: Observable<string>}} AddedQueue
 */

$(function () {
  "use strict";

  const PLUGIN = "crdtqueue";
  const BASE = `${PLUGIN_BASEURL}${PLUGIN}`;
  const CHECK_MS = 300;
  /** The folder of OctoPrint in which the plugin puts copies of the files that it prints. */
  const PRINTS = "crdtqueue";
  /** In the place of addresses: the printers find each other. */
  const AUTO = "auto";
  /** @type {Record<string, string>} */
  const TROUBLE = {
    waiting: "The print queue’s own process has ended and is started again.",
    failed: "The print queue’s own process does not start.",
    stopped: "The print queue’s own process does not run.",
  };

  /**
   * @param {string} path
   * @param {object} [data]
   */
  function post(path, data) {
    return OctoPrint.postJson(`plugin/${PLUGIN}/api/${path}`, data || {});
  }

  /**
   * @param {FolderEntry[]} entries
   * @returns {StoredFile[]}
   */
  function flatFiles(entries) {
    return entries.flatMap((entry) => {
      if (entry.children) return flatFiles(entry.children);
      if (entry.type !== "machinecode") return [];
      return [{ name: entry.name, size: entry.size || 0, path: entry.path }];
    });
  }

  /** The files of OctoPrint's own storage; none where the user may not list them. */
  async function storedFiles() {
    try {
      const { files } = await OctoPrint.files.listForLocation("local", true);
      const own = files.filter(({ path }) => path !== PRINTS);
      return flatFiles(own).sort((a, b) => a.path.localeCompare(b.path));
    } catch {
      return [];
    }
  }

  /** The tab. OctoPrint calls the methods whose names begin with `on`. */
  class TabViewModel {
    service = ko.observable({ state: "starting", problem: "" });
    peer = ko.observable(/** @type {State | null} */ (null));
    refusals = ko.observableArray(/** @type {string[]} */ ([]));
    mayView = ko.observable(false);
    mayManage = ko.observable(false);
    maySet = ko.observable(false);
    trouble = ko.pureComputed(() => {
      const { state, problem } = this.service();
      return TROUBLE[problem && state === "starting" ? "waiting" : state] || "";
    });
    mayStart = ko.pureComputed(
      () => this.mayManage() && ["failed", "waiting"].includes(this.service().state),
    );
    needsProfile = ko.pureComputed(() => {
      const peer = this.peer();
      return peer !== null && !peer.printer;
    });

    /** @type {Set<(message: Message) => void>} */
    #listeners = new Set();
    /** @type {CrdtqueueView | null} */
    #view = null;
    #loginState;
    #access;

    /** @param {[LoginStateViewModel, AccessViewModel]} viewModels */
    constructor([loginState, access]) {
      this.#loginState = loginState;
      this.#access = access;
    }

    start = () => post("start");

    /** @param {PluginMessage} message */
    show = (message) => {
      if (message.service) this.service(message.service);
      if (message.queues) this.refusals(message.queues.refusals);
      if (message.state !== undefined) this.peer(message.state);
    };

    /**
     * @param {string} plugin
     * @param {PluginMessage} message
     */
    onDataUpdaterPluginMessage = (plugin, message) => {
      if (plugin !== PLUGIN) return;
      this.show(message);
      for (const listener of [...this.#listeners]) listener(message);
    };

    onAllBound = () => this.#followPermissions();
    onUserPermissionsChanged = () => this.#followPermissions();
    onServerReconnect = () => this.#followPermissions();

    #followPermissions() {
      const rights = this.#access.permissions;
      this.mayView(this.#loginState.hasPermission(rights["PLUGIN_CRDTQUEUE_VIEW"]));
      this.mayManage(this.#loginState.hasPermission(rights["PLUGIN_CRDTQUEUE_MANAGE"]));
      this.maySet(this.#loginState.hasPermission(rights["SETTINGS"]));
      if (this.mayView() && !this.#view) {
        void this.#place();
      } else if (this.#view && !this.mayView()) {
        this.#view.remove();
        this.#view = null;
      }
      if (this.#view) this.#limit(this.#view);
    }

    /** Puts the view into the tab. */
    async #place() {
      const { makeView } = /** @type {typeof import("./embed.js")} */ (
        await import(`${BASE}/static/embed.js`)
      );
      if (this.#view || !this.mayView()) return;
      this.#view = makeView(this.#host());
      this.#limit(this.#view);
      document.getElementById("crdtqueue_view")?.append(this.#view);
    }

    /** @returns {Host} */
    #host() {
      return {
        base: `${BASE}/api`,
        headers: () => OctoPrint.getRequestHeaders("POST"),
        files: storedFiles,
        onMessage: this.show,
        listen: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
      };
    }

    /**
     * Hides in the view what this user may not do.
     *
     * @param {CrdtqueueView} view
     */
    #limit(view) {
      view.toggleAttribute("readonly", !this.mayManage());
      view.toggleAttribute("no-settings", !this.maySet());
    }
  }

  /** A queue that the peer has; with `leaving` the peer leaves it on Save. */
  class ListedQueue {
    leaving = ko.observable(false);
    name;
    note;
    toggle;

    /**
     * @param {QueueView} queue
     * @param {() => void} onChange
     */
    constructor(queue, onChange) {
      const others = queue.peers.filter((peer) => !peer.self);
      const fate = others.length
        ? "Its jobs stay with the other printers."
        : "No other printer has it, so its jobs are lost.";
      this.name = queue.name;
      this.note = ko.pureComputed(() => {
        if (this.leaving()) return `This printer leaves it when you save. ${fate}`;
        if (!others.length) return "Only on this printer so far.";
        return `Shared with ${others.map((peer) => peer.name).join(", ")}.`;
      });
      this.toggle = () => {
        this.leaving(!this.leaving());
        onChange();
      };
    }
  }

  /** The settings page. OctoPrint calls the methods whose names begin with `on`. */
  class SettingsPageViewModel {
    queues = ko.observableArray(/** @type {ListedQueue[]} */ ([]));
    added = ko.observableArray(/** @type {AddedQueue[]} */ ([]));
    unknown = ko.observable(false);
    problems = ko.observable(/** @type {Record<string, string>} */ ({}));
    settings;
    #timer = 0;
    #asked = 0;

    /** @param {[SettingsViewModel<PluginSettings>]} viewModels */
    constructor([settings]) {
      this.settings = settings;
    }

    get #stored() {
      return this.settings.settings.plugins.crdtqueue;
    }

    /** The rows in which something was typed. */
    get #filled() {
      return this.added().filter(
        ({ name, addresses }) => name().trim() || addresses().trim() !== AUTO,
      );
    }

    /** @returns {QueueChange[]} */
    get #changes() {
      const left = this.queues().filter((queue) => queue.leaving());
      return [
        ...this.#filled.map(({ name, addresses }) => ({ name: name(), addresses: addresses() })),
        ...left.map(({ name }) => ({ name, leave: /** @type {const} */ (true) })),
      ];
    }

    async #check() {
      this.#asked += 1;
      const mine = this.#asked;
      const { name, profile, port } = ko.toJS(this.#stored);
      const typed = { name, profile, port, queue_changes: this.#changes };
      try {
        const { problems } = await post("check", typed);
        if (mine === this.#asked) this.problems(problems);
      } catch {
        // Without an answer it is checked when it is saved.
      }
    }

    #checkSoon = () => {
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => void this.#check(), CHECK_MS);
    };

    /** @param {AddedQueue} row */
    problemOf = (row) => this.problems()[`queue ${this.#filled.indexOf(row)}`] || "";

    add = () => {
      const row = { name: ko.observable(""), addresses: ko.observable(AUTO) };
      row.name.subscribe(this.#checkSoon);
      row.addresses.subscribe(this.#checkSoon);
      this.added.push(row);
    };

    /** @param {AddedQueue} row */
    forget = (row) => {
      this.added.remove(row);
      this.#checkSoon();
    };

    async #list() {
      try {
        const { state } = /** @type {{state: State | null}} */ (
          await OctoPrint.get(`plugin/${PLUGIN}/api/state`)
        );
        this.unknown(state === null);
        const shared = (state ? state.queues : []).filter((queue) => !queue.local);
        this.queues(shared.map((queue) => new ListedQueue(queue, this.#checkSoon)));
      } catch {
        this.unknown(true);
      }
    }

    onSettingsShown = () => {
      this.problems({});
      void this.#list();
    };

    onSettingsBeforeSave = () => this.#stored.queue_changes(this.#changes);

    onSettingsHidden = () => {
      this.queues([]);
      this.added([]);
      this.#stored.queue_changes([]);
    };

    onAllBound = () => {
      const { name, profile, port } = this.#stored;
      for (const field of [name, profile, port]) field.subscribe(this.#checkSoon);
      // OctoPrint saves without a check of its own, so the click on its button is stopped here.
      const dialog = document.getElementById("settings_dialog");
      dialog?.addEventListener("click", (event) => this.#refuse(event), true);
    };

    /** @param {MouseEvent} event */
    #refuse(event) {
      const { target } = event;
      const button = '[data-test-id="settings-save"]';
      const save = target instanceof Element ? target.closest(button) : null;
      const [first] = Object.values(this.problems());
      if (!save || !first) return;
      event.preventDefault();
      event.stopPropagation();
      this.settings.selectTab("#settings_plugin_crdtqueue");
      new PNotify({ title: "Print queue: not saved", text: _.escape(first), type: "error" });
    }

    /**
     * @param {string} plugin
     * @param {PluginMessage} message
     */
    onDataUpdaterPluginMessage = (plugin, message) => {
      if (plugin !== PLUGIN || !message.refused) return;
      const text = _.escape(message.refused.join(" "));
      new PNotify({ title: "Print queue: not saved", text, type: "error" });
    };
  }

  OCTOPRINT_VIEWMODELS.push({
    construct: TabViewModel,
    dependencies: ["loginStateViewModel", "accessViewModel"],
    elements: ["#tab_plugin_crdtqueue"],
  });
  OCTOPRINT_VIEWMODELS.push({
    construct: SettingsPageViewModel,
    dependencies: ["settingsViewModel"],
    elements: ["#settings_plugin_crdtqueue"],
  });
});
