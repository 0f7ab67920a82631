// Requests and RDF for code that cannot wait: the features call functions and use what they return.

import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'

const { port1: here, port2: there } = new MessageChannel()
const signal = new Int32Array(new SharedArrayBuffer(4))
const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
  transferList: [there],
  workerData: { port: there, signal },
})
worker.unref()
here.unref()

function ask(deed, wish) {
  Atomics.store(signal, 0, 0)
  here.postMessage({ deed, wish })
  if (Atomics.wait(signal, 0, 0, 60_000) === 'timed-out') throw new Error(`${deed} took too long`)
  const { error, done } = receiveMessageOnPort(here).message
  if (error !== undefined) throw new Error(error)
  return done
}

/** One request; `{ status, headers, body }`, each header a list. */
export const send = (method, url, headers = {}, body = undefined) =>
  ask('send', { method, url, headers, body })

/** The triples of a document. */
export const parseTriples = (text, type, base) => ask('parse', { text: String(text), type, base })

export const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
