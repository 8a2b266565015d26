// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Real inference: an Ollama behind the exit, which speaks the openai, claude and ollama protocols. Every SDK uses it over
// each of them, natively where it can, else by translation.
// Models that make more tests possible: "scripted" answers each prompt in one way only, and calls the tool that it is
// offered; "endless", which is asked natively alone, never stops by itself.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { check } from '../lib/check.mjs';
import { prompt, realURL } from '../lib/network.mjs';
import { REAL_PROTOCOLS, over } from '../lib/real.mjs';
import { tools } from '../lib/tools.mjs';

const names = realURL ? (await (await fetch(`${realURL}/api/tags`)).json()).models.map((m) => m.name) : [];
const named = (name) => names.find((n) => n.startsWith(name));

const native = (tool) => tool.name.split(' ')[0];

for (const tool of tools) for (const protocol of REAL_PROTOCOLS) {
  const called = (name) => name && (protocol === native(tool) ? name : over(name, protocol));
  const scripted = called(named('scripted'));
  // Ollama 0.17.4 stops answering for good after a few more cancelled requests than these.
  const endless = protocol === native(tool) && named('endless');
  const some = scripted ?? called(names[0]);

  describe(`${tool.name}, before a real server's ${protocol} protocol`, { skip: some ? false : 'no real server' }, () => {
    check('lists its models', async () => {
      const ids = (await tool.list()).map((id) => id.replace(/:latest$/, ''));
      assert.ok(ids.includes(some.replace(/:latest$/, '')), `got ${ids}`);
    });

    check('gets an answer, plain and streamed', async () => {
      const p = prompt('Tell me a story.');
      const plain = await tool.chat(some, p);
      const events = [];
      for await (const { text } of tool.stream(some, p)) if (text) events.push(text);
      assert.ok(plain.length > 0);
      assert.ok(events.length >= 2, `${events.length} events with text: ${events}`);
      if (scripted) assert.equal(events.join(''), plain);
    });

    check('calls a tool and answers with its result', { skip: scripted ? false : 'no model called scripted' }, async () => {
      const { call, text } = await tool.weather(scripted, prompt('How is the weather in Paris?'));
      assert.equal(call.name, 'get_weather');
      assert.ok(text.length > 0);
    });

    // The server works on one prompt of a model at a time, so the second is answered only when the first was cancelled.
    check('stops a model that never stops', { skip: endless ? false : 'translated, or no model called endless' }, async () => {
      for (let turn = 0; turn < 2; turn++) {
        const abort = new AbortController();
        let pieces = 0;
        await (async () => {
          for await (const { text } of tool.stream(endless, 'Once upon a time', abort.signal)) {
            if (text && ++pieces === 5) abort.abort();
          }
        })().catch((err) => assert.ok(abort.signal.aborted, err));
        assert.ok(pieces >= 5, `${pieces} pieces`);
      }
    });
  });
}
