// A PLC directory in memory, on a free port of 127.0.0.1: node plc.mjs [PORT]
import http from 'node:http'
import { createRequire } from 'node:module'
import { serve } from './line.mjs'

const { Database, PlcServer } = createRequire(import.meta.url)('@did-plc/server')

const directory = PlcServer.create({ db: Database.mock() })
const server = http.createServer(directory.app)
await new Promise((done) => server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', done))
await serve({}, { url: `http://127.0.0.1:${server.address().port}` })
