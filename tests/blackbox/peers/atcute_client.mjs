// An independent client, @atcute/client, and its readers of repositories: node atcute_client.mjs SERVICE
import * as CAR from '@atcute/car'
import * as CBOR from '@atcute/cbor'
import * as CID from '@atcute/cid'
import { Client, ok, simpleFetchHandler } from '@atcute/client'
import { P256PublicKey, Secp256k1PublicKey, parseDidKey } from '@atcute/crypto'
import { MemoryBlockStore, NodeStore, NodeWalker, NodeWrangler } from '@atcute/mst'
import { fromStream, isCommit, verifyRecord } from '@atcute/repo'
import { base64, bytes, serve } from './line.mjs'

const fetchFrom = simpleFetchHandler({ service: process.argv[2] })
let token
const rpc = new Client({
  handler: (path, init) => {
    const headers = new Headers(init.headers)
    if (token) headers.set('authorization', `Bearer ${token}`)
    return fetchFrom(path, { ...init, headers })
  },
})

// A query is asked with params; a procedure with input (JSON), a body (base64) of a media type, or nothing.
async function call({ nsid, params, input, body, mimeType, method = input || body ? 'post' : 'get', as = 'json' }) {
  const sent = body ? { input: bytes(body), headers: { 'content-type': mimeType } } : { input }
  const data = ok(await rpc[method](nsid, { params, as, ...(method === 'post' ? sent : {}) }))
  return data instanceof Uint8Array ? base64(data) : data
}

const publicKey = (key) => {
  const { type, publicKeyBytes } = parseDidKey(key)
  return (type === 'p256' ? P256PublicKey : Secp256k1PublicKey).importRaw(publicKeyBytes)
}

// The records of an export read as a stream, each proven again by an answer of sync.getRecord.
async function repo({ did, key }) {
  const reader = fromStream(ok(await rpc.get('com.atproto.sync.getRepo', { params: { did }, as: 'stream' })))
  const verifier = await publicKey(key)
  const records = {}
  for await (const { collection, rkey, cid, record } of reader) {
    const carBytes = ok(await rpc.get('com.atproto.sync.getRecord', { params: { did, collection, rkey }, as: 'bytes' }))
    const proven = await verifyRecord({ did, collection, rkey, publicKey: verifier, carBytes })
    if (proven.cid !== cid.$link) throw new Error(`${collection}/${rkey} is ${cid.$link} in the export and ${proven.cid} in its proof`)
    records[`${collection}/${rkey}`] = { cid: cid.$link, record }
  }
  if (reader.missingBlocks.length) throw new Error(`missing: ${JSON.stringify(reader.missingBlocks)}`)
  return records
}

// The blocks of a CAR, each held to its CID, and the commit at its root, held to the key.
async function opened(car, did, key) {
  const blocks = new Map()
  const reader = CAR.fromUint8Array(bytes(car))
  for (const { cid, bytes: block } of reader) {
    const name = CID.toString(await CID.create(cid.codec, block))
    if (name !== CID.toString(cid)) throw new Error(`${CID.toString(cid)} is the block of ${name}`)
    blocks.set(name, block)
  }
  const commit = CBOR.decode(blocks.get(reader.roots[0].$link))
  if (!isCommit(commit) || commit.did !== did) throw new Error('not a commit of this repository')
  const { sig, ...unsigned } = commit
  if (!(await (await publicKey(key)).verify(CBOR.fromBytes(sig), CBOR.encode(unsigned)))) throw new Error('the signature is not by the key')
  return { commit, blocks }
}

// One #commit of the firehose: its operations are undone from its own blocks; the root that is left.
async function invert({ car, did, key, ops }) {
  const { commit, blocks } = await opened(car, did, key)
  const wrangler = new NodeWrangler(new NodeStore(new MemoryBlockStore(blocks)))
  let root = commit.data.$link
  for (const { action, path, cid, prev } of ops) {
    if (cid && !blocks.has(cid)) throw new Error(`no block of ${path}`)
    const held = await (await NodeWalker.create(wrangler.ns, root)).findRpath(path)
    if ((held?.$link ?? null) !== (cid ?? null)) throw new Error(`${path} is ${held?.$link} in the tree and ${cid} in the op`)
    root = action === 'create' ? await wrangler.deleteRecord(root, path) : await wrangler.putRecord(root, path, { $link: prev })
  }
  return { rev: commit.rev, data: commit.data.$link, before: root }
}

await serve({ call, repo, invert, use: (given) => { token = given.token } })
