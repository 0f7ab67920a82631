// Passkeys on our own forms: asks the browser for the credential, puts it into the form, sends the form.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

async function ask({ passkey, challenge, site, user, name, known }) {
  const credentials = (known ?? '').split(' ').filter(Boolean).map((id) => ({ type: 'public-key', id: bytes(id) }))
  if (passkey === 'get') {
    return navigator.credentials.get({
      publicKey: { challenge: bytes(challenge), rpId: site, allowCredentials: credentials, userVerification: 'preferred' },
    })
  }
  return navigator.credentials.create({
    publicKey: {
      challenge: bytes(challenge),
      rp: { id: site, name: site },
      user: { id: new TextEncoder().encode(user), name, displayName: name },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -257 }],
      excludeCredentials: credentials,
      authenticatorSelection: { residentKey: 'discouraged', userVerification: 'preferred' },
      attestation: 'none',
    },
  })
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!window.PublicKeyCredential) continue
  form.hidden = false
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    try {
      const { id, response } = await ask(form.dataset)
      const fields = form.elements
      fields.credential.value = id
      fields.client_data.value = text(response.clientDataJSON)
      fields.authenticator_data.value = text(response.authenticatorData ?? response.getAuthenticatorData())
      fields.signature.value = response.signature ? text(response.signature) : ''
      fields.public_key.value = response.getPublicKey ? text(response.getPublicKey()) : ''
      form.submit()
    } catch (error) {
      form.querySelector('[role=alert]').textContent = `That did not work: ${error.message}`
    }
  })
}
