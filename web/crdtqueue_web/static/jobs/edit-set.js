// @ts-check
/** One set in the edit dialog: its place, its copies, its profiles, its materials. */

import { CountField, MaterialsField } from "../ui/autosave-fields.js";
import { element, setText } from "../ui/dom.js";
import { counted, fileSize } from "../ui/format.js";
import { ProfilesField } from "../ui/profiles-field.js";
import { button, grip } from "../ui/widgets.js";

/** @import {SetFields, SetView} from "../api/types.js" */

const EXTRA_HINT = "Copies of the run that is being printed now only, beyond those of each run";

/**
 * @typedef {object} SetActions  The set is named by its id.
 * @property {(id: string, fields: Partial<SetFields>) => Promise<unknown>} save
 * @property {(id: string, by: -1 | 1) => void} shift
 * @property {(id: string) => void} remove
 *
 * @typedef {{set: SetView, isFirst: boolean, isLast: boolean}} PlacedSet
 */

/** The row of one set. A row shows the same set as long as it exists. */
export class SetEditor {
  #name = element("span", { class: "file data" });
  #size = element("span", { class: "hint" });
  #progress = element("p", { class: "hint" });
  #fields = element("div", { class: "fields" });
  #up;
  #down;
  #remove;
  #actions;
  /** @type {{copies: CountField, extra: CountField, profiles: ProfilesField,
   *   materials: MaterialsField} | null} */
  #editors = null;
  #id = "";
  node;

  /** @param {SetActions} actions */
  constructor(actions) {
    this.#actions = actions;
    const quiet = "quiet icon-only";
    this.#up = button("Move up", {
      icon: "up",
      kind: quiet,
      press: () => actions.shift(this.#id, -1),
    });
    this.#down = button("Move down", {
      icon: "down",
      kind: quiet,
      press: () => actions.shift(this.#id, 1),
    });
    this.#remove = button("Remove", {
      icon: "remove",
      kind: quiet,
      press: () => actions.remove(this.#id),
    });
    const title = element("div", { class: "title" }, this.#name, this.#size);
    const buttons = element("div", { class: "buttons" }, this.#up, this.#down, this.#remove);
    const header = element("header", {}, grip(), title, buttons);
    this.node = element("li", { class: "set-edit" }, header, this.#fields, this.#progress);
  }

  /** What a drag has to know of this row. */
  get sortItem() {
    return { id: this.#id, label: this.#name.textContent ?? "", node: this.node };
  }

  /** The controls that save themselves. */
  get values() {
    if (!this.#editors) return [];
    const { copies, extra, profiles, materials } = this.#editors;
    return [copies.autosave, extra.autosave, profiles.autosave, materials.autosave];
  }

  /** @param {PlacedSet} placed */
  update({ set, isFirst, isLast }) {
    this.#id = set.id;
    const about = `of ${set.file.name}`;
    this.#editors ??= this.#makeEditors(about);
    setText(this.#name, set.file.name);
    setText(this.#size, fileSize(set.file.size_bytes));
    setText(this.#progress, progressText(set));
    this.#up.disabled = isFirst;
    this.#down.disabled = isLast;
    this.#remove.disabled = isFirst && isLast;
    this.#up.setAttribute("aria-label", `Move ${set.file.name} up`);
    this.#down.setAttribute("aria-label", `Move ${set.file.name} down`);
    this.#remove.setAttribute("aria-label", `Remove ${set.file.name}`);
    this.#editors.copies.autosave.show(set.copies);
    this.#editors.extra.autosave.show(set.extra);
    this.#editors.profiles.autosave.show(set.profiles);
    this.#editors.materials.autosave.show(set.materials);
  }

  /** @param {string} about */
  #makeEditors(about) {
    const save = (/** @type {Partial<SetFields>} */ fields) => this.#actions.save(this.#id, fields);
    const editors = {
      copies: new CountField("Copies per run", { about, save: (copies) => save({ copies }) }),
      extra: new CountField("Extra, this run", {
        about,
        hint: EXTRA_HINT,
        save: (extra) => save({ extra }),
      }),
      profiles: new ProfilesField({ about, save: (profiles) => save({ profiles }) }),
      materials: new MaterialsField({ about, save: (materials) => save({ materials }) }),
    };
    this.#fields.append(...Object.values(editors).map(({ node }) => node));
    return editors;
  }
}

/** @param {SetView} set */
function progressText({ run_done, run_total, pending }) {
  const run = `${run_done} of ${counted(run_total, "copy", "copies")} of this run printed`;
  return pending ? `${run}, ${pending} pending` : `${run}, nothing pending`;
}
