// A bot on activitypub-bot, on a free port of 127.0.0.1: node bot.mjs NAME. It is driven as fedify.mjs is.
import { createServer } from 'node:http'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { serve } from '../../blackbox/peers/line.mjs'

// activitypub-bot asks for activitystrea.ms 4, which not every registry has. All that it uses of what 3.1.0
// lacks is registerContext, so that contexts need not be fetched, and isActivity; both are added here.
const require = createRequire(import.meta.url)
const dns = require('node:dns/promises')
const ask = dns.lookup
dns.lookup = (host, options) => ask(host.endsWith('.localhost') ? '127.0.0.1' : host, options)
syncBuiltinESMExports()
const Loader = require('activitystrea.ms/src/contextloader.js')
const contexts = new Map()
const make = Loader.prototype.makeDocLoader
Loader.prototype.makeDocLoader = function () {
  const load = make.call(this)
  return async (url) => contexts.has(url) ? { contextUrl: null, document: contexts.get(url), documentUrl: url } : load(url)
}
require('activitystrea.ms').registerContext ??= (url, document) => contexts.set(url, document)
Object.defineProperty(require('activitystrea.ms/src/models').Object.prototype, 'isActivity', {
  value () { return this.actor !== undefined },
})
const { Bot, makeApp } = await import('@evanp/activitypub-bot')

const [name] = process.argv.slice(2)
const log = []
const notes = new Map()
const undo = new Map()

class Recorded extends Bot {
  get context () { return this._context }
  async actorOK () { return true }
  async onMention (object, activity) { note('Mention', object, activity) }
  async onFollow (actor, activity) { note('Follow', actor, activity) }
  async onLike (object, activity) { note('Like', object, activity) }
  async onAnnounce (object, activity) { note('Announce', object, activity) }
  async onUndoFollow (actor, activity) { note('UndoFollow', actor, activity) }
  async handleActivity (activity) {
    log.push({ type: `received ${activity.type.split('#').pop()}`, object: idOf(activity.object), id: activity.id })
    return false
  }
}

const idOf = (value) => value?.first?.id ?? value?.id ?? null
const note = (type, object, activity) => log.push({ type, object: object?.id ?? null, id: activity?.id ?? null, content: object?.content?.get?.() ?? null })

// The port is known only when somebody listens there, and ids are made of it.
const probe = createServer().listen(0, '127.0.0.1')
await new Promise((done) => probe.once('listening', done))
const { port } = probe.address()
await new Promise((done) => probe.close(done))
const origin = `http://127.0.0.1:${port}`

const bot = new Recorded(name, { fullname: name })
const app = await makeApp({
  databaseUrl: 'sqlite::memory:', origin, bots: { [name]: bot }, logLevel: 'silent',
  deliveryWorkerCount: 1, distributionWorkerCount: 1, fanoutWorkerCount: 1, intakeWorkerCount: 1,
  indexFileName: new URL('./package.json', import.meta.url).pathname,
  profileFileName: new URL('./package.json', import.meta.url).pathname,
  allowPrivateNetworkRequests: true,
})
const server = app.listen(port, '127.0.0.1')
await new Promise((done) => server.once('listening', done))
const actor = `${origin}/user/${name}`

const done = (activity, back) => {
  undo.set(activity.id, back)
  return activity.id
}

await serve({
  follow: async ({ actor: id }) => {
    const other = await bot.context.getObject(id)
    return done(await bot.context.followActor(other), () => bot.context.unfollowActor(other))
  },
  reply: async ({ object, text }) => {
    const made = await bot.context.sendReply(text.replace(/<[^>]+>/g, ''), await bot.context.getObject(object))
    notes.set(made.id, made)
    return made.id
  },
  post: async ({ text }) => {
    const made = await bot.context.sendNote(text, { to: 'https://www.w3.org/ns/activitystreams#Public', cc: bot.context.getFollowersId() })
    notes.set(made.id, made)
    return made.id
  },
  edit: async ({ id, text }) => idOf(await bot.context.updateNote(notes.get(id), text.replace(/<[^>]+>/g, ''))),
  delete: async ({ id }) => idOf(await bot.context.deleteNote(notes.get(id))),
  like: async ({ object }) => {
    const liked = await bot.context.getObject(object)
    return done(await bot.context.likeObject(liked), () => bot.context.unlikeObject(liked))
  },
  announce: async ({ object }) => {
    const told = await bot.context.getObject(object)
    return done(await bot.context.announceObject(told), () => bot.context.unannounceObject(told))
  },
  undo: async ({ id }) => idOf(await undo.get(id)()),
  log: ({ since = 0 }) => log.slice(since),
  follows: async ({ actor: id }) => bot.context.isFollowing(await bot.context.getObject(id)),
  followed: async ({ actor: id }) => bot.context.isFollower(await bot.context.getObject(id)),
}, { base: origin, actor, inbox: `${origin}/shared/inbox` })
