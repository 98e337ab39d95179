// @ts-check

/**
 * The query of an address, with its question mark; what is empty or null is left out.
 *
 * @param {Record<string, string | number | null>} parts
 */
export function query(parts) {
  const given = Object.entries(parts).filter(([, value]) => value !== null && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}
