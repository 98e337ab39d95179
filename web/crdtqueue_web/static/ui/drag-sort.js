// @ts-check
/**
 * Drag and drop of list items by mouse, pen and finger. Nothing moves in the page before the drop:
 * a line shows where the item would go, so that live updates and a drag do not disturb each other.
 */

import { element } from "./dom.js";

const LIFT_PX = 5;
const EDGE_PX = 60;
const SCROLL_PX = 12;

/**
 * An item that can be dragged by the `.grip` in it, and a list of them. `area` is where a drop
 * goes to the list.
 *
 * @typedef {{id: string, label: string, node: HTMLElement}} SortItem
 * @typedef {{key: string, area: HTMLElement, items: SortItem[]}} SortList
 *
 * @typedef {{list: SortList, before: SortItem | null}} Target  `before` is null at the end.
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
export class Sorter {
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
    const target = this.#targetOf(drag);
    this.#line.hidden = target === null;
    if (!target) return;
    const { top, left, width } = lineOf(target, drag.item);
    this.#line.style.translate = `${left}px ${top}px`;
    this.#line.style.width = `${width}px`;
  }

  /**
   * @param {Drag} drag
   * @returns {Target | null}
   */
  #targetOf({ x, y, item }) {
    const list = this.#lists().find(({ area }) => {
      const { left, right, top, bottom } = area.getBoundingClientRect();
      return x >= left && x <= right && y >= top && y <= bottom;
    });
    if (!list) return null;
    const others = list.items.filter(({ id }) => id !== item.id);
    return { list, before: others.find(({ node }) => middle(node) > y) ?? null };
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const drag = this.#drag;
    if (!drag || event.pointerId !== drag.pointer) return;
    const target = drag.lifted ? this.#targetOf(drag) : null;
    this.#end();
    if (!target || isThereAlready(drag, target)) return;
    this.#onDrop(drag.item.id, drag.from, target.list.key, target.before?.id ?? null);
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

/** @param {HTMLElement} node */
function middle(node) {
  const { top, height } = node.getBoundingClientRect();
  return top + height / 2;
}

/**
 * @param {Target} target
 * @param {SortItem} moved
 */
function lineOf({ list, before }, moved) {
  const last = list.items.filter(({ id }) => id !== moved.id).at(-1);
  const beside = (before ?? last)?.node ?? list.area;
  const { top, bottom, left, width } = beside.getBoundingClientRect();
  return { top: before ? top : bottom, left, width };
}

/**
 * @param {Drag} drag
 * @param {Target} target
 */
function isThereAlready({ item, from }, { list, before }) {
  const index = list.items.findIndex(({ id }) => id === item.id);
  return list.key === from && list.items[index + 1]?.id === before?.id;
}
