// @ts-check
/** Sentences with durations in them. The page counts the durations on by its own clock. */

import { setText } from "./dom.js";
import { duration, durationLeft } from "./format.js";

/** @import {SentencePart} from "../api/types.js" */

/**
 * The sentence of a node, and the time of this page's clock at which it was right.
 *
 * @typedef {{parts: SentencePart[], at_ms: number}} LiveText
 */

const ATTRIBUTE = "data-live";

/** @type {WeakMap<Element, LiveText>} */
const liveTexts = new WeakMap();

/**
 * Shows a sentence that was right `age_s` ago, with its durations as they are now.
 *
 * @param {HTMLElement} node
 * @param {SentencePart[]} parts
 * @param {number} age_s
 */
export function showLiveText(node, parts, age_s) {
  const isLive = parts.some((part) => typeof part !== "string");
  node.toggleAttribute(ATTRIBUTE, isLive);
  setText(node, textOf(parts, age_s));
  if (isLive) liveTexts.set(node, { parts, at_ms: performance.now() - 1000 * age_s });
}

/**
 * Brings the durations of all sentences below a node up to date.
 *
 * @param {ParentNode} root
 */
export function refreshLiveTexts(root) {
  for (const node of root.querySelectorAll(`[${ATTRIBUTE}]`)) {
    const liveText = liveTexts.get(node);
    if (!liveText || !(node instanceof HTMLElement)) continue;
    const { parts, at_ms } = liveText;
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
