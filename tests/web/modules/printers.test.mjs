import assert from "node:assert/strict";
import { test } from "node:test";

import * as states from "../../../web/crdtqueue_web/static/printers/printer-states.js";
import { printersOf } from "../../../web/crdtqueue_web/static/printers/shown-printers.js";

const own = { name: "left", profile: "MK3S", state: "idle" };

/** A peer of a queue. */
function peer(id, fields) {
  const plain = { self: false, online: true, profile: "MINI", heard_s: null, printer: null };
  return { id, name: id, ...plain, ...fields };
}

/** The keys of the printers that are shown. */
function keys(printer, ...queues) {
  const state = { peer: { id: "me" }, printer, queues: queues.map((peers) => ({ peers })) };
  return printersOf(state).map((each) => [each.key, each.online, each.own !== null]);
}

test("this peer's own printer comes first, and each other one once", () => {
  const me = peer("me", { self: true });
  assert.deepEqual(keys(own, [peer("mini"), me], [me, peer("mini"), peer("xl")]), [
    ["me", true, true],
    ["mini", true, false],
    ["xl", true, false],
  ]);
});

test("a peer without a printer is not shown", () => {
  assert.deepEqual(keys(null, [peer("laptop", { profile: null })]), []);
  const old = peer("old", { profile: null, printer: own });
  assert.deepEqual(keys(null, [old]), [["old", true, false]]);
});

test("of two sights of a printer, the one that is online counts", () => {
  const away = peer("mini", { online: false, printer: own });
  for (const queues of [
    [[away], [peer("mini")]],
    [[peer("mini")], [away]],
  ]) {
    assert.deepEqual(keys(null, ...queues), [["mini", true, false]]);
  }
  const [shown] = printersOf({ peer: { id: "me" }, printer: null, queues: [{ peers: [away] }] });
  assert.equal(shown.view, null, "what it did when it was last heard of is not shown");
});

test("a state that the page does not know is shown by its own name", () => {
  assert.deepEqual(states.printerPill("idle"), ["Idle", "good"]);
  assert.deepEqual(states.printerPill("levelling"), ["levelling", "neutral"]);
});

test("the bed is asked for where it stops the next print", () => {
  const asks = (state, bed_clear) => states.asksForBed({ state, bed_clear });
  assert.ok(asks("waiting_for_bed", true));
  assert.ok(asks("idle", false));
  assert.ok(!asks("idle", true));
  assert.ok(!asks("printing", false));
});

test("what is missing is put to what is loaded, also behind a gap", () => {
  const printer = { loaded: ["PLA", "PETG"], missing: { 1: "ABS", 3: "TPU" } };
  assert.ok(states.asksForMaterial(printer));
  assert.deepEqual(states.withMissing(printer), ["PLA", "ABS", "", "TPU"]);
  assert.deepEqual(printer.loaded, ["PLA", "PETG"]);
});
