// The AWS SDK for JavaScript: data keys, errors as the classes that the SDK makes of them, pages, and
// signatures that Node.js checks by itself.

'use strict'

const assert = require('node:assert/strict')
const crypto = require('node:crypto')
const {
  DisabledException,
  InvalidCiphertextException,
  KMS,
  KMSInvalidSignatureException,
  NotFoundException,
  paginateListKeys
} = require('@aws-sdk/client-kms')

const kms = new KMS({ maxAttempts: 1 })

const newKey = async (settings = {}) => (await kms.createKey(settings)).KeyMetadata

const publicKey = async (KeyId) => {
  const { PublicKey } = await kms.getPublicKey({ KeyId })
  return crypto.createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' })
}

const tests = {
  'a data key opens only as it was sealed': async () => {
    const key = await newKey({ Description: 'conformance' })
    assert.ok(key.CreationDate instanceof Date)
    const EncryptionContext = { file: 'дело.txt' }
    const made = await kms.generateDataKey({
      KeyId: key.KeyId,
      KeySpec: 'AES_256',
      EncryptionContext
    })
    assert.equal(made.Plaintext.length, 32)
    const { CiphertextBlob } = made
    const opened = await kms.decrypt({ CiphertextBlob, EncryptionContext })
    assert.deepEqual(opened.Plaintext, made.Plaintext)
    assert.equal(opened.KeyId, key.Arn)
    await assert.rejects(kms.decrypt({ CiphertextBlob }), InvalidCiphertextException)
    await kms.disableKey({ KeyId: key.KeyId })
    await assert.rejects(kms.decrypt({ CiphertextBlob, EncryptionContext }), (error) => {
      assert.ok(error instanceof DisabledException)
      assert.equal(error.message, `${key.Arn} is disabled.`)
      assert.equal(error.$metadata.httpStatusCode, 400)
      assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/)
      return true
    })
  },

  'what is not there is not found': async () => {
    await assert.rejects(kms.describeKey({ KeyId: 'alias/nothing' }), NotFoundException)
  },

  'pages hold every key once': async () => {
    const made = new Set()
    for (let count = 0; count < 3; count += 1) made.add((await newKey()).KeyId)
    const seen = []
    for await (const page of paginateListKeys({ client: kms, pageSize: 2 }, {})) {
      assert.ok(page.Keys.length <= 2)
      seen.push(...page.Keys.map((entry) => entry.KeyId))
    }
    assert.equal(new Set(seen).size, seen.length)
    for (const id of made) assert.ok(seen.includes(id))
  },

  'Node.js verifies what haechi signs': async () => {
    const message = Buffer.from('message')
    const pss = {
      padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
      saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST
    }
    for (const [KeySpec, SigningAlgorithm, digest, options] of [
      ['RSA_2048', 'RSASSA_PSS_SHA_384', 'sha384', pss],
      ['ECC_NIST_P384', 'ECDSA_SHA_384', 'sha384', {}],
      ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', null, {}]
    ]) {
      const { KeyId } = await newKey({ KeySpec, KeyUsage: 'SIGN_VERIFY' })
      const call = { KeyId, SigningAlgorithm, Message: message }
      const { Signature } = await kms.sign(call)
      const key = await publicKey(KeyId)
      assert.ok(crypto.verify(digest, message, { key, ...options }, Signature), KeySpec)
      assert.equal((await kms.verify({ ...call, Signature })).SignatureValid, true)
      const other = { ...call, Message: Buffer.from('another') }
      await assert.rejects(kms.verify({ ...other, Signature }), KMSInvalidSignatureException)
    }
  }
}

const main = async () => {
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test()
      console.log(`ok     ${name}`)
    } catch (error) {
      console.log(`FAILED ${name}`, error)
      process.exitCode = 1
    }
  }
}

main()
