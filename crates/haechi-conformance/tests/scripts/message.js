// The AWS Encryption SDK for JavaScript as a command: as `message.py`, word for word.

'use strict'

const fs = require('node:fs')
const {
  AwsKmsMrkAwareSymmetricDiscoveryKeyringNode,
  AwsKmsMrkAwareSymmetricKeyringNode,
  CommitmentPolicy,
  KMS,
  buildClient
} = require('@aws-crypto/client-node')

// Both sides must name the same one.
const CONTEXT = { purpose: 'conformance', ключ: 'значение' }

const sdk = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)

const strict = (keyId) =>
  new AwsKmsMrkAwareSymmetricKeyringNode({
    client: new KMS({ region: keyId.split(':')[3] }),
    keyId
  })

const discovery = (region) =>
  new AwsKmsMrkAwareSymmetricDiscoveryKeyringNode({ client: new KMS({ region }) })

const main = async ([verb, name, file]) => {
  if (verb === 'seal') {
    const plaintext = fs.readFileSync(0)
    const { result } = await sdk.encrypt(strict(name), plaintext, { encryptionContext: CONTEXT })
    fs.writeFileSync(file, result)
    return
  }
  const keyring = { open: strict, discover: discovery }[verb](name)
  const { plaintext, messageHeader } = await sdk.decrypt(keyring, fs.readFileSync(file))
  for (const [key, value] of Object.entries(CONTEXT)) {
    if (messageHeader.encryptionContext[key] !== value) {
      throw new Error(`the encryption context lacks ${key}`)
    }
  }
  process.stdout.write(plaintext)
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error)
  process.exitCode = 1
})
