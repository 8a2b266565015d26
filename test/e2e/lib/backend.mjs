// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The backend behind the exit: a mock of the AI services that others wrote (aimock), and in front of it a recorder that
// keeps what the exit really sends (aimock's own journal hides credentials) and can hold an answer back.
//
//   node lib/backend.mjs FIXTURES      prints the recorder's URL; ends with its standard input
//
// Everything below /__e2e/ is for the tests and not for the exit:
//   GET  /__e2e/seen?text=T            the requests whose body contains T, in the order of their arrival
//   POST /__e2e/hold?text=T            from now on answers to requests that contain T wait for permission, event by event
//   POST /__e2e/release?text=T&n=N     lets N more events of them go

import { createHash } from 'node:crypto';
import http from 'node:http';
import { LLMock } from '@copilotkit/aimock';

const CONTROL = '/__e2e/';
// aimock refuses bodies of more than 10 MiB. It does not look into images, so it gets them cut.
const LONG_BODY = 1 << 20;
const LONG_TEXT = 1 << 16;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A Gate lets pieces of an answer pass, as many as it was given permits for. */
class Gate {
  permits = 0;
  #waiting = [];

  constructor(text) {
    this.text = text;
  }

  release(n) {
    this.permits += n;
    while (this.permits > 0 && this.#waiting.length > 0) {
      this.permits--;
      this.#waiting.shift()();
    }
  }

  pass() {
    if (this.permits > 0) {
      this.permits--;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const seen = [];
const gates = [];

/** control answers the tests. */
function control(url, res) {
  const text = url.searchParams.get('text');
  switch (url.pathname.slice(CONTROL.length)) {
    case 'seen': {
      const found = seen.filter((e) => e.body.includes(text)).map(({ body, ...rest }) => ({ ...rest, body: body.slice(0, 4096) }));
      res.setHeader('content-type', 'application/json');
      return res.end(JSON.stringify(found));
    }
    case 'hold':
      gates.push(new Gate(text));
      return res.end();
    case 'release':
      gates.find((g) => g.text === text).release(Number(url.searchParams.get('n')));
      return res.end();
    default:
      res.statusCode = 404;
      return res.end();
  }
}

/** forward hands a request to aimock and its answer back, and writes down both. */
async function forward(req, res, upstream) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  const body = raw.toString('utf8');
  const entry = {
    method: req.method, path: req.url, rawHeaders: req.rawHeaders, body,
    length: raw.length, sha256: sha256(raw), answer: null, cutAt: null,
  };
  seen.push(entry);
  const gone = new AbortController();
  res.on('close', () => {
    if (res.writableFinished) return;
    entry.cutAt = Date.now();
    gone.abort();
  });
  const answer = await fetch(upstream + req.url, {
    method: req.method, signal: gone.signal,
    headers: { 'content-type': req.headers['content-type'] ?? '', accept: req.headers.accept ?? '*/*', 'anthropic-version': req.headers['anthropic-version'] ?? '' },
    body: raw.length > 0 ? cut(body) : undefined,
  });
  const headers = { 'content-type': answer.headers.get('content-type') ?? '' };
  if (answer.headers.has('retry-after')) headers['retry-after'] = answer.headers.get('retry-after');
  res.writeHead(answer.status, headers);
  const hash = createHash('sha256');
  const gate = gates.find((g) => body.includes(g.text));
  for await (const piece of gate ? events(answer) : answer.body ?? []) {
    await gate?.pass();
    if (gone.signal.aborted) return;
    hash.update(piece);
    res.write(piece);
  }
  res.end();
  entry.answer = { status: answer.status, sha256: hash.digest('hex') };
}

function cut(body) {
  if (body.length < LONG_BODY) return body;
  return JSON.stringify(JSON.parse(body, (_, v) => (typeof v === 'string' && v.length > LONG_TEXT ? v.slice(0, LONG_TEXT) : v)));
}

/** events splits a streamed answer into its events: up to an empty line for SSE, lines for the rest. */
async function* events(answer) {
  const end = answer.headers.get('content-type').startsWith('text/event-stream') ? '\n\n' : '\n';
  let rest = '';
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    rest += text;
    for (let i = rest.indexOf(end); i >= 0; i = rest.indexOf(end)) {
      yield rest.slice(0, i + end.length);
      rest = rest.slice(i + end.length);
    }
  }
  if (rest) yield rest;
}

const mock = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 8, latency: 5 });
mock.loadFixtureFile(process.argv[2]);
await mock.start();
const server = http.createServer((req, res) => {
  const url = new URL(req.url, 'http://backend');
  if (url.pathname.startsWith(CONTROL)) return control(url, res);
  forward(req, res, mock.url).catch((err) => {
    if (err.name !== 'AbortError') console.error('%s %s: %s', req.method, url.pathname, err.stack);
    res.destroy();
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
