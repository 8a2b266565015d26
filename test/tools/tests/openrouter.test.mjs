// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What OpenRouter's users send works here as it is: `provider` and `models` in the vendors' SDKs, by the means that each
// has for fields that it does not know, and OpenRouter's own provider for Vercel's AI SDK. The choice follows them, and
// neither these fields nor the header fields that name the application get further than the client.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { missing, url, watch } from '../lib/network.mjs';
import { copy } from '../lib/task.mjs';

const LIMIT = 20_000; // ms
const NOBODYS = 'openrouter/no-such-model';
const WORDS = 'Fine — 好.';
const wishes = { models: [NOBODYS, 'scripted-openai'], provider: { sort: 'price', allow_fallbacks: true, ignore: ['nobody-of-this-name'] } };
const sdks = missing('sdks') ? null : await import('../lib/sdks.mjs');
const vercel = missing('ai') ? null : await import('../lib/ai.mjs');

/** clean fails if anything that is only the client's, or the application's name, reached the backend. */
function clean(requests) {
  assert.ok(requests.length > 0);
  for (const { headers, body } of requests) {
    for (const field of ['provider', 'models', 'route']) assert.ok(!(field in body), `${field} reached the backend`);
    for (const field of ['http-referer', 'referer', 'x-title', 'x-openrouter-title']) assert.ok(!(field in headers), `${field} reached the backend`);
    assert.doesNotMatch(JSON.stringify(headers), /planted/);
    assert.doesNotMatch(JSON.stringify(body), /no-such-model|nobody-of-this-name|:floor|:nitro/);
  }
}

/** How each asks: ask(model, more fields, prompt) returns the text, and over is what the backend is asked in. */
const asks = {
  'the SDK of openai': { over: 'openai', ask: async (model, more, prompt) => (await sdks.openAI(url).chat.completions.create({ model, messages: [{ role: 'user', content: prompt }], ...more })).choices[0].message.content },
  'the SDK of openai, Responses': { over: 'responses', ask: async (model, more, prompt) => (await sdks.openAI(url).responses.create({ model, input: prompt, store: false, ...more })).output_text },
  'the SDK of claude': { over: 'openai', ask: async (model, more, prompt) => (await sdks.anthropic.messages.create({ model, max_tokens: 100, messages: [{ role: 'user', content: prompt }], ...more })).content.find((b) => b.type === 'text').text },
  'the SDK of gemini': { over: 'openai', ask: async (model, more, prompt) => (await sdks.google.models.generateContent({ model, contents: prompt, config: { httpOptions: { extraBody: more } } })).text },
  'the SDK of ollama': { over: 'openai', ask: async (model, more, prompt) => (await sdks.llama.chat({ model, messages: [{ role: 'user', content: prompt }], ...more })).message.content },
};

describe("the vendors' SDKs", { skip: missing('sdks') }, () => {
  for (const [name, { over, ask }] of Object.entries(asks)) {
    test(`${name}: models and provider`, { timeout: LIMIT }, async () => {
      const { value, requests } = await watch(over, () => ask(NOBODYS, wishes, `hello ${randomUUID()}`));
      assert.equal(value, WORDS);
      assert.equal(requests.length, 1);
      clean(requests);
    });

    test(`${name}: a provider object that excludes everything is obeyed`, { timeout: LIMIT }, async () => {
      const { requests } = await watch(over, () => assert.rejects(ask('scripted-openai', { provider: { only: ['nobody-of-this-name'] } }, 'hello'), /only/));
      assert.deepEqual(requests, []);
    });

    test(`${name}: suffix :floor`, { timeout: LIMIT }, async () => {
      const { value, requests } = await watch(over, () => ask('scripted-openai:floor', {}, `hello ${randomUUID()}`));
      assert.equal(value, WORDS);
      clean(requests);
    });
  }
});

describe("OpenRouter's provider", { skip: missing('ai') }, () => {
  const named = { appName: 'planted-title', appUrl: 'https://planted.example', headers: { 'X-Title': 'planted-title', 'HTTP-Referer': 'https://planted.example' } };
  const ask = (model, options, more) => vercel.ai.generateText({ model: vercel.openRouter(named).chat(model, options), maxRetries: 0, prompt: 'hello', ...more });

  for (const [what, model, settings] of [
    ['nothing else', 'scripted-openai', {}],
    ['models', NOBODYS, { models: [NOBODYS, 'scripted-openai'] }],
    ['provider', 'scripted-openai', { provider: wishes.provider }],
    ['extraBody', NOBODYS, { extraBody: wishes }],
    [':floor', 'scripted-openai:floor', {}],
    [':nitro', 'scripted-openai:nitro', {}],
  ]) {
    test(`generateText with ${what}`, { timeout: LIMIT }, async () => {
      const { value, requests } = await watch('openai', () => ask(model, settings));
      assert.equal(value.text, WORDS);
      assert.equal(requests.length, 1);
      clean(requests);
    });
  }

  test('providerOptions of a request', { timeout: LIMIT }, async () => {
    const { value, requests } = await watch('openai', () => ask(NOBODYS, {}, { providerOptions: { openrouter: wishes } }));
    assert.equal(value.text, WORDS);
    clean(requests);
  });

  test('a provider object that excludes everything is obeyed', { timeout: LIMIT }, async () => {
    const { requests } = await watch('openai', () => assert.rejects(ask('scripted-openai', { provider: { only: ['nobody-of-this-name'] } })));
    assert.deepEqual(requests, []);
  });

  for (const protocol of ['openai', 'claude']) {
    test(`streamText with tools in several steps over ${protocol}`, { timeout: LIMIT }, async () => {
      const task = copy();
      const tools = Object.fromEntries(task.tools.map(({ name, description, schema, run }) => [name, vercel.ai.tool({ description, inputSchema: vercel.ai.jsonSchema(schema), execute: run })]));
      const { value, requests } = await watch(protocol, async () => {
        const model = vercel.openRouter(named).chat(NOBODYS, { models: [`scripted-${protocol}`], provider: { sort: 'latency' } });
        const stream = vercel.ai.streamText({ model, prompt: task.prompt, tools, stopWhen: vercel.ai.stepCountIs(5), maxRetries: 0, onError() {} });
        for await (const part of stream.fullStream) if (part.type === 'error') throw part.error;
        return stream.text;
      });
      assert.equal(requests.length, 3);
      task.check(value);
      clean(requests);
    });
  }
});
