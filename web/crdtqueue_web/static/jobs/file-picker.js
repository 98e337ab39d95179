// @ts-check
/** Chooses files for a job, from this computer or from the host, and uploads them one by one. */

import { element } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { JOB_FILE_TYPE, isJobFile } from "./job-files.js";
import { UploadRow } from "./upload-row.js";

/** @import {StoredFile} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

const FILES_MAX = 200;
const TOO_MANY = `A job holds at most ${FILES_MAX} files; the rest was left out.`;
const GCODE_TYPES = ".gcode,.gco,.gc,.g,.nc,.ngc";

/** A field that takes files by a click or a drop, and a row for each chosen file. */
export class FilePicker {
  /** @type {UploadRow[]} */
  rows = [];
  /** @type {StoredFile[]} */
  #stored = [];
  #uploading = false;
  #input;
  #storedChoice = element("select", { on: { change: () => this.#pickedStored() } });
  #storedField = element(
    "label",
    { hidden: true },
    element("span", {}, "Or choose one that is stored here"),
    this.#storedChoice,
  );
  #list = element("ul", { class: "uploads plain" });
  #overflow = element("p", { class: "error", role: "alert", hidden: true }, TOO_MANY);
  #context;
  #onChange;
  #onJobFiles;
  node;

  /**
   * @param {ViewContext} context
   * @param {object} options
   * @param {string} options.id  Unique in the view.
   * @param {string} options.call  The label, as an imperative.
   * @param {() => void} options.onChange
   * @param {(files: File[]) => void} [options.onJobFiles]  Takes .gjob files.
   */
  constructor(context, { id, call, onChange, onJobFiles }) {
    this.#context = context;
    this.#onChange = onChange;
    this.#onJobFiles = onJobFiles;
    this.#input = element("input", {
      type: "file",
      multiple: true,
      accept: onJobFiles ? `${GCODE_TYPES},${JOB_FILE_TYPE}` : GCODE_TYPES,
      class: "unseen",
      id,
      on: { change: () => this.#picked() },
    });
    const label = element("span", {}, element("strong", {}, call), " or drop them here");
    const drop = element("label", { class: "drop", for: id }, icon("upload"), label);
    const choose = element("div", { class: "files" }, this.#input, drop);
    this.node = element(
      "div",
      { class: "picker" },
      choose,
      this.#storedField,
      this.#list,
      this.#overflow,
    );
  }

  /** @param {HTMLElement} area  Files that are dropped on this element are chosen. */
  takeDrops(area) {
    area.addEventListener("dragover", (event) => event.preventDefault());
    area.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      this.add([...(event.dataTransfer?.files ?? [])]);
    });
  }

  /** Forgets all files. */
  clear() {
    for (const row of this.rows) row.stop();
    this.rows = [];
    this.#list.replaceChildren();
    this.#overflow.hidden = true;
    this.#onChange();
  }

  /** Offers the files that the host of the view stores, if it stores any. */
  async offerStored() {
    const files = await this.#context.api().storedFiles();
    this.#stored = files ?? [];
    this.#storedField.hidden = this.#stored.length === 0;
    const options = this.#stored.map(({ path }) => element("option", { value: path }, path));
    this.#storedChoice.replaceChildren(element("option", { value: "" }), ...options);
  }

  /** @param {(File | StoredFile)[]} files */
  add(files) {
    const jobs = this.#onJobFiles ? files.filter(isJobFile) : [];
    const others = files.filter((file) => !jobs.includes(file));
    if (jobs.length) this.#onJobFiles?.(/** @type {File[]} */ (jobs));
    const room = FILES_MAX - this.rows.length;
    this.#overflow.hidden = others.length <= room;
    for (const file of others.slice(0, room)) this.#addRow(file);
    this.#onChange();
    void this.#uploadNext();
  }

  /** Why the files cannot be used yet, as a sentence; empty if they can. */
  get obstacle() {
    if (this.rows.length === 0) return "Choose at least one g-code file.";
    if (this.rows.some((row) => row.state === "failed")) {
      return "Remove the files that failed, or try them again.";
    }
    const uploaded = this.rows.every((row) => row.state === "uploaded");
    return uploaded ? "" : "The files are being uploaded.";
  }

  #pickedStored() {
    const file = this.#stored.find(({ path }) => path === this.#storedChoice.value);
    this.#storedChoice.value = "";
    if (file) this.add([file]);
  }

  #picked() {
    const files = [...(this.#input.files ?? [])];
    this.#input.value = "";
    this.add(files);
  }

  /** @param {File | StoredFile} file */
  #addRow(file) {
    const row = new UploadRow(file, {
      onChange: () => this.#onChange(),
      onRemove: (each) => this.#remove(each),
      onRetry: (each) => this.#retry(each),
    });
    this.rows.push(row);
    this.#list.append(row.node);
  }

  /** @param {UploadRow} row */
  #remove(row) {
    row.stop();
    row.node.remove();
    this.rows = this.rows.filter((each) => each !== row);
    this.#onChange();
    this.#input.focus();
  }

  /** @param {UploadRow} row */
  #retry(row) {
    row.state = "waiting";
    void this.#uploadNext();
  }

  async #uploadNext() {
    const row = this.rows.find((each) => each.state === "waiting");
    if (!row || this.#uploading) return;
    this.#uploading = true;
    await row.upload(this.#context.api());
    this.#uploading = false;
    await this.#uploadNext();
  }
}
