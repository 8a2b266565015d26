// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What must hold for every vendor's SDK.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe } from 'node:test';
import { check } from '../lib/check.mjs';
import { backend, operatorKey, plantedHeader, prompt, promptCanary, toolKey } from '../lib/network.mjs';
import { tools } from '../lib/tools.mjs';
import { watch } from '../lib/wire.mjs';

const MOCK_ANSWER = /^Hello from a third-party mock: naïve café, 你好, 🎉\. .* its own event\.$/;
/** Header fields that an exit may send to a backend. */
const ALLOWED = new Set([
  'host', 'content-type', 'content-length', 'transfer-encoding', 'accept', 'accept-encoding', 'connection', 'user-agent',
  'authorization', 'x-api-key', 'x-goog-api-key', 'anthropic-version', 'anthropic-beta', 'openai-beta',
]);

/** read returns the texts of a stream's events. */
async function read(stream) {
  const texts = [];
  for await (const { text } of stream) texts.push(text);
  return texts;
}

for (const tool of tools) {
  describe(tool.name, () => {
    const { demo, mock, busy, nobodys } = tool.models;

    check('lists the models on offer in its protocol', async () => {
      const ids = await tool.list();
      assert.ok(ids.includes(demo) && ids.includes(mock), `got ${ids}`);
    });

    check('gets the same answer plain and streamed, in pieces', async () => {
      const p = prompt('Tell me a story.');
      const plain = await tool.chat(demo, p);
      const pieces = await read(tool.stream(demo, p));
      assert.match(plain, /^\[demo\] /);
      assert.equal(pieces.join(''), plain);
      assert.ok(pieces.filter(Boolean).length >= 3, `${pieces.length} pieces`);
    });

    check('gets the answer of a third-party mock', async () => {
      assert.match(await tool.chat(mock, prompt('hello')), MOCK_ANSWER);
    });

    check('gets every event before the backend sends the next', async () => {
      const p = prompt('hello');
      await backend.hold(p);
      await backend.release(p);
      let text = '';
      let pieces = 0;
      for await (const event of tool.stream(mock, p)) {
        text += event.text;
        if (event.text) pieces++;
        await backend.release(p);
      }
      assert.match(text, MOCK_ANSWER);
      assert.ok(pieces >= 3, `${pieces} pieces`);
    });

    for (const [kind, run] of [['plain', tool.chat], ['streamed', (...args) => read(tool.stream(...args))]]) {
      check(`reaches the backend and gets its answer byte for byte, ${kind}`, async () => {
        const p = prompt('think');
        const here = await watch(() => run(mock, p));
        const there = await backend.once(p);
        assert.equal(there.sha256, here.sent, 'request');
        assert.equal(there.answer.sha256, here.received, 'answer');
      });
    }

    check('calls a tool and answers with its result', async () => {
      const got = await tool.weather(mock, prompt('How is the weather in Paris?'));
      assert.deepEqual(got, { call: { name: 'get_weather', args: { city: 'Paris' } }, text: 'It is 21 degrees and sunny in Paris.' });
    });

    check('hears of a model that nobody has, and of those on offer', async () => {
      for (const run of [() => tool.chat(nobodys, prompt('x')), () => read(tool.stream(nobodys, prompt('x')))]) {
        let caught;
        await assert.rejects(run().catch((err) => { caught = err; throw err; }), tool.NotFound);
        assert.equal(tool.status(caught), 404);
        for (const part of [nobodys, demo, mock]) assert.ok(caught.message.includes(part), `${part} is not in: ${caught.message}`);
      }
    });

    check("hears the backend's own reason for a bad request", async () => {
      const caught = await tool.chat(mock, prompt('refuse this')).then(assert.fail, (err) => err);
      assert.equal(tool.status(caught), 400);
      // What the mock says to an Ollama client is not in Ollama's shape, so its SDK cannot read it.
      if (tool.name !== 'ollama') assert.match(caught.message, /the mock refuses this on purpose/);
    });

    check('hears that the backend is asked too often, and the backend is left alone', async () => {
      const caught = await tool.chat(busy, prompt('too often')).then(assert.fail, (err) => err);
      assert.equal(tool.status(caught), 429);
      const p = prompt('hello');
      const again = await tool.chat(busy, p).then(assert.fail, (err) => err);
      assert.equal(tool.status(again), 429);
      assert.deepEqual(await backend.seen(p), []);
    });

    check('cancels the backend when it aborts', async (t) => {
      const p = prompt('hello');
      await backend.hold(p);
      await backend.release(p, 2);
      const abort = new AbortController();
      let aborted;
      await (async () => {
        let events = 0;
        for await (const _ of tool.stream(mock, p, abort.signal)) {
          if (++events < 2) continue;
          aborted = Date.now();
          abort.abort();
        }
      })().catch((err) => assert.ok(aborted, err));
      const { cutAt } = await backend.once(p);
      assert.ok(cutAt, 'the backend was not cancelled');
      t.diagnostic(`the backend was cancelled after ${cutAt - aborted} ms`);
      assert.ok(cutAt - aborted < 1000, `after ${cutAt - aborted} ms`);
    });

    check('sends an image of 20 MiB', async () => {
      const image = randomBytes(15 << 20).toString('base64');
      const p = prompt('hello');
      const here = await watch(() => tool.look(mock, p, image));
      const there = await backend.once(p);
      assert.ok(there.length > 20 << 20, `${there.length} bytes`);
      assert.deepEqual({ sha256: there.sha256, length: there.length }, { sha256: here.sent, length: here.length });
    });

    check('stays unknown to the backend', async () => {
      const p = prompt('hello');
      await tool.chat(mock, p);
      const { rawHeaders, path } = await backend.once(p);
      const whole = `${path}\n${rawHeaders.join('\n')}`;
      for (const secret of [toolKey, plantedHeader]) assert.ok(!whole.includes(secret), `${secret} reached the backend`);
      const names = rawHeaders.filter((_, i) => i % 2 === 0).map((n) => n.toLowerCase());
      assert.deepEqual(names.filter((n) => !ALLOWED.has(n)), [], 'header fields');
      assert.ok(whole.includes(operatorKey), "the operator's own key did not reach the backend");
      assert.doesNotMatch(whole, /OpenAI\/|Anthropic\/|google-genai|ollama-js|node/i);
    });
  });
}

check('the same prompt has the same demo answer in every protocol', async () => {
  const p = prompt('Tell me a story.');
  const answers = await Promise.all(tools.map((tool) => tool.chat(tool.models.demo, p)));
  assert.deepEqual(answers, answers.map(() => answers[0]));
  assert.ok(!answers[0].includes(promptCanary));
});
