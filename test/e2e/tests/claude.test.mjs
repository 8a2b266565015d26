// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What only Anthropic's SDK asks.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { check } from '../lib/check.mjs';
import { prompt } from '../lib/network.mjs';
import { sdk } from '../lib/tools.mjs';

const model = 'demo-claude';
const client = sdk.claude;

describe('claude', () => {
  check('gets one model, and hears of one that is not there', async () => {
    assert.equal((await client.models.retrieve(model)).id, model);
    await assert.rejects(client.models.retrieve('no-such-model'), Anthropic.NotFoundError);
  });

  check('counts tokens', async () => {
    const one = await client.messages.countTokens({ model, messages: [{ role: 'user', content: 'word' }] });
    const many = await client.messages.countTokens({ model, messages: [{ role: 'user', content: 'word '.repeat(50) }] });
    assert.ok(one.input_tokens > 0 && many.input_tokens > one.input_tokens, `${one.input_tokens}, ${many.input_tokens}`);
  });

  check("its stream helper puts a message's events together", async () => {
    const stream = client.messages.stream({ model, max_tokens: 8, messages: [{ role: 'user', content: prompt('x') }] });
    const pieces = [];
    stream.on('text', (text) => pieces.push(text));
    const final = await stream.finalMessage();
    assert.equal(final.stop_reason, 'max_tokens');
    assert.equal(final.usage.output_tokens, 8);
    assert.equal(pieces.join(''), final.content[0].text);
  });

  check('calls a tool in a stream', async () => {
    const tools = [{ name: 'get_weather', input_schema: { type: 'object' } }];
    const messages = [{ role: 'user', content: prompt('weather?') }];
    const final = await client.messages.stream({ model: 'mock-claude', max_tokens: 100, messages, tools }).finalMessage();
    const call = final.content.find((b) => b.type === 'tool_use');
    assert.deepEqual([call.name, call.input, final.stop_reason], ['get_weather', { city: 'Paris' }, 'tool_use']);
  });

  check('reads the thinking of a model', async () => {
    const thinking = { type: 'enabled', budget_tokens: 1024 };
    const answer = await client.messages.create({ model: 'mock-claude', max_tokens: 2000, thinking, messages: [{ role: 'user', content: prompt('think') }] });
    assert.deepEqual(answer.content.map((b) => b.thinking ?? b.text), ['First I reason.', 'Then I reply.']);
  });
});
