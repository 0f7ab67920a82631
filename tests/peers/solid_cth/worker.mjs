// Does for `wire.mjs` what takes time: one request, or one RDF document, per message.

import http from 'node:http'
import { workerData } from 'node:worker_threads'
import { JsonLdParser } from 'jsonld-streaming-parser'
import { Parser } from 'n3'

const { port, signal } = workerData
const keepAlive = new http.Agent({ keepAlive: true })
const WITH_BODY = ['POST', 'PUT', 'PATCH']

function send({ method, url, headers, body }) {
  const { hostname, port: at, pathname, search } = new URL(url)
  return new Promise((resolve, reject) => {
    const request = http.request({
      agent: keepAlive,
      headers: { host: at ? `${hostname}:${at}` : hostname, ...headers },
      // Names of members need no resolver: everything listens on this machine.
      host: '127.0.0.1',
      method,
      path: pathname + search,
      port: at || 80,
      timeout: 20_000,
    })
    request.on('response', (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const found = {}
        for (let i = 0; i < response.rawHeaders.length; i += 2) {
          const name = response.rawHeaders[i].toLowerCase()
          found[name] = [...(found[name] ?? []), response.rawHeaders[i + 1]]
        }
        resolve({ status: response.statusCode, headers: found, body: Buffer.concat(chunks).toString() })
      })
    })
    request.on('timeout', () => request.destroy(new Error('no answer within 20 s')))
    request.on('error', reject)
    const bytes = body == null ? Buffer.alloc(0) : Buffer.from(body)
    if (bytes.length > 0 || WITH_BODY.includes(method)) request.setHeader('content-length', bytes.length)
    request.end(bytes.length > 0 ? bytes : undefined)
  })
}

const term = (node) => ({
  kind: node.termType,
  value: node.value,
  datatype: node.datatype?.value,
  language: node.language,
})
const triple = (quad) => [term(quad.subject), term(quad.predicate), term(quad.object)]

function parse({ text, type, base }) {
  if (type === 'text/turtle') return new Parser({ baseIRI: base }).parse(text).map(triple)
  return new Promise((resolve, reject) => {
    const found = []
    const parser = new JsonLdParser({ baseIRI: base })
    parser.on('data', (quad) => found.push(triple(quad)))
    parser.on('error', reject)
    parser.on('end', () => resolve(found))
    parser.end(text)
  })
}

const deeds = { parse, send }

port.on('message', async ({ deed, wish }) => {
  let answer
  try {
    answer = { done: await deeds[deed](wish) }
  } catch (error) {
    answer = { error: error.message }
  }
  port.postMessage(answer)
  Atomics.store(signal, 0, 1)
  Atomics.notify(signal, 0)
})
