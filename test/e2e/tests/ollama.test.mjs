// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What only Ollama's SDK asks.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { check } from '../lib/check.mjs';
import { clientURL, prompt } from '../lib/network.mjs';
import { sdk } from '../lib/tools.mjs';

const model = 'demo-llama';
const client = sdk.ollama;

describe('ollama', () => {
  check('finds the server there', async () => {
    for (const method of ['HEAD', 'GET']) assert.equal((await fetch(clientURL, { method })).status, 200);
    assert.match((await client.version()).version, /^\d+\.\d+\.\d+/);
  });

  check('shows a model, and hears of one that is not there', async () => {
    const shown = await client.show({ model });
    assert.ok(shown.details && Array.isArray(shown.capabilities), JSON.stringify(shown));
    await assert.rejects(client.show({ model: 'no-such-model' }), { name: 'ResponseError', status_code: 404 });
  });

  check('knows a model with and without its tag', async () => {
    const p = prompt('x');
    const answers = await Promise.all([model, `${model}:latest`].map((m) => client.generate({ model: m, prompt: p, options: { num_predict: 9 } })));
    assert.equal(answers[0].response, answers[1].response);
  });

  check('generates, plain and streamed', async () => {
    const p = prompt('Once upon a time');
    const plain = await client.generate({ model, prompt: p });
    let streamed = '';
    let done = false;
    for await (const e of await client.generate({ model, prompt: p, stream: true })) {
      streamed += e.response;
      done = e.done;
    }
    assert.match(plain.response, /^\[demo\] /);
    assert.equal(streamed, plain.response);
    assert.ok(done);
  });

  check('embeds texts', async () => {
    const { embeddings } = await client.embed({ model, input: [prompt('one'), prompt('two')] });
    assert.equal(embeddings.length, 2);
    assert.ok(embeddings[0].length > 0 && embeddings[0].every(Number.isFinite));
  });

  check('calls a tool in a stream', async () => {
    const tools = [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } }];
    const calls = [];
    const events = await client.chat({ model: 'mock-llama', messages: [{ role: 'user', content: prompt('weather?') }], tools, stream: true });
    for await (const e of events) calls.push(...(e.message.tool_calls ?? []));
    assert.deepEqual(calls.map((c) => c.function), [{ name: 'get_weather', arguments: { city: 'Paris' } }]);
  });
});
