// What the features make and look at: resources, containers, lists of access, graphs.

import { randomUUID } from 'node:crypto'
import { parseTriples, send } from './wire.mjs'

const LDP = 'http://www.w3.org/ns/ldp#'
const STORAGE = 'http://www.w3.org/ns/pim/space#Storage'
const PREFIXES = `@prefix acl: <http://www.w3.org/ns/auth/acl#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
`
const MODES = {
  append: 'Append',
  control: 'Control',
  controlRead: 'Control',
  controlWrite: 'Control',
  read: 'Read',
  write: 'Write',
}

/** Link headers as objects with `uri` and the parameters. */
export function parseLinkHeaders(headers) {
  const found = []
  for (const text of (headers.link ?? []).join(', ').split(/,\s*(?=<)/)) {
    const [whole, uri, rest] = /^<([^>]*)>(.*)$/.exec(text.trim()) ?? []
    if (whole === undefined) continue
    const link = { uri }
    for (const part of rest.matchAll(/;\s*([\w*]+)\s*=\s*(?:"([^"]*)"|([^;\s]+))/g)) {
      link[part[1]] = part[2] ?? part[3]
    }
    found.push(link)
  }
  return found
}

/** `WAC-Allow` as the lower-case modes of each group. */
export function parseWacAllowHeader(headers) {
  const groups = { public: [], user: [] }
  for (const [, group, modes] of (headers['wac-allow']?.[0] ?? '').matchAll(/(\w+)\s*=\s*"([^"]*)"/g)) {
    groups[group] = [...new Set(modes.toLowerCase().split(/\s+/).filter(Boolean))]
  }
  return groups
}

const same = (one, other) =>
  one.kind === other.kind &&
  one.value === other.value &&
  (one.datatype ?? '') === (other.datatype ?? '') &&
  (one.language ?? '').toLowerCase() === (other.language ?? '').toLowerCase()

/** A graph with the questions that features ask. */
export class Model {
  constructor(triples) {
    this.triples = triples
  }

  matching(subject, predicate, object) {
    const fits = (asked, term) => asked == null || term.value === asked
    return this.triples.filter(([s, p, o]) => fits(subject, s) && fits(predicate, p) && fits(object, o))
  }

  values(triples, place) {
    return [...new Set(triples.map((triple) => triple[place].value))]
  }

  subjects(predicate, object) {
    return this.values(this.matching(null, predicate, object), 0)
  }

  predicates(subject, object) {
    return this.values(this.matching(subject, null, object), 1)
  }

  objects(subject, predicate) {
    return this.values(this.matching(subject, predicate), 2)
  }

  get members() {
    return this.objects(null, `${LDP}contains`)
  }

  contains(first, predicate, object) {
    if (!(first instanceof Model)) return this.matching(first, predicate, object).length > 0
    const found = (index, names) => {
      if (index === first.triples.length) return true
      return this.triples.some((triple) => {
        const more = { ...names }
        const fits = first.triples[index].every((term, place) => {
          const held = triple[place]
          if (term.kind !== 'BlankNode') return same(term, held)
          more[term.value] ??= held.value
          return held.kind === 'BlankNode' && more[term.value] === held.value
        })
        return fits && found(index + 1, more)
      })
    }
    return found(0, {})
  }

  asTriples() {
    return this.triples.map((triple) => triple.map((term) => term.value).join(' ')).join('\n')
  }
}

export const parse = (text, type, base = 'http://example.org/base') => new Model(parseTriples(text, type, base))

/** Writes a list of access, its owner first. */
class AccessDatasetBuilder {
  constructor(url, owner) {
    const rule = [`acl:agent <${owner}>`, ['read', 'write', 'control']]
    this.rules = [['accessTo', url, ...rule]]
    if (url.endsWith('/')) this.rules.push(['default', url, ...rule])
  }

  add(kind, url, who, modes) {
    this.rules.push([kind, url, who, modes])
    return this
  }

