// Uses Phanpy as a member does: node browse.mjs CHROMIUM SCREENSHOTS JSON
// JSON is {app, instance, name, password, expects, says}: where the app is, the server, who signs in,
// words that the home timeline must show, and a post to write. A line is printed for each thing.
import path from 'node:path'
import puppeteer from 'puppeteer-core'

const [chromium, screenshots, asked] = process.argv.slice(2)
const { app, instance, name, password, expects, says } = JSON.parse(asked)
const WAIT_MS = 30_000
const PLACES = [['notifications', 'followed you'], ['search?q=bob', 'bob'], [`${instance}/t/garden`, 'My #garden'], ['mentions', 'soon!'], ['l', 'Lists'], ['b', 'Bookmarks'], ['f', 'Likes'], ['fh', 'Followed Hashtags']]
const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ['--no-sandbox', '--host-resolver-rules=MAP * 127.0.0.1'],
  acceptInsecureCerts: true,
})
const page = await browser.newPage()
await page.setViewport({ width: 1000, height: 900 })
const refused = new Set()
page.on('response', (answer) => {
  if (answer.status() >= 400) refused.add(`${answer.status()} ${answer.request().method()} ${answer.url().split('?')[0]}`)
})
const errors = new Set()
page.on('pageerror', (error) => errors.add(String(error)))

const shot = (label) => page.screenshot({ path: path.join(screenshots, `phanpy-${label}.png`) })
const reads = (words) => page.waitForFunction(
  (wanted) => document.body.innerText.includes(wanted), { timeout: WAIT_MS }, words,
)
let failed = 0
async function holds(sentence, look) {
  const begin = performance.now()
  try {
    const told = await look()
    console.log(`ok ${((performance.now() - begin) / 1000).toFixed(2)} s  ${sentence}${told ? `: ${told}` : ''}`)
  } catch (error) {
    failed += 1
    await shot('failed')
    console.log(`FAILED  ${sentence}: ${String(error).split('\n')[0]}`)
  }
}
await holds('the member signs in on the pod\'s own pages and is let back into the app', async () => {
  await page.goto(`${app}/#/login`)
  const field = await page.waitForSelector('input[name=instanceURL], #instanceURL', { timeout: WAIT_MS })
  await field.type(instance)
  const opened = new Promise((done) => page.once('popup', done))
  await page.keyboard.press('Enter')
  const popup = await opened
  await popup.waitForSelector('input[type=password]', { timeout: WAIT_MS })
  await popup.type('input[name=name]', name)
  await popup.type('input[type=password]', password)
  await Promise.all([popup.waitForNavigation(), popup.keyboard.press('Enter')])
  const allow = await popup.waitForSelector('button[value=allow]', { timeout: WAIT_MS })
  await popup.screenshot({ path: path.join(screenshots, 'phanpy-consent.png') })
  await allow.click()
  await page.waitForFunction(() => localStorage.accounts !== undefined, { timeout: WAIT_MS })
})
for (const words of expects) await holds(`home shows "${words}"`, async () => { await reads(words) })
await shot('home')
await holds('a post is written in the app and stands in the home timeline', async () => {
  await page.goto(`${app}/#/`)
  const compose = await page.waitForSelector('#compose-button', { timeout: WAIT_MS })
  await compose.click()
  const field = await page.waitForSelector('textarea', { timeout: WAIT_MS })
  await field.type(says)
  await shot('compose')
  await (await page.waitForSelector('#compose-container button[type=submit]')).click()
  await page.waitForFunction(() => !document.querySelector('textarea'), { timeout: WAIT_MS })
  await page.reload()
  await reads(says)
})
await holds('a poll is voted in and the result is shown', async () => {
  const choice = await page.waitForSelector('.poll input[type=radio]', { timeout: WAIT_MS })
  await choice.click()
  await (await page.waitForSelector('.poll button[type=submit]')).click()
  await reads('1 vote')
})
for (const [place, words] of PLACES) {
  await holds(`/${place} shows "${words}"`, async () => {
    await page.goto(`${app}/#/${place}`)
    await reads(words)
    await new Promise((done) => setTimeout(done, 1500))
    await shot(place.split('?')[0].replaceAll('/', '-'))
  })
}
console.log(`refused: ${[...refused].join(', ') || 'nothing'}`)
console.log(`errors in the page: ${[...errors].join(', ') || 'none'}`)
await browser.close()
process.exit(failed ? 1 : 0)
