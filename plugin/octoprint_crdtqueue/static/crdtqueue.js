/* OctoPrint's view models of the tab and of the settings page. The queue itself is shown by the
 * peer's own view, which embed.js puts into the tab. */
$(function () {
    "use strict";

    const PLUGIN = "crdtqueue";
    const BASE = `${PLUGIN_BASEURL}${PLUGIN}`;
    const CHECK_MS = 300;
    /** OctoPrint's folder for what the queue prints: copies of the jobs' files. */
    const PRINTS = "crdtqueue";
    /** In the place of addresses: the printers find each other. */
    const AUTO = "auto";
    const TROUBLE = {
        waiting: "The print queue’s own process has ended and is started again.",
        failed: "The print queue’s own process does not start.",
        stopped: "The print queue’s own process does not run."
    };

    function post(path, data) {
        return OctoPrint.postJson(`plugin/${PLUGIN}/api/${path}`, data || {});
    }

    function flatFiles(entries) {
        return entries.flatMap((entry) => {
            if (entry.children) return flatFiles(entry.children);
            if (entry.type !== "machinecode") return [];
            return [{name: entry.name, size: entry.size || 0, path: entry.path}];
        });
    }

    /** Files of OctoPrint's own storage; none where the user may not list them. */
    async function storedFiles() {
        try {
            const {files} = await OctoPrint.files.listForLocation("local", true);
            const own = files.filter(({path}) => path !== PRINTS);
            return flatFiles(own).sort((a, b) => a.path.localeCompare(b.path));
        } catch {
            return [];
        }
    }

    function TabViewModel([loginState, access]) {
        const self = this;
        const listeners = new Set();
        let view = null;

        self.service = ko.observable({state: "starting", problem: ""});
        self.peer = ko.observable(null);
        self.refusals = ko.observableArray([]);
        self.mayView = ko.observable(false);
        self.mayManage = ko.observable(false);
        self.maySet = ko.observable(false);
        self.trouble = ko.pureComputed(() => {
            const {state, problem} = self.service();
            return TROUBLE[problem && state === "starting" ? "waiting" : state] || "";
        });
        self.mayStart = ko.pureComputed(
            () => self.mayManage() && ["failed", "waiting"].includes(self.service().state)
        );
        self.needsProfile = ko.pureComputed(() => self.peer() !== null && !self.peer().printer);

        self.start = () => post("start");

        self.show = (message) => {
            if (message.service) self.service(message.service);
            if (message.queues) self.refusals(message.queues.refusals);
            if ("state" in message) self.peer(message.state);
        };

        const host = {
            base: `${BASE}/api`,
            headers: () => OctoPrint.getRequestHeaders("POST"),
            files: storedFiles,
            onMessage: self.show,
            listen: (listener) => {
                listeners.add(listener);
                return () => listeners.delete(listener);
            }
        };

        self.onDataUpdaterPluginMessage = (plugin, message) => {
            if (plugin !== PLUGIN) return;
            self.show(message);
            for (const listener of [...listeners]) listener(message);
        };

        /** Hides in the view what this user may not do. */
        const limit = () => {
            view.toggleAttribute("readonly", !self.mayManage());
            view.toggleAttribute("no-settings", !self.maySet());
        };

        const place = async () => {
            const {makeView} = await import(`${BASE}/static/embed.js`);
            if (view || !self.mayView()) return;
            view = makeView(host);
            limit();
            document.getElementById("crdtqueue_view").append(view);
        };

        self.onAllBound = self.onUserPermissionsChanged = self.onServerReconnect = () => {
            const rights = access.permissions;
            self.mayView(loginState.hasPermission(rights.PLUGIN_CRDTQUEUE_VIEW));
            self.mayManage(loginState.hasPermission(rights.PLUGIN_CRDTQUEUE_MANAGE));
            self.maySet(loginState.hasPermission(rights.SETTINGS));
            if (self.mayView() && !view) {
                place();
            } else if (view && !self.mayView()) {
                view.remove();
                view = null;
            }
            if (view) limit();
        };
    }

    /** A queue that the peer has; `leaving` is done on Save. */
    function ListedQueue(queue, onChange) {
        const others = queue.peers.filter((peer) => !peer.self);
        const fate = others.length
            ? "Its jobs stay with the other printers."
            : "No other printer has it, so its jobs are lost.";
        this.name = queue.name;
        this.leaving = ko.observable(false);
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

    function SettingsPageViewModel([settings]) {
        const self = this;
        let timer = 0;
        let asked = 0;

        self.settings = settings;
        self.queues = ko.observableArray([]);
        self.added = ko.observableArray([]);
        self.unknown = ko.observable(false);
        self.problems = ko.observable({});

        const stored = () => settings.settings.plugins.crdtqueue;

        /** Rows in which something was typed. */
        const filled = () =>
            self
                .added()
                .filter(({name, addresses}) => name().trim() || addresses().trim() !== AUTO);

        const changes = () => [
            ...filled().map(({name, addresses}) => ({name: name(), addresses: addresses()})),
            ...self
                .queues()
                .filter((queue) => queue.leaving())
                .map(({name}) => ({name, leave: true}))
        ];

        const check = async () => {
            asked += 1;
            const mine = asked;
            const {name, profile, port} = ko.toJS(stored());
            const typed = {name, profile, port, queue_changes: changes()};
            try {
                const {problems} = await post("check", typed);
                if (mine === asked) self.problems(problems);
            } catch {
                // Without an answer it is checked when it is saved.
            }
        };

        const checkSoon = () => {
            window.clearTimeout(timer);
            timer = window.setTimeout(check, CHECK_MS);
        };

        self.problemOf = (row) => self.problems()[`queue ${filled().indexOf(row)}`] || "";

        self.add = () => {
            const row = {name: ko.observable(""), addresses: ko.observable(AUTO)};
            row.name.subscribe(checkSoon);
            row.addresses.subscribe(checkSoon);
            self.added.push(row);
        };

        self.forget = (row) => {
            self.added.remove(row);
            checkSoon();
        };

        const list = async () => {
            try {
                const {state} = await OctoPrint.get(`plugin/${PLUGIN}/api/state`);
                self.unknown(state === null);
                const shared = (state ? state.queues : []).filter((queue) => !queue.local);
                self.queues(shared.map((queue) => new ListedQueue(queue, checkSoon)));
            } catch {
                self.unknown(true);
            }
        };

        self.onSettingsShown = () => {
            self.problems({});
            list();
        };

        self.onSettingsBeforeSave = () => stored().queue_changes(changes());

        self.onSettingsHidden = () => {
            self.queues([]);
            self.added([]);
            stored().queue_changes([]);
        };

        self.onAllBound = () => {
            for (const field of ["name", "profile", "port"]) stored()[field].subscribe(checkSoon);
            // OctoPrint asks nobody before it saves, so its button is told not to.
            document.getElementById("settings_dialog").addEventListener("click", refuse, true);
        };

        const refuse = (event) => {
            const save = event.target.closest('[data-test-id="settings-save"]');
            const [first] = Object.values(self.problems());
            if (!save || !first) return;
            event.preventDefault();
            event.stopPropagation();
            settings.selectTab("#settings_plugin_crdtqueue");
            new PNotify({title: "Print queue: not saved", text: _.escape(first), type: "error"});
        };

        self.onDataUpdaterPluginMessage = (plugin, message) => {
            if (plugin !== PLUGIN || !message.refused) return;
            const text = _.escape(message.refused.join(" "));
            new PNotify({title: "Print queue: not saved", text, type: "error"});
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: TabViewModel,
        dependencies: ["loginStateViewModel", "accessViewModel"],
        elements: ["#tab_plugin_crdtqueue"]
    });
    OCTOPRINT_VIEWMODELS.push({
        construct: SettingsPageViewModel,
        dependencies: ["settingsViewModel"],
        elements: ["#settings_plugin_crdtqueue"]
    });
});
