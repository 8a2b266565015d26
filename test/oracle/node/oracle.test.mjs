// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Asks through a relay as a client does that knows RFC 9458, draft-ietf-ohai-chunked-ohttp-08, RFC 9292, a key list and a
// URL. run.sh starts what it talks to.

import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import test from 'node:test';
import { BHttpDecoder } from 'bhttp-js';
import { indeterminateRequest, knownRequest, readResponse } from './bhttp.mjs';
import { AES_128_GCM, CHACHA20_POLY1305, CHUNKED, HKDF_SHA256, MAX_CHUNK, newRequest, parseKeys, WHOLE, X25519, X_WING } from './ohttp.mjs';
import { varint } from './reader.mjs';
import { collect, Relay } from './relay.mjs';

const { ORACLE_RELAY, ORACLE_EXIT, ORACLE_BACKEND } = process.env;
const KEY_PROBLEM = 'https://iana.org/assignments/http-problem-types#ohttp-key';
const PROBLEM = 'application/problem+json';
const PATH = `/ohttp/${ORACLE_EXIT}`;

const relay = await Relay.connect(ORACLE_RELAY);
test.after(() => relay.close());
const keyList = await fetchKeys();
const configs = parseKeys(keyList.body);
const [xWing, x25519] = configs;

async function fetchKeys() {
  const res = await relay.get(`/exits/${ORACLE_EXIT}/keys`);
  return { status: res.statusCode, type: res.headers['content-type'], body: await collect(res) };
}

const json = (value) => Buffer.from(JSON.stringify(value));
const chat = (body) => ({ path: '/v1/chat/completions', fields: { 'content-type': 'application/json' }, body: json(body) });
const messages = (content) => [{ role: 'user', content }];

/** A chat whose arrival the backend counts under user. */
const counted = (user, more) => chat({ model: 'oracle', user, messages: messages('count me'), ...more });

async function count(user) {
  return Number(await (await fetch(`${ORACLE_BACKEND}/oracle/count?user=${user}`)).text());
}

const release = (user) => fetch(`${ORACLE_BACKEND}/oracle/release?user=${user}`, { method: 'POST' });

/** Every field that an answer may have outside the seal. */
const OUTER = new Set(
  ['content-type', 'content-length', 'cache-control', 'date', 'incremental', 'connection', 'keep-alive', 'transfer-encoding'],
);

/** Checks that an answer is sealed, and in the form of its request (draft section 3). */
function assertSealed(res, format) {
  assert.equal(res.statusCode, 200);
  assert.equal(res.headers['content-type'], format.response);
  assert.deepEqual(Object.keys(res.headers).filter((name) => !OUTER.has(name)), []);
}

/** Asks one thing. The answer's body arrives while it is read; shape gets what passed, chunk by chunk. */
async function ask(request, { config = xWing, aead = AES_128_GCM, format = CHUNKED, encode = knownRequest, size, shape = [] } = {}) {
  const sealed = await newRequest(config, aead, format);
  const plaintext = encode(request);
  const body = format === WHOLE ? await sealed.whole(plaintext) : await sealed.chunked(plaintext, size);
  const res = await relay.post(PATH, format.request, body);
  assertSealed(res, format);
  return readResponse(watch(sealed.open(res), shape));
}

async function* watch(chunks, shape) {
  for await (const chunk of chunks) {
    shape.push(chunk);
    yield chunk;
  }
}

async function askJSON(request, options) {
  const answer = await ask(request, options);
  const body = JSON.parse(await collect(answer.body));
  return { status: answer.status, type: answer.fields.get('content-type'), body };
}

test('the key list', () => {
  assert.equal(keyList.status, 200);
  assert.equal(keyList.type, 'application/ohttp-keys');
  assert.equal(createHash('sha256').update(keyList.body).digest('hex'), ORACLE_EXIT);
  assert.deepEqual(configs.map((c) => c.kem), [X_WING, X25519]);
  assert.notEqual(xWing.id, x25519.id);
  for (const { suites } of configs) {
    assert.deepEqual(suites, [AES_128_GCM, CHACHA20_POLY1305].map((aead) => ({ kdf: HKDF_SHA256, aead })));
  }
});

