// Moves an account between two hosts with the official @atproto/api: node migrate.mjs OLD NEW
import { AtpAgent } from '@atproto/api'
import { serve } from './line.mjs'

const old = new AtpAgent({ service: process.argv[2] })
const fresh = new AtpAgent({ service: process.argv[3] })
const AT_ONCE = 4

// Sign in, open the resting account, and bring over repository, blobs and preferences.
async function move({ handle, email, password }) {
  await old.login({ identifier: handle, password })
  const { did } = old.session
  const { data: described } = await fresh.com.atproto.server.describeServer()
  const { data: auth } = await old.com.atproto.server.getServiceAuth({
    aud: described.did, lxm: 'com.atproto.server.createAccount',
  })
  await fresh.com.atproto.server.createAccount(
    { handle, email, password, did },
    { headers: { authorization: `Bearer ${auth.token}` }, encoding: 'application/json' },
  )
  await fresh.login({ identifier: handle, password })
  const before = (await fresh.com.atproto.server.checkAccountStatus()).data

  const { data: car } = await old.com.atproto.sync.getRepo({ did })
  await fresh.com.atproto.repo.importRepo(car, { encoding: 'application/vnd.ipld.car' })

  let blobs = 0
  for (let cursor; ;) {
    const { data } = await fresh.com.atproto.repo.listMissingBlobs({ limit: 20, cursor })
    for (let at = 0; at < data.blobs.length; at += AT_ONCE) {
      await Promise.all(data.blobs.slice(at, at + AT_ONCE).map(async ({ cid }) => {
        const blob = await old.com.atproto.sync.getBlob({ did, cid })
        await fresh.com.atproto.repo.uploadBlob(blob.data, { encoding: blob.headers['content-type'] })
        blobs += 1
      }))
    }
    cursor = data.cursor
    if (!cursor || !data.blobs.length) break
  }

  const { data: preferences } = await old.app.bsky.actor.getPreferences()
  await fresh.app.bsky.actor.putPreferences(preferences)
  await old.com.atproto.identity.requestPlcOperationSignature()
  return { did, blobs, before, after: (await fresh.com.atproto.server.checkAccountStatus()).data }
}

// With the code of the letter: the identity leads to the new host, which then takes over.
async function finish({ code }) {
  const { data: wanted } = await fresh.com.atproto.identity.getRecommendedDidCredentials()
  const { data: signed } = await old.com.atproto.identity.signPlcOperation({ token: code, ...wanted })
  await fresh.com.atproto.identity.submitPlcOperation({ operation: signed.operation })
  await fresh.com.atproto.server.activateAccount()
  await old.com.atproto.server.deactivateAccount({})
  return (await fresh.com.atproto.server.checkAccountStatus()).data
}

await serve({ move, finish })
