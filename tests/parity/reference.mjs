// The reference PDS on loopback, configured by PDS_*: node reference.mjs FOLDER_WITH_NODE_MODULES
import http from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const listen = http.Server.prototype.listen
http.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, port, '127.0.0.1', ...rest)
}
const found = createRequire(`${process.argv[2]}/package.json`).resolve('@atproto/pds')
const { PDS, readEnv } = await import(pathToFileURL(found).href)
const pds = await PDS.fromEnv(readEnv())
// Its own tests lift the guard against loopback addresses too: all peers are on this machine.
pds.ctx.idResolver.handle.fetch = fetch
for (const method of pds.ctx.idResolver.did.methods.values()) method.fetch = fetch
await pds.start()
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => pds.destroy().finally(() => process.exit(0)))
}
