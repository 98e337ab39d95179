// @ts-check
/** The profiles of the printers that a file is made for. They are added and removed one by one. */

import { Autosave } from "./autosave.js";
import { element } from "./dom.js";
import { button } from "./widgets.js";

const PROFILE_CHARS_MAX = 64;
const ANY_PRINTER = "ANY";

/** Profiles as chips, and an input for one more. */
export class ProfilesField {
  /** @type {string[]} */
  #profiles = [];
  #chips = element("span", { class: "chips" });
  #input;
  #about;
  node;
  autosave;

  /**
   * @param {object} options
   * @param {(profiles: string[]) => Promise<unknown>} options.save
   * @param {string} options.about
   */
  constructor({ save, about }) {
    this.#about = about;
    const error = element("span", { class: "error data", role: "alert" });
    this.#input = element("input", {
      list: "known-profiles",
      placeholder: "Another profile",
      maxlength: PROFILE_CHARS_MAX,
      autocomplete: "off",
      "aria-label": `Another profile ${about}`,
      on: { keydown: (event) => this.#key(event) },
    });
    const row = element("div", { class: "row" }, this.#chips, this.#input);
    const caption = element("span", {}, "Printers it is made for");
    this.node = element("div", { class: "field grow profiles" }, caption, row, error);
    this.autosave = new Autosave({
      node: this.node,
      read: () => this.#take(),
      write: (profiles) => this.#show(profiles),
      save,
      error,
    });
  }

  /** The profiles that are shown, together with those that were typed. */
  #take() {
    const typed = this.#input.value.split(",").map((each) => each.trim());
    const more = typed.filter((each) => each !== "" && !this.#profiles.includes(each));
    this.#input.value = "";
    if (more.length) this.#show([...this.#profiles, ...more]);
    return this.#profiles;
  }

  /** @param {string[]} profiles */
  #show(profiles) {
    this.#profiles = profiles;
    this.#chips.replaceChildren(...profiles.map((each) => this.#chip(each)));
  }

  /** @param {string} profile */
  #chip(profile) {
    const label = profile === ANY_PRINTER ? "any printer" : profile;
    return element(
      "span",
      { class: "chip neutral removable" },
      element("span", { class: "data" }, label),
      button("Remove", {
        icon: "close",
        kind: "quiet icon-only",
        about: `${label} ${this.#about}`,
        press: () => this.#remove(profile),
      }),
    );
  }

  /** @param {string} profile */
  #remove(profile) {
    this.#show(this.#profiles.filter((each) => each !== profile));
    this.#input.focus();
    void this.autosave.flush();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Enter" && event.key !== ",") return;
    event.preventDefault();
    void this.autosave.flush();
  }
}
