// @ts-check
/** The standalone page: one view of the peer that served it. */

import { Api } from "./api/api.js";
import { CrdtqueueView } from "./crdtqueue-view.js";

const view = document.querySelector("crdtqueue-view");
if (view instanceof CrdtqueueView) {
  view.addEventListener("crdtqueue-state", (event) => {
    if (!(event instanceof CustomEvent)) return;
    document.title = `${event.detail.peer.name} – print queue`;
  });
  view.api = new Api(new URL("api", document.baseURI));
}

// A file that is dropped beside the view must not replace the page.
for (const type of ["dragover", "drop"]) {
  window.addEventListener(type, (event) => event.preventDefault());
}
