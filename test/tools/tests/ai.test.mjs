// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Vercel's AI SDK, through each of its providers, uses the scripted model (lib/script.mjs) of every protocol, by
// translation and natively.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PROTOCOLS, missing, over, watch } from '../lib/network.mjs';
import { place, seen } from '../lib/script.mjs';
import { copy, png, strings } from '../lib/task.mjs';

const skip = missing('ai');
const { ai, providers } = skip ? { providers: [] } : await import('../lib/ai.mjs');
if (skip) test('the AI SDK', { skip }, () => {});

const LIMIT = 20_000; // ms

/** tools are a task's, as the SDK wants them. It calls them itself. */
const tools = (task) => Object.fromEntries(task.tools.map(({ name, description, schema, run }) => [
  name, ai.tool({ description, inputSchema: ai.jsonSchema(schema), execute: run }),
]));

/** read waits for all that a stream has, and fails if it has an error. */
async function read(stream) {
  for await (const part of stream.fullStream) if (part.type === 'error') throw part.error;
  const [text, steps, totalUsage] = await Promise.all([stream.text, stream.steps, stream.totalUsage]);
  return { text, steps, totalUsage };
}

for (const provider of providers) {
  for (const protocol of PROTOCOLS) {
    const settings = { model: provider.model(`scripted-${protocol}`), providerOptions: provider.options, maxRetries: 0 };
    const watched = (run) => watch(over(provider, protocol), run);

    describe(`${provider.name} over ${protocol}`, () => {
      for (const [name, generate] of [['generateText', (ask) => ai.generateText(ask)], ['streamText', (ask) => read(ai.streamText({ ...ask, onError() {} }))]]) {
        test(`${name}: tools in several steps`, { timeout: LIMIT }, async () => {
          const task = copy();
          const { value, requests } = await watched(() => generate({ ...settings, prompt: task.prompt, tools: tools(task), stopWhen: ai.stepCountIs(5) }));
          assert.equal(requests.length, 3);
          assert.deepEqual(value.steps.map((s) => s.toolCalls.length), [2, 1, 0]);
          assert.deepEqual(value.steps.map((s) => s.finishReason), ['tool-calls', 'tool-calls', 'stop']);
          assert.deepEqual([value.totalUsage.inputTokens, value.totalUsage.outputTokens], [300, 60]);
          assert.equal(value.steps[0].text, 'I read — 读.');
          task.check(value.text);
        });

        test(`${name}: image`, { timeout: LIMIT }, async () => {
          const image = png();
          // As base64: the Ollama provider would send bytes as {"0":137,"1":80…}.
          const content = [{ type: 'text', text: 'What is this?' }, { type: 'image', image: image.toString('base64'), mediaType: 'image/png' }];
          const { value } = await watched(() => generate({ ...settings, messages: [{ role: 'user', content }] }));
          assert.equal(value.text, seen([image]));
        });
      }

      if (provider.byTool && protocol === 'ollama') {
        test('an object that a tool must be called for is refused', { timeout: LIMIT }, async () => {
          const ask = ai.generateObject({ ...settings, schema: ai.jsonSchema(strings('city')), prompt: 'Where?' });
          await assert.rejects(ask, (err) => err.statusCode === 400 && /demands a tool call/.test(err.message));
        });
        return;
      }

      test('generateObject', { timeout: LIMIT }, async () => {
        const schema = strings('city', 'digest');
        const { value } = await watched(() => ai.generateObject({ ...settings, schema: ai.jsonSchema(schema), prompt: 'Where?' }));
        assert.deepEqual(value.object, place(schema));
      });

      test('streamObject', { timeout: LIMIT }, async () => {
        const schema = strings('city', 'digest');
        const { value } = await watched(async () => {
          const stream = ai.streamObject({ ...settings, schema: ai.jsonSchema(schema), prompt: 'Where?', onError() {} });
          let partial = 0;
          for await (const _ of stream.partialObjectStream) partial++;
          return { partial, object: await stream.object };
        });
        assert.deepEqual(value.object, place(schema));
        assert.ok(value.partial >= (provider.byTool && protocol === 'gemini' ? 1 : 2), `${value.partial} pieces`); // Gemini's calls come whole
      });
    });
  }
}
