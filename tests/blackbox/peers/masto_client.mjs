// An everyday app on the client library `masto`: registers, is let in through the pod's own pages, and is driven by name.
import { once } from 'node:events'
import { request } from 'node:http'
import { createOAuthAPIClient, createRestAPIClient, createStreamingAPIClient } from 'masto'
import { bytes, serve } from './line.mjs'

const [url] = process.argv.slice(2)
const SCOPES = 'read write follow'
const REDIRECT = 'urn:ietf:wg:oauth:2.0:oob'
let api = null
let token = null
let app = null
const events = []

// One request as a browser sends it; Node's own fetch says of itself that it is a script.
async function asBrowser(address, cookie, body) {
  const type = body ? { 'content-type': 'application/x-www-form-urlencoded', origin: url } : {}
  const asked = request(address, { method: body ? 'POST' : 'GET', headers: { cookie, ...type } })
  asked.end(body ? body.toString() : undefined)
  const [answer] = await once(asked, 'response')
  return { status: answer.statusCode, headers: answer.headers, text: (await answer.setEncoding('utf8').toArray()).join('') }
}

// Fills in the pages as a person does: the fields of each form as they stand, and what is typed.
async function throughPages(address, handle, password) {
  let cookie = ''
  const go = async (to, body) => {
    for (let step = 0; step < 10; step += 1) {
      const answer = await asBrowser(new URL(to, url), cookie, body)
      cookie = answer.headers['set-cookie']?.[0].split(';')[0] ?? cookie
      if (answer.status !== 303) return answer.text
      to = answer.headers.location
      body = undefined
    }
    throw new Error('too many redirects')
  }
  const fields = (page, action) => {
    const form = page.split('<form').find((part) => part.includes(`action="${action}"`))
    if (!form) throw new Error(`no form ${action} in ${page}`)
    const found = new URLSearchParams()
    for (const [tag] of form.split('</form')[0].matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(tag)?.[1]
      if (name) found.set(name, (/value="([^"]*)"/.exec(tag)?.[1] ?? '').replaceAll('&amp;', '&'))
    }
    return found
  }
  let page = await go(address)
  const signIn = fields(page, '/account/sign-in')
  signIn.set('name', handle)
  signIn.set('password', password)
  page = await go('/account/sign-in', signIn)
  const consent = fields(page, '/oauth/authorize')
  consent.set('decision', 'allow')
  page = await go('/oauth/authorize', consent)
  const code = /<code>([^<]+)<\/code>/.exec(page)?.[1]
  if (!code) throw new Error(`no code in ${page}`)
  return code
}

async function login({ handle, password }) {
  app = await createRestAPIClient({ url }).v1.apps.create({ clientName: 'Phone', redirectUris: REDIRECT, scopes: SCOPES })
  const asked = new URLSearchParams({ response_type: 'code', client_id: app.clientId, redirect_uri: REDIRECT, scope: SCOPES })
  const code = await throughPages(`/oauth/authorize?${asked}`, handle, password)
  const made = await createOAuthAPIClient({ url }).token.create({
    grantType: 'authorization_code', clientId: app.clientId, clientSecret: app.clientSecret, redirectUri: REDIRECT, code, scope: SCOPES,
  })
  token = made.accessToken
  api = createRestAPIClient({ url, accessToken: token })
  return made
}

// Calls a method by its path: names, and arguments for `$select` in brackets, as in `v1.statuses.[7].favourite`.
function resolve(path) {
  let at = api
  for (const part of path.split('.')) {
    at = part.startsWith('[') ? at.$select(part.slice(1, -1)) : at[part]
  }
  return at
}

async function listen() {
  const instance = await api.v2.instance.fetch()
  const streaming = createStreamingAPIClient({
    streamingApiUrl: instance.configuration.urls.streaming, accessToken: token, implementation: WebSocket,
  })
  await streaming.prepare()
  const subscription = streaming.user.subscribe()
  void (async () => {
    for await (const { event, payload } of subscription) events.push({ event, payload })
  })()
  await new Promise((done) => setTimeout(done, 500))
}

await serve({
  login,
  call: async ({ path, args = [] }) => {
    const found = await resolve(path)(...args)
    return found
  },
  media: async ({ body, description }) => api.v2.media.create({
    file: new Blob([bytes(body)], { type: 'image/png' }), description, skipPolling: true,
  }),
  listen,
  events: () => events,
  revoke: () => createOAuthAPIClient({ url }).revoke({ clientId: app.clientId, clientSecret: app.clientSecret, token }),
})
