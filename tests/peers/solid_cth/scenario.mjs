// One scenario: its variables, and what each kind of step does to them.

import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { parse, parseLinkHeaders, parseWacAllowHeader } from './resources.mjs'
import { pause, send } from './wire.mjs'

const NAMESPACES = {
  ACL: 'http://www.w3.org/ns/auth/acl#',
  ACP: 'http://www.w3.org/ns/solid/acp#',
  AS: 'https://www.w3.org/ns/activitystreams#',
  FOAF: 'http://xmlns.com/foaf/0.1/',
  LDP: 'http://www.w3.org/ns/ldp#',
  NOTIFY: 'http://www.w3.org/ns/solid/notifications#',
  RDF: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  SOLID: 'http://www.w3.org/ns/solid/terms#',
  XSD: 'http://www.w3.org/2001/XMLSchema#',
}
const REDIRECTS = [301, 302, 303, 307, 308]
const OWN = ['console', 'karate', 'read']

/** The scenario cannot tell whether the server is right. */
export class CannotTell extends Error {}

const equal = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null)

function includes(value, part) {
  if (typeof value === 'string') return value.includes(part)
  if (Array.isArray(part)) return part.every((item) => value?.some((held) => equal(held, item)))
  if (Array.isArray(value)) return value.some((held) => equal(held, part))
  return value != null && Object.entries(part).every(([key, item]) => equal(value[key], item))
}

const COMPARED = {
  '!=': (value, wanted) => !equal(value, wanted),
  '!contains': (value, wanted) => !includes(value, wanted),
  '==': equal,
  contains: includes,
  'contains only': (value, wanted) => value?.length === wanted.length && includes(value, wanted),
}

/** The variables and the last answer of one run; `world` is what all runs share. */
export class Scenario {
  constructor(world, file, once, variables = {}) {
    this.world = world
    this.file = file
    this.once = once
    this.settings = {}
    this.request = { headers: {} }
    this.asked = ''
    const { Container, Resource } = world
    this.context = createContext({
      ...NAMESPACES,
      SolidContainer: { create: (_, url) => new Container(url).instantiate() },
      SolidResource: { create: (_, url, body, type) => new Resource(url, body, type) },
      cantTellIf: (is) => {
        if (is) throw new CannotTell()
      },
      clients: world.clients,
      config: { origin: 'https://tester', webIds: world.webIds },
      console,
      iri: (first, last = '') => first + last,
      karate: this.karate(),
      literal: String,
      parse,
      parseLinkHeaders,
      parseWacAllowHeader,
      pause,
      read: (path) => ({ feature: this.beside(path) }),
      resolveUri: (base, target) => (base == null || target == null ? null : new URL(target, base).href),
      rootTestContainer: world.root,
      webIds: world.webIds,
      ...variables,
    })
  }

  beside(path) {
    return resolve(dirname(this.file), path)
  }

  karate() {
    const scenario = this
    return {
      fail(text) {
        throw text === 'CANTTELL' ? new CannotTell() : new Error(text)
      },
      log() {},
      readAsString: (path) => readFileSync(scenario.beside(path), 'utf8'),
      get response() {
        const headers = scenario.answer?.headers ?? {}
        return {
          header: (name) => headers[name.toLowerCase()]?.[0] ?? null,
          headerValues: (name) => headers[name.toLowerCase()] ?? [],
        }
      },
      setup() {
        const found = scenario.world.featureOf(scenario.file).children.find(({ scenario: each }) =>
          each?.tags.some(({ name }) => name === '@setup'),
        )
        const run = new Scenario(scenario.world, scenario.file, scenario.once)
        run.play(found.scenario.steps)
        return run.context
      },
    }
  }

  value(text) {
    return runInContext(`(${text.trim().replace(/;$/, '')}\n)`, this.context)
  }

