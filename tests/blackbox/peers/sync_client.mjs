// The official @atproto/sync consumer, which proves every commit: node sync_client.mjs SERVICE DIRECTORY
import { IdResolver } from '@atproto/identity'
import { Firehose, MemoryRunner } from '@atproto/sync'
import { serve } from './line.mjs'

const [service, plcUrl] = process.argv.slice(2)
const idResolver = new IdResolver({ plcUrl, fetch: globalThis.fetch })
// Names under .test have no DNS: the service itself says whose they are.
idResolver.handle.resolve = async (handle) => {
  const answer = await fetch(`${service}/xrpc/com.atproto.identity.resolveHandle?handle=${handle}`)
  return answer.ok ? (await answer.json()).did : undefined
}

const events = []
const errors = []
const told = (error) => [error?.message, ...(error?.cause ? [told(error.cause)].flat() : [])]
let firehose
let runner

// Events are what was proven: an operation whose proof fails would be an error, or missing.
// With a key, the directory is held to name that one for every account.
function start({ cursor = 0, key }) {
  if (key) idResolver.did.resolveAtprotoKey = async () => key
  runner = new MemoryRunner({ startCursor: cursor })
  firehose = new Firehose({
    service: service.replace(/^http/, 'ws'),
    idResolver,
    runner,
    unauthenticatedCommits: false,
    unauthenticatedHandles: false,
    handleEvent: ({ event, seq, did, rev, collection, rkey, cid, handle, active, status, record }) => {
      events.push({ event, seq, did, rev, collection, rkey, cid: cid?.toString(), handle, active, status, text: record?.text })
    },
    onError: (error) => errors.push(told(error).join(': ')),
  })
  firehose.start()
}

// The runner finishes what it has begun: its own destroy() can wait forever for what it dropped.
async function stop() {
  await firehose.destroy()
  await runner.processAll()
  return { cursor: runner.getCursor() }
}

await serve({ start, stop, seen: ({ since = 0 }) => ({ events: events.slice(since), errors }) })
