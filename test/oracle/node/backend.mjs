// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// A backend that tells what reached it. It answers every chat with what it got (as the SHA-256 and the size of the body,
// and the prompt itself), and a streamed one event by event: each waits until the test has received the one before, so
// that nothing between here and the test can collect them. Prints its URL.
//
//   POST /v1/chat/completions     the chat, as the exit asks for it; "user" in the body names the test
//   GET  /oracle/count?user=U     how many chats with that name arrived
//   POST /oracle/release?user=U   lets one more event of its streamed answer go

import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import http from 'node:http';

const EVENTS = 4;
const counts = new Map();
const permits = new Map();
const released = new EventEmitter().setMaxListeners(0);

async function permit(user) {
  while (!permits.get(user)) await new Promise((resolve) => released.once(user, resolve));
  permits.set(user, permits.get(user) - 1);
}

async function chat(req, res) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { user, stream, messages } = JSON.parse(body);
  counts.set(user, (counts.get(user) ?? 0) + 1);
  if (!stream) {
    const sha256 = createHash('sha256').update(body).digest('hex');
    res.setHeader('content-type', 'application/json');
    return res.end(JSON.stringify({ sha256, size: body.length, echo: messages[0].content, fields: Object.keys(req.headers) }));
  }
  res.setHeader('content-type', 'text/event-stream');
  for (let n = 0; n < EVENTS; n++) {
    if (n > 0) await permit(user);
    res.write(`data: {"n":${n}}\n\n`);
  }
  await permit(user);
  res.end('data: [DONE]\n\n');
}

const server = http.createServer((req, res) => {
  const url = new URL(req.url, 'http://backend');
  const user = url.searchParams.get('user');
  switch (`${req.method} ${url.pathname}`) {
    case 'POST /v1/chat/completions':
      return chat(req, res).catch((err) => res.destroy(err));
    case 'GET /oracle/count':
      return res.end(String(counts.get(user) ?? 0));
    case 'POST /oracle/release':
      permits.set(user, (permits.get(user) ?? 0) + 1);
      released.emit(user);
      return res.end();
    default:
      res.statusCode = 404;
      return res.end();
  }
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