  /** What an expression is, which may call a function or another feature, once or each time. */
  called(text) {
    const parts = /^(callonce|call)\s+(read\('[^']+'\)|[\w.]+)\s*(\([\s\S]*\))?$/.exec(text.trim())
    if (parts === null) return this.value(text)
    const [, how, target, given] = parts
    const key = text.trim()
    if (how === 'callonce' && this.once.has(key)) {
      const known = this.once.get(key)
      if (known instanceof Error) throw known
      return known
    }
    let made
    try {
      made = this.call(this.value(target), given === undefined ? undefined : this.value(given))
    } catch (error) {
      if (how === 'callonce') this.once.set(key, error)
      throw error
    }
    if (how === 'callonce') this.once.set(key, made)
    return made
  }

  call(target, given) {
    if (typeof target === 'function') return target(given)
    const mine = Object.fromEntries(Object.entries(this.context).filter(([name]) => !OWN.includes(name)))
    const run = new Scenario(this.world, target.feature, new Map(), { ...mine, ...given })
    for (const part of this.world.featureOf(target.feature).children) run.play((part.background ?? part.scenario).steps)
    return run.context
  }

  /** Do steps in order; `fill` puts an example's values into their texts. */
  play(steps, fill = (text) => text) {
    for (const step of steps) {
      const text = fill(step.text).trim()
      const body = step.docString === undefined ? undefined : fill(step.docString.content)
      const kind = STEPS.find(([pattern, , needs]) => pattern.test(text) && (!needs || step[needs]))
      if (kind === undefined) runInContext(text, this.context)
      else kind[1].call(this, kind[0].exec(text), body, step)
    }
  }

  send(method) {
    const { url, retry } = this.request
    if (!url) throw new Error('the request has no url')
    const { headers, body } = this.prepared()
    for (let left = retry === undefined ? 1 : 3; left > 0; left -= 1) {
      this.answer = this.followed(method, url, headers, body)
      this.asked = `${method} ${url}: ${this.answer.status}`
      Object.assign(this.context, {
        response: this.answer.body,
        responseHeaders: this.answer.headers,
        responseStatus: this.answer.status,
      })
      if (retry === undefined || this.value(retry)) break
      if (left === 1) throw new Error(`never ${retry} | ${this.asked}`)
      pause(200)
    }
    this.request = { headers: {}, url }
  }

  prepared() {
    const configured = this.settings.headers
    const given = { ...(typeof configured === 'function' ? configured() : configured), ...this.request.headers }
    const headers = {}
    for (const [name, value] of Object.entries(given)) {
      if (value != null) headers[name] = Array.isArray(value) ? value.join(', ') : String(value)
    }
    const { body } = this.request
    const isObject = body != null && typeof body === 'object'
    const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
    if (body != null && !hasType) headers['Content-Type'] = isObject ? 'application/json' : 'text/plain'
    return { headers, body: isObject ? JSON.stringify(body) : body }
  }

  followed(method, url, headers, body) {
    let at = url
    for (let left = 4; ; left -= 1) {
      const answer = send(method, at, headers, body)
      const next = answer.headers.location?.[0]
      const follows = this.settings.followRedirects !== false && ['GET', 'HEAD'].includes(method)
      if (left === 0 || !follows || !next || !REDIRECTS.includes(answer.status)) return answer
      at = new URL(next, at).href
    }
  }

  match(text) {
    const parts = /^(header\s+)?([\s\S]*?)\s+(==|!=|contains only|!contains|contains)\s+([\s\S]*)$/.exec(text)
    if (parts === null) throw new Error(`no comparison: ${text}`)
    const [, isHeader, what, how, wanted] = parts
    const value = isHeader ? this.answer.headers[what.toLowerCase()]?.join(', ') : this.value(what)
    if (!COMPARED[how](value, this.value(wanted))) {
      throw new Error(`match ${text} | it is ${JSON.stringify(value)?.slice(0, 300)} | ${this.asked}`)
    }
  }

  table(name, { dataTable }) {
    const [head, ...rows] = dataTable.rows.map(({ cells }) => cells.map(({ value }) => value))
    const items = rows.map((row) => {
      const pairs = head.map((key, place) => (row[place] === '' ? '' : `${JSON.stringify(key)}: ${row[place]}`))
      return `{${pairs.filter(Boolean).join(', ')}}`
    })
    this.context[name] = this.value(`[${items.join(', ')}]`)
  }
}

/** Kinds of steps: how they begin, what they do, and what they must have beside their text. */
const STEPS = [
  [/^table (\w+)/, function table([, name], _, step) { this.table(name, step) }, 'dataTable'],
  [/^(?:def|string|json)\s+(\w+)\s*=\s*([\s\S]*)$/, function define([, name, text], body) {
    this.context[name] = body !== undefined && !text.trim() ? this.value(body) : this.called(text)
  }],
  [/^text\s+(\w+)\s*=/, function text([, name], body) { this.context[name] = body }],
  [/^eval\b\s*([\s\S]*)$/, function run([, text], body) { runInContext(`{${body ?? text}}`, this.context) }],
  [/^url\s+([\s\S]+)$/, function url([, text]) { this.request.url = this.value(text) }],
  [/^headers\s+([\s\S]+)$/, function headers([, text]) { Object.assign(this.request.headers, this.value(text)) }],
  [/^header\s+([\w-]+)\s*=\s*([\s\S]+)$/, function header([, name, text]) {
    this.request.headers[name] = this.value(text)
  }],
  [/^request\s*([\s\S]*)$/, function request([, text], body) { this.request.body = body ?? this.value(text) }],
  [/^retry until\s+([\s\S]+)$/, function retry([, text]) { this.request.retry = text }],
  [/^method\s+(\S+)$/, function method([, name]) { this.send(/^[A-Z]+$/.test(name) ? name : this.value(name)) }],
  [/^status\s+(.+)$/, function status([, text]) {
    const wanted = this.value(text)
    if (this.answer.status !== wanted) throw new Error(`not ${wanted} | ${this.asked} ${this.answer.body.slice(0, 160)}`)
  }],
  [/^assert\s+([\s\S]+)$/, function assert([, text]) {
    if (!this.value(text)) throw new Error(`assert ${text} | ${this.asked}`)
  }],
  [/^match\s+([\s\S]+)$/, function match([, text]) { this.match(text) }],
  [/^configure\s+(\w+)\s*=\s*([\s\S]+)$/, function configure([, name, text]) { this.settings[name] = this.value(text) }],
  [/^print\b/, function print() {}],
]
