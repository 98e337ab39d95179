// @ts-check
/** The place in a list at which a dragged item would be dropped. */

/**
 * An item that can be dragged by the `.grip` in it, and a list of such items. A drop within `area`
 * puts the item into the list.
 *
 * @typedef {{id: string, label: string, node: HTMLElement}} SortItem
 * @typedef {{key: string, area: HTMLElement, items: SortItem[]}} SortList
 *
 * @typedef {{list: SortList, before: SortItem | null}} Place  `before` is null at the end.
 */

/**
 * The list below the pointer, and the first item in it whose middle is below the pointer.
 *
 * @param {SortList[]} lists
 * @param {{x: number, y: number, item: SortItem}} drag  The pointer and the dragged item.
 * @returns {Place | null}  Null outside of all lists.
 */
export function placeAt(lists, { x, y, item }) {
  const list = lists.find(({ area }) => {
    const { left, right, top, bottom } = area.getBoundingClientRect();
    return x >= left && x <= right && y >= top && y <= bottom;
  });
  if (!list) return null;
  const others = list.items.filter(({ id }) => id !== item.id);
  return { list, before: others.find(({ node }) => middle(node) > y) ?? null };
}

/** @param {HTMLElement} node */
function middle(node) {
  const { top, height } = node.getBoundingClientRect();
  return top + height / 2;
}

/**
 * Where a line marks the place.
 *
 * @param {Place} place
 * @param {SortItem} moved
 */
export function lineOf({ list, before }, moved) {
  const last = list.items.filter(({ id }) => id !== moved.id).at(-1);
  const beside = (before ?? last)?.node ?? list.area;
  const { top, bottom, left, width } = beside.getBoundingClientRect();
  return { top: before ? top : bottom, left, width };
}

/**
 * Whether a drop at the place would leave the item where it is.
 *
 * @param {{item: SortItem, from: string}} drag  The item, and the key of its list.
 * @param {Place} place
 */
export function isSamePlace({ item, from }, { list, before }) {
  const index = list.items.findIndex(({ id }) => id === item.id);
  return list.key === from && list.items[index + 1]?.id === before?.id;
}
