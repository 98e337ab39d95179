// A stock Yjs replica for the tests. One JSON command a line on stdin, one JSON answer a line on
// stdout; bytes are hex. Documents are kept by name.
import { createInterface } from 'node:readline'
import * as Y from 'yjs'

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const bytes = (text) => new Uint8Array(Buffer.from(text, 'hex'))

const documents = new Map()

function open ({ name, client_id: clientId }) {
  const document = new Y.Doc()
  document.clientID = clientId
  const updates = []
  document.on('update', (update) => updates.push(hex(update)))
  documents.set(name, { document, updates })
}

function edit ({ name, changes }) {
  const { document } = documents.get(name)
  document.transact(() => {
    for (const { root, key, value } of changes) {
      if (value === undefined) document.getMap(root).delete(key)
      else document.getMap(root).set(key, value)
    }
  })
}

function apply ({ name, update }) {
  const { document } = documents.get(name)
  Y.applyUpdate(document, bytes(update))
  return { pending: document.store.pendingStructs !== null || document.store.pendingDs !== null }
}

function takeUpdates ({ name }) {
  return documents.get(name).updates.splice(0)
}

function content ({ name, roots }) {
  const { document } = documents.get(name)
  return Object.fromEntries(roots.map((root) => [root, document.getMap(root).toJSON()]))
}

const commands = {
  open,
  edit,
  apply,
  content,
  take_updates: takeUpdates,
  state_vector: ({ name }) => hex(Y.encodeStateVector(documents.get(name).document)),
  close: ({ name }) => documents.delete(name),
  diff: ({ name, state_vector: stateVector }) =>
    hex(Y.encodeStateAsUpdate(documents.get(name).document, bytes(stateVector))),
  merge: ({ updates }) => hex(Y.mergeUpdates(updates.map(bytes)))
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  process.stdout.write(JSON.stringify(commands[command.do](command) ?? null) + '\n')
}
