// The official OAuth client with a headless Chromium: node oauth_client.mjs POD_URL PLC_URL CHROMIUM
import http from 'node:http'
import { NodeOAuthClient } from '@atproto/oauth-client-node'
import puppeteer from 'puppeteer-core'
import { serve } from './line.mjs'

const [pod, plc, chromium] = process.argv.slice(2)
const WAIT_MS = 15_000

// What comes back to the app: the first request to its redirect URI.
let arrived
let arrival = new Promise((done) => { arrived = done })
const callback = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1')
  if (url.pathname === '/cb') arrived(url.searchParams)
  response.end('back in the app')
})
await new Promise((done) => callback.listen(0, '127.0.0.1', done))
const redirectUri = `http://127.0.0.1:${callback.address().port}/cb`

// The client looks for DIDs at the root of a directory; the pod's own lies under a path.
const directory = http.createServer(async (request, response) => {
  const found = await fetch(plc + request.url)
  response.writeHead(found.status, { 'content-type': 'application/json' })
  response.end(await found.text())
})
await new Promise((done) => directory.listen(0, '127.0.0.1', done))

const store = () => {
  const kept = new Map()
  return {
    get: async (key) => kept.get(key),
    set: async (key, value) => { kept.set(key, value) },
    del: async (key) => { kept.delete(key) },
    kept,
  }
}
const sessions = store()
let client
let session

// An app that may ask for SCOPE, as a program on this machine.
function makeClient(scope) {
  const query = `redirect_uri=${encodeURIComponent(redirectUri)}&scope=${encodeURIComponent(scope)}`
  return new NodeOAuthClient({
    clientMetadata: {
      client_id: `http://localhost?${query}`,
      redirect_uris: [redirectUri],
      scope,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      dpop_bound_access_tokens: true,
    },
    stateStore: store(),
    sessionStore: sessions,
    allowHttp: true,
    plcDirectoryUrl: `http://127.0.0.1:${directory.address().port}`,
    handleResolver: pod,
    requestLock: async (_name, work) => work(),
  })
}

const browser = await puppeteer.launch({ executablePath: chromium, headless: true, args: ['--no-sandbox'] })
const page = await browser.newPage()
const complaints = []
page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()) })
page.on('pageerror', (error) => complaints.push(String(error)))

const text = () => page.evaluate(() => document.body.innerText)

async function press(label) {
  for (const button of await page.$$('button')) {
    if (await button.evaluate((it) => it.innerText.trim()) !== label) continue
    await Promise.all([page.waitForNavigation({ timeout: WAIT_MS }), button.click()])
    return text()
  }
  throw new Error(`no button ${label} on: ${await text()}`)
}

await serve({
  async begin({ handle, scope, ...options }) {
    client = makeClient(scope)
    arrival = new Promise((done) => { arrived = done })
    return (await client.authorize(handle, { scope, ...options })).href
  },
  async open({ url, script = true }) {
    await page.setJavaScriptEnabled(script)
    await page.goto(url, { waitUntil: 'networkidle0' })
    return text()
  },
  async type({ selector, value }) {
    const field = await page.waitForSelector(selector, { timeout: WAIT_MS })
    await field.evaluate((it) => { it.value = '' })
    await field.type(value)
  },
  press: ({ label }) => press(label),
  // A made-up security key that always says yes.
  async authenticator() {
    const session = await page.createCDPSession()
    await session.send('WebAuthn.enable')
    await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
        isUserVerified: true, automaticPresenceSimulation: true,
      },
    })
  },
  async tick({ selector }) {
    await page.click(selector)
  },
  async unfold({ selector }) {
    await page.$eval(selector, (it) => { it.closest('details').open = true })
  },
  async screenshot({ path, width = 480, height = 900, dark = false }) {
    await page.setViewport({ width, height })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }])
    await page.screenshot({ path, fullPage: true })
  },
  async outline() {
    await page.setViewport({ width: 360, height: 900 })
    return page.evaluate(() => ({
      unnamed: [...document.querySelectorAll('input:not([type=hidden]), button, a')]
        .filter((it) => !(it.labels?.length || it.textContent.trim() || it.getAttribute('aria-label')))
        .map((it) => it.outerHTML),
      foreign: [...document.querySelectorAll('script, img, iframe, link')]
        .map((it) => it.src || it.href).filter((url) => url && new URL(url).origin !== location.origin),
      scripts: document.scripts.length,
      headings: [...document.querySelectorAll('h1')].length,
      language: document.documentElement.lang,
      overflows: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    }))
  },
  complaints: () => complaints,
  where: () => page.url(),
  async finish() {
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error('nobody came back')), WAIT_MS))
    const found = await client.callback(await Promise.race([arrival, late]))
    session = found.session
    return { did: session.did, state: found.state, scope: (await session.getTokenInfo()).scope }
  },
  async refused() {
    try {
      await client.callback(await arrival)
    } catch (error) {
      return { error: error.params?.get('error'), iss: error.params?.get('iss'), state: error.state }
    }
    throw new Error('it was let in')
  },
  async call({ method = 'GET', path, json }) {
    const answer = await session.fetchHandler(path, {
      method,
      ...(json && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }),
    })
    return { status: answer.status, body: await answer.text() }
  },
  async refresh() {
    const before = sessions.kept.get(session.did).tokenSet
    await session.getTokenInfo(true)
    const after = sessions.kept.get(session.did).tokenSet
    return before.access_token !== after.access_token && before.refresh_token !== after.refresh_token
  },
  // Give up the session at the server, and keep the tokens to see whether they still open anything.
  async revoke() {
    const kept = { ...sessions.kept.get(session.did) }
    await session.signOut()
    sessions.kept.set(session.did, kept)
    session = await client.restore(session.did, false)
  },
}, { redirectUri })
await browser.close()