  setAgentAccess = (url, webid, modes) => this.add('accessTo', url, `acl:agent <${webid}>`, modes)
  setInheritableAgentAccess = (url, webid, modes) => this.add('default', url, `acl:agent <${webid}>`, modes)
  setPublicAccess = (url, modes) => this.add('accessTo', url, 'acl:agentClass foaf:Agent', modes)
  setInheritablePublicAccess = (url, modes) => this.add('default', url, 'acl:agentClass foaf:Agent', modes)
  setAuthenticatedAccess = (url, modes) =>
    this.add('accessTo', url, 'acl:agentClass acl:AuthenticatedAgent', modes)

  setInheritableAuthenticatedAccess = (url, modes) =>
    this.add('default', url, 'acl:agentClass acl:AuthenticatedAgent', modes)

  setGroupAccess(url, members, modes) {
    const named = members.map((member) => `<${member}>`).join(', ')
    return this.add('accessTo', url, `acl:agentGroup [ a vcard:Group ; vcard:hasMember ${named} ]`, modes)
  }

  build() {
    const rules = this.rules.map(([kind, url, who, modes]) => {
      const named = modes.map((mode) => (mode.startsWith('http') ? `<${mode}>` : `acl:${MODES[mode]}`))
      return `[] a acl:Authorization ; acl:${kind} <${url}> ; ${who} ; acl:mode ${named.join(', ')} .`
    })
    return PREFIXES + rules.join('\n')
  }
}

/** The classes of resources of one owner, who signs what they do. */
export function resourcesOf(owner) {
  const ask = (method, url, headers = {}, body = undefined) =>
    send(method, url, { ...owner.getAuthHeaders(method, url), ...headers }, body)

  const must = (method, url, headers, body) => {
    const answer = ask(method, url, headers, body)
    if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.status} ${answer.body.slice(0, 200)}`)
    return answer
  }

  class Resource {
    constructor(url, body, type) {
      this.url = url
      if (body != null) must('PUT', url, { 'content-type': type }, body)
    }

    get links() {
      return parseLinkHeaders(ask('HEAD', this.url).headers)
    }

    get aclUrl() {
      if (this.list === undefined) {
        const link = this.links.find(({ rel }) => (rel ?? '').split(' ').includes('acl'))
        this.list = link === undefined ? null : new URL(link.uri, this.url).href
      }
      return this.list
    }

    get container() {
      return new Container(new URL(this.url.endsWith('/') ? '..' : '.', this.url).href)
    }

    get accessDatasetBuilder() {
      return new AccessDatasetBuilder(this.url, owner.webid)
    }

    get accessDataset() {
      return ask('GET', this.aclUrl, { accept: 'text/turtle' }).body
    }

    set accessDataset(text) {
      must('PUT', this.aclUrl, { 'content-type': 'text/turtle' }, text)
    }

    isStorageType() {
      return this.links.some(({ rel, uri }) => rel === 'type' && uri === STORAGE)
    }

    findStorage() {
      for (let at = new Container(this.url); ; at = at.container) {
        if (at.isStorageType()) return at
        if (new URL(at.url).pathname === '/') return null
      }
    }

    delete() {
      return ask('DELETE', this.url).status
    }
  }

  class Container extends Resource {
    static create(parent, url) {
      return new Container(url).instantiate()
    }

    instantiate() {
      const link = `<${LDP}BasicContainer>; rel="type"`
      must('PUT', this.url, { 'content-type': 'text/turtle', link })
      return this
    }

    reserveContainer = () => new Container(`${this.url}${randomUUID()}/`)
    createContainer = () => this.reserveContainer().instantiate()
    reserveResource = (suffix) => new Resource(this.url + randomUUID() + suffix)
    createResource = (suffix, body, type) => new Resource(this.url + randomUUID() + suffix, body, type)

    listMembers() {
      const answer = ask('GET', this.url, { accept: 'text/turtle' })
      return answer.status < 300 ? parse(answer.body, 'text/turtle', this.url).members : []
    }

    delete() {
      for (const url of this.listMembers()) (url.endsWith('/') ? new Container(url) : new Resource(url)).delete()
      return super.delete()
    }
  }

  return { Container, Resource }
}
