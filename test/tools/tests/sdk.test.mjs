// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The vendors' own SDKs use models of every protocol, by translation and natively: those of the demo backend, and the
// scripted one (lib/script.mjs), whose calls they answer until it has said its last words.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { PROTOCOLS, missing, over, watch } from '../lib/network.mjs';
import { place, seen } from '../lib/script.mjs';
import { copy, png, strings } from '../lib/task.mjs';

const skip = missing('sdks');
const adapters = skip ? [] : (await import('../lib/sdks.mjs')).adapters;
if (skip) test('the SDKs', { skip }, () => {});

const LIMIT = 20_000; // ms
const DEMO = { openai: 'demo-gpt', claude: 'demo-claude', gemini: 'demo-gemini', ollama: 'demo-llama' };

/** Each SDK, protocol and way to get the answer. */
const ways = adapters.flatMap((sdk) => PROTOCOLS.flatMap((protocol) => [false, true].map((streamed) => (
  { sdk, protocol, streamed, how: `${sdk.name}, ${streamed ? 'streamed' : 'plain'}, over ${protocol}` }
))));

// The demo backend takes its time, like a model.
describe('the demo backend', { concurrency: 16 }, () => {
  for (const { sdk, protocol, streamed, how } of ways) {
    test(`${how}: text and usage`, { timeout: LIMIT }, async () => {
      const answer = await sdk.start(DEMO[protocol], `say ${randomUUID()}`, []).next(streamed);
      assert.match(answer.text, /^\[demo\]/);
      assert.deepEqual(answer.calls, []);
      assert.equal(answer.reason, sdk.reasons.stop);
      assert.ok(answer.input > 0 && answer.output > 0, JSON.stringify(answer));
      if (streamed) assert.ok(answer.events > 3, `${answer.events} events`);
    });

    test(`${how}: stops at the token limit`, { timeout: LIMIT }, async () => {
      const answer = await sdk.start(DEMO[protocol], 'say something', [], { limit: 4 }).next(streamed);
      assert.equal(answer.reason, sdk.reasons.length);
      assert.equal(answer.output, 4);
    });
  }
});

describe('the scripted model', () => {
  for (const { sdk, protocol, streamed, how } of ways) {
    const model = `scripted-${protocol}`;
    /** once asks for one answer, with one request. */
    const once = async (...ask) => {
      const { value, requests } = await watch(over(sdk, protocol), () => sdk.start(model, ...ask).next(streamed));
      assert.equal(requests.length, 1);
      assert.equal(value.reason, sdk.reasons.stop);
      return value.text;
    };

    test(`${how}: parallel tools`, { timeout: LIMIT }, async () => {
      const task = copy();
      await watch(over(sdk, protocol), async () => {
        const chat = sdk.start(model, task.prompt, task.tools);
        const answers = [await chat.next(streamed)];
        while (answers.at(-1).calls.length > 0 && answers.length < 5) {
          chat.results(answers.at(-1).calls.map(({ name, args }) => task.tools.find((t) => t.name === name).run(args)));
          answers.push(await chat.next(streamed));
        }
        assert.deepEqual(answers.map((a) => a.calls.length), [2, 1, 0]);
        assert.deepEqual(answers.map((a) => a.reason), [sdk.reasons.tool, sdk.reasons.tool, sdk.reasons.stop]);
        for (const a of answers) assert.deepEqual([a.input, a.output], [100, 20], 'tokens');
        assert.equal(answers[0].text, 'I read — 读.');
        task.check(answers.at(-1).text);
      });
    });

    test(`${how}: image`, { timeout: LIMIT }, async () => {
      const image = png();
      assert.equal(await once('What is this?', [], { image }), seen([image]));
    });

    test(`${how}: structured output`, { timeout: LIMIT }, async () => {
      const schema = strings('city', 'digest');
      assert.deepEqual(JSON.parse(await once('Where?', [], { schema })), place(schema));
    });
  }
});
