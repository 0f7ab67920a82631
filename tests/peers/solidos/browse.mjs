// Opens pages of a pod in SolidOS: node browse.mjs CHROMIUM SCREENSHOTS JSON
// JSON is a list of {name, url, token, awaits}: what must come to be read on the page.
import http from 'node:http'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import puppeteer from 'puppeteer-core'

const [chromium, screenshots, asked] = process.argv.slice(2)
const WAIT_MS = 30_000
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.png': 'image/png' }
const dist = path.join(path.dirname(fileURLToPath(import.meta.resolve('mashlib'))))

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
for (const { name, url, token, awaits } of JSON.parse(asked)) {
  const page = await browser.newPage()
  await page.setViewport({ width: 1100, height: 900 })
  const refused = []
  page.on('response', (answer) => {
    const own = answer.url().startsWith(new URL(url).origin)
    if (own && answer.status() >= 400) refused.push(`${answer.status()} ${answer.request().method()} ${answer.url()}`)
  })
  if (token) {
    await page.setRequestInterception(true)
    page.on('request', (request) => {
      const own = request.url().startsWith(new URL(url).origin) && request.method() !== 'OPTIONS'
      const headers = own ? { ...request.headers(), authorization: `Bearer ${token}` } : request.headers()
      request.continue({ headers })
    })
  }
  const begin = Date.now()
  await page.goto(`http://localhost:${app.address().port}/browse.html?uri=${encodeURIComponent(url)}`)
  let found = []
  while (Date.now() - begin < WAIT_MS && found.length < awaits.length) {
    await new Promise((done) => setTimeout(done, 200))
    const text = await page.evaluate(() => document.body.innerText)
    found = awaits.filter((word) => text.includes(word))
  }
  const took = Date.now() - begin
  await new Promise((done) => setTimeout(done, 1000))
  await page.screenshot({ path: path.join(screenshots, `solidos-${name}.png`) })
  const missing = awaits.filter((word) => !found.includes(word))
  const text = await page.evaluate(() => document.body.innerText)
  console.log(JSON.stringify({ name, took, missing, refused, text: text.slice(0, 500) }))
  await page.close()
}
await browser.close()
app.close()
