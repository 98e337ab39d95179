// @ts-check
/**
 * What a peer's API says, as JSDoc types. Everything here comes from other machines: show it as
 * text, never as markup.
 *
 * @typedef {{name: string, actual_c: number | null, target_c: number | null}} Temperature
 *
 * @typedef {object} PrinterView
 * @property {string} name
 * @property {string | null} profile
 * @property {"offline" | "idle" | "claiming" | "fetching" | "starting" | "printing" | "paused"
 *   | "cancelling" | "waiting_for_bed" | "stopped"} state
 * @property {string} text  A sentence for people.
 * @property {boolean} managing  Whether it takes jobs from its queue.
 * @property {boolean} bed_clear
 * @property {string | null} queue
 * @property {string | null} job_id
 * @property {string | null} file_name
 * @property {number | null} progress  From 0 to 1.
 * @property {number | null} elapsed_s
 * @property {Temperature[]} temperatures
 *
 * @typedef {object} QueuePeer
 * @property {string} id
 * @property {string} name
 * @property {string | null} profile  Null for a peer without a printer.
 * @property {boolean} self
 * @property {boolean} online
 * @property {number | null} heard_s  How long ago it was last heard.
 * @property {string | null} address
 * @property {PrinterView | null} printer
 *
 * @typedef {object} SetView
 * @property {string} id
 * @property {{sha256: string, name: string, size_bytes: number}} file
 * @property {number} copies
 * @property {string[]} profiles  Printers that it is made for; "ANY" fits all.
 * @property {number} done
 * @property {number} total
 *
 * @typedef {object} PrintingBy
 * @property {string} peer
 * @property {string} name
 * @property {number | null} progress  From 0 to 1.
 * @property {string} file_name
 *
 * @typedef {object} JobView
 * @property {string} id
 * @property {string} name
 * @property {number} runs
 * @property {number} copies_done
 * @property {number} copies_total
 * @property {"waiting" | "printing" | "paused" | "held" | "done"} state
 * @property {string} why  A sentence: why it is or is not being printed now.
 * @property {boolean} paused  Somebody holds it back; a copy that is being printed goes on.
 * @property {PrintingBy | null} printing_by
 * @property {string} created_by
 * @property {number} created_at_s  Unix time.
 * @property {boolean} safe_to_leave  Its files are on two peers or more.
 * @property {SetView[]} sets
 *
 * @typedef {object} QueueView
 * @property {string} name
 * @property {"available" | "safe"} mode
 * @property {boolean} open  Anyone on the network can use it.
 * @property {boolean} local  Only this peer has it.
 * @property {boolean} synced
 * @property {QueuePeer[]} peers
 * @property {JobView[]} jobs
 *
 * @typedef {object} PeerView
 * @property {string} id
 * @property {string} name
 * @property {string} version
 * @property {string} address
 * @property {string[]} problems
 *
 * @typedef {{peer: PeerView, printer: PrinterView | null, queues: QueueView[]}} State
 *
 * @typedef {object} UploadedFile
 * @property {string} sha256
 * @property {string} name
 * @property {number} size_bytes
 * @property {string | null} profile
 *
 * A file that the host of the view has already.
 *
 * @typedef {{name: string, size: number, path: string}} StoredFile
 *
 * @typedef {{sha256: string, name: string, copies: number, profiles: string[]}} NewSet
 * @typedef {{name: string, runs: number, sets: NewSet[]}} NewJob
 * @typedef {{name: string, peers: string[]}} NewQueue
 */

/**
 * What the parts of the view may do.
 *
 * @typedef {object} ViewContext
 * @property {() => import("./api.js").Api} api
 * @property {(button: HTMLButtonElement, work: () => Promise<unknown>) => Promise<void>} perform
 *   Runs an action; the button is busy meanwhile, and an error is shown.
 * @property {(question: import("./dialogs.js").Question) => Promise<boolean>} confirm
 * @property {(queue: string, files?: File[]) => void} addJob  Opens the dialog.
 * @property {() => string[]} sharedQueues  The names of the LAN queues.
 */

export {};
