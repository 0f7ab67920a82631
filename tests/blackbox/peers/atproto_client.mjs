// The official @atproto/api client as a person uses it: node atproto_client.mjs SERVICE
import { AppBskyFeedPost, AtpAgent, RichText, jsonToLex } from '@atproto/api'
import { base64, bytes, serve } from './line.mjs'

const agent = new AtpAgent({ service: process.argv[2] })

async function createAccount({ handle, email, password }) {
  await agent.createAccount({ handle, email, password })
  return { did: agent.did, session: agent.session }
}

async function login({ identifier, password }) {
  await agent.login({ identifier, password })
  return { did: agent.did, session: agent.session }
}

// Mentions, links and tags in the text become facets; images are [{body, mimeType, alt, width, height}].
async function post({ text, langs, images = [], reply }) {
  const rich = new RichText({ text })
  await rich.detectFacets(agent)
  const record = { text: rich.text, facets: rich.facets, langs, reply, createdAt: new Date().toISOString() }
  if (images.length) record.embed = { $type: 'app.bsky.embed.images', images: await Promise.all(images.map(upload)) }
  return { ...(await agent.post(record)), facets: rich.facets }
}

async function upload({ body, mimeType, alt, width, height }) {
  const { data } = await agent.uploadBlob(bytes(body), { encoding: mimeType })
  return { image: data.blob, alt, ...(width ? { aspectRatio: { width, height } } : {}) }
}

// Any other method by its NSID: params for a query, data for a procedure; a byte answer is base64.
async function answer({ nsid, params = {}, data, encoding }) {
  const got = await agent.call(nsid, params, data, encoding ? { encoding } : undefined)
  return { data: got.data instanceof Uint8Array ? base64(got.data) : got.data, headers: got.headers }
}

// Whether a record in JSON is a valid app.bsky.feed.post by the client's own lexicons; throws if not.
function validatePost({ record }) {
  const found = AppBskyFeedPost.validateRecord(jsonToLex(record))
  if (!found.success) throw found.error
}

await serve({
  validatePost, createAccount, login, post, answer,
  call: async (given) => (await answer(given)).data,
  logout: () => agent.logout(),
  refresh: async () => (await agent.resumeSession(agent.session)).data,
  deletePost: ({ uri }) => agent.deletePost(uri),
  like: ({ uri, cid }) => agent.like(uri, cid),
  repost: ({ uri, cid }) => agent.repost(uri, cid),
  follow: ({ did }) => agent.follow(did),
  setProfile: ({ profile }) => agent.upsertProfile((old) => ({ ...old, ...profile })),
})
