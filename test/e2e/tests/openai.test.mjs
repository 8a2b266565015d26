// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What only OpenAI's SDK asks.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { NotFoundError } from 'openai';
import { check } from '../lib/check.mjs';
import { clientURL, prompt } from '../lib/network.mjs';
import { sdk } from '../lib/tools.mjs';

const model = 'demo-gpt';
const client = sdk.openai;

describe('openai', () => {
  check('gets one model, and hears of one that is not there', async () => {
    assert.equal((await client.models.retrieve(model)).id, model);
    await assert.rejects(client.models.retrieve('no-such-model'), NotFoundError);
  });

  check('completes a text, plain and streamed', async () => {
    const p = prompt('Once upon a time');
    const plain = (await client.completions.create({ model, prompt: p, max_tokens: 20 })).choices[0].text;
    let streamed = '';
    for await (const e of await client.completions.create({ model, prompt: p, max_tokens: 20, stream: true })) streamed += e.choices[0]?.text ?? '';
    assert.match(plain, /^\[demo\] /);
    assert.equal(streamed, plain);
  });

  check('hears how many tokens a stream used', async () => {
    const events = await client.chat.completions.create({
      model, messages: [{ role: 'user', content: prompt('x') }], max_tokens: 5, stream: true, stream_options: { include_usage: true },
    });
    let usage;
    for await (const e of events) usage = e.usage ?? usage;
    assert.equal(usage.completion_tokens, 5);
  });

  check("its stream helper puts a chat's pieces together", async () => {
    const stream = client.chat.completions.stream({ model, max_tokens: 8, messages: [{ role: 'user', content: prompt('x') }] });
    const final = await stream.finalChatCompletion();
    assert.equal(final.choices[0].message.content.split(' ').length, 8);
    assert.equal(final.choices[0].finish_reason, 'length');
  });

  check("its stream helper puts a response's events together", async () => {
    const p = prompt('x');
    const final = await client.responses.stream({ model, input: p }).finalResponse();
    assert.equal(final.status, 'completed');
    assert.equal(final.output_text, (await client.responses.create({ model, input: p })).output_text);
  });

  check('calls a tool in a stream', async () => {
    const tools = [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } }];
    const messages = [{ role: 'user', content: prompt('weather?') }];
    const final = await client.chat.completions.stream({ model: 'mock-gpt', messages, tools }).finalChatCompletion();
    const [call] = final.choices[0].message.tool_calls;
    assert.deepEqual([call.function.name, JSON.parse(call.function.arguments)], ['get_weather', { city: 'Paris' }]);
  });

  check('reads the reasoning of a model', async () => {
    const answer = await client.chat.completions.create({ model: 'mock-gpt', messages: [{ role: 'user', content: prompt('think') }] });
    assert.equal(answer.choices[0].message.reasoning_content, 'First I reason.');
  });

  check('embeds texts', async () => {
    const { data } = await client.embeddings.create({ model, input: [prompt('one'), prompt('two')] });
    assert.equal(data.length, 2);
    assert.ok(data[0].embedding.length > 0 && data[0].embedding.every(Number.isFinite));
    const mocked = await client.embeddings.create({ model: 'mock-gpt', input: prompt('three'), encoding_format: 'float' });
    assert.deepEqual(mocked.data[0].embedding, [0.25, -0.5, 0.125, 1]);
  });

  check('is told to use HTTP for responses over a WebSocket', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': 13, 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' };
      request(`${clientURL}/v1/responses`, { headers }, (res) => { res.resume(); resolve(res.statusCode); }).on('error', reject).end();
    });
    assert.equal(status, 426);
  });
});
