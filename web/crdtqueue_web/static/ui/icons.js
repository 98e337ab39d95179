// @ts-check
/** The icons of the view, drawn as lines on a square of 16 units. */

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  add: "M8 3v10M3 8h10",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2.2v2.9h-2.9",
  bottom: "M8 3v8M4.8 8L8 11.2 11.2 8M3.5 13.8h9",
  check: "M3 8.5l3.2 3.2L13 4.8",
  clock: "M8 4.5V8l2.3 1.6M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M6 6h7v7.5H6zM3 10V2.5h7",
  down: "M8 3v10M4.2 9.2L8 13l3.8-3.8",
  download: "M8 3v8M4.8 8L8 11.2 11.2 8M3 10.5v3h10v-3",
  edit: "M3 13l.6-3L10.8 2.8l2.4 2.4L6 12.4zM9.2 4.4l2.4 2.4",
  grip: "M6 4v.1M10 4v.1M6 8v.1M10 8v.1M6 12v.1M10 12v.1",
  history: "M2.6 6A5.8 5.8 0 1 1 2.3 9M2.4 2.8V6h3.2M8 5v3.2l2 1.4",
  leave: "M6.5 2.5h-3v11h3M7 8h7M11 5l3 3-3 3",
  more: "M3.4 7.9h.2v.2h-.2zM7.9 7.9h.2v.2h-.2zM12.4 7.9h.2v.2h-.2z",
  move: "M2.5 8h10M9 4.5L12.5 8 9 11.5",
  open: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 4.8-1",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2l7.5 4.8L5 12.8z",
  printer: "M3 14V3h10v11M1.5 14h13M6 3v3h4V3M8 6v2.2M5.5 11.5h5v2.5h-5z",
  remove: "M3 4.5h10M6.3 4.5V2.8h3.4v1.7M4.3 4.5l.6 8.7h6.2l.6-8.7",
  restore: "M3 7h6.5a3.5 3.5 0 0 1 0 7H6M6 3.8L2.8 7 6 10.2",
  script: "M5 4L1.5 8 5 12M11 4l3.5 4-3.5 4",
  settings:
    "M2 5h7M12 5h2M2 11h2M7 11h7M10.5 6.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z" +
    "M5.5 12.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z",
  spool: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z",
  stop: "M4 4h8v8H4z",
  top: "M8 13V5M4.8 8L8 4.8 11.2 8M3.5 2.2h9",
  up: "M8 13V3M4.2 6.8L8 3l3.8 3.8",
  upload: "M8 11V3M4.8 6L8 2.8 11.2 6M3 10.5v3h10v-3",
  warning: "M8 6.2v3.3M8 11.6v.1M8 2.2L14.5 13.5h-13z",
};

/** @typedef {keyof typeof ICONS} IconName */

/** @param {IconName} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
