// @ts-check
/** The dialog that makes a job of g-code files. */

import { dialog } from "./dialogs.js";
import { element, rebuild, setText } from "./dom.js";
import { button, icon, openMark } from "./pieces.js";
import { UploadRow } from "./upload-row.js";

/** @import {QueueView, StoredFile, ViewContext} from "./types.js" */

const FILES_MAX = 200;
const RUNS_MAX = 999_999;
const NAME_CHARS_MAX = 200;
const ANY_PRINTER = "ANY";

/** Files are uploaded one after the other as soon as they are picked; each becomes one set. */
export class AddJobDialog {
  /** @type {UploadRow[]} */
  #rows = [];
  /** @type {QueueView[]} */
  #queues = [];
  #uploading = false;
  #named = false;
  #title = element("h2", {}, "Add a job");
  #queue = element("select", { name: "queue", required: true, on: { change: () => this.#mark() } });
  #open = element("p", {});
  #files = element("input", {
    type: "file",
    multiple: true,
    accept: ".gcode,.gco,.gc,.g,.nc,.ngc",
    class: "unseen",
    id: "job-files",
    on: { change: () => this.#picked() },
  });
  /** @type {StoredFile[]} */
  #stored = [];
  #storedChoice = element("select", { on: { change: () => this.#pickedStored() } });
  #storedField = element(
    "label",
    { hidden: true },
    element("span", {}, "Or choose one that is stored here"),
    this.#storedChoice,
  );
  #list = element("ul", { class: "uploads plain" });
  #name = element("input", {
    name: "name",
    required: true,
    maxlength: NAME_CHARS_MAX,
    autocomplete: "off",
    on: { input: () => (this.#named = true) },
  });
  #runs = element("input", {
    name: "runs",
    type: "number",
    min: 1,
    max: RUNS_MAX,
    step: 1,
    required: true,
    inputmode: "numeric",
  });
  #profiles = element("datalist", { id: "known-profiles" });
  #hint = element("p", { class: "hint", role: "status" });
  #error = element("p", { class: "error data", role: "alert" });
  #submit = element("button", { type: "submit", class: "primary" }, icon("add"), "Add to queue");
  #context;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    this.node = dialog("add-job", "add-job", this.#form(), this.#title);
    this.node.addEventListener("close", () => this.#clear());
    this.node.addEventListener("dragover", (event) => event.preventDefault());
    this.node.addEventListener("drop", (event) => this.#dropped(event));
  }

  #form() {
    return element(
      "form",
      { on: { submit: (event) => this.#send(event) } },
      this.#title,
      element(
        "div",
        { class: "files" },
        this.#files,
        element(
          "label",
          { class: "drop", for: "job-files" },
          icon("upload"),
          element("span", {}, element("strong", {}, "Choose g-code files"), " or drop them here"),
        ),
      ),
      this.#storedField,
      this.#list,
      element(
        "div",
        { class: "fields" },
        element("label", { class: "grow" }, element("span", {}, "Job name"), this.#name),
        element(
          "label",
          { title: "How often the whole job is printed" },
          element("span", {}, "Runs"),
          this.#runs,
        ),
        element("label", { class: "grow" }, element("span", {}, "Queue"), this.#queue),
      ),
      this.#open,
      this.#profiles,
      this.#hint,
      this.#error,
      element(
        "div",
        { class: "buttons end" },
        button("Close", { kind: "quiet", press: () => this.node.close() }),
        this.#submit,
      ),
    );
  }

  /**
   * @param {QueueView[]} queues
   * @param {string} chosen  The name of one of them.
   * @param {File[]} files
   */
  open(queues, chosen, files) {
    this.#queues = queues;
    const options = queues.map(({ name }) => element("option", { value: name }, name));
    this.#queue.replaceChildren(...options);
    this.#queue.value = chosen;
    const profiles = queues.flatMap((queue) => queue.peers.map((peer) => peer.profile));
    const known = [...new Set(profiles.filter((each) => each !== null)), ANY_PRINTER];
    this.#profiles.replaceChildren(...known.map((value) => element("option", { value })));
    this.#mark();
    if (!this.node.open) {
      this.#clear();
      this.node.showModal();
      void this.#offerStored();
    }
    this.#add(files);
  }

  async #offerStored() {
    const files = await this.#context.api().storedFiles();
    this.#stored = files ?? [];
    this.#storedField.hidden = this.#stored.length === 0;
    const options = this.#stored.map(({ path }) => element("option", { value: path }, path));
    this.#storedChoice.replaceChildren(element("option", { value: "" }), ...options);
  }

  #pickedStored() {
    const file = this.#stored.find(({ path }) => path === this.#storedChoice.value);
    this.#storedChoice.value = "";
    if (file) this.#add([file]);
  }

  #clear() {
    for (const row of this.#rows) row.stop();
    this.#rows = [];
    this.#list.replaceChildren();
    this.#named = false;
    this.#name.value = "";
    this.#runs.value = "1";
    setText(this.#error, "");
    this.#changed();
  }

  #mark() {
    const queue = this.#queues.find((each) => each.name === this.#queue.value);
    const open = queue?.open ?? false;
    rebuild(this.#open, open, () => (open ? [openMark()] : []));
  }

  #picked() {
    const files = [...(this.#files.files ?? [])];
    this.#files.value = "";
    this.#add(files);
  }

  /** @param {DragEvent} event */
  #dropped(event) {
    event.preventDefault();
    event.stopPropagation();
    this.#add([...(event.dataTransfer?.files ?? [])]);
  }

  /** @param {(File | StoredFile)[]} files */
  #add(files) {
    const room = FILES_MAX - this.#rows.length;
    const over = files.length > room;
    setText(
      this.#error,
      over ? `A job holds at most ${FILES_MAX} files; the rest was left out.` : "",
    );
    for (const file of files.slice(0, room)) this.#addRow(file);
    this.#changed();
    void this.#uploadNext();
  }

  /** @param {File | StoredFile} file */
  #addRow(file) {
    const row = new UploadRow(file, {
      onChange: () => this.#changed(),
      onRemove: (each) => this.#remove(each),
      onRetry: (each) => this.#retry(each),
    });
    this.#rows.push(row);
    this.#list.append(row.node);
    if (!this.#named && this.#name.value === "" && row.isGcode) {
      this.#name.value = file.name.replace(/\.[^.]+$/, "").slice(0, NAME_CHARS_MAX);
    }
  }

  /** @param {UploadRow} row */
  #remove(row) {
    row.stop();
    row.node.remove();
    this.#rows = this.#rows.filter((each) => each !== row);
    if (this.#rows.length === 0 && !this.#named) this.#name.value = "";
    this.#changed();
    this.#files.focus();
  }

  /** @param {UploadRow} row */
  #retry(row) {
    row.state = "waiting";
    void this.#uploadNext();
  }

  async #uploadNext() {
    const row = this.#rows.find((each) => each.state === "waiting");
    if (!row || this.#uploading) return;
    this.#uploading = true;
    await row.upload(this.#context.api());
    this.#uploading = false;
    await this.#uploadNext();
  }

  /** Why the job cannot be added yet, as a sentence; empty if it can. */
  #obstacle() {
    if (this.#rows.length === 0) return "Choose at least one g-code file.";
    if (this.#rows.some((row) => row.state === "failed")) {
      return "Remove the files that failed, or try them again.";
    }
    return this.#rows.every((row) => row.state === "uploaded")
      ? ""
      : "The files are being uploaded.";
  }

  #changed() {
    const obstacle = this.#obstacle();
    this.#submit.disabled = obstacle !== "";
    const ready =
      "A printer that takes this job prints the files that fit its profile, in this order.";
    setText(this.#hint, obstacle || (this.#rows.length > 1 ? ready : ""));
  }

  /** @param {SubmitEvent} event */
  async #send(event) {
    event.preventDefault();
    if (this.#obstacle()) return;
    const job = {
      name: this.#name.value.trim(),
      runs: this.#runs.valueAsNumber,
      sets: this.#rows.map((row) => row.set),
    };
    setText(this.#error, "");
    this.#submit.disabled = true;
    try {
      await this.#context.api().addJob(this.#queue.value, job);
      this.node.close();
    } catch (error) {
      setText(this.#error, error instanceof Error ? error.message : String(error));
      this.#changed();
    }
  }
}
