// @ts-check
/** Makes jobs of .gjob files, one after the other, and says how it goes. */

import { percent, sentenceOf } from "../ui/format.js";

/** @import {Api} from "../api/api.js" */
/** @import {Notices} from "../ui/notices.js" */

/**
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
