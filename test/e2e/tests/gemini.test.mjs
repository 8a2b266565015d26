// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What only Google's SDK asks.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { ApiError } from '@google/genai';
import { check } from '../lib/check.mjs';
import { backend, clientURL, prompt, toolKey } from '../lib/network.mjs';
import { sdk } from '../lib/tools.mjs';

const model = 'demo-gemini';
const { models, chats } = sdk.gemini;

describe('gemini', () => {
  check('gets one model, and hears of one that is not there', async () => {
    assert.equal((await models.get({ model })).name, `models/${model}`);
    await assert.rejects(models.get({ model: 'no-such-model' }), (err) => err instanceof ApiError && err.status === 404);
  });

  check('counts tokens', async () => {
    const one = await models.countTokens({ model, contents: 'word' });
    const many = await models.countTokens({ model, contents: 'word '.repeat(50) });
    assert.ok(one.totalTokens > 0 && many.totalTokens > one.totalTokens, `${one.totalTokens}, ${many.totalTokens}`);
  });

  check('embeds texts', async () => {
    const { embeddings } = await models.embedContent({ model, contents: [prompt('one'), prompt('two')] });
    assert.equal(embeddings.length, 2);
    assert.ok(embeddings[0].values.length > 0 && embeddings[0].values.every(Number.isFinite));
  });

  check('embeds one text by the path that its SDK does not use', async () => {
    const res = await fetch(`${clientURL}/v1beta/models/mock-gemini:embedContent`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: { parts: [{ text: prompt('one') }] } }),
    });
    assert.deepEqual((await res.json()).embedding.values, [0.25, -0.5, 0.125, 1]);
  });

  check('talks in turns, with instructions and a limit', async () => {
    const chat = chats.create({ model, config: { systemInstruction: 'Be brief.', maxOutputTokens: 6 } });
    const first = await chat.sendMessage({ message: prompt('one') });
    const second = await chat.sendMessage({ message: prompt('two') });
    for (const answer of [first, second]) {
      assert.equal(answer.text.split(' ').length, 6);
      assert.equal(answer.candidates[0].finishReason, 'MAX_TOKENS');
    }
    assert.equal(chat.getHistory().length, 4);
  });

  check('calls a tool in a stream', async () => {
    const config = { tools: [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: { type: 'object' } }] }] };
    const calls = [];
    for await (const e of await models.generateContentStream({ model: 'mock-gemini', contents: prompt('weather?'), config })) calls.push(...(e.functionCalls ?? []));
    assert.deepEqual(calls.map(({ name, args }) => ({ name, args })), [{ name: 'get_weather', args: { city: 'Paris' } }]);
  });

  check('keeps a key in the address to this machine', async () => {
    const p = prompt('hello');
    const res = await fetch(`${clientURL}/v1beta/models/mock-gemini:generateContent?key=${toolKey}`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ contents: [{ parts: [{ text: p }] }] }),
    });
    assert.equal(res.status, 200);
    assert.equal((await backend.once(p)).path, '/v1beta/models/mock-gemini:generateContent');
  });
});
