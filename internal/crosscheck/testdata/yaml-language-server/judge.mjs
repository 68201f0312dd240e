// Opens documents in the YAML language server as an editor does, and prints what it says of each.
// Input: one JSON a line, {"text", "hover": [line, character], "complete": [line, character]}; the
// last two may be missing. Output: one JSON a line, {"problems", "hover", "labels"}. The argument is
// the folder in which documents are opened, beside the schema that their first line names.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = process.argv[2];
const require = createRequire(join(process.cwd(), 'package.json'));
const home = dirname(require.resolve('yaml-language-server/package.json'));
const server = spawn(process.execPath, [join(home, 'bin/yaml-language-server'), '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });

let buffer = Buffer.alloc(0);
let last = 0;
const answers = new Map();
const published = new Map();

function send(message) {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function ask(method, params) {
  const id = ++last;
  send({ id, method, params });
  return new Promise((resolve) => answers.set(id, resolve));
}

function take(message) {
  if (message.method && message.id !== undefined) {
    send({ id: message.id, result: message.method === 'workspace/configuration' ? message.params.items.map(() => null) : null });
  } else if (message.id !== undefined) {
    answers.get(message.id)(message.result);
  } else if (message.method === 'textDocument/publishDiagnostics') {
    published.get(message.params.uri)?.(message.params.diagnostics);
  }
}

server.stdout.on('data', (data) => {
  buffer = Buffer.concat([buffer, data]);
  for (;;) {
    const end = buffer.indexOf('\r\n\r\n');
    const length = end < 0 ? 0 : Number(/Content-Length: (\d+)/.exec(buffer.subarray(0, end).toString())[1]);
    if (end < 0 || buffer.length < end + 4 + length) return;
    const body = buffer.subarray(end + 4, end + 4 + length).toString();
    buffer = buffer.subarray(end + 4 + length);
    take(JSON.parse(body));
  }
});

await ask('initialize', {
  processId: process.pid,
  rootUri: pathToFileURL(folder).href,
  capabilities: { workspace: { configuration: true }, textDocument: { hover: { contentFormat: ['markdown'] }, completion: {} } },
});
send({ method: 'initialized', params: {} });
send({
  method: 'workspace/didChangeConfiguration',
  params: { settings: { yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false } } } },
});

async function judge({ text, hover, complete }, number) {
  const uri = pathToFileURL(join(folder, `settings-${number}.yaml`)).href;
  const textDocument = { uri };
  const problems = new Promise((resolve) => published.set(uri, resolve));
  send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } });
  const out = { problems: (await problems).map((d) => `${d.range.start.line + 1}: ${d.message}`) };
  const at = ([line, character]) => ({ textDocument, position: { line: line - 1, character } });
  if (hover) out.hover = JSON.stringify((await ask('textDocument/hover', at(hover)))?.contents);
  if (complete) out.labels = (await ask('textDocument/completion', at(complete))).items.map((i) => i.label);
  return out;
}

// It waits a while before it looks at a document, so all are opened at once.
const documents = readFileSync(0, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
for (const out of await Promise.all(documents.map(judge))) process.stdout.write(JSON.stringify(out) + '\n');
server.kill();
