// @ts-check
/**
 * What the API of a peer sends and takes, as JSDoc types. All text comes from other machines: show
 * it as text, never as markup.
 *
 * @typedef {{name: string, actual_c: number | null, target_c: number | null}} Temperature
 *
 * @typedef {object} PrinterView
 * @property {string} name
 * @property {string | null} profile
 * @property {"offline" | "idle" | "claiming" | "fetching" | "starting" | "printing" | "paused"
 *   | "cancelling" | "busy" | "script" | "cooling" | "waiting_for_bed" | "waiting_for_material"
 *   | "stopped" | "holding_back"} state
 * @property {string} text  A sentence for people.
 * @property {boolean} managing  Whether it takes jobs from its queues.
 * @property {boolean} bed_clear
 * @property {string | null} queue
 * @property {string | null} job_id
 * @property {string | null} file_name
 * @property {number | null} progress  From 0 to 1.
 * @property {number | null} elapsed_s
 * @property {Temperature[]} temperatures
 *
 * What a peer tells of its own printer only.
 *
 * @typedef {object} OwnFacts
 * @property {string[]} loaded  The material in each tool, "" where it is not known.
 * @property {boolean} asks_for_material  Whether a person has said what is loaded.
 * @property {Record<string, string>} missing  The material to load, by tool, counted from 0.
 * @property {string[]} scripts  The events that have a script.
 *
 * @typedef {PrinterView & OwnFacts} OwnPrinter
 *
 * @typedef {object} QueuePeer
 * @property {string} id
 * @property {string} name
 * @property {string | null} profile  Null for a peer without a printer.
 * @property {boolean} self
 * @property {boolean} online
 * @property {number | null} heard_s  How long ago it was last heard of; null while it is in sight.
 * @property {string | null} address
 * @property {PrinterView | null} printer
 *
 * @typedef {object} SetView
 * @property {string} id
 * @property {{sha256: string, name: string, size_bytes: number}} file
 * @property {number} copies  Wanted in each run.
 * @property {number} extra  Wanted beyond that in the present run.
 * @property {string[]} profiles  Printers that it is made for; "ANY" fits all.
 * @property {string[]} materials  The material that each tool needs; "" if any will do.
 * @property {number} run_done
 * @property {number} run_total
 * @property {number} done
 * @property {number} pending  Copies still to be printed, in all runs.
 * @property {number} total
 *
 * A part of a sentence: a text, the time since something happened, or the time until it happens.
 *
 * @typedef {string | {for_s: number} | {in_s: number}} SentencePart
 *
 * @typedef {object} PrintingBy
 * @property {string} peer
 * @property {string} name
 * @property {number | null} progress  From 0 to 1.
 * @property {string | null} file_name
 * @property {boolean} in_sight
 * @property {number | null} silent_s  How long it has been silent; null if only for a moment.
 * @property {number | null} takeover_in_s  When another printer may take over; null if never by
 *   itself.
 *
 * @typedef {object} DraftView
 * @property {string} by  The name of the peer on whose page the job is being edited.
 * @property {boolean} self  Whether that is this peer.
 * @property {number} for_s
 *
 * @typedef {object} JobView
 * @property {string} id
 * @property {string} name
 * @property {string} note
 * @property {number} runs
 * @property {number} run  The present run, counted from 1.
 * @property {number} copies_done
 * @property {number} copies_total
 * @property {number} doubles  Copies that two printers have printed.
 * @property {"waiting" | "printing" | "paused" | "blocked" | "done"} state
 * @property {string} why  A sentence that says why it is or is not being printed.
 * @property {SentencePart[] | null} why_parts  The same in parts, if it contains durations.
 * @property {boolean} paused  A person has paused it; a copy that is being printed goes on.
 * @property {boolean} deleting  It is deleted when the copy that is being printed is done.
 * @property {DraftView | null} draft
 * @property {PrintingBy | null} printing_by
 * @property {string} created_by
 * @property {number} created_at_s  Unix time.
 * @property {boolean} safe_to_leave  Its files are on two peers or more.
 * @property {SetView[]} sets
 *
 * @typedef {{id: string, name: string, created_at_s: number}} DeletedJob
 *
 * @typedef {object} QueueSettings
 * @property {"in-order" | "least-changes"} strategy
 * @property {"available" | "safe"} mode
 * @property {string[]} voters  The ids of the peers that must agree in safe mode.
 *
 * @typedef {object} QueueFacts
 * @property {string} name
 * @property {boolean} open  Anyone on the network can use it.
 * @property {boolean} local  Only this peer has it.
 * @property {boolean} synced
 * @property {string[]} voters_before  The ids of peers that must agree too until the change of the
 *   voters is complete.
 * @property {QueuePeer[]} peers
 * @property {JobView[]} jobs
 * @property {DeletedJob[]} deleted  The latest jobs that can be restored.
 *
 * @typedef {QueueSettings & QueueFacts} QueueView
 *
 * @typedef {object} PeerView
 * @property {string} id
 * @property {string} name
 * @property {string} version
 * @property {string} address
 * @property {string[]} problems
 * @property {boolean} store_damaged  Its store has lost something; the first problem says what.
 *
 * @typedef {{peer: PeerView, printer: OwnPrinter | null, queues: QueueView[]}} State
 *
 * @typedef {object} UploadedFile
 * @property {string} sha256
 * @property {string} name
 * @property {number} size_bytes
 * @property {string | null} profile
 * @property {string[]} materials  The materials of the tools, if the file names them.
 *
 * A file that the host of the view stores.
 *
 * @typedef {{name: string, size: number, path: string}} StoredFile
 *
 * @typedef {{sha256: string, name: string, copies: number, profiles: string[]}} NewSet
 * @typedef {{name: string, runs: number, draft: boolean, sets: NewSet[]}} NewJob
 * @typedef {{id: string}} Added
 * @typedef {{name: string, runs: number, note: string}} JobFields
 * @typedef {{copies: number, extra: number, profiles: string[], materials: string[]}} SetFields
 * @typedef {{name: string, peers: string[]}} NewQueue
 *
 * @typedef {object} HistoryEntry
 * @property {string} print_id
 * @property {string} queue
 * @property {string} job_id
 * @property {string} job_name
 * @property {string} file_name
 * @property {string} sha256
 * @property {string} peer
 * @property {string} printer_name
 * @property {string} profile
 * @property {"done" | "failed" | "aborted" | "cancelled"} result
 * @property {string} reason
 * @property {number} started_at_s  Unix time, by the printer's clock.
 * @property {number} ended_at_s
 * @property {number} bytes
 * @property {number} filament_mm
 * @property {number} generation  How often the job had been printed again before.
 * @property {number} run
 * @property {boolean} double  Another printer had printed this copy already.
 *
 * @typedef {{entries: HistoryEntry[], total: number, after: string}} HistoryPage
 *   `after` asks for the next page; it is empty on the last.
 *
 * The entries that are wanted. A field that is empty or null does not matter.
 *
 * @typedef {object} HistoryFilter
 * @property {string} text  A part of any text of the entry.
 * @property {string} printer  A name.
 * @property {string} job  A name or an id.
 * @property {string} result
 * @property {number | null} from_s  Unix time.
 * @property {number | null} to_s  Unix time; entries from this time on are left out.
 */

export {};
