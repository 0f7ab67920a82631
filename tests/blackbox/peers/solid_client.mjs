// A Solid app on @inrupt/solid-client: node solid_client.mjs [BEARER_TOKEN]
import {
  createContainerAt, deleteContainer, deleteFile, getContainedResourceUrlAll, getFile, getPropertyAll,
  getPodUrlAll, getProfileAll, getSolidDataset, getSourceUrl, getStringNoLocale, getStringWithLocale, getStringByLocaleAll, getThing,
  getThingAll, getUrlAll, saveFileInContainer, saveSolidDatasetAt, saveSolidDatasetInContainer, setThing,
  setStringNoLocale, setStringWithLocale, solidDatasetAsTurtle, createSolidDataset, createThing,
} from '@inrupt/solid-client'
import { base64, bytes, serve } from './line.mjs'

const token = process.argv[2]

// The fetch that the client is given: with the token of the member.
function fetchAs(url, init = {}) {
  const headers = new Headers(init.headers)
  if (token) headers.set('authorization', `Bearer ${token}`)
  return fetch(url, { ...init, headers })
}
const options = { fetch: fetchAs }

// Everything the client can read of one thing: each property with its strings, locales and links.
async function read({ url, thing = url }) {
  const found = getThing(await getSolidDataset(url, options), thing)
  if (!found) return null
  return Object.fromEntries(getPropertyAll(found).map((property) => [property, {
    plain: getStringNoLocale(found, property),
    localised: Object.fromEntries(getStringByLocaleAll(found, property)),
    urls: getUrlAll(found, property),
  }]))
}

// Change one string and save: the client sends the difference as a PATCH.
async function setString({ url, thing = url, property, value, locale }) {
  const dataset = await getSolidDataset(url, options)
  const old = getThing(dataset, thing)
  const changed = locale
    ? setStringWithLocale(old, property, value, locale)
    : setStringNoLocale(old, property, value)
  const saved = await saveSolidDatasetAt(url, setThing(dataset, changed), options)
  const now = getThing(saved, thing)
  return locale ? getStringWithLocale(now, property, locale) : getStringNoLocale(now, property)
}

// A new document with one thing in it, whose properties are plain strings.
async function create({ url, container, slug, properties }) {
  let thing = createThing(url ? { url } : { name: 'it' })
  for (const [property, value] of Object.entries(properties)) thing = setStringNoLocale(thing, property, value)
  const dataset = setThing(createSolidDataset(), thing)
  const saved = url
    ? await saveSolidDatasetAt(url, dataset, options)
    : await saveSolidDatasetInContainer(container, dataset, { ...options, slugSuggestion: slug })
  return getSourceUrl(saved)
}

async function saveFile({ container, slug, mimeType, body }) {
  const file = new Blob([bytes(body)], { type: mimeType })
  return getSourceUrl(await saveFileInContainer(container, file, { ...options, slug, contentType: mimeType }))
}

// A plain HTTP request with the member's token: for a POST of Turtle, an N3 patch, a header to look at.
async function send({ url, method, headers, body }) {
  const answer = await fetchAs(url, { method, headers, body })
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
}

await serve({
  read, setString, create, saveFile, send,
  turtle: async ({ url }) => solidDatasetAsTurtle(await getSolidDataset(url, options)),
  things: async ({ url }) => getThingAll(await getSolidDataset(url, options)).map((thing) => thing.url),
  // Where the app finds the storage of a WebID, and which profile documents it reads of it.
  podUrls: ({ webid }) => getPodUrlAll(webid, options),
  profiles: async ({ webid }) => {
    const { webIdProfile, altProfileAll } = await getProfileAll(webid, options)
    return [webIdProfile, ...altProfileAll].map((dataset) => getSourceUrl(dataset))
  },
  createContainer: async ({ url }) => getSourceUrl(await createContainerAt(url, options)),
  contained: async ({ url }) => getContainedResourceUrlAll(await getSolidDataset(url, options)),
  getFile: async ({ url }) => base64(await (await getFile(url, options)).arrayBuffer()),
  deleteFile: ({ url }) => deleteFile(url, options),
  deleteContainer: ({ url }) => deleteContainer(url, options),
})
