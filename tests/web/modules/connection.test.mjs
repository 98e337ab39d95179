import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Connection } from "../../../web/crdtqueue_web/static/api/connection.js";

globalThis.window = globalThis;

/** What the connection has told, and the streams that it has opened. */
let statuses, states, streams, connection;

beforeEach((t) => {
  statuses = [];
  states = [];
  streams = [];
  connection = new Connection({
    subscribe: (listener) => {
      const stream = { listener, closed: false };
      streams.push(stream);
      return () => (stream.closed = true);
    },
    onState: (state, age_s) => states.push([state, age_s]),
    onStatus: (status) => statuses.push(status),
  });
});

test("it is live with the first state, and says so once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  connection.start();
  streams[0].listener.state("first");
  streams[0].listener.state("second", 3);
  streams[0].listener.ping();
  assert.deepEqual(states, [
    ["first", 0],
    ["second", 3],
  ]);
  assert.deepEqual(statuses, ["live"]);
});

test("silence is a loss, and each retry waits longer", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  connection.start();
  streams[0].listener.ping();
  t.mock.timers.tick(14_999);
  assert.deepEqual(statuses, ["live"]);
  t.mock.timers.tick(1);
  assert.deepEqual(statuses, ["live", "lost"]);
  assert.ok(streams[0].closed);
  for (const [place, pause_ms] of [500, 1_000, 2_000, 4_000, 4_000].entries()) {
    t.mock.timers.tick(pause_ms - 1);
    assert.equal(streams.length, place + 1);
    t.mock.timers.tick(1);
    assert.equal(streams.length, place + 2);
    streams.at(-1).listener.error();
  }
  assert.deepEqual(statuses, ["live", "lost"]);
});

test("after a stop nothing is opened any more", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  connection.start();
  streams[0].listener.error();
  connection.stop();
  t.mock.timers.tick(60_000);
  assert.equal(streams.length, 1);
});
