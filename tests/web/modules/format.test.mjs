import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../../web/crdtqueue_web/static/ui/format.js";

/** Checks a function against a table of arguments and results. */
function table(name, check, rows) {
  for (const [args, wanted] of rows) {
    test(`${name}(${JSON.stringify(args).slice(1, -1)})`, () =>
      assert.equal(check(...args), wanted));
  }
}

table("duration", format.duration, [
  [[-3], "0 s"],
  [[0], "0 s"],
  [[59.9], "59 s"],
  [[60], "1 min"],
  [[3_599], "59 min"],
  [[3_600], "1 h 00 min"],
  [[11_100], "3 h 05 min"],
  [[172_799], "47 h 59 min"],
  [[172_800], "2 days"],
]);
table("durationLeft", format.durationLeft, [
  [[0.2], "1 s"],
  [[60], "1 min"],
  [[61], "2 min"],
  [[3_541], "1 h 00 min"],
]);
table("filament", format.filament, [
  [[99.4], "99 mm"],
  [[100], "0.1 m"],
  [[4_321], "4.3 m"],
]);
table("percent", format.percent, [
  [[0.999], "99 %"],
  [[1], "100 %"],
  [[7], "100 %"],
  [[-1], "0 %"],
  [[NaN], "0 %"],
]);
table("fileSize", format.fileSize, [
  [[999], "999 B"],
  [[1_000], "1 kB"],
  [[812_345], "812 kB"],
  [[12_345_678], "12.3 MB"],
]);
table("counted", format.counted, [
  [[0, "copy", "copies"], "0 copies"],
  [[1, "copy", "copies"], "1 copy"],
  [[2, "copy", "copies"], "2 copies"],
]);
table("printTime", format.printTime, [
  [[null, 0.5], ""],
  [[60, null], "1 min so far"],
  [[60, 0.04], "1 min so far"],
  [[60, 1], "1 min so far"],
  [[600, 0.25], "10 min so far, about 30 min left"],
]);
table("heaterName", format.heaterName, [
  [["tool0"], "Nozzle"],
  [["tool1"], "Nozzle 2"],
  [["bed"], "Bed"],
  [["chamber"], "Chamber"],
  [[""], ""],
]);
table("temperatureText", format.temperatureText, [
  [[{ actual_c: 24.6, target_c: 0 }], "25 °C"],
  [[{ actual_c: 24.6, target_c: null }], "25 °C"],
  [[{ actual_c: null, target_c: 215 }], "– / 215 °C"],
]);
table("sentenceOf", format.sentenceOf, [
  [[new Error("It is off.")], "It is off."],
  [["text"], "text"],
]);

test("an age by a clock that is ahead is just now", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_000_000_000 });
  assert.equal(format.ago(1_000_300), "just now");
  assert.equal(format.ago(999_941), "just now");
  assert.equal(format.ago(999_820), "3 min ago");
});
