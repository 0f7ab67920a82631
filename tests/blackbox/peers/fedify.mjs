// A small ActivityPub server on Fedify, on a free port of 127.0.0.1: node fedify.mjs NAME [rfc9421 | cavage]
// With FORGETS it asks anew for what it was told before. With PORT it listens there, with ORIGIN it is known by that origin to others.
import {
  InProcessMessageQueue, MemoryKvStore, createFederation, generateCryptoKeyPair, signRequest,
} from '@fedify/fedify'
import {
  Accept, Activity, Announce, Block, Collection, Create, Delete, EmojiReact, Endpoints, Flag, Follow, Like, Mention, Move,
  Note, PUBLIC_COLLECTION, Person, Question, QuoteAuthorization, QuoteRequest, Tombstone, Undo, Update,
} from '@fedify/vocab'
import { Temporal } from '@js-temporal/polyfill'
import { serve as listen } from '@hono/node-server'
import { serve } from './line.mjs'

const [name, scheme = 'rfc9421'] = process.argv.slice(2)
const { PORT = '0', ORIGIN, FORGETS } = process.env
// As it comes, Fedify takes an actor for what it was five minutes ago, its keys too.
class Forgetful extends MemoryKvStore {
  async set(key, ...rest) {
    if (!key.includes('remoteDocument')) await super.set(key, ...rest)
  }
}
const federation = createFederation({
  origin: ORIGIN,
  kv: FORGETS ? new Forgetful() : new MemoryKvStore(),
  queue: new InProcessMessageQueue(),
  allowPrivateAddress: true,
  firstKnock: scheme === 'cavage' ? 'draft-cavage-http-signatures-12' : 'rfc9421',
})
const keys = [await generateCryptoKeyPair('RSASSA-PKCS1-v1_5'), await generateCryptoKeyPair('Ed25519')]
const followers = new Map()
const notes = new Map()
const questions = new Map()
const stamps = new Map()
const votes = []
const sent = new Map()
const log = []
const known = { aliases: [], successor: null }

federation
  .setActorDispatcher('/users/{identifier}', async (ctx, identifier) => {
    if (identifier !== name) return null
    const pairs = await ctx.getActorKeyPairs(identifier)
    return new Person({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: identifier,
      inbox: ctx.getInboxUri(identifier),
      outbox: ctx.getOutboxUri(identifier),
      followers: ctx.getFollowersUri(identifier),
      aliases: known.aliases,
      successor: known.successor,
      endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      publicKey: pairs[0].cryptographicKey,
      assertionMethods: pairs.map((pair) => pair.multikey),
    })
  })
  .setKeyPairsDispatcher(() => keys)
federation
  .setFollowersDispatcher('/users/{identifier}/followers', () => ({ items: [...followers.values()] }))
  .setCounter(() => followers.size)
federation
  .setOutboxDispatcher('/users/{identifier}/outbox', () => ({ items: [] }))
  .setCounter(() => notes.size)
federation.setObjectDispatcher(Note, '/notes/{id}', (_ctx, { id }) => notes.get(id) ?? null)
federation.setObjectDispatcher(Question, '/questions/{id}', (_ctx, { id }) => questions.get(id) ?? null)
federation.setObjectDispatcher(QuoteAuthorization, '/stamps/{id}', (_ctx, { id }) => stamps.get(id) ?? null)
federation
  .setInboxListeners('/users/{identifier}/inbox', '/inbox')
  .on(Follow, async (ctx, follow) => {
    await remember(ctx, follow)
    const follower = await follow.getActor(ctx)
    followers.set(follower.id.href, follower)
    await send(follower, new Accept({ id: fresh('accepts'), actor: me(), object: follow }))
  })
  .on(QuoteRequest, async (ctx, request) => {
    await remember(ctx, request)
    const asker = await request.getActor(ctx)
    const id = fresh('stamps')
    const stamp = new QuoteAuthorization({
      id, attribution: me(), interactingObject: request.instrumentId, interactionTarget: request.objectId,
    })
    stamps.set(lastOf(id), stamp)
    await send(asker, new Accept({ id: fresh('accepts'), actor: me(), object: request, result: stamp.id, to: asker.id }))
  })
  .on(Create, async (ctx, create) => {
    await remember(ctx, create)
    const vote = await create.getObject(ctx)
    const asked = vote?.replyTargetId && questions.get(lastOf(vote.replyTargetId))
    if (asked && vote.name && !vote.content) votes.push({ actor: create.actorId.href, name: vote.name.toString() })
  })
  .on(Activity, remember)
  .onError((_ctx, error) => { log.push({ type: 'Error', error: String(error?.stack ?? error) }) })

