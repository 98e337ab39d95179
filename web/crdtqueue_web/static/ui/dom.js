// @ts-check
/** Small helpers to build and update elements. Data gets in as text only, never as markup. */

/** @typedef {string | number | boolean | null | undefined} AttributeValue */
/** @typedef {Node | string | null} Child */

/**
 * Handlers of events, by the type of the event.
 *
 * @typedef {{[K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void}} Handlers
 */

/**
 * Makes an element. The attribute `on` is an object of event handlers. An attribute with the value
 * true is empty; one with false, null or undefined is left out.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, AttributeValue | Handlers>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value !== "object" || value === null) setAttribute(node, name, value);
    else listen(node, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/**
 * @param {Element} node
 * @param {Handlers} handlers
 */
function listen(node, handlers) {
  for (const [type, handler] of Object.entries(handlers)) {
    // `Object.entries` forgets that each handler takes the event of its own type.
    node.addEventListener(type, /** @type {EventListener} */ (handler));
  }
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {AttributeValue} value
 */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/**
 * Sets the text of an element, and hides the element if the text is empty. The same text is not set
 * again, so that a selection in it stays.
 *
 * @param {HTMLElement} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
  node.hidden = text === "";
}

/** @type {WeakMap<Element, string>} */
const builtFrom = new WeakMap();

/**
 * Rebuilds the children of a node if the data that they show has changed. The focus goes to the
 * child in the same place, for instance from Pause to Resume.
 *
 * @param {HTMLElement} node
 * @param {unknown} data  JSON.
 * @param {() => Child[]} build
 */
export function rebuild(node, data, build) {
  const key = JSON.stringify(data);
  if (builtFrom.get(node) === key) return;
  builtFrom.set(node, key);
  const children = build().filter((child) => child !== null);
  const focused = [...node.children].findIndex((child) => child.matches(":focus"));
  node.replaceChildren(...children);
  node.hidden = children.length === 0;
  const successor = node.children[focused] ?? node.lastElementChild;
  if (focused >= 0 && successor instanceof HTMLElement) successor.focus();
}

/**
 * @template T
 * @typedef {{node: HTMLElement, update: (item: T) => void}} Part
 */

/**
 * Shows a list of items as parts, one for each key. The nodes of keys that stay are kept, and with
 * them the focus, the selection and open folds.
 *
 * @template T
 * @template {Part<T>} P
 */
export class KeyedList {
  /** @type {P[]}  What is shown now, from the top. */
  parts = [];
  /** @type {Map<string, P>} */
  #parts = new Map();
  #container;
  #create;

  /**
   * @param {HTMLElement} container
   * @param {() => P} create
   */
  constructor(container, create) {
    this.#container = container;
    this.#create = create;
  }

  /**
   * @param {T[]} items
   * @param {(item: T) => string} keyOf
   */
  update(items, keyOf) {
    this.#dropAllBut(new Set(items.map(keyOf)));
    const focused = this.#container.querySelector(":focus");
    this.parts = items.map((item) => this.#part(keyOf(item)));
    this.parts.forEach((part, index) => {
      const there = this.#container.children[index] ?? null;
      if (there !== part.node) this.#container.insertBefore(part.node, there);
      part.update(/** @type {T} */ (items[index]));
    });
    if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
  }

  /** @param {string} key */
  #part(key) {
    const part = this.#parts.get(key) ?? this.#create();
    this.#parts.set(key, part);
    return part;
  }

  /** @param {Set<string>} keys */
  #dropAllBut(keys) {
    for (const [key, { node }] of this.#parts) {
      if (keys.has(key)) continue;
      if (node.matches(":focus-within")) focusNear(node);
      node.remove();
      this.#parts.delete(key);
    }
  }
}

/**
 * Moves the focus from a node that is about to be removed to its neighbour.
 *
 * @param {HTMLElement} node
 */
function focusNear(node) {
  const neighbour = node.nextElementSibling ?? node.previousElementSibling;
  const target = neighbour?.querySelector("button") ?? node.closest("section");
  if (target instanceof HTMLElement) target.focus();
}
