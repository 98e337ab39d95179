import assert from "node:assert/strict";
import { test } from "node:test";

import {
  modeText,
  modeWarning,
  votersOf,
} from "../../../web/crdtqueue_web/static/queues/queue-mode.js";

/** Peers, those with a star out of sight. */
function peers(...names) {
  return names.map((text) => {
    const name = text.replace("*", "");
    return { id: `id-${name}`, name, online: name === text };
  });
}

/** The warning where all these peers vote in safe mode. */
function warning(...names) {
  const known = peers(...names);
  return modeWarning({ mode: "safe", voters: known.map(({ id }) => id) }, known);
}

test("a mode is named with its voters", () => {
  assert.equal(modeText({ mode: "available", voters: ["a"] }), "Available mode");
  assert.equal(modeText({ mode: "safe", voters: [] }), "Safe mode, no voters");
  assert.equal(modeText({ mode: "safe", voters: ["a"] }), "Safe mode, 1 voter");
  assert.equal(modeText({ mode: "safe", voters: ["a", "b", "c"] }), "Safe mode, 3 voters");
});

test("available mode needs nobody", () => {
  assert.equal(modeWarning({ mode: "available", voters: ["gone"] }, []), "");
});

test("safe mode warns without voters, without a majority, and of too few", () => {
  assert.match(warning(), /nothing is printed/);
  assert.match(warning("a", "b*", "c*"), /Only 1 of 3 voters in sight: .* Switch on b, c\./);
  assert.match(warning("a", "b*"), /Only 1 of 2 voters in sight/);
  assert.match(warning("a"), /Only 1 voter: .* unless it is on/);
  assert.match(warning("a", "b"), /Only 2 voters: .* unless both are on/);
  assert.equal(warning("a", "b", "c*"), "");
});

test("a voter that has left the queue is named by its id", () => {
  const known = votersOf({ peers: peers("a"), voters: ["id-a", "id-b"] });
  assert.deepEqual(known, [
    { id: "id-a", name: "a", online: true },
    { id: "id-b", name: "Unknown peer id-b", online: false },
  ]);
});