const server = listen({ fetch: (request) => federation.fetch(request), port: Number(PORT), hostname: '127.0.0.1' })
if (!server.listening) await new Promise((done) => server.once('listening', done))
const base = new URL(ORIGIN ?? `http://127.0.0.1:${server.address().port}`)
const context = federation.createContext(base)
const me = () => context.getActorUri(name)
let count = 0
const fresh = (kind) => new URL(`/${kind}/${++count}`, base)
const lastOf = (id) => new URL(id).pathname.split('/').pop()
const plain = (thing) => thing.toJsonLd({ contextLoader: context.contextLoader })

// Only what Fedify accepted comes here: the document as received, and what its object shows.
async function remember(ctx, activity) {
  const entry = {
    type: activity.constructor.name,
    id: activity.id?.href,
    actor: activity.actorId?.href,
    object: activity.objectId?.href,
    document: await plain(activity),
  }
  if (activity instanceof Create || activity instanceof Update) entry.shows = await shown(await activity.getObject(ctx))
  log.push(entry)
}

async function shown(object) {
  const tags = await Array.fromAsync(object.getTags())
  const attachments = await Array.fromAsync(object.getAttachments())
  return {
    type: object.constructor.name,
    id: object.id?.href,
    content: object.content?.toString(),
    contents: object.contents?.map((text) => ({ text: text.toString(), language: text.locale?.toString() ?? text.language?.toString() })),
    url: object.url?.href?.toString(),
    inReplyTo: object.replyTargetId?.href,
    name: object.name?.toString(),
    summary: object.summary?.toString(),
    sensitive: object.sensitive,
    quote: object.quoteId?.href,
    quoteUrl: object.quoteUrl?.href,
    stamp: object.quoteAuthorizationId?.href,
    poll: object instanceof Question ? await pollOf(object) : undefined,
    tags: await Promise.all(tags.map(async (tag) => ({
      type: tag.constructor.name, name: tag.name?.toString(), href: tag.href?.href,
      icon: (await tag.getIcon?.())?.url?.href?.toString(),
    }))),
    attachments: attachments.map((file) => ({
      type: file.constructor.name, url: file.url?.href?.toString(), mediaType: file.mediaType, alt: file.name?.toString(),
      width: file.width, height: file.height,
    })),
  }
}

async function pollOf(question) {
  const exclusive = await Array.fromAsync(question.getExclusiveOptions())
  const inclusive = await Array.fromAsync(question.getInclusiveOptions())
  const options = []
  for (const option of [...exclusive, ...inclusive]) {
    options.push({ name: option.name?.toString(), votes: (await option.getReplies())?.totalItems })
  }
  return {
    options,
    many: inclusive.length > 0,
    voters: question.voters,
    ends: question.endTime?.toString(),
    closed: question.closed?.toString(),
  }
}

async function lookup(url) {
  const documentLoader = await context.getDocumentLoader({ identifier: name })
  const found = await context.lookupObject(url, { documentLoader })
  if (!found) throw new Error(`nothing found at ${url}`)
  return found
}

async function send(recipients, activity) {
  sent.set(activity.id.href, { activity, recipients })
  await context.sendActivity({ identifier: name }, recipients, activity, { immediate: true })
  return activity.id.href
}

