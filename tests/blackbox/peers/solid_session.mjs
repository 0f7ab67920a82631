// Solid apps that sign in: node solid_session.mjs [CHROMIUM]; a program by @inrupt/solid-client-authn-node,
// and a page in a browser by @inrupt/solid-client-authn-browser.
import http from 'node:http'
import { readFile } from 'node:fs/promises'
import {
  createSolidDataset, createThing, deleteFile, getContainedResourceUrlAll, getSolidDataset, getStringNoLocale,
  getThing, saveSolidDatasetAt, setStringNoLocale, setThing,
} from '@inrupt/solid-client'
import { Session } from '@inrupt/solid-client-authn-node'
import puppeteer from 'puppeteer-core'
import { serve } from './line.mjs'

const chromium = process.argv[2]
const WAIT_MS = 15_000
const NAME = 'http://xmlns.com/foaf/0.1/name'
const BUNDLE = new URL(
  './node_modules/@inrupt/solid-client-authn-browser/dist/solid-client-authn.bundle.js', import.meta.url,
)

// The app's page: it signs in at ?issuer=, and comes back to itself.
const PAGE = `<!doctype html><html lang="en"><title>Notes</title><h1>Notes</h1><p id="who">nobody</p>
<script src="/authn.js"></script><script>
const authn = window.solidClientAuthentication
const session = authn.getDefaultSession()
const issuer = new URL(location.href).searchParams.get('issuer')
const failed = new URL(location.href).searchParams.get('error')
session.handleIncomingRedirect({ restorePreviousSession: false }).then((info) => {
  if (info?.isLoggedIn) { document.getElementById('who').textContent = info.webId; return }
  if (failed) document.getElementById('who').textContent = 'refused: ' + failed
  else if (issuer) session.login({ oidcIssuer: issuer, redirectUrl: location.origin + '/', clientName: 'Notes' })
}).catch((error) => { document.getElementById('who').textContent = 'failed: ' + error })
</script></html>`
const app = http.createServer(async (request, response) => {
  const isScript = request.url === '/authn.js'
  response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html; charset=utf-8' })
  response.end(isScript ? await readFile(BUNDLE) : PAGE)
})
await new Promise((done) => app.listen(0, '127.0.0.1', done))
const home = `http://127.0.0.1:${app.address().port}/`

let session
let page
const complaints = []
const browser = chromium
  ? await puppeteer.launch({ executablePath: chromium, headless: true, args: ['--no-sandbox'] })
  : null
if (browser) {
  page = await browser.newPage()
  page.on('pageerror', (error) => complaints.push(String(error)))
}
const text = () => page.evaluate(() => document.body.innerText)

// A round with the member's token: make a document, read it, change it, list it, delete it.
async function round({ container }) {
  const options = { fetch: session.fetch }
  const url = `${container}round.ttl`
  const said = (dataset) => getStringNoLocale(getThing(dataset, `${url}#it`), NAME)
  const it = setStringNoLocale(createThing({ url: `${url}#it` }), NAME, 'one')
  await saveSolidDatasetAt(url, setThing(createSolidDataset(), it), options)
  const read = await getSolidDataset(url, options)
  const changed = setStringNoLocale(getThing(read, `${url}#it`), NAME, 'two')
  await saveSolidDatasetAt(url, setThing(read, changed), options)
  const now = await getSolidDataset(url, options)
  const listed = getContainedResourceUrlAll(await getSolidDataset(container, options))
  await deleteFile(url, options)
  return { first: said(read), then: said(now), listed: listed.includes(url) }
}

await serve({
  async login({ issuer, id, secret }) {
    session = new Session()
    await session.login({ oidcIssuer: issuer, clientId: id, clientSecret: secret, tokenType: 'DPoP' })
    return { webId: session.info.webId, isLoggedIn: session.info.isLoggedIn }
  },
  round,
  async fetch({ url, method = 'GET', headers, body }) {
    const answer = await session.fetch(url, { method, headers, body })
    return { status: answer.status, body: await answer.text() }
  },
  async open({ issuer }) {
    const url = issuer ? `${home}?issuer=${encodeURIComponent(issuer)}` : home
    await page.goto(url, { waitUntil: 'networkidle0' })
    await page.waitForFunction((at) => !location.href.startsWith(at), { timeout: WAIT_MS }, home).catch(() => {})
    await page.waitForSelector('h1', { timeout: WAIT_MS })
    return text()
  },
  async visit({ url }) {
    await page.goto(url, { waitUntil: 'networkidle0' })
    return text()
  },
  async type({ selector, value }) {
    const field = await page.waitForSelector(selector, { timeout: WAIT_MS })
    await field.type(value)
  },
  choose: ({ selector, value }) => page.select(selector, value),
  async press({ label }) {
    for (const button of await page.$$('button')) {
      if (await button.evaluate((it) => it.innerText.trim()) !== label) continue
      await Promise.all([page.waitForNavigation({ timeout: WAIT_MS }), button.click()])
      return text()
    }
    throw new Error(`no button ${label} on: ${await text()}`)
  },
  // What the page of the app says once it knows who is there.
  async arrived() {
    await page.waitForFunction(() => document.getElementById('who')?.textContent !== 'nobody', { timeout: WAIT_MS })
    return page.$eval('#who', (it) => it.textContent)
  },
  browse: ({ url, method = 'GET', headers, body }) => page.evaluate(async (target, init) => {
    const answer = await window.solidClientAuthentication.getDefaultSession().fetch(target, init)
    return { status: answer.status, body: await answer.text(), wac: answer.headers.get('wac-allow') }
  }, url, { method, headers, body }),
  async logout() {
    await Promise.all([
      page.waitForNavigation({ timeout: WAIT_MS }),
      page.evaluate((back) => {
        window.solidClientAuthentication.getDefaultSession().logout({ logoutType: 'idp', postLogoutUrl: back })
      }, home),
    ])
    return page.url()
  },
  async screenshot({ path, width = 520, height = 900, dark = false }) {
    await page.setViewport({ width, height })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }])
    await page.screenshot({ path, fullPage: true })
  },
  unnamed: () => page.evaluate(() => [...document.querySelectorAll('input:not([type=hidden]), select, button, a')]
    .filter((it) => !(it.labels?.length || it.textContent.trim() || it.getAttribute('aria-label')))
    .map((it) => it.outerHTML)),
  complaints: () => complaints,
}, { home })
await browser?.close()
