import assert from "node:assert/strict";
import { test } from "node:test";

import { Api, ApiError, errorFrom } from "../../../web/crdtqueue_web/static/api/api.js";
import {
  jobPath,
  query,
  scriptPath,
  setPath,
} from "../../../web/crdtqueue_web/static/api/paths.js";

test("names and ids are escaped", () => {
  assert.equal(jobPath("a/b?c", "1#2"), "queues/a%2Fb%3Fc/jobs/1%232");
  assert.equal(setPath("q", "j", "s/.."), "queues/q/jobs/j/sets/s%2F..");
  assert.equal(scriptPath("print done"), "printer/scripts/print%20done");
});

test("a query leaves out what is empty", () => {
  assert.equal(query({}), "");
  assert.equal(query({ text: "", from_s: null }), "");
  assert.equal(query({ text: "a&b", from_s: 0, limit: 50 }), "?text=a%26b&from_s=0&limit=50");
});

test("the error of an answer is that of the peer", () => {
  const error = errorFrom(409, '{"error": {"code": "in_edit", "message": "Ann edits it."}}');
  assert.ok(error instanceof ApiError);
  assert.deepEqual([error.code, error.message], ["in_edit", "Ann edits it."]);
});

test("an answer of something else gets a plain sentence", () => {
  for (const body of ["", "<html>", "null", "{}", '{"error": {"message": ""}}', '{"error": 1}']) {
    const { code, message } = errorFrom(502, body);
    assert.deepEqual(
      [code, message],
      ["http", "This peer refused (502). Reload the page, then try again."],
    );
  }
});

test("a peer that cannot be reached, or answers no JSON, is unreachable", async (t) => {
  const api = new Api("http://peer/api/");
  t.mock.method(globalThis, "fetch", () => Promise.reject(new TypeError("no route")));
  await assert.rejects(api.addQueue({ name: "x", peers: [] }), { code: "unreachable" });
  t.mock.method(globalThis, "fetch", () => Promise.resolve(new Response("<html>")));
  await assert.rejects(api.printer.scripts(), { code: "unreachable" });
});

test("an answer without a body is null", async (t) => {
  const fetched = t.mock.method(globalThis, "fetch", () =>
    Promise.resolve(new Response(null, { status: 204 })),
  );
  const api = new Api("http://peer/api/", () => ({ "X-Token": "secret" }));
  assert.equal(await api.leaveQueue("my shop"), null);
  const [url, { method, headers, body }] = fetched.mock.calls[0].arguments;
  assert.deepEqual([url, method, body], ["http://peer/api/queues/my%20shop", "DELETE", null]);
  assert.equal(headers["X-Token"], "secret");
});
