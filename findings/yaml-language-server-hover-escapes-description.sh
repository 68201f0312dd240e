#!/usr/bin/env bash
# yaml-language-server 2.0.0 (npm), hover and completion.
#
# The description of a JSON Schema's property is shown in two places. Where one hovers over the key it
# comes as Markdown with each sign of Markdown escaped, so that `code` shows its backticks, while lists
# and blank lines of the same description are laid out. Where one completes the key the same text comes
# as it is. And the hover shows examples and allowed values, and never the default.
#
# Expected: one rendering of description in both, and the default beside the allowed values
# Seen on 29 November 2026: "\`observe\`" in the hover, "`observe`" in the completion, and no default
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --loglevel=error yaml-language-server@2.0.0 > /dev/null
cat > schema.json <<'EOF'
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "properties": {
    "mode": {
      "description": "Begin with `observe`.",
      "enum": ["watch", "observe"],
      "default": "watch"
    }
  }
}
EOF
printf '# yaml-language-server: $schema=schema.json\nmode: observe\n' > hover.yaml
printf '# yaml-language-server: $schema=schema.json\n\n' > complete.yaml
cat > ask.mjs <<'EOF'
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const server = spawn(process.execPath, ['node_modules/yaml-language-server/bin/yaml-language-server', '--stdio'],
  { stdio: ['pipe', 'pipe', 'inherit'] });
let buffer = Buffer.alloc(0);
let last = 0;
const waiting = {};
const send = (m) => {
  const body = JSON.stringify({ jsonrpc: '2.0', ...m });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};
const ask = (method, params) => new Promise((done) => { waiting[++last] = done; send({ id: last, method, params }); });
server.stdout.on('data', (data) => {
  buffer = Buffer.concat([buffer, data]);
  for (;;) {
    const end = buffer.indexOf('\r\n\r\n');
    const size = end < 0 ? 0 : Number(/Content-Length: (\d+)/.exec(buffer.subarray(0, end).toString())[1]);
    if (end < 0 || buffer.length < end + 4 + size) return;
    const m = JSON.parse(buffer.subarray(end + 4, end + 4 + size).toString());
    buffer = buffer.subarray(end + 4 + size);
    if (m.method && m.id !== undefined) send({ id: m.id, result: m.params?.items?.map(() => null) ?? null });
    else if (m.id !== undefined) waiting[m.id](m.result);
  }
});
const open = (name) => {
  const uri = pathToFileURL(name).href;
  send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text: readFileSync(name, 'utf8') } } });
  return { textDocument: { uri }, position: { line: 1, character: 0 } };
};
await ask('initialize', { processId: process.pid, rootUri: pathToFileURL('.').href, capabilities: {
  workspace: { configuration: true },
  textDocument: { hover: { contentFormat: ['markdown'] }, completion: { completionItem: { documentationFormat: ['markdown'] } } } } });
send({ method: 'initialized', params: {} });
send({ method: 'workspace/didChangeConfiguration', params: { settings: { yaml: { hover: true, completion: true, schemaStore: { enable: false } } } } });
const hover = await ask('textDocument/hover', open('hover.yaml'));
const complete = await ask('textDocument/completion', open('complete.yaml'));
console.log('hover: ' + JSON.stringify(hover.contents.value));
console.log('completion: ' + JSON.stringify(complete.items.find((i) => i.label === 'mode').documentation));
server.kill();
EOF
node ask.mjs | tee out.txt
grep -q '^hover: .*Begin with \\\\`observe\\\\`' out.txt || { echo "changed: the hover does not escape it"; exit 1; }
grep -q '^hover: .*Allowed Values' out.txt || { echo "changed: the hover shows no allowed values"; exit 1; }
! grep -qi '^hover: .*default' out.txt || { echo "changed: the hover shows the default"; exit 1; }
grep '^completion: ' out.txt | grep -q 'Begin with `observe`' || { echo "changed: the completion escapes it, too"; exit 1; }
