// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Each AI tool finishes a task with the scripted model (lib/script.mjs) of each protocol that is not its own.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KNOWN, dir, missing, others, url, watch } from '../lib/network.mjs';
import { said, written } from '../lib/script.mjs';
import { furnish, run, tools } from '../lib/tools.mjs';

const LIMIT = 45_000; // ms; the slowest takes 15 on two cores
const translated = tools.filter((t) => ['claude-code', 'codex', 'gemini-cli'].includes(t.name));

/** A task for each tool and protocol, and some with names of models that the tools know and treat in a way of their own. */
const tasks = translated.flatMap((tool) => others(tool.protocol).map((protocol) => ({ tool, protocol, model: `scripted-${protocol}` })));
// Codex speaks Responses only, and this backend has chat completions only.
tasks.push({ tool: tools.find((t) => t.name === 'codex'), protocol: 'openai', model: 'scripted-chat' });
for (const [name, protocol, model] of KNOWN) tasks.push({ tool: tools.find((t) => t.name === name), protocol, model });

for (const { tool, protocol, model } of tasks) {
  test(`${tool.name} works with ${model} over ${protocol}`, { timeout: LIMIT, skip: missing(tool.name) }, async () => {
    const base = mkdtempSync(join(dir, `${tool.name}-${protocol}-`));
    const [home, folder] = [join(base, 'home'), join(base, 'work')];
    mkdirSync(home);
    mkdirSync(folder);
    furnish(tool, home, url, 'tokengo');
    const notes = ['é', '世界'].map((word) => `note-${word}-${randomUUID().slice(0, 8)}`);
    ['first.txt', 'second.txt'].forEach((f, i) => writeFileSync(join(folder, f), `${notes[i]}\n`));
    const prompt = `Read first.txt and second.txt, and write what they say to third.txt. FOLDER=<${folder}>`;
    const env = { PATH: process.env.PATH, HOME: home, TMPDIR: base, TERM: 'dumb', LANG: 'C.UTF-8', ...tool.env(url, 'tokengo') };
    const { value, requests } = await watch(protocol, () => run(tool.command(model, prompt, url), env, folder, LIMIT - 5000));
    writeFileSync(join(base, 'output'), `${value.out}\n== stderr\n${value.err}`);
    assert.equal(value.code, 0, `${value.out}\n${value.err}`.slice(-4000));
    assert.ok(requests.length >= 3, `${requests.length} requests`);
    assert.equal(readFileSync(join(folder, 'third.txt'), 'utf8').trimEnd(), written(notes).trimEnd());
    assert.equal(tool.last(value.out), said(notes));
  });
}
