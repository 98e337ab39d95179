import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.HTMLElement = class {
  attributes = new Set();
  textContent = "";
  hidden = false;

  toggleAttribute(name, force) {
    if (force) this.attributes.add(name);
    else this.attributes.delete(name);
  }
};
const { refreshLiveTexts, showLiveText } =
  await import("../../../web/crdtqueue_web/static/ui/live-text.js");

/** The part of a page that holds these nodes. */
function page(...nodes) {
  return { querySelectorAll: () => nodes.filter((node) => node.attributes.has("data-live")) };
}

test("durations go on with the page's clock", (t) => {
  let now_ms = 0;
  t.mock.method(performance, "now", () => now_ms);
  const node = new HTMLElement();
  showLiveText(node, ["Silent for ", { for_s: 100 }, ". Taken over in ", { in_s: 30 }, "."], 10);
  assert.equal(node.textContent, "Silent for 1 min. Taken over in 20 s.");
  now_ms = 15_000;
  refreshLiveTexts(page(node));
  assert.equal(node.textContent, "Silent for 2 min. Taken over in 5 s.");
  now_ms = 60_000;
  refreshLiveTexts(page(node));
  assert.equal(node.textContent, "Silent for 2 min. Taken over in 0 s.");
});

test("a sentence without durations stays, also where one with them was", () => {
  const node = new HTMLElement();
  showLiveText(node, ["Edited for ", { for_s: 1 }], 0);
  showLiveText(node, ["All copies are printed."], 0);
  refreshLiveTexts(page(node));
  assert.equal(node.textContent, "All copies are printed.");
  showLiveText(node, [""], 0);
  assert.ok(node.hidden);
});
