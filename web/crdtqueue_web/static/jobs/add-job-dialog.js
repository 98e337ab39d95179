// @ts-check
/** The dialog that makes a job of g-code files. */

import { dialog } from "../ui/dialog.js";
import { element, rebuild, setText } from "../ui/dom.js";
import { sentenceOf } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { button, openMark } from "../ui/widgets.js";
import { FilePicker } from "./file-picker.js";

/** @import {QueueView} from "../api/types.js" */
/** @import {ViewContext} from "../ui/view-context.js" */

const RUNS_MAX = 999_999;
const NAME_CHARS_MAX = 200;
const IN_ORDER =
  "A printer that takes this job prints the files that fit its profile, in this order.";

/** Files are uploaded as soon as they are picked; each becomes one set. */
export class AddJobDialog {
  /** @type {QueueView[]} */
  #queues = [];
  #named = false;
  #title = element("h2", {}, "Add a job");
  #queue = element("select", { name: "queue", required: true, on: { change: () => this.#mark() } });
  #open = element("p", {});
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
  #draft = element("input", { type: "checkbox", name: "draft" });
  #hint = element("p", { class: "hint", role: "status" });
  #error = element("p", { class: "error data", role: "alert" });
  #submit = element("button", { type: "submit", class: "primary" }, icon("add"), "Add to queue");
  #context;
  #picker;
  node;

  /** @param {ViewContext} context */
  constructor(context) {
    this.#context = context;
    this.#picker = new FilePicker(context, {
      id: "job-files",
      call: "Choose g-code files",
      onChange: () => this.#changed(),
      onJobFiles: (files) => this.#import(files),
    });
    this.node = dialog("add-job", "add-job", this.#form(), this.#title);
    this.node.addEventListener("close", () => this.#clear());
    this.#picker.takeDrops(this.node);
  }

  #form() {
    const runsTitle = "How often the whole job is printed";
    return element(
      "form",
      { on: { submit: (event) => this.#send(event) } },
      this.#title,
      this.#picker.node,
      element(
        "div",
        { class: "fields" },
        element("label", { class: "grow" }, element("span", {}, "Job name"), this.#name),
        element("label", { title: runsTitle }, element("span", {}, "Runs"), this.#runs),
        element("label", { class: "grow" }, element("span", {}, "Queue"), this.#queue),
      ),
      element(
        "label",
        { class: "check" },
        this.#draft,
        element("span", {}, "Hold it back; I want to edit it first"),
      ),
      this.#open,
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
    this.#mark();
    if (!this.node.open) {
      this.#clear();
      this.node.showModal();
      void this.#picker.offerStored();
    }
    this.#picker.add(files);
  }

  /** @param {File[]} files */
  #import(files) {
    this.#context.importJobs(this.#queue.value, files);
    if (this.#picker.rows.length === 0) this.node.close();
  }

  #clear() {
    this.#picker.clear();
    this.#named = false;
    this.#name.value = "";
    this.#runs.value = "1";
    this.#draft.checked = false;
    setText(this.#error, "");
  }

  #mark() {
    const queue = this.#queues.find((each) => each.name === this.#queue.value);
    const open = queue?.open ?? false;
    rebuild(this.#open, open, () => (open ? [openMark()] : []));
  }

  #changed() {
    const { rows, obstacle } = this.#picker;
    const first = rows.find((row) => row.isGcode);
    if (!this.#named) this.#name.value = first?.jobName.slice(0, NAME_CHARS_MAX) ?? "";
    this.#submit.disabled = obstacle !== "";
    setText(this.#hint, obstacle || (rows.length > 1 ? IN_ORDER : ""));
  }

  /** @param {SubmitEvent} event */
  async #send(event) {
    event.preventDefault();
    if (this.#picker.obstacle) return;
    const queue = this.#queue.value;
    const draft = this.#draft.checked;
    const sets = this.#picker.rows.map((row) => row.set);
    const job = { name: this.#name.value.trim(), runs: this.#runs.valueAsNumber, draft, sets };
    setText(this.#error, "");
    this.#submit.disabled = true;
    try {
      const { id } = await this.#context.api().jobs.add(queue, job);
      this.node.close();
      if (draft) await this.#context.editJob(queue, id);
    } catch (error) {
      setText(this.#error, sentenceOf(error));
      this.#changed();
    }
  }
}
