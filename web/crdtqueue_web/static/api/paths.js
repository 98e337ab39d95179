// @ts-check
/** The addresses of what the API offers, below its base. Names and ids are escaped here. */

/**
 * The query of an address, with its question mark. A part that is empty or null is left out.
 *
 * @param {Record<string, string | number | null>} parts
 */
export function query(parts) {
  const given = Object.entries(parts).filter(([, value]) => value !== null && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

/** @param {string} queue */
export function queuePath(queue) {
  return `queues/${encodeURIComponent(queue)}`;
}

/**
 * @param {string} queue
 * @param {string} id
 */
export function jobPath(queue, id) {
  return `${queuePath(queue)}/jobs/${encodeURIComponent(id)}`;
}

/**
 * @param {string} queue
 * @param {string} id
 * @param {string} set
 */
export function setPath(queue, id, set) {
  return `${jobPath(queue, id)}/sets/${encodeURIComponent(set)}`;
}

/** @param {string} event */
export function scriptPath(event) {
  return `printer/scripts/${encodeURIComponent(event)}`;
}
