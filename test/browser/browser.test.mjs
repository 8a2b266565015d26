// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// A page of another origin, in a real browser, gets nothing from the client and causes nothing: no request of its
// reaches the exit. Two controls show that the page does attack: a server without any check, which it reaches, and a
// client that is told to allow the page's origin, which it can read.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

const { BROWSER_DIR, CHROMIUM } = process.env;
const page = readFileSync(new URL('attack.html', import.meta.url));
const started = [];

// run starts tokengo and returns the first line that it prints.
async function run(...args) {
  const p = spawn(join(BROWSER_DIR, 'tokengo'), args, { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(p);
  const [line] = await once(createInterface({ input: p.stdout }), 'line', { signal: AbortSignal.timeout(20_000) });
  return line;
}

// listen starts a server on loopback and returns its port.
async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  started.push({ kill: () => { server.closeAllConnections(); server.close(); } });
  await once(server, 'listening');
  return server.address().port;
}

async function body(r) {
  const pieces = [];
  for await (const piece of r) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

// browse shows a URL in a new browser to which evil.example and rebind.example are this machine. With the mode
// --dump-dom it ends when the page is there, and prints it.
async function browse(url, mode) {
  const p = spawn(CHROMIUM, [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', `--user-data-dir=${mkdtempSync(join(BROWSER_DIR, 'profile-'))}`,
    '--host-resolver-rules=MAP evil.example 127.0.0.1,MAP rebind.example 127.0.0.1',
    mode, url,
  ], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(p);
  const text = body(p.stdout);
  return { text, end: () => p.kill('SIGKILL') };
}

let evil; // port of the hostile page's server
let learn; // resolves with what the page learnt

before(async () => {
  evil = await listen(async (r, w) => {
    if (r.method === 'POST') learn(JSON.parse(await body(r)));
    w.setHeader('content-type', 'text/html').end(r.method === 'POST' ? '' : page);
  });
});

after(() => started.forEach((p) => p.kill('SIGKILL')));

// attack shows the page to a browser and returns what the page learnt of target.
async function attack(target, port) {
  const learnt = new Promise((done) => { learn = done; });
  const query = new URLSearchParams({ target, rebound: `http://rebind.example:${port}` });
  const browser = await browse(`http://evil.example:${evil}/attack?${query}`, '--remote-debugging-port=0');
  const late = new Promise((_, fail) => setTimeout(() => fail(new Error('the page did not report')), 90_000).unref());
  try {
    return await Promise.race([learnt, late]);
  } finally {
    browser.end();
  }
}

// A network on this machine whose client has the given flags.
async function network(...flags) {
  const dir = mkdtempSync(join(BROWSER_DIR, 'state-'));
  const relay = await run('relay', '--listen', '127.0.0.1:0', '--state-dir', join(dir, 'relay'));
  const metrics = await freePort();
  started.push(spawn(join(BROWSER_DIR, 'tokengo'), [
    'exit', '--relay', relay, '--backend', 'demo', '--state-dir', join(dir, 'exit'), '--metrics-listen', `127.0.0.1:${metrics}`,
  ], { stdio: 'ignore' }));
  const url = await run('client', '--relay', relay, '--listen', '127.0.0.1:0', '--state-dir', join(dir, 'client'), ...flags);
  await eventually(async () => (await fetch(`${url}/v1/models`).then((a) => a.text())).includes('demo-gpt'));
  return { url, port: new URL(url).port, asked: () => countAsked(metrics) };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function eventually(check) {
  for (const until = Date.now() + 20_000; Date.now() < until;) {
    if (await check().catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail('not within 20 s');
}

// countAsked is how many requests reached the exit.
async function countAsked(port) {
  const text = await fetch(`http://127.0.0.1:${port}/metrics`).then((a) => a.text());
  return [...text.matchAll(/^tokengo_exit_requests_total\{.*\} (\d+)/gm)].reduce((n, m) => n + Number(m[1]), 0);
}

test('a page gets nothing and causes nothing', async () => {
  const n = await network();
  const learnt = await attack(n.url, n.port);
  for (const [name, got] of Object.entries(learnt)) {
    assert.doesNotMatch(got, /^(read|open|loaded)/, `${name}: ${got}`);
  }
  assert.equal(Object.keys(learnt).length, 16);
  assert.equal(await n.asked(), 0, 'requests that reached the exit');

  const { text } = await browse(`http://rebind.example:${n.port}/v1/models`, '--dump-dom');
  const shown = await text;
  assert.match(shown, /forbidden/, 'what a name of another shows');
  assert.doesNotMatch(shown, /demo-gpt/);

  const answer = await fetch(`${n.url}/v1/chat/completions`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo-gpt', messages: [{ role: 'user', content: 'a tool asks' }] }),
  });
  assert.equal(answer.status, 200, 'a tool, with the fields that Node.js sends');
  assert.equal(await n.asked(), 1);
});

test('control: a server without checks is reached by the same page', async () => {
  const reached = [];
  const port = await listen((r, w) => {
    reached.push(`${r.method} ${r.headers.origin ?? ''} ${r.headers.host}`);
    w.setHeader('access-control-allow-origin', '*').setHeader('access-control-allow-headers', '*').end('{}');
  });
  const learnt = await attack(`http://127.0.0.1:${port}`, port);
  assert.match(learnt.list, /^read 200/);
  assert.match(learnt.plain, /^read 200/);
  assert.match(learnt.rebound, /^read 200/);
  assert.ok(reached.length >= 14, `${reached.length} requests arrived: ${reached}`);
});

test('control: a page whose origin is allowed is answered', async () => {
  const n = await network('--origin', `http://evil.example:${evil}`);
  const learnt = await attack(n.url, n.port);
  assert.match(learnt.preflight, /^read 200/);
  assert.match(learnt.list, /^read 200/);
  assert.match(learnt.simple, /^opaque/, 'a post that is not said to be JSON stays refused');
  assert.match(learnt.rebound, /^refused/, 'and so does another host name');
  assert.match(learnt.management, /^(refused|read 40[13])/);
  assert.equal(await n.asked(), 1, 'only what was allowed');
});

test('curl with the headers of the README works, and without them is told why', async () => {
  const n = await network();
  const data = JSON.stringify({ model: 'demo-gpt', messages: [{ role: 'user', content: 'hello' }] });
  const curl = (...args) => promisify(execFile)('curl', ['-s', `${n.url}/v1/chat/completions`, '-d', data, ...args]);
  assert.match((await curl('-H', 'Content-Type: application/json')).stdout, /"finish_reason"/);
  assert.match((await curl()).stdout, /unsupported_media_type/);
});
