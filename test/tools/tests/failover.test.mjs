// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// A session with tools over two exits. The one that the conversation is at is killed between the first turn and the
// second, which the tool does not see; the other one in the middle of the third turn's answer, which is reported as
// broken. Claude Code and Codex ask again by themselves. Gemini CLI ends with an error, and SDKs raise one; then the
// program asks again, as here.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { dir, missing, required } from '../lib/network.mjs';
import { withPair, withTap } from '../lib/pair.mjs';
import { said, written } from '../lib/script.mjs';
import { copy } from '../lib/task.mjs';
import { furnish, run, tools } from '../lib/tools.mjs';

const LIMIT = 60_000; // ms; of which a tool takes up to 20, and waits up to 10 before it asks again
const NOTES = ['note-é-01234567', 'note-世界-89abcdef'];

const BROKEN = [[200, true], [200, true], [200, false]];

/**
 * session runs work(model, url) over two exits that are killed as said above, and checks what the tool was told: status
 * and whether the answer was complete, by turn.
 */
async function session(protocol, want, work) {
  await withPair(protocol, async (pair) => {
    const before = async (turns) => {
      if (turns.length === 1) {
        await pair.at(turns[0].exit).kill();
      } else if (turns.length === 2) {
        await pair.other(pair.at(turns[1].exit)).start();
        await fetch(`${required('TOOLS_BACKEND')}/stall/${pair.model}`);
      }
    };
    const begun = async (turn, turns) => turns.length === 3 && pair.at(turn.exit).kill();
    const turns = await withTap({ before, begun }, (url) => work(pair.model, url));
    assert.deepEqual(turns.map((t) => [t.status, t.complete]), want);
    const [first, second, third, again] = turns.map((t) => t.exit);
    assert.notEqual(second, first);
    assert.equal(third, second, 'the conversation stays where it is');
    if (again) assert.notEqual(again, third);
  });
}

// At once: each waits until the client looks at the directory again.
describe('two exits', { concurrency: 5 }, () => {
  for (const tool of tools.filter((t) => ['claude-code', 'codex', 'gemini-cli'].includes(t.name))) {
    const asksAgain = tool.name !== 'gemini-cli';
    const want = asksAgain ? [...BROKEN, [200, true]] : BROKEN;
    test(`${tool.name} goes on when exits die`, { timeout: LIMIT, skip: missing(tool.name) }, () => session(tool.protocol, want, async (model, url) => {
      const base = mkdtempSync(join(dir, `${tool.name}-failover-`));
      const [home, folder] = [join(base, 'home'), join(base, 'work')];
      for (const d of [home, folder]) mkdirSync(d);
      furnish(tool, home, url, 'tokengo');
      ['first.txt', 'second.txt'].forEach((f, i) => writeFileSync(join(folder, f), `${NOTES[i]}\n`));
      const prompt = `Read first.txt and second.txt, and write what they say to third.txt. FOLDER=<${folder}>`;
      const env = { PATH: process.env.PATH, HOME: home, TMPDIR: base, TERM: 'dumb', LANG: 'C.UTF-8', ...tool.env(url, 'tokengo') };
      const done = await run(tool.command(model, prompt, url), env, folder, LIMIT - 5000);
      writeFileSync(join(base, 'output'), `${done.out}\n== stderr\n${done.err}`);
      assert.equal(readFileSync(join(folder, 'third.txt'), 'utf8').trimEnd(), written(NOTES).trimEnd());
      if (!asksAgain) return assert.notEqual(done.code, 0);
      assert.equal(done.code, 0, `${done.out}\n${done.err}`.slice(-4000));
      assert.ok(tool.last(done.out).endsWith(said(NOTES)), done.out);
    }));
  }

  test('the SDK of openai goes on when exits die', { timeout: LIMIT, skip: missing('sdks') }, () => session('openai', [...BROKEN, [200, true]], async (model, url) => {
    const { openAI } = await import('../lib/sdks.mjs');
    const task = copy();
    const client = openAI(url);
    const tools = task.tools.map(({ name, schema }) => ({ type: 'function', function: { name, parameters: schema } }));
    const messages = [{ role: 'user', content: task.prompt }];
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 5, 'steps');
      const message = await client.chat.completions.stream({ model, messages, tools }).finalMessage().catch(() => null);
      assert.equal(message === null, steps === 2, 'the step that breaks');
      if (!message) continue;
      messages.push(message);
      if (!message.tool_calls) return task.check(message.content);
      for (const c of message.tool_calls) {
        const { run: perform } = task.tools.find((t) => t.name === c.function.name);
        messages.push({ role: 'tool', tool_call_id: c.id, content: perform(JSON.parse(c.function.arguments)) });
      }
    }
  }));

  test("Vercel's AI SDK goes on when exits die", { timeout: LIMIT, skip: missing('ai') }, () => session('openai', [...BROKEN, [200, true]], async (model, url) => {
    const { ai, openAI } = await import('../lib/ai.mjs');
    const task = copy();
    const tools = Object.fromEntries(task.tools.map(({ name, description, schema, run: execute }) => [name, ai.tool({ description, inputSchema: ai.jsonSchema(schema), execute })]));
    const messages = [{ role: 'user', content: task.prompt }];
    for (let steps = 0, text = ''; ; steps++) {
      assert.ok(steps < 5, 'steps');
      const stream = ai.streamText({ model: openAI(url).chat(model), messages, tools, maxRetries: 0, onError() {} });
      try {
        for await (const part of stream.fullStream) if (part.type === 'error') throw part.error;
        messages.push(...(await stream.response).messages);
        text = await stream.text;
        if ((await stream.finishReason) === 'stop') return task.check(text);
      } catch {
        assert.equal(steps, 2, 'the step that breaks');
      }
    }
  }));
});
