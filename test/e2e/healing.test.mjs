// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The relay, the exit and the client are killed and started again, each in turn. Streams that they carried break where
// the tools can see it, and requests succeed again within seconds, with nobody's help.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { check } from './lib/check.mjs';
import { backend, prompt, until } from './lib/network.mjs';
import { kill, start } from './lib/process.mjs';
import { tools } from './lib/tools.mjs';

const HEALED = 10_000; // ms

/** carry begins a stream that stops in its middle; broken tells how it ended. */
async function carry(tool) {
  const p = prompt('hello');
  await backend.hold(p);
  await backend.release(p, 6);
  const events = tool.stream(tool.models.mock, p)[Symbol.asyncIterator]();
  for (let n = 0; n < 3; n++) assert.equal((await events.next()).done, false, `${tool.name}: the stream ended early`);
  const broken = (async () => {
    for (;;) {
      const { done } = await events.next();
      if (done) return 'looks complete';
    }
  })().catch(() => 'broken');
  return { name: tool.name, broken };
}

for (const role of ['relay', 'exit', 'client']) {
  describe(`the ${role} is killed and comes back`, () => {
    check('streams that were running break and do not look complete', async () => {
      const streams = await Promise.all(tools.map(carry));
      await kill(role);
      const ends = await Promise.race([Promise.all(streams.map((s) => s.broken)), pause(15_000, 'still running', { ref: false })]);
      assert.deepEqual(ends, streams.map(() => 'broken'), streams.map((s) => s.name).join());
    });

    check('requests succeed again', async (t) => {
      const begin = Date.now();
      start(role);
      for (const tool of tools) {
        let last;
        await until(`${tool.name} is answered again`, HEALED - (Date.now() - begin), async () => {
          const answer = await tool.chat(tool.models.mock, prompt('hello')).catch((err) => { last = err; });
          return answer ?? pause(100);
        }).catch((err) => { throw new Error(`${err.message}; last: ${last?.message}`); });
      }
      t.diagnostic(`healed after ${Date.now() - begin} ms`);
    });
  });
}
