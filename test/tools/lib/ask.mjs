// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Has an SDK do the task of lib/script.mjs, streamed, as one user of it: in a process of its own, with the user's
// environment, and with everything in the request by which its vendor tells users apart. It prints the last words.
//
//   node lib/ask.mjs ADAPTER MODEL PROMPT

import { readFileSync, writeFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { adapters } from './sdks.mjs';

const [, , name, model, prompt] = process.argv;
const me = `${process.env.USER} ${userInfo().username} ${homedir()} ${process.env.TOOLS_KEY}`;
const more = {
  openai: { user: me, safety_identifier: me, metadata: { me }, prompt_cache_key: me, store: true },
  'openai responses': { user: me, safety_identifier: me, metadata: { me }, prompt_cache_key: me },
  claude: { metadata: { user_id: me } },
  ollama: {},
}[name];

const string = { type: 'string' };
const schema = (...names) => ({ type: 'object', properties: Object.fromEntries(names.map((n) => [n, string])), required: names });
const tools = [
  { name: 'read_file', description: 'Reads a file.', schema: schema('file_path') },
  { name: 'write_file', description: 'Writes a file.', schema: schema('file_path', 'content') },
];

function perform({ name: tool, args }) {
  if (tool === 'read_file') return readFileSync(args.file_path, 'utf8');
  writeFileSync(args.file_path, args.content);
  return 'written';
}

const chat = adapters.find((a) => a.name === name).start(model, prompt, tools, { more });
let answer = await chat.next(true);
for (let turns = 0; answer.calls.length > 0 && turns < 5; turns++) {
  chat.results(answer.calls.map(perform));
  answer = await chat.next(true);
}
console.log(answer.text);
