import assert from "node:assert/strict";
import { test } from "node:test";

import { SavedEdits, jobIn } from "../../../web/crdtqueue_web/static/api/saved-edits.js";

/** A state with one job of these fields. */
function stateWith(fields) {
  return { queues: [{ name: "workshop", jobs: [{ id: "1", name: "pins", runs: 1, ...fields }] }] };
}

const place = (state) => jobIn(state, "workshop", "1");

test("an older state shows what was saved since", () => {
  const edits = new SavedEdits();
  const shown = stateWith({});
  edits.begin(shown, place, { runs: 3 })(shown);
  assert.equal(place(shown).runs, 3);
  const older = stateWith({ note: "new" });
  edits.putInto(older);
  assert.deepEqual(place(older), { id: "1", name: "pins", runs: 3, note: "new" });
});

test("a state that has the edit, or that of somebody else, stays as it is", () => {
  for (const runs of [3, 7]) {
    const edits = new SavedEdits();
    const shown = stateWith({});
    edits.begin(shown, place, { runs: 3 })(shown);
    const newer = stateWith({ runs });
    edits.putInto(newer);
    assert.equal(place(newer).runs, runs);
    const again = stateWith({ runs: 1 });
    edits.putInto(again);
    assert.equal(place(again).runs, 1, "the edit is forgotten");
  }
});

test("an edit of what is there no more changes nothing", () => {
  const edits = new SavedEdits();
  const shown = stateWith({});
  const saved = edits.begin(shown, place, { runs: 3 });
  const empty = { queues: [] };
  saved(empty);
  edits.putInto(empty);
  assert.deepEqual(empty, { queues: [] });
});

test("after a while no older state is expected any more", (t) => {
  let now_ms = 0;
  t.mock.method(performance, "now", () => now_ms);
  const edits = new SavedEdits();
  const shown = stateWith({});
  edits.begin(shown, place, { runs: 3 })(shown);
  now_ms = 15_000;
  const state = stateWith({});
  edits.putInto(state);
  assert.equal(place(state).runs, 1);
});