// The person to tell about an object: its author.
async function authorOf(url) {
  const object = await lookup(url)
  return object.getAttribution({ documentLoader: await context.getDocumentLoader({ identifier: name }) })
}

async function publish({ text, reply, mention, audience }) {
  const id = fresh('notes')
  const note = new Note({
    id,
    attribution: me(),
    content: text,
    to: PUBLIC_COLLECTION,
    ccs: [context.getFollowersUri(name), ...(mention ? [mention.id] : [])],
    tags: mention ? [new Mention({ href: mention.id, name: `@${mention.preferredUsername}` })] : [],
    replyTarget: reply ? new URL(reply) : null,
    published: Temporal.Now.instant(),
  })
  notes.set(id.pathname.split('/').pop(), note)
  const parent = reply && notes.get(lastOf(reply))
  if (parent) {
    const answers = await parent.getReplies()
    const items = [...(answers?.itemIds ?? []), id]
    notes.set(lastOf(reply), parent.clone({ replies: new Collection({ items }) }))
  }
  await send(audience, new Create({ id: fresh('creates'), actor: me(), object: note, to: PUBLIC_COLLECTION }))
  return id.href
}

async function edit({ id, text }) {
  const key = new URL(id).pathname.split('/').pop()
  const note = notes.get(key).clone({ content: text })
  notes.set(key, note)
  return send(await audience(), new Update({ id: fresh('updates'), actor: me(), object: note, to: PUBLIC_COLLECTION }))
}

// Everyone who heard anything from this server, and its followers.
async function audience() {
  const heard = [...sent.values()].flatMap(({ recipients }) => recipients)
  return [...new Map([...heard, ...followers.values()].map((actor) => [actor.id.href, actor])).values()]
}

async function react(Kind, { object, emoji }) {
  const values = { id: fresh('reactions'), actor: me(), object: new URL(object), to: PUBLIC_COLLECTION }
  return send(await authorOf(object), new Kind(emoji ? { ...values, content: emoji } : values))
}

// Asks something: a Question of this server's, told to its followers.
async function ask({ text, options, seconds = 3600 }) {
  const id = fresh('questions')
  const question = new Question({
    id,
    attribution: me(),
    content: text,
    to: PUBLIC_COLLECTION,
    exclusiveOptions: options.map((option) => new Note({ name: option, replies: new Collection({ totalItems: 0 }) })),
    endTime: Temporal.Now.instant().add({ seconds }),
    published: Temporal.Now.instant(),
  })
  questions.set(lastOf(id), question)
  await send([...followers.values()], new Create({ id: fresh('creates'), actor: me(), object: question, to: PUBLIC_COLLECTION }))
  return id.href
}

// Chooses in a poll of another server.
async function vote({ object, choice }) {
  const author = await authorOf(object)
  const note = new Note({
    id: fresh('votes'), attribution: me(), name: choice, replyTarget: new URL(object), to: author.id,
  })
  return send(author, new Create({ id: fresh('creates'), actor: me(), object: note, to: author.id }))
}

// Asks to quote a post, in a note of this server's.
async function quote({ object, text }) {
  const id = fresh('notes')
  const note = new Note({
    id, attribution: me(), content: text, to: PUBLIC_COLLECTION, quote: new URL(object), published: Temporal.Now.instant(),
  })
  notes.set(lastOf(id), note)
  const author = await authorOf(object)
  const request = new QuoteRequest({
    id: fresh('requests'), actor: me(), object: new URL(object), instrument: note, to: author.id,
  })
  await send(author, request)
  return { note: id.href, request: request.id.href }
}

