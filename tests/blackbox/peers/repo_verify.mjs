// Verifies repository exports, record proofs and firehose commits with @atproto/repo.
import {
  MemoryBlockstore, MST, Repo, def, readCarWithRoot, verifyCommitSig, verifyDiffCar,
  verifyProofs, verifyRecords, verifyRepoCar,
} from '@atproto/repo'
import { parseCid } from '@atproto/lex-data'
import { bytes, serve } from './line.mjs'

const text = (cid) => cid?.toString() ?? null

// The writes of a verified export or difference, in words that JSON has.
const described = (writes) =>
  writes.map(({ action, collection, rkey, cid, prev }) => ({ action, collection, rkey, cid: text(cid), prev: text(prev) }))

async function repo({ car, did, key }) {
  const { commit, creates } = await verifyRepoCar(bytes(car), did, key)
  return { commit: text(commit.cid), rev: commit.rev, creates: described(creates) }
}

// A `since` export or firehose CAR laid over a full export that was taken before it.
async function diff({ before, car, did, key }) {
  const { root, blocks } = await readCarWithRoot(bytes(before))
  const old = await Repo.load(new MemoryBlockstore(blocks), root)
  const { commit, writes } = await verifyDiffCar(old, bytes(car), did, key)
  return { commit: text(commit.cid), rev: commit.rev, since: commit.since, writes: described(writes) }
}

async function records({ car, did, key }) {
  return (await verifyRecords(bytes(car), did, key)).map(({ collection, rkey }) => ({ collection, rkey }))
}

// Claims are {collection, rkey, cid}; a null cid claims that there is no such record.
async function proof({ car, did, key, claims }) {
  const named = claims.map((claim) => ({ ...claim, cid: claim.cid && parseCid(claim.cid) }))
  const { verified, unverified } = await verifyProofs(bytes(car), named, did, key)
  return { verified: verified.length, unverified: unverified.length }
}

// One #commit of the firehose by itself: signature, head, each record read from its blocks, and the
// tree turned back to prevData by undoing the operations. Links in `ops` and `prevData` are CID texts.
async function commit({ car, did, key, ops, prevData }) {
  const { root, blocks } = await readCarWithRoot(bytes(car))
  const storage = new MemoryBlockstore(blocks)
  const head = await storage.readObj(root, def.commit)
  if (head.did !== did) throw new Error(`commit of ${head.did}`)
  if (!(await verifyCommitSig(head, key))) throw new Error('the signature is not by the key')
  let tree = MST.load(storage, head.data)
  for (const { action, path, cid, prev } of ops) {
    const held = await tree.get(path)
    if (text(held) !== (cid ?? null)) throw new Error(`${path} is ${text(held)} in the tree and ${cid} in the op`)
    if (cid) await storage.readRecord(parseCid(cid))
    if (action === 'create') tree = await tree.delete(path)
    else if (action === 'update') tree = await tree.update(path, parseCid(prev))
    else tree = await tree.add(path, parseCid(prev))
  }
  const before = text(await tree.getPointer())
  if (prevData && before !== prevData) throw new Error(`inverted to ${before} instead of ${prevData}`)
  return { commit: text(root), rev: head.rev, data: text(head.data), before }
}

await serve({ repo, diff, records, proof, commit })
