// Opens pages of a pod in SolidOS: node browse.mjs CHROMIUM SCREENSHOTS JSON
// JSON is a list of {name, url, token, login, rename, awaits}: what must come to be read on the page;
// login is {start, issuer, name, password}, rename the new name that the app gives whom it logged in.
import http from 'node:http'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import puppeteer from 'puppeteer-core'

const [chromium, screenshots, asked] = process.argv.slice(2)
const WAIT_MS = 30_000
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.png': 'image/png' }
const dist = path.dirname(fileURLToPath(import.meta.resolve('mashlib')))

// The app as its authors built it, from an origin of its own.
const app = http.createServer(async (request, response) => {
  const file = path.join(dist, path.normalize(new URL(request.url, 'http://app').pathname))
  try {
    await stat(file)
    response.setHeader('content-type', TYPES[path.extname(file)] ?? 'application/octet-stream')
    createReadStream(file).pipe(response)
  } catch {
    response.writeHead(404).end()
  }
})
await new Promise((done) => app.listen(0, '127.0.0.1', done))
const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox'] })
const at = (uri) => `http://localhost:${app.address().port}/browse.html?uri=${encodeURIComponent(uri)}`
const press = (page, text) => page.waitForFunction((wanted) => {
  const shown = [...document.querySelectorAll('button, input[type=button]')]
  const found = shown.filter((one) => (one.value || one.textContent).trim() === wanted).at(-1)
  found?.click()
  return Boolean(found)
}, { timeout: WAIT_MS }, text)

// Sign in at the pod's own pages, let the app in, and be back in the app as the member.
async function logIn(page, { start, issuer, name, password }) {
  await page.goto(at(start))
  await press(page, 'Log in')
  const field = await page.waitForSelector('input[placeholder="https://example.com"]')
  await field.type(issuer)
  await press(page, 'Go')
  await page.waitForSelector('input[type=password]', { timeout: WAIT_MS })
  await page.type('input[name=name]', name)
  await page.type('input[type=password]', password)
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  const allow = await page.waitForSelector('button[value=allow]')
  await page.screenshot({ path: path.join(screenshots, 'solidos-consent.png') })
  await Promise.all([page.waitForNavigation(), allow.click()])
  await page.waitForFunction(() => globalThis.SolidLogic !== undefined)
  return page.evaluate(async () => (await SolidLogic.authn.checkUser())?.value)
}

// An edit as every pane of SolidOS makes it.
async function rename(page, name) {
  await page.evaluate(async (name) => {
    const { store, authn } = SolidLogic
    const me = authn.currentUser()
    const called = $rdf.sym('http://www.w3.org/2006/vcard/ns#fn')
    await store.fetcher.load(me.doc())
    const old = store.statementsMatching(me, called, null, me.doc())
    await store.updater.update(old, [$rdf.st(me, called, $rdf.lit(name), me.doc())])
  }, name)
}

async function open({ name, url, token, login, rename: renamed, awaits }) {
  const page = await browser.newPage()
  await page.setViewport({ width: 1100, height: 900 })
  const refused = []
  const origin = new URL(url).origin
  page.on('response', (answer) => {
    const said = `${answer.status()} ${answer.request().method()} ${answer.url()}`
    if (answer.url().startsWith(origin) && answer.status() >= 400) refused.push(said)
  })
  if (token) {
    await page.setRequestInterception(true)
    page.on('request', (request) => {
      const own = request.url().startsWith(origin) && request.method() !== 'OPTIONS'
      const more = own ? { authorization: `Bearer ${token}` } : {}
      request.continue({ headers: { ...request.headers(), ...more } })
    })
  }
  const begin = Date.now()
  if (login) {
    await logIn(page, login)
    if (renamed) await rename(page, renamed)
    await page.evaluate((uri) => {
      document.getElementById('uriField').value = uri
      document.getElementById('goButton').click()
    }, url)
  } else {
    await page.goto(at(url))
  }
  let text = ''
  let missing = awaits
  while (Date.now() - begin < WAIT_MS && missing.length) {
    await new Promise((done) => setTimeout(done, 200))
    text = await page.evaluate(() => document.body.innerText)
    missing = awaits.filter((word) => !text.includes(word))
  }
  const took = Date.now() - begin
  await new Promise((done) => setTimeout(done, 1000))
  await page.screenshot({ path: path.join(screenshots, `solidos-${name}.png`) })
  console.log(JSON.stringify({ name, took, missing, refused, text: text.slice(0, 500) }))
  await page.close()
}

for (const page of JSON.parse(asked)) await open(page)
await browser.close()
app.close()
