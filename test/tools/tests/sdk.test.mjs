// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The vendors' own SDKs use models of protocols that are not theirs: those of the demo backend, and the scripted one
// (lib/script.mjs), whose calls they answer until it has said its last words.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { missing, others, url, watch } from '../lib/network.mjs';
import { said, written } from '../lib/script.mjs';

const skip = missing('sdks');
const adapters = skip ? [] : (await import('../lib/sdks.mjs')).adapters;
if (skip) test('the SDKs', { skip }, () => {});

const LIMIT = 20_000; // ms
const DEMO = { openai: 'demo-gpt', claude: 'demo-claude', gemini: 'demo-gemini', ollama: 'demo-llama' };
const FOLDER = '/nowhere';

/** perform does what the model calls for, in memory. */
function perform(files, { name, args }) {
  const path = args.file_path;
  if (name === 'read_file') return files.get(path);
  files.set(path, args.content);
  return 'written';
}

for (const sdk of adapters) {
  for (const protocol of others(sdk.protocol)) {
    for (const streamed of [false, true]) {
      const how = `${sdk.name}, ${streamed ? 'streamed' : 'plain'}, over ${protocol}`;

      test(`${how}: text and usage`, { timeout: LIMIT }, async () => {
        const word = randomUUID();
        const answer = await sdk.start(DEMO[protocol], `say ${word}`, []).next(streamed);
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

      test(`${how}: parallel tools`, { timeout: LIMIT }, async () => {
        const notes = ['é', '世界'].map((w) => `note-${w}-${randomUUID().slice(0, 8)}`);
        const files = new Map(['first.txt', 'second.txt'].map((f, i) => [`${FOLDER}/${f}`, notes[i]]));
        const string = { type: 'string' };
        const schema = (...names) => ({ type: 'object', properties: Object.fromEntries(names.map((n) => [n, string])), required: names, additionalProperties: false });
        const tools = [
          { name: 'read_file', description: 'Reads a file.', schema: schema('file_path') },
          { name: 'write_file', description: 'Writes a file.', schema: schema('file_path', 'content') },
        ];
        await watch(protocol, async () => {
          const chat = sdk.start(`scripted-${protocol}`, `Copy. FOLDER=<${FOLDER}>`, tools);
          const answers = [await chat.next(streamed)];
          while (answers.at(-1).calls.length > 0 && answers.length < 5) {
            chat.results(answers.at(-1).calls.map((call) => perform(files, call)));
            answers.push(await chat.next(streamed));
          }
          assert.deepEqual(answers.map((a) => a.calls.length), [2, 1, 0]);
          assert.deepEqual(answers.map((a) => a.reason), [sdk.reasons.tool, sdk.reasons.tool, sdk.reasons.stop]);
          for (const a of answers) assert.deepEqual([a.input, a.output], [100, 20], 'tokens');
          assert.equal(answers[0].text, 'I read — 读.');
          assert.equal(files.get(`${FOLDER}/third.txt`), written(notes));
          assert.equal(answers.at(-1).text, said(notes));
        });
      });
    }
  }
}