const KEM_NAMES = new Map([[X_WING, 'X-Wing'], [X25519, 'X25519']]);
const AEAD_NAMES = new Map([[AES_128_GCM, 'AES-128-GCM'], [CHACHA20_POLY1305, 'ChaCha20-Poly1305']]);

/** Every way to seal that an exit must accept. */
const ways = configs.flatMap((config) =>
  [...AEAD_NAMES.keys()].flatMap((aead) => [WHOLE, CHUNKED].map((format) => ({ config, aead, format }))),
);

// At once, because the demo backend takes its time over each word.
test('ask', { concurrency: true }, async (t) => {
  const running = ways.map((way) => {
    const name = `${KEM_NAMES.get(way.config.kem)}, ${AEAD_NAMES.get(way.aead)}, ${way.format.request}`;
    return t.test(name, async () => {
      const text = await askChat(way);
      await askStream(way, text);
      await askClaude(way);
      await askUnknownModel(way);
    });
  });
  await Promise.all(running);
});

async function askChat(way) {
  const { status, type, body } = await askJSON(chat({ model: 'demo-gpt', messages: messages('hello') }), way);
  assert.equal(status, 200);
  assert.match(type, /^application\/json/);
  const text = body.choices[0].message.content;
  assert.match(text, /^\[demo\] /);
  return text;
}

async function askStream(way, text) {
  const answer = await ask(chat({ model: 'demo-gpt', messages: messages('hello'), stream: true }), way);
  assert.equal(answer.status, 200);
  assert.match(answer.fields.get('content-type'), /^text\/event-stream/);
  const events = (await collect(answer.body)).toString().split('\n\n').filter(Boolean);
  assert.equal(events.pop(), 'data: [DONE]');
  const deltas = events.map((event) => JSON.parse(event.replace(/^data: /, '')).choices[0]?.delta.content ?? '');
  assert.equal(deltas.join(''), text);
}

async function askClaude(way) {
  const request = {
    path: '/v1/messages',
    fields: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: json({ model: 'demo-claude', max_tokens: 50, messages: messages('hello') }),
  };
  const { status, body } = await askJSON(request, { ...way, encode: indeterminateRequest });
  assert.equal(status, 200);
  assert.equal(body.type, 'message');
  assert.match(body.content[0].text, /^\[demo\] /);
}

async function askUnknownModel(way) {
  const { status, body } = await askJSON(chat({ model: 'no-such-model', messages: messages('hello') }), way);
  assert.equal(status, 404);
  assert.equal(body.error.code, 'model_not_found');
}

test('a streamed answer is there before it is over', async () => {
  for (const config of configs) {
    const user = randomUUID();
    const shape = [];
    const answer = await ask(counted(user, { stream: true }), { config, shape });
    let events = 0;
    for await (const bytes of answer.body) {
      // The next event is not sent before the one before it has come all the way here, alone in its sealed chunk.
      const want = events < 4 ? `data: {"n":${events}}\n\n` : 'data: [DONE]\n\n';
      assert.equal(bytes.toString(), want);
      assert.ok(shape.length >= events + 1);
      if (events++ < 4) await release(user);
    }
    assert.equal(events, 5);
  }
});

