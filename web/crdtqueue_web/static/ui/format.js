// @ts-check
/** Numbers, durations and times as text for people. */

/** @import {Temperature} from "../api/types.js" */

/**
 * @param {number} seconds
 * @returns {string}  For instance "45 s", "12 min", "3 h 05 min", "2 days".
 */
export function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.max(0, Math.floor(seconds))} s`;
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) {
    return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  }
  return `${Math.floor(minutes / 1440)} days`;
}

/**
 * @param {number} seconds
 * @returns {string}  The same for the time that is left: it is rounded up.
 */
export function durationLeft(seconds) {
  const unit_s = seconds <= 60 ? 1 : 60;
  return duration(Math.ceil(seconds / unit_s) * unit_s);
}

/**
 * How long ago something was by the clock of another machine. A time in the future is just now.
 *
 * @param {number} at_s  Unix time.
 */
export function ago(at_s) {
  const past_s = Date.now() / 1000 - at_s;
  return past_s < 60 ? "just now" : `${duration(past_s)} ago`;
}

/** @param {number} at_s  Unix time. */
export function dateTime(at_s) {
  return new Date(at_s * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

/** @param {number} length_mm  Of filament. */
export function filament(length_mm) {
  return length_mm < 100 ? `${Math.round(length_mm)} mm` : `${(length_mm / 1000).toFixed(1)} m`;
}

/** @param {unknown} error  Whatever was thrown. */
export function sentenceOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {number} fraction */
export function percent(fraction) {
  return `${Math.floor(clamp(fraction) * 100)} %`;
}

/**
 * @param {number} fraction
 * @returns {number}  The fraction, limited to 0 to 1.
 */
export function clamp(fraction) {
  return Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0;
}

/** @param {number} bytes */
export function fileSize(bytes) {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export function counted(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * How long a print has run and, as soon as enough of it is done to tell, how long it still runs.
 *
 * @param {number | null} elapsed_s
 * @param {number | null} progress
 */
export function printTime(elapsed_s, progress) {
  if (elapsed_s === null) return "";
  const soFar = `${duration(elapsed_s)} so far`;
  if (progress === null || progress < 0.05 || progress >= 1) return soFar;
  return `${soFar}, about ${duration((elapsed_s * (1 - progress)) / progress)} left`;
}

/** @param {string} name  The name of a heater in the firmware, such as "tool0" or "bed". */
export function heaterName(name) {
  const tool = /^tool(\d+)$/.exec(name);
  if (tool) return tool[1] === "0" ? "Nozzle" : `Nozzle ${Number(tool[1]) + 1}`;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** @param {Temperature} temperature */
export function temperatureText({ actual_c, target_c }) {
  const actual = actual_c === null ? "–" : String(Math.round(actual_c));
  return target_c ? `${actual} / ${Math.round(target_c)} °C` : `${actual} °C`;
}
