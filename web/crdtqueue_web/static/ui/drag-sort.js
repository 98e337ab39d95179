// @ts-check
/**
 * Drag and drop of list items by mouse, pen and finger. Nothing moves in the page before the drop:
 * a line shows where the item would go, so that live updates and a drag do not disturb each other.
 */

import { element } from "./dom.js";
import { isSamePlace, lineOf, placeAt } from "./drop-place.js";

/** @import {SortItem, SortList} from "./drop-place.js" */

const LIFT_PX = 5;
const EDGE_PX = 60;
const SCROLL_PX = 12;

/**
 * A drag that has begun. The item is lifted once the pointer has moved far enough.
 *
 * @typedef {object} Drag
 * @property {SortItem} item
 * @property {string} from  The key of its list.
 * @property {number} pointer
 * @property {number} startX
 * @property {number} startY
 * @property {number} x
 * @property {number} y
 * @property {boolean} lifted
 */

/** Drags of the items of some lists that lie within one element. */
export class DragSort {
  /** @type {Drag | null} */
  #drag = null;
  #ghost = element("div", { class: "ghost data", hidden: true });
  #line = element("div", { class: "drop-line", hidden: true });
  /** What is shown during a drag; the caller gives it a place that no list manages. */
  node = element("div", { class: "drag", "aria-hidden": "true" }, this.#ghost, this.#line);
  #root;
  #lists;
  #onDrop;

  /**
   * @param {HTMLElement} root
   * @param {() => SortList[]} lists
   * @param {(id: string, from: string, to: string, before: string | null) => void} onDrop
   */
  constructor(root, lists, onDrop) {
    this.#root = root;
    this.#lists = lists;
    this.#onDrop = onDrop;
    root.addEventListener("pointerdown", (event) => this.#down(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    root.addEventListener("pointerup", (event) => this.#up(event));
    root.addEventListener("pointercancel", () => this.#end());
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const grip = event.target instanceof Element ? event.target.closest(".grip") : null;
    if (!grip || event.button !== 0 || this.#drag) return;
    for (const { key, items } of this.#lists()) {
      const item = items.find(({ node }) => node.contains(grip));
      if (!item) continue;
      event.preventDefault();
      const { pointerId: pointer, clientX: x, clientY: y } = event;
      this.#drag = { item, from: key, pointer, startX: x, startY: y, x, y, lifted: false };
      this.#root.setPointerCapture(pointer);
      return;
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const drag = this.#drag;
    if (!drag || event.pointerId !== drag.pointer) return;
    drag.x = event.clientX;
    drag.y = event.clientY;
    const far = Math.hypot(drag.x - drag.startX, drag.y - drag.startY);
    if (!drag.lifted && far >= LIFT_PX) this.#lift(drag);
    if (drag.lifted) this.#show(drag);
  }

  /** @param {Drag} drag */
  #lift(drag) {
    drag.lifted = true;
    drag.item.node.classList.add("lifted");
    this.#ghost.textContent = drag.item.label;
    this.#ghost.hidden = false;
    window.addEventListener("keydown", this.#key, { capture: true });
    this.#scroll();
  }

  /** @param {Drag} drag */
  #show(drag) {
    this.#ghost.style.translate = `${drag.x + 12}px ${drag.y - 14}px`;
    const place = placeAt(this.#lists(), drag);
    this.#line.hidden = place === null;
    if (!place) return;
    const { top, left, width } = lineOf(place, drag.item);
    this.#line.style.translate = `${left}px ${top}px`;
    this.#line.style.width = `${width}px`;
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const drag = this.#drag;
    if (!drag || event.pointerId !== drag.pointer) return;
    const place = drag.lifted ? placeAt(this.#lists(), drag) : null;
    this.#end();
    if (!place || isSamePlace(drag, place)) return;
    this.#onDrop(drag.item.id, drag.from, place.list.key, place.before?.id ?? null);
  }

  #key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.#end();
  };

  #end() {
    const drag = this.#drag;
    this.#drag = null;
    window.removeEventListener("keydown", this.#key, { capture: true });
    drag?.item.node.classList.remove("lifted");
    this.#ghost.hidden = true;
    this.#line.hidden = true;
    if (drag && this.#root.hasPointerCapture(drag.pointer)) {
      this.#root.releasePointerCapture(drag.pointer);
    }
  }

  /** Near the edge of what can be seen, the list scrolls along. */
  #scroll() {
    const drag = this.#drag;
    if (!drag) return;
    const dialog = this.#root.closest("dialog");
    const scroller = dialog ?? document.scrollingElement;
    const { top, bottom } = dialog?.getBoundingClientRect() ?? {
      top: 0,
      bottom: window.innerHeight,
    };
    const step = drag.y < top + EDGE_PX ? -SCROLL_PX : drag.y > bottom - EDGE_PX ? SCROLL_PX : 0;
    if (step) {
      scroller?.scrollBy(0, step);
      this.#show(drag);
    }
    requestAnimationFrame(() => this.#scroll());
  }
}
