// Judges requests by @cloud-copilot/iam-simulate: a request a line in, a
// verdict a line out. Run in the folder that has its node_modules.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const { runSimulation, runUnsafeSimulation } = createRequire(process.cwd() + '/')('@cloud-copilot/iam-simulate')

for await (const line of createInterface({ input: process.stdin })) {
  const { action, resource, account, context, policies, boundary, scps, resourcePolicy, whole } = JSON.parse(line)
  const named = (list) => list.map((policy, i) => ({ name: String(i), policy }))
  // It drops what it takes for no key of the action, such as those of a build
  // (findings/iam-simulate-build-keys.sh), unless told to take the context whole: then it gives the
  // verdict alone.
  const out = await (whole ? runUnsafeSimulation : runSimulation)(
    {
      request: {
        principal: 'arn:aws:iam::111122223333:role/build',
        action,
        resource: { resource, accountId: account ?? '111122223333' },
        contextVariables: context ?? {}
      },
      identityPolicies: named(policies),
      serviceControlPolicies: scps ? [{ orgIdentifier: 'o-simulated0', policies: named(scps) }] : [],
      resourceControlPolicies: [],
      resourcePolicy,
      ...(boundary && { permissionBoundaryPolicies: named([boundary]) })
    },
    {}
  )
  // Keys that the action does not have are ignored, as IAM does not send them.
  const ignored = out.result?.ignoredContextKeys ?? []
  process.stdout.write(JSON.stringify({ verdict: out.overallResult ?? out, error: out.errors, ignored }) + '\n')
}
