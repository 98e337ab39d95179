// @ts-check
/** What every part of the view can use: the API, the present state, the dialogs. */

/** @import {Api} from "../api/api.js" */
/** @import {Place} from "../api/saved-edits.js" */
/** @import {OwnPrinter, QueueView} from "../api/types.js" */
/** @import {Question} from "./dialog.js" */
/** @import {MenuItem} from "./menu.js" */
/** @import {Notices} from "./notices.js" */

/**
 * The dialogs that the parts of the view may open.
 *
 * @typedef {object} DialogContext
 * @property {(question: Question) => Promise<boolean>} confirm
 * @property {(queue: string, files?: File[]) => void} addJob
 * @property {(queue: string, id: string) => Promise<void>} editJob
 * @property {(job?: {id: string, name: string}) => void} showHistory
 * @property {() => void} newQueue
 * @property {() => void} editLoaded  Opens the dialog for the loaded materials.
 * @property {() => void} editScripts
 * @property {(queue: string) => void} editSettings
 *
 * What the parts of the view can use beside the dialogs.
 *
 * @typedef {object} Surroundings
 * @property {() => Api} api
 * @property {() => boolean} readonly  Whether this person may change nothing.
 * @property {() => boolean} maySet  Whether this person may change settings, and with them scripts.
 * @property {(button: HTMLElement, work: () => Promise<unknown>) => Promise<void>} perform
 *   Runs an action; the button is busy meanwhile, and an error is shown.
 * @property {(anchor: HTMLElement, label: string, items: MenuItem[]) => void}
 *   menu  Opens a menu at a button.
 * @property {Notices} notices
 * @property {() => QueueView[]} queues
 * @property {() => OwnPrinter | null} printer  The printer of this peer.
 * @property {() => number} age_s  The age of the state that is shown.
 * @property {(place: Place, fields: Record<string, unknown>,
 *   work: () => Promise<unknown>) => Promise<void>} save
 *   Saves fields by calling `work`. From then on the view shows the new values, also while the peer
 *   still sends older states.
 * @property {(queue: string, files: File[]) => void} importJobs  Makes jobs of .gjob files.
 *
 * @typedef {Surroundings & DialogContext} ViewContext
 */

export {};