// Post an activity given as JSON to an inbox. `sign`: none; own; stranger (a key that is not the one named by
// key_id). `tamper` replaces the body after it was signed. Answers the status.
async function forge({ inbox, activity, sign = 'none', key_id: keyId = `${me().href}#main-key`, tamper }) {
  const headers = { 'content-type': 'application/activity+json' }
  let request = new Request(inbox, { method: 'POST', headers, body: JSON.stringify(activity) })
  if (sign !== 'none') {
    const pair = sign === 'own' ? keys[0] : await generateCryptoKeyPair('RSASSA-PKCS1-v1_5')
    const spec = scheme === 'cavage' ? 'draft-cavage-http-signatures-12' : 'rfc9421'
    request = await signRequest(request, pair.privateKey, new URL(keyId), { spec })
  }
  if (tamper) request = new Request(inbox, { method: 'POST', headers: request.headers, body: JSON.stringify(tamper) })
  return (await fetch(request)).status
}

// Everything in a collection, page after page: types with ids, and of activities what they are about.
async function walk({ url }) {
  const documentLoader = await context.getDocumentLoader({ identifier: name })
  const items = await Array.fromAsync(context.traverseCollection(await lookup(url), { documentLoader }))
  return items.map((item) => ({ type: item.constructor.name, id: item.id?.href, object: item.objectId?.href }))
}

// Deletes an object as its author's own client does: a Delete of Fedify's making, posted to the author's outbox.
async function author({ actor, object, token }) {
  const activity = await plain(new Delete({ actor: new URL(actor), object: new URL(object), to: PUBLIC_COLLECTION }))
  const { outboxId } = await lookup(actor)
  const headers = { 'content-type': 'application/activity+json', authorization: `Bearer ${token}` }
  return (await fetch(outboxId, { method: 'POST', headers, body: JSON.stringify(activity) })).status
}

await serve({
  block: async ({ actor }) => {
    const object = await lookup(actor)
    return send(object, new Block({ id: fresh('blocks'), actor: me(), object: object.id, to: object.id }))
  },
  flag: async ({ actor, objects, text }) => {
    const flag = new Flag({ id: fresh('flags'), actor: me(), objects: objects.map((url) => new URL(url)), content: text })
    return send(await lookup(actor), flag)
  },
  alias: ({ actor }) => { known.aliases = [new URL(actor)] },
  move: async ({ target }) => {
    known.successor = new URL(target)
    const move = new Move({ id: fresh('moves'), actor: me(), object: me(), target: known.successor, to: context.getFollowersUri(name) })
    return send([...followers.values()], move)
  },
  leave: async () => send(await audience(), new Delete({ id: fresh('deletes'), actor: me(), object: me(), to: PUBLIC_COLLECTION })),
  lookup: async ({ url }) => plain(await lookup(url)),
  show: async ({ url }) => shown(await lookup(url)),
  follow: async ({ actor }) => {
    const object = await lookup(actor)
    return send(object, new Follow({ id: fresh('follows'), actor: me(), object: object.id, to: object.id }))
  },
  post: ({ text }) => publish({ text, audience: [...followers.values()] }),
  reply: async ({ object, text }) => {
    const author = await authorOf(object)
    return publish({ text, reply: object, mention: author, audience: author })
  },
  edit,
  like: (given) => react(Like, given),
  announce: (given) => react(Announce, given),
  emoji: (given) => react(EmojiReact, given),
  ask,
  vote,
  votes: () => votes,
  quote,
  undo: ({ id }) => {
    const { activity, recipients } = sent.get(id)
    return send(recipients, new Undo({ id: fresh('undos'), actor: me(), object: activity, to: PUBLIC_COLLECTION }))
  },
  delete: async ({ id }) => {
    notes.delete(new URL(id).pathname.split('/').pop())
    const object = new Tombstone({ id: new URL(id) })
    return send(await audience(), new Delete({ id: fresh('deletes'), actor: me(), object, to: PUBLIC_COLLECTION }))
  },
  forge,
  author,
  walk,
  log: ({ since = 0 }) => log.slice(since),
  followers: () => [...followers.keys()],
}, { base: base.href, actor: me().href, inbox: context.getInboxUri(name).href })
