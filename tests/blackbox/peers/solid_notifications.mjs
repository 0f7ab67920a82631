// A Solid app that listens, on @inrupt/solid-client-notifications: node solid_notifications.mjs TOKEN
import { WebsocketNotification } from '@inrupt/solid-client-notifications'
import { serve } from './line.mjs'

const token = process.argv[2]
const told = []
let socket

// The fetch that the client is given: with the token of the member.
function fetchAs(url, init = {}) {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${token}`)
  return fetch(url, { ...init, headers })
}

// Listen at a topic; the client itself finds the gateway, negotiates and connects, unless the URL is given.
async function listen({ topic, endpoint }) {
  socket = new WebsocketNotification(topic, { fetch: fetchAs })
  socket.on('message', (message) => told.push({ at: performance.now(), message }))
  const connected = new Promise((resolve, reject) => {
    socket.on('connected', resolve)
    socket.on('error', reject)
  })
  await socket.connect(endpoint)
  await connected
}

async function until(count) {
  const end = performance.now() + 20_000
  while (told.length < count) {
    if (performance.now() > end) throw new Error(`only ${told.length} messages came`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

// Write a document again and again: the messages, and the milliseconds from each PUT to its message.
async function write({ url, count }) {
  const waits = []
  for (let number = 0; number < count; number += 1) {
    const known = told.length
    const begun = performance.now()
    const answer = await fetchAs(url, {
      method: 'PUT', headers: { 'content-type': 'text/turtle' }, body: `<> <urn:number> ${number}.`,
    })
    if (!answer.ok) throw new Error(`PUT: ${answer.status}`)
    await until(known + 1)
    waits.push(told[known].at - begun)
  }
  return { waits, messages: told.slice(-count).map(({ message }) => message) }
}

async function close() {
  const closed = new Promise((resolve) => socket.on('closed', resolve))
  socket.disconnect()
  await closed
}

await serve({ listen, write, close })
