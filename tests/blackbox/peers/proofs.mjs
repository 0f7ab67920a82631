// Object integrity proofs as Fedify makes and verifies them: node proofs.mjs
import { generateCryptoKeyPair, signObject, verifyProof } from '@fedify/fedify'
import { Activity, DataIntegrityProof, Multikey } from '@fedify/vocab'
import { serve } from './line.mjs'

const pair = await generateCryptoKeyPair('Ed25519')

// A loader that knows one key, whatever it is asked for.
const knowing = (document) => async (url) => ({ contextUrl: null, document, documentUrl: url })

await serve({
  multikey: async ({ id, controller }) => {
    const key = new Multikey({ id: new URL(id), controller: new URL(controller), publicKey: pair.publicKey })
    return key.toJsonLd()
  },
  sign: async ({ document, method }) => {
    const signed = await signObject(await Activity.fromJsonLd(document), pair.privateKey, new URL(method))
    return signed.toJsonLd({ format: 'compact' })
  },
  verify: async ({ document, key }) => {
    const proof = await DataIntegrityProof.fromJsonLd({ '@context': document['@context'], ...document.proof })
    const found = await verifyProof(document, proof, { documentLoader: knowing(key) })
    return found !== null
  },
})