test('large messages, in chunks of every size', async (t) => {
  const echo = randomBytes(150_000).toString('base64');
  for (const { format, size, encode } of [
    { format: WHOLE, encode: knownRequest },
    { format: CHUNKED, encode: knownRequest, size: MAX_CHUNK },
    { format: CHUNKED, encode: indeterminateRequest, size: 4097 },
    { format: CHUNKED, encode: indeterminateRequest, size: MAX_CHUNK },
  ]) {
    await t.test(`${format.request} ${encode.name} ${size ?? ''}`, async () => {
      const request = counted(randomUUID(), { messages: messages(echo) });
      const { status, body } = await askJSON(request, { format, size, encode });
      assert.equal(status, 200);
      assert.equal(body.sha256, createHash('sha256').update(request.body).digest('hex'));
      assert.equal(body.echo, echo);
    });
  }
  await t.test('one byte a chunk', async () => {
    const request = counted(randomUUID());
    const { body } = await askJSON(request, { size: 1 });
    assert.equal(body.size, request.body.length);
  });
});

test('every way to write a request that the specifications allow', async (t) => {
  const ways = {
    'an empty last chunk': async (sealed, bytes) => [await sealed.chunk(bytes), await sealed.last()],
    'lengths of chunks on 8 bytes': async (sealed, bytes) => {
      const chunk = await sealed.chunk(bytes);
      const length = chunk.readUInt16BE(0) & 0x3fff;
      const long = Buffer.alloc(8);
      long.writeBigUInt64BE(BigInt(length) | (3n << 62n));
      const last = await sealed.last();
      return [long, chunk.subarray(2), Buffer.from([0x80, 0, 0, 0]), last.subarray(1)];
    },
    'no trailer section': async (sealed, bytes) => [await sealed.last(bytes.subarray(0, -1))],
    padding: async (sealed, bytes) => [await sealed.last(Buffer.concat([bytes, Buffer.alloc(999)]))],
    'pieces that come one by one': async (sealed, bytes) => {
      const parts = [];
      for (const b of bytes) parts.push(await sealed.chunk(Buffer.from([b])));
      return [...parts, await sealed.last()];
    },
  };
  for (const [name, way] of Object.entries(ways)) {
    await t.test(name, async () => {
      const sealed = await newRequest(xWing, AES_128_GCM, CHUNKED);
      const res = await relay.post(PATH, CHUNKED.request, [sealed.header, ...(await way(sealed, knownRequest(counted(randomUUID()))))]);
      assertSealed(res, CHUNKED);
      assert.equal((await readResponse(sealed.open(res))).status, 200);
    });
  }
  await t.test('an authority', async () => {
    const { status } = await askJSON({ ...counted(randomUUID()), authority: 'api.openai.com' });
    assert.equal(status, 200);
  });
});

test('Binary HTTP requests as others write them', async (t) => {
  const models = { method: 'GET', path: '/v1/models' };
  const { 'content-type': type } = counted().fields;
  const requests = {
    // Like the requests in appendix A of RFC 9458 and of the draft.
    'no section behind the control data': knownRequest(models).subarray(0, -3),
    'upper case in the name of a field (RFC 9110 section 5.1)': knownRequest({ ...counted('upper'), fields: { 'Content-Type': type } }),
    'a field about a connection (RFC 9292 section 3.6)': knownRequest({ ...counted('te'), fields: { 'content-type': type, te: 'trailers' } }),
  };
  for (const [name, bytes] of Object.entries(requests)) {
    await t.test(name, async () => {
      const answer = await ask(bytes, { encode: (b) => b });
      await collect(answer.body);
      assert.equal(answer.status, 200);
    });
  }
  await t.test('none of indeterminate length may end there (RFC 9292 section 3.8)', async () => {
    const answer = await ask(indeterminateRequest(models).subarray(0, -3), { encode: (b) => b });
    await collect(answer.body);
    assert.equal(answer.status, 400);
  });
});

test('an answer whose length is known travels in one sealed chunk, as bhttp-js reads it too', async () => {
  const shape = [];
  const answer = await ask(chat({ model: 'no-such-model', messages: messages('hello') }), { shape });
  const body = await collect(answer.body);
  assert.equal(shape.length, 1);
  const theirs = new BHttpDecoder().decodeResponse(new Uint8Array(shape[0]));
  assert.equal(theirs.status, answer.status);
  assert.deepEqual(Buffer.from(await theirs.arrayBuffer()), body);
});

