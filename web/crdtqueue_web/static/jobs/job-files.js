// @ts-check
/** Jobs as .gjob files: how they are imported and exported. */

import { element } from "../ui/dom.js";
import { percent, sentenceOf } from "../ui/format.js";

/** @import {Api} from "../api/api.js" */
/** @import {JobCalls} from "../api/job-calls.js" */
/** @import {Notices} from "../ui/notices.js" */

export const JOB_FILE_TYPE = ".gjob";
/** By then the browser has begun to save the file, and does not need its address any more. */
const DOWNLOAD_MS = 60_000;

/** @param {{name: string}} file */
export function isJobFile(file) {
  return file.name.toLowerCase().endsWith(JOB_FILE_TYPE);
}

/**
 * Makes jobs of .gjob files, one after the other, and reports the progress of each.
 *
 * @param {Api} api
 * @param {Notices} notices
 * @param {string} queue
 * @param {File[]} files
 */
export async function importJobs(api, notices, queue, files) {
  for (const file of files) {
    const running = notices.running(`Importing ${file.name} …`);
    const say = (/** @type {number} */ part) =>
      running.say(`Importing ${file.name}: ${part < 1 ? percent(part) : "being unpacked"} …`);
    try {
      await api.jobs.importFile(queue, file, say, new AbortController().signal);
      notices.info(`${file.name} is a job of ${queue} now.`);
    } catch (error) {
      notices.error(`${file.name}: ${sentenceOf(error)}`);
    } finally {
      running.end();
    }
  }
}

/**
 * Saves a job, with its g-code files, as a .gjob file.
 *
 * @param {JobCalls} jobs
 * @param {string} queue
 * @param {{id: string, name: string}} job
 */
export async function exportJob(jobs, queue, { id, name }) {
  download(await jobs.exportFile(queue, id), `${name}${JOB_FILE_TYPE}`);
}

/**
 * Saves data as a file, as a click on a link to it would.
 *
 * @param {Blob} data
 * @param {string} name
 */
function download(data, name) {
  const href = URL.createObjectURL(data);
  element("a", { href, download: name }).click();
  window.setTimeout(() => URL.revokeObjectURL(href), DOWNLOAD_MS);
}
