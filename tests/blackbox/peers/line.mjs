// The way every peer is driven: a request a line on stdin, its answer a line on stdout, both JSON.
// Names under .localhost lead to this machine, as in a browser; Node alone would ask the resolver.
import dns from 'node:dns'
import { createInterface } from 'node:readline'

const ask = dns.lookup
dns.lookup = (name, options, done) => {
  const local = name === 'localhost' || name.endsWith('.localhost')
  return ask(local ? '127.0.0.1' : name, options, done)
}

const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')

// serve(COMMANDS, READY): answer requests {n, do, ...arguments} one after the other until the input ends.
export async function serve(commands, ready = {}) {
  say({ ready })
  for await (const line of createInterface({ input: process.stdin })) {
    const { n, do: name, ...given } = JSON.parse(line)
    try {
      if (!Object.hasOwn(commands, name)) throw new Error(`no such command: ${name}`)
      say({ n, ok: (await commands[name](given)) ?? null })
    } catch (error) {
      say({ n, error: String(error?.stack ?? error), code: error?.error ?? error?.status ?? null })
    }
  }
  process.exit(0)
}

// The JSON form of bytes in a request or an answer is base64.
export const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'))
export const base64 = (data) => Buffer.from(data).toString('base64')
