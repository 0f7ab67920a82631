// Alice and Bob: their WebIDs and how their requests are signed.

import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { send } from './wire.mjs'

const RENEWED_AFTER_MS = 200_000
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Somebody who signs in by client credentials, with tokens bound to a key (DPoP). */
export class Client {
  constructor({ issuer, webid, id, secret }) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
    this.webid = webid
    this.key = privateKey
    this.jwk = { kty, crv, x, y }
    const place = `${issuer.replace(/\/?$/, '/')}.well-known/openid-configuration`
    this.endpoint = JSON.parse(send('GET', place).body).token_endpoint
    this.basic = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')
    this.signIn()
  }

  signIn() {
    const form = 'grant_type=client_credentials&scope=webid'
    let nonce
    for (let left = 2; left > 0; left -= 1) {
      const headers = {
        authorization: `Basic ${this.basic}`,
        'content-type': 'application/x-www-form-urlencoded',
        dpop: this.proof('POST', this.endpoint, nonce),
      }
      const answer = send('POST', this.endpoint, headers, form)
      if (answer.status === 200) {
        this.token = JSON.parse(answer.body).access_token
        this.since = Date.now()
        return
      }
      nonce = answer.headers['dpop-nonce']?.[0]
      if (nonce === undefined || left === 1) throw new Error(`no token: ${answer.status} ${answer.body}`)
    }
  }

  proof(method, url, nonce) {
    const head = encoded({ alg: 'ES256', typ: 'dpop+jwt', jwk: this.jwk })
    const claims = { htm: method, htu: url.split(/[?#]/)[0], jti: randomUUID(), iat: Math.floor(Date.now() / 1000) }
    const text = `${head}.${encoded(nonce === undefined ? claims : { ...claims, nonce })}`
    const signature = sign('sha256', Buffer.from(text), { key: this.key, dsaEncoding: 'ieee-p1363' })
    return `${text}.${signature.toString('base64url')}`
  }

  getAuthHeaders(method, url) {
    if (Date.now() - this.since > RENEWED_AFTER_MS) this.signIn()
    return { Authorization: `DPoP ${this.token}`, DPoP: this.proof(method, url) }
  }

  send(method, url, data, headers) {
    return { ...send(method, url, headers ?? {}, data), version: 'HTTP_1_1' }
  }

  sendAuthorized(method, url, data, headers) {
    return this.send(method, url, data, { ...this.getAuthHeaders(method, url), ...headers })
  }
}
