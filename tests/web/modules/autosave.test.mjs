import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

globalThis.window = Object.assign(new EventTarget(), { setTimeout });
globalThis.Node = class extends EventTarget {};
const { Autosave } = await import("../../../web/crdtqueue_web/static/ui/autosave.js");

/** A text field of a page, as far as it matters here. */
class Field extends Node {
  value = "";
  focused = false;
  classes = new Set();
  classList = { toggle: (name, on) => (on ? this.classes.add(name) : this.classes.delete(name)) };
  matches = () => this.focused;
  contains = (node) => node === this;

  type(value) {
    this.value = value;
    this.dispatchEvent(new Event("input"));
  }
}

let field, error, saved, refusal, autosave;

beforeEach(() => {
  field = new Field();
  error = { textContent: "", hidden: false };
  saved = [];
  refusal = null;
  autosave = new Autosave({
    node: field,
    read: () => {
      if (field.value === "?") throw new Error("Give a number.");
      return field.value;
    },
    write: (value) => (field.value = value),
    save: async (value) => {
      if (refusal) throw refusal;
      saved.push(value);
    },
    error,
  });
  autosave.show("first");
});

test("what others write is shown, but not below the fingers of a person", () => {
  autosave.show("second");
  assert.equal(field.value, "second");
  field.focused = true;
  autosave.show("third");
  assert.equal(field.value, "second");
  field.focused = false;
  field.type("mine");
  autosave.show("fourth");
  assert.equal(field.value, "mine");
});

test("a change is saved once, and what is as it was is not saved", async () => {
  assert.ok(await autosave.flush());
  field.type("mine");
  assert.ok((await Promise.all([autosave.flush(), autosave.flush()])).every(Boolean));
  assert.ok(await autosave.flush());
  assert.deepEqual(saved, ["mine"]);
});

test("saves come in the order of the changes", async () => {
  field.type("one");
  const first = autosave.flush();
  field.type("two");
  await Promise.all([first, autosave.flush()]);
  assert.deepEqual(saved, ["one", "two"]);
});

test("a refusal is said until something else is typed", async () => {
  refusal = new Error("It is too long.");
  field.type("mine");
  assert.ok(!(await autosave.flush()));
  assert.equal(error.textContent, "It is too long.");
  assert.ok(field.classes.has("wrong"));
  field.type("my");
  assert.equal(error.textContent, "");
});

test("the late refusal of an older value is not said", async () => {
  refusal = new Error("It is too long.");
  field.type("mine");
  const flushed = autosave.flush();
  field.type("my");
  assert.ok(!(await flushed));
  assert.equal(error.textContent, "");
});

test("what is no value is not saved", async () => {
  field.type("?");
  assert.ok(!(await autosave.flush()));
  assert.equal(error.textContent, "Give a number.");
  assert.deepEqual(saved, []);
});

test("a message waits while the pointer is down", async () => {
  field.type("?");
  window.dispatchEvent(new Event("pointerdown"));
  await autosave.flush();
  assert.equal(error.textContent, "");
  window.dispatchEvent(new Event("pointerup"));
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(error.textContent, "Give a number.");
});
