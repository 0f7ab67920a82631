// An app that knows objects, not RDF: LDO reads and writes them at a pod, signed in as a program.
import { changeData, commitData } from '@ldo/connected'
import { createSolidLdoDataset, getStorageFromWebId } from '@ldo/connected-solid'
import { Session } from '@inrupt/solid-client-authn-node'
import { serve } from './line.mjs'

const SCHEMA = 'https://schema.org/'
const TEXT = 'http://www.w3.org/2001/XMLSchema#string'
const INTEGER = 'http://www.w3.org/2001/XMLSchema#integer'

// A person as the app sees them; `knows` and `email` are sets.
const Person = {
  schema: { type: 'Schema', shapes: [] },
  shape: `${SCHEMA}PersonShape`,
  context: {
    type: { '@id': '@type', '@isCollection': true },
    Person: { '@id': `${SCHEMA}Person` },
    name: { '@id': `${SCHEMA}name`, '@type': TEXT },
    age: { '@id': `${SCHEMA}age`, '@type': INTEGER },
    email: { '@id': `${SCHEMA}email`, '@type': TEXT, '@isCollection': true },
    knows: { '@id': `${SCHEMA}knows`, '@type': '@id', '@isCollection': true },
  },
}

// LDO logs what it does, but the answers go out there.
console.log = console.error

const session = new Session()
const sent = []
const fetch = async (url, init) => {
  const answer = await session.fetch(url, init)
  const type = new Headers(init?.headers).get('content-type')
  sent.push([(init?.method ?? 'GET').toUpperCase(), type, answer.status])
  return answer
}

// A store that knows nothing yet, as of an app that was just opened.
function open() {
  const store = createSolidLdoDataset()
  store.setContext('solid', { fetch })
  return store
}

// LDO tells its errors instead of throwing them.
async function well(promise) {
  const told = await promise
  if (told.isError) throw new Error([told, ...told.errors ?? []].map((it) => `${it.type}: ${it.message}`).join('; '))
  return told
}

const plain = (person) => ({
  type: person.type.toArray().map((it) => it['@id']),
  name: person.name,
  age: person.age,
  email: person.email.toArray().sort(),
  knows: person.knows.toArray().map((it) => it['@id']),
})

async function read(url, subject) {
  const store = open()
  const told = await well(store.getResource(url).read())
  return { store, told, person: store.usingType(Person).fromSubject(subject) }
}

await serve({
  async login({ issuer, id, secret }) {
    await session.login({ oidcIssuer: issuer, clientId: id, clientSecret: secret, tokenType: 'DPoP' })
    return (await well(getStorageFromWebId(session.info.webId, open()))).storageContainers.map((it) => it.uri)
  },
  async create({ container, slug, person: { email, knows, ...values } }) {
    const store = open()
    await well(store.getResource(container).createIfAbsent())
    const { resource } = await well(store.getResource(container).createChildAndOverwrite(slug))
    const person = store.createData(Person, `${resource.uri}#it`, resource)
    Object.assign(person, values)
    person.type.add({ '@id': 'Person' })
    for (const it of email) person.email.add(it)
    for (const it of knows) person.knows.add({ '@id': it })
    await well(commitData(person))
    return resource.uri
  },
  async read({ url, subject = `${url}#it` }) {
    const { told, person } = await read(url, subject)
    return told.type === 'absentReadSuccess' ? null : plain(person)
  },
  async update({ url, subject = `${url}#it`, set = {}, add = [], remove = [], unset = [] }) {
    const { store, person } = await read(url, subject)
    const changed = changeData(person, store.getResource(url))
    Object.assign(changed, set)
    for (const it of unset) delete changed[it]
    for (const it of add) changed.email.add(it)
    for (const it of remove) changed.email.delete(it)
    await well(commitData(changed))
  },
  async list({ container }) {
    const folder = open().getResource(container)
    const told = await well(folder.read())
    if (told.type === 'absentReadSuccess') return null
    return { root: folder.isRootContainer(), children: folder.children().map((it) => [it.type, it.uri]).sort() }
  },
  root: async ({ url }) => (await well(open().getResource(url).getRootContainer())).uri,
  async upload({ container, slug, text, type }) {
    const blob = new Blob([text])
    const { resource } = await well(open().getResource(container).uploadChildAndOverwrite(slug, blob, type))
    const again = open().getResource(resource.uri)
    await well(again.read())
    return { uri: resource.uri, type: again.getMimeType(), text: await again.getBlob().text() }
  },
  async share({ url, webId, rights }) {
    const resource = open().getResource(url)
    const { wacRule } = await well(resource.getWac())
    wacRule.agent[webId] = rights
    await well(resource.setWac(wacRule))
    return (await well(open().getResource(url).getWac())).wacRule
  },
  remove: async ({ url }) => (await well(open().getResource(url).delete())).resourceExisted,
  // What went over the wire since it was asked the last time: method, type, status.
  sent: () => sent.splice(0),
})
