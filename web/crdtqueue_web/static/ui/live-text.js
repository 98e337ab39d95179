// @ts-check
/** Sentences with durations in them, which go on without the peer being asked. */

import { setText } from "./dom.js";
import { duration, durationLeft } from "./format.js";

/** @import {SentencePart} from "../api/types.js" */

/**
 * What a node says, and when that was so, by this page's clock.
 *
 * @typedef {{parts: SentencePart[], at_ms: number}} Counting
 */

const ATTRIBUTE = "data-counts";

/** @type {WeakMap<Element, Counting>} */
const countings = new WeakMap();

/**
 * Shows a sentence that was so `age_s` ago, as it is now.
 *
 * @param {HTMLElement} node
 * @param {SentencePart[]} parts
 * @param {number} age_s
 */
export function showCounting(node, parts, age_s) {
  const goesOn = parts.some((part) => typeof part !== "string");
  node.toggleAttribute(ATTRIBUTE, goesOn);
  setText(node, textOf(parts, age_s));
  if (goesOn) countings.set(node, { parts, at_ms: performance.now() - 1000 * age_s });
}

/** @param {ParentNode} root  All sentences below it go on to now. */
export function countOn(root) {
  for (const node of root.querySelectorAll(`[${ATTRIBUTE}]`)) {
    const counting = countings.get(node);
    if (!counting || !(node instanceof HTMLElement)) continue;
    const { parts, at_ms } = counting;
    setText(node, textOf(parts, (performance.now() - at_ms) / 1000));
  }
}

/**
 * @param {SentencePart[]} parts
 * @param {number} age_s
 */
function textOf(parts, age_s) {
  return parts.map((part) => partText(part, age_s)).join("");
}

/**
 * @param {SentencePart} part
 * @param {number} age_s
 */
function partText(part, age_s) {
  if (typeof part === "string") return part;
  return "for_s" in part ? duration(part.for_s + age_s) : durationLeft(part.in_s - age_s);
}
