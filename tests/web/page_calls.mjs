// Prints, as JSON, each request that the page can make: its call, its method, its path, its query.

import { Api } from "../../web/crdtqueue_web/static/api/api.js";

const FILTER = { text: "x", printer: "x", job: "x", result: "done", from_s: 1, to_s: 2 };
const FILE = new File(["G28"], "x.gcode");
const IGNORED = [() => {}, new AbortController().signal];

/** The arguments of each call, once for each path that they lead to. */
const CALLS = {
  api: {
    upload: [[FILE, ...IGNORED]],
    subscribe: [[{}]],
    addQueue: [[{}]],
    leaveQueue: [["Q"]],
    editQueue: [["Q", {}]],
    acceptDamage: [[]],
  },
  jobs: {
    add: [["Q", {}]],
    edit: [["Q", "J", {}]],
    act: ["pause", "resume", "print-again", "duplicate", "restore", "lost"].map((verb) => [
      "Q",
      "J",
      verb,
    ]),
    delete: [
      ["Q", "J"],
      ["Q", "J", { afterCopy: true }],
    ],
    place: [["Q", "J", null]],
    move: [["Q", "J", "R", null]],
    beginDraft: [["Q", "J"]],
    endDraft: [["Q", "J"]],
    addSets: [["Q", "J", []]],
    editSet: [["Q", "J", "S", {}]],
    removeSet: [["Q", "J", "S"]],
    placeSet: [["Q", "J", "S", null]],
    importFile: [["Q", FILE, ...IGNORED]],
    exportFile: [["Q", "J"]],
  },
  history: {
    page: [[FILTER, "mark", 50]],
    printers: [[]],
    doublesOf: [["J", 200]],
    exportUrl: [
      [FILTER, "csv"],
      [FILTER, "json"],
    ],
    again: [["P", "Q"]],
  },
  printer: {
    steer: ["bed-clear", "pause", "resume", "cancel"].map((verb) => [verb]),
    setManaging: [[true]],
    setLoaded: [[[]]],
    scripts: [[]],
    setScript: [["activated", "G28"]],
    removeScript: [["activated"]],
  },
};
/** Methods that the calls are made of, or that ask nothing of the peer. */
const NO_CALLS = ["constructor", "url", "request", "file", "send", "packed", "storedFiles"];

/** @type {{call: string, method: string, path: string, query: string[]}[]} */
const requests = [];
let call = "";

function record(method, href) {
  const url = new URL(href);
  requests.push({ call, method, path: url.pathname, query: [...url.searchParams.keys()] });
}

globalThis.fetch = (href, { method }) => {
  record(method, href);
  const answer = { entries: [], printers: [] };
  return Promise.resolve(new Response(JSON.stringify(answer)));
};
globalThis.EventSource = class extends EventTarget {
  constructor(href) {
    super();
    record("GET", href);
  }
};
globalThis.XMLHttpRequest = class {
  upload = {};
  responseText = "{}";
  status = 201;
  open = record;
  setRequestHeader() {}
  send() {
    this.onload();
  }
};

const api = new Api("http://peer/api");
for (const [group, calls] of Object.entries(CALLS)) {
  const target = group === "api" ? api : api[group];
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(target));
  const unknown = names.filter((name) => !(name in calls) && !NO_CALLS.includes(name));
  if (unknown.length) throw new Error(`Add the calls of ${unknown.join(", ")} to this table.`);
  for (const [name, variants] of Object.entries(calls)) {
    for (const args of variants) {
      call = `${group}.${name}`;
      const before = requests.length;
      const answer = await target[name](...args);
      if (name === "exportUrl") record("GET", answer);
      if (requests.length !== before + 1) throw new Error(`${call} made no request, or several.`);
    }
  }
}
console.log(JSON.stringify(requests));
