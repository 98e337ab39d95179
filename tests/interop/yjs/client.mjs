// Stock clients of a peer's queue for the tests: yjs and y-websocket as anybody would use them. One
// JSON command a line on stdin, one JSON answer a line on stdout. Clients are kept by name.
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

const clients = new Map()

function join ({ name, url, room }) {
  const document = new Y.Doc()
  const provider = new WebsocketProvider(url, room, document, {
    WebSocketPolyfill: WebSocket,
    disableBc: true,
    maxBackoffTime: 200
  })
  const client = { document, provider, closed: 0 }
  provider.on('connection-close', () => { client.closed += 1 })
  clients.set(name, client)
}

function leave ({ name }) {
  const { document, provider } = clients.get(name)
  provider.destroy()
  document.destroy()
  clients.delete(name)
}

function edit ({ name, changes }) {
  const { document } = clients.get(name)
  document.transact(() => {
    for (const { root, key, value } of changes) {
      if (value === undefined) document.getMap(root).delete(key)
      else document.getMap(root).set(key, value)
    }
  })
}

function state ({ name, roots }) {
  const { document, provider, closed } = clients.get(name)
  const content = Object.fromEntries(roots.map((root) => [root, document.getMap(root).toJSON()]))
  const stateVector = Buffer.from(Y.encodeStateVector(document)).toString('hex')
  return { content, state_vector: stateVector, synced: provider.synced, closed }
}

const nest = (depth) => (depth ? [nest(depth - 1)] : 1)

// What a Yjs document can hold and a queue's cannot.
const mischief = {
  'a map in a map': (y) => y.getMap('jobs').set('x', new Y.Map([['a', 1]])),
  'an array in a map': (y) => y.getMap('jobs').set('x', Y.Array.from([1, 2])),
  'a text in a map': (y) => y.getMap('jobs').set('x', new Y.Text('text')),
  'xml in a map': (y) => y.getMap('jobs').set('x', new Y.XmlElement('p')),
  'a document in a map': (y) => y.getMap('jobs').set('x', new Y.Doc()),
  'bytes in a map': (y) => y.getMap('jobs').set('x', new Uint8Array([1, 2])),
  'undefined in a map': (y) => y.getMap('jobs').set('x', { a: undefined }),
  'a bigint in a map': (y) => y.getMap('jobs').set('x', { a: 2n ** 60n }),
  'no number in a map': (y) => y.getMap('jobs').set('x', NaN),
  'infinity in a map': (y) => y.getMap('jobs').set('x', -Infinity),
  'a large value': (y) => y.getMap('jobs').set('x', 'x'.repeat(70_000)),
  'a deep value': (y) => y.getMap('jobs').set('x', nest(40)),
  'a long key': (y) => y.getMap('jobs').set('x'.repeat(300), 1),
  'an empty key': (y) => y.getMap('jobs').set('', 1),
  'a map of another name': (y) => y.getMap('elsewhere').set('x', 1),
  'an array of another name': (y) => y.getArray('list').push([1, 2, 3]),
  'a text of another name': (y) => y.getText('note').insert(0, 'hello'),
  'an array where a map is': (y) => y.getArray('jobs').push([1]),
  'a text where a map is': (y) => y.getText('jobs').insert(0, 'hello', { bold: true }),
  'xml where a map is': (y) => y.getXmlFragment('jobs').push([new Y.XmlText('hello')])
}

function misbehave ({ name, how }) {
  const { document } = clients.get(name)
  document.transact(() => mischief[how](document))
}

function aware ({ name, fields }) {
  clients.get(name).provider.awareness.setLocalState(fields)
}

const commands = { join, leave, edit, state, misbehave, aware }

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  process.stdout.write(JSON.stringify(commands[command.do](command) ?? null) + '\n')
}
for (const name of [...clients.keys()]) leave({ name })
