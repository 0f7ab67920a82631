// A PLC directory and the real Bluesky AppView: node network.mjs POD_PORT POSTGRES_URL REDIS_HOST
import net from 'node:net'
import { TestBsky, TestPlc } from '@atproto/dev-env'
import { serve } from '../../blackbox/peers/line.mjs'

const [port, dbPostgresUrl, redisHost] = process.argv.slice(2)
const pod = `http://localhost:${port}`

// Whatever listens here does so on 127.0.0.1 only; the software itself would take every address.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (first, ...rest) {
  const done = rest.filter((argument) => typeof argument === 'function')
  if (typeof first === 'number') return listen.call(this, { port: first, host: '127.0.0.1' }, ...done)
  return listen.call(this, { ...first, host: '127.0.0.1' }, ...done)
}

const plc = await TestPlc.create({})
const appview = await TestBsky.create({
  plcUrl: plc.url,
  repoProvider: `ws://localhost:${port}`,
  dbPostgresUrl,
  dbPostgresSchema: 'appview',
  redisHost,
  bsyncUrl: 'http://localhost:1',
})

// Names under .test have no DNS: the pod itself says whose they are.
async function resolve(handle) {
  const answer = await fetch(`${pod}/xrpc/com.atproto.identity.resolveHandle?handle=${handle}`)
  return answer.ok ? (await answer.json()).did : undefined
}
for (const { idResolver } of [appview.ctx, appview.dataplane]) idResolver.handle.resolve = resolve

// It has begun to listen before there is a pod, and would wait ever longer between its tries.
await appview.sub.stop()

const count = async (table) => Number(
  (await appview.db.db.selectFrom(table).select(({ fn }) => fn.countAll().as('rows')).executeTakeFirst()).rows,
)

// To stop with work in hand can wait forever.
async function rest() {
  await appview.sub.processAll()
  await appview.sub.stop()
}

// follow, rest: the AppView starts or stops to listen to the pod; rows: what its database holds.
await serve({
  rest,
  follow: () => appview.sub.start(),
  rows: async ({ tables }) => Object.fromEntries(await Promise.all(tables.map(async (table) => [table, await count(table)]))),
  close: async () => {
    await rest()
    await appview.close()
    await plc.close()
  },
}, { plc: plc.url, url: appview.url, did: appview.serverDid })
