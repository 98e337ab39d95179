// @ts-check
/** One file that is chosen for a job: its upload, its profile, its copies. */

import { element, rebuild, setText } from "../ui/dom.js";
import { fileSize, percent, sentenceOf } from "../ui/format.js";
import { Bar, button, chip } from "../ui/widgets.js";

/** @import {NewSet, StoredFile, UploadedFile} from "../api/types.js" */
/** @import {Api} from "../api/api.js" */

const COPIES_MAX = 999_999;
const PROFILE_CHARS_MAX = 64;
const GCODE_NAME = /\.(gcode|gco|gc|g|nc|ngc)$/i;

/** @typedef {"waiting" | "uploading" | "uploaded" | "failed"} Upload */

/** The row of one file. */
export class UploadRow {
  /** @type {Upload} */
  state = "waiting";
  /** @type {UploadedFile | null} */
  #uploaded = null;
  #abort = new AbortController();
  #bar = new Bar();
  #status = element("span", { class: "status data" });
  #profile = element("span", { class: "profile" });
  #profileField;
  #copies = element("input", {
    type: "number",
    min: 1,
    max: COPIES_MAX,
    step: 1,
    value: 1,
    required: true,
    inputmode: "numeric",
  });
  #retry;
  #note;
  #file;
  #onChange;
  node;

  /**
   * @param {File | StoredFile} file
   * @param {object} options
   * @param {() => void} options.onChange
   * @param {(row: UploadRow) => void} options.onRemove
   * @param {(row: UploadRow) => void} options.onRetry
   */
  constructor(file, { onChange, onRemove, onRetry }) {
    this.#file = file;
    this.#onChange = onChange;
    this.#retry = button("Try again", {
      kind: "compact",
      about: file.name,
      press: () => onRetry(this),
    });
    this.#profileField = element("input", {
      list: "known-profiles",
      maxlength: PROFILE_CHARS_MAX,
      required: true,
      placeholder: "like MK3S",
      autocomplete: "off",
      "aria-label": `Profile of ${file.name}`,
      on: { change: () => onChange() },
    });
    this.#note = element("div", { class: "caption" }, this.#status, this.#retry);
    this.node = element(
      "li",
      { class: "upload" },
      element(
        "div",
        { class: "caption" },
        element("span", { class: "file data" }, file.name),
        element("span", { class: "hint" }, fileSize(file.size)),
        button("Remove", {
          icon: "close",
          kind: "quiet icon-only",
          about: file.name,
          press: () => onRemove(this),
        }),
      ),
      this.#bar.node,
      this.#note,
      element(
        "div",
        { class: "fields" },
        this.#profile,
        element("label", {}, element("span", {}, "Copies"), this.#copies),
      ),
    );
    this.#become("waiting");
  }

  /** Whether the file has the name of a g-code file. */
  get isGcode() {
    return GCODE_NAME.test(this.#file.name);
  }

  /** The name that is proposed for a job of this file. */
  get jobName() {
    return this.#file.name.replace(/\.[^.]+$/, "");
  }

  /** Whether the file is uploaded and its profile is known. */
  get isReady() {
    return this.state === "uploaded" && this.#profileName !== "";
  }

  get #profileName() {
    return this.#uploaded?.profile ?? this.#profileField.value.trim();
  }

  /** @returns {NewSet}  The set that is made of the uploaded file. */
  get set() {
    if (!this.#uploaded) throw new Error("The file is not uploaded.");
    const { sha256, name } = this.#uploaded;
    const copies = this.#copies.valueAsNumber;
    return { sha256, name, copies, profiles: [this.#profileName] };
  }

  /** @param {Api} api */
  async upload(api) {
    if (!this.isGcode) {
      this.#become(
        "failed",
        "This is not a g-code file. Slice it first, then add the g-code file.",
      );
      return;
    }
    this.#become("uploading");
    try {
      this.#uploaded = await api.upload(
        this.#file,
        (part) => this.#progress(part),
        this.#abort.signal,
      );
      this.#become("uploaded");
    } catch (error) {
      this.#become("failed", sentenceOf(error));
    }
  }

  stop() {
    this.#abort.abort();
  }

  /** @param {number} fraction */
  #progress(fraction) {
    this.#bar.update(fraction, `Upload of ${this.#file.name}`);
    setText(this.#status, fraction < 1 ? `Uploading, ${percent(fraction)}` : "Being stored");
  }

  /**
   * @param {Upload} state
   * @param {string} [problem]
   */
  #become(state, problem = "") {
    this.state = state;
    this.node.dataset.state = state;
    const going = state === "waiting" || state === "uploading";
    this.#bar.update(going ? 0 : null, `Upload of ${this.#file.name}`);
    setText(this.#status, going ? "Waiting for its upload" : problem);
    this.#note.hidden = state === "uploaded";
    this.#retry.hidden = state !== "failed" || !this.isGcode;
    rebuild(this.#profile, state, () => (state === "uploaded" ? this.#profileOf() : []));
    this.#onChange();
  }

  #profileOf() {
    const profile = this.#uploaded?.profile;
    const caption = element("span", {}, "Profile");
    if (profile)
      return [element("div", { class: "field" }, caption, chip(profile, { tone: "accent" }))];
    const title = "The file does not say which printer it is made for.";
    return [element("label", { title }, caption, this.#profileField)];
  }
}
