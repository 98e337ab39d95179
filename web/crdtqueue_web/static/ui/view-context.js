// @ts-check
/** What the view lends to its parts: the API, what is shown now, and the dialogs. */

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
 * @property {() => void} editLoaded  What is loaded in the peer's own printer.
 * @property {() => void} editScripts
 * @property {(queue: string) => void} editSettings
 *
 * What they may do beside that.
 *
 * @typedef {object} Surroundings
 * @property {() => Api} api
 * @property {() => boolean} readonly  Whether nothing may be changed.
 * @property {() => boolean} maySet  Whether settings may be changed: with them goes any g-code.
 * @property {(button: HTMLElement, work: () => Promise<unknown>) => Promise<void>} perform
 *   Runs an action; the button is busy meanwhile, and an error is shown.
 * @property {(anchor: HTMLElement, label: string, items: MenuItem[]) => void}
 *   menu  Opens a menu at a button.
 * @property {Notices} notices
 * @property {() => QueueView[]} queues
 * @property {() => OwnPrinter | null} printer  This peer's own.
 * @property {() => number} age_s  How long ago the queues and the printer were as they are shown.
 * @property {(place: Place, fields: Record<string, unknown>,
 *   work: () => Promise<unknown>) => Promise<void>} save
 *   Saves fields by that work, and from then on shows them, though older states are on their way.
 * @property {(queue: string, files: File[]) => void} importJobs  Makes jobs of .gjob files.
 *
 * @typedef {Surroundings & DialogContext} ViewContext
 */

export {};
