import assert from "node:assert/strict";
import { test } from "node:test";

import { isSamePlace, lineOf, placeAt } from "../../../web/crdtqueue_web/static/ui/drop-place.js";

/** Something at this place of the page. */
function box(top, height) {
  const rect = { left: 0, right: 100, width: 100, top, height, bottom: top + height };
  return { getBoundingClientRect: () => rect };
}

/** A list of items of 20 pixels each, below each other. */
function list(key, top, ids) {
  const items = ids.map((id, index) => ({ id, label: id, node: box(top + 20 * index, 20) }));
  return { key, area: box(top, 20 * ids.length + 20), items };
}

const first = list("first", 0, ["a", "b", "c"]);
const second = list("second", 200, []);
const lists = [first, second];
const [a, b, c] = first.items;

test("an item goes before the first one whose middle lies below the pointer", () => {
  assert.equal(placeAt(lists, { x: 5, y: 5, item: c })?.before, a);
  assert.equal(placeAt(lists, { x: 5, y: 15, item: c })?.before, b);
  assert.equal(placeAt(lists, { x: 5, y: 70, item: a })?.before, null);
});

test("it goes into the list below the pointer, or nowhere", () => {
  assert.equal(placeAt(lists, { x: 5, y: 210, item: a })?.list, second);
  assert.equal(placeAt(lists, { x: 5, y: 150, item: a }), null);
  assert.equal(placeAt(lists, { x: 101, y: 5, item: a }), null);
});

test("the line lies above the item that follows, or below the last one", () => {
  assert.deepEqual(lineOf({ list: first, before: b }, c), { top: 20, left: 0, width: 100 });
  assert.deepEqual(lineOf({ list: first, before: null }, a), { top: 60, left: 0, width: 100 });
  assert.deepEqual(lineOf({ list: first, before: null }, c), { top: 40, left: 0, width: 100 });
  assert.deepEqual(lineOf({ list: second, before: null }, a), { top: 220, left: 0, width: 100 });
});

test("a drop where the item is already moves nothing", () => {
  assert.ok(isSamePlace({ item: a, from: "first" }, { list: first, before: b }));
  assert.ok(isSamePlace({ item: c, from: "first" }, { list: first, before: null }));
  assert.ok(!isSamePlace({ item: a, from: "first" }, { list: first, before: c }));
  assert.ok(!isSamePlace({ item: a, from: "first" }, { list: second, before: null }));
});