test('the models on offer', async () => {
  const { status, body } = await askJSON({ method: 'GET', path: '/v1/models' }, { format: WHOLE });
  assert.equal(status, 200);
  const ids = body.data.map(({ id }) => id);
  for (const id of ['demo-gpt', 'oracle']) assert.ok(ids.includes(id), `${id} in ${ids}`);
});

/** Posts what cannot be opened, and returns the status and the problem of the answer. */
async function refused(type, body, path = PATH) {
  const res = await relay.post(path, type, body);
  const text = (await collect(res)).toString();
  assert.ok(res.statusCode >= 400 && res.statusCode < 500, `status ${res.statusCode}`);
  assert.equal(res.headers['content-type'], PROBLEM);
  return { status: res.statusCode, type: JSON.parse(text).type };
}

test('what cannot be opened is refused in the clear', async (t) => {
  const plaintext = knownRequest(chat({ model: 'demo-gpt', messages: messages('hello') }));
  for (const format of [WHOLE, CHUNKED]) {
    const seal = async (config) => {
      const sealed = await newRequest(config, AES_128_GCM, format);
      return format === WHOLE ? sealed.whole(plaintext) : sealed.chunked(plaintext);
    };
    for (const config of configs) {
      const used = new Set(configs.map(({ id }) => id));
      const unused = [...Array(256).keys()].find((id) => !used.has(id));
      const other = configs.find((c) => c !== config);
      await t.test(`${format.request}, unknown key`, async () => {
        assert.deepEqual(await refused(format.request, await seal({ ...config, id: unused })), { status: 400, type: KEY_PROBLEM });
      });
      await t.test(`${format.request}, a key identifier of another KEM`, async () => {
        assert.deepEqual(await refused(format.request, await seal({ ...config, id: other.id })), { status: 400, type: KEY_PROBLEM });
      });
      await t.test(`${format.request}, an AEAD that is not on offer`, async () => {
        const bytes = await seal(config);
        bytes[6] = 2; // AES-256-GCM
        assert.deepEqual(await refused(format.request, bytes), { status: 400, type: KEY_PROBLEM });
      });
      await t.test(`${format.request}, another public key with the same identifier`, async () => {
        const bytes = await seal(config);
        bytes[8] ^= 1;
        await refused(format.request, bytes);
      });
      await t.test(`${format.request}, the label of the other format`, async () => {
        const other = format === WHOLE ? CHUNKED : WHOLE;
        await refused(other.request, await seal(config));
      });
      await t.test(`${format.request}, garbage behind the header`, async () => {
        const bytes = await seal(config);
        const headerLength = 7 + (config.kem === X25519 ? 32 : 1120);
        await refused(format.request, Buffer.concat([bytes.subarray(0, headerLength), randomBytes(300)]));
        await refused(format.request, bytes.subarray(0, headerLength));
        await refused(format.request, bytes.subarray(0, headerLength - 1));
      });
    }
    await t.test(`${format.request}, nothing`, () => refused(format.request, Buffer.alloc(0)));
    await t.test(`${format.request}, garbage`, () => refused(format.request, Buffer.concat([Buffer.from([255]), randomBytes(300)])));
  }
  await t.test('a media type that is not sealed', () => refused('application/json', Buffer.from('{}')));
  await t.test('an exit that is not there', async () => {
    assert.equal((await refused(WHOLE.request, Buffer.from('x'), `/ohttp/${'0'.repeat(64)}`)).status, 404);
  });
});

