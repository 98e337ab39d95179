// @ts-check
/**
 * Whether a button of the mouse, or a finger, is down. Leaving a field by a click elsewhere saves it;
 * a message that came or went at once would move what is being clicked from under the pointer.
 */

let pressed = false;

/** @type {(() => void)[]} */
let waiting = [];

function release() {
  pressed = false;
  const now = waiting;
  waiting = [];
  // The click comes right after the release.
  window.setTimeout(() => now.forEach((act) => act()));
}

window.addEventListener("pointerdown", () => (pressed = true), { capture: true });
window.addEventListener("pointerup", release, { capture: true });
window.addEventListener("pointercancel", release, { capture: true });

/** @param {() => void} act  Is done at once or, while something is pressed, after the click. */
export function afterPress(act) {
  if (pressed) waiting.push(act);
  else act();
}