test('what opens but makes no sense is refused under seal', async (t) => {
  const cases = {
    'not Binary HTTP': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    'a response': Buffer.from('0140c8', 'hex'),
    'an expectation (RFC 9458 section 5.1)': knownRequest({ ...counted('expect'), fields: { expect: '100-continue' } }),
    'a field with a line break': knownRequest({ ...counted('field'), fields: { accept: 'a\r\nb' } }),
    'Binary HTTP that is cut': knownRequest(counted('cut')).subarray(0, -20),
  };
  for (const [name, plaintext] of Object.entries(cases)) {
    for (const format of [WHOLE, CHUNKED]) {
      await t.test(`${format.request}, ${name}`, async () => {
        const { status } = await askJSON(plaintext, { format, encode: (bytes) => bytes });
        assert.ok(status >= 400 && status < 500, `status ${status}`);
      });
    }
  }
  for (const user of ['expect', 'field', 'cut']) assert.equal(await count(user), 0);
});

/** The ways to send a chunked request that is not whole. Each gets two chunks of plaintext that are a whole request. */
const broken = {
  'everything but the last chunk': async (sealed, a, b) => [await sealed.chunk(a), await sealed.chunk(b)],
  'the mark of the last chunk without a chunk': async (sealed, a, b) => [await sealed.chunk(a), await sealed.chunk(b), varint(0)],
  'the last chunk cut': async (sealed, a, b) => [await sealed.chunk(a), (await sealed.last(b)).subarray(0, -1)],
  'another chunk cut': async (sealed, a) => [(await sealed.chunk(a)).subarray(0, -1)],
  'a chunk passed off as the last': async (sealed, a, b) => [await sealed.chunk(a), varint(0), (await sealed.chunk(b)).subarray(2)],
  'the last chunk passed off as another': async (sealed, a, b) => {
    const last = (await sealed.last(Buffer.concat([a, b]))).subarray(1);
    return [varint(last.length), last];
  },
  'an empty chunk that is not the last': async (sealed, a, b) => {
    return [await sealed.chunk(a), await sealed.chunk(Buffer.alloc(0)), await sealed.last(b)];
  },
  'chunks exchanged': async (sealed, a, b) => {
    const [first, second] = [await sealed.chunk(a), await sealed.chunk(b)];
    return [second, first, await sealed.last()];
  },
  'bytes behind the end': async (sealed, a, b) => [await sealed.chunk(a), await sealed.last(b), Buffer.from([0])],
};

test('a chunked request that is not whole never reaches the backend', async (t) => {
  const users = [];
  for (const [name, way] of Object.entries(broken)) {
    for (const config of configs) {
      await t.test(name, async () => {
        const user = randomUUID();
        users.push(user);
        const plaintext = knownRequest(counted(user));
        const sealed = await newRequest(config, AES_128_GCM, CHUNKED);
        const parts = await way(sealed, plaintext.subarray(0, 100), plaintext.subarray(100));
        const res = await relay.post(PATH, CHUNKED.request, Buffer.concat([sealed.header, ...parts]));
        await assertRefused(res, sealed, t);
      });
    }
  }
  await t.test('a connection that goes away', async () => {
    const user = randomUUID();
    users.push(user);
    const sealed = await newRequest(xWing, AES_128_GCM, CHUNKED);
    const chunk = await sealed.chunk(knownRequest(counted(user)));
    await relay.abandon(PATH, CHUNKED.request, Buffer.concat([sealed.header, chunk]));
  });
  const after = randomUUID();
  assert.equal((await askJSON(counted(after))).status, 200);
  assert.equal(await count(after), 1);
  for (const user of users) assert.equal(await count(user), 0);
});

/** Checks that a request was answered with an error, in the clear or, as part of it had been opened, under seal. */
async function assertRefused(res, sealed, t) {
  if (res.statusCode === 200) {
    assertSealed(res, CHUNKED);
    const answer = await readResponse(sealed.open(res));
    t.diagnostic(`sealed ${answer.status}`);
    assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status} under seal`);
    await collect(answer.body);
    return;
  }
  t.diagnostic(`plain ${res.statusCode}`);
  assert.ok(res.statusCode >= 400 && res.statusCode < 500, `status ${res.statusCode}`);
  await collect(res);
}
