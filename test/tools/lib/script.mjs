// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What the scripted model says, whatever the protocol. It never learns anything but through the conversation: the
// folder from the prompt, the contents of files from the results of its calls.
//
//   1st turn  a few words, and two calls (one, where only one is allowed) that read first.txt and second.txt
//   2nd turn  a call that writes third.txt
//   last      a few words with what it read
//
// Of images, and of the schema that its answer is to have, it says by their digests what it got. Any other question
// without a folder, or without tools, gets a few words.

import { createHash } from 'node:crypto';

/** How the tools of AI tools are called. Each returns {name, args}. The first that is on offer is used. */
const READ = {
  Read: (path) => ({ file_path: path }),
  read_file: (path) => ({ file_path: path }),
  read: (path) => ({ filePath: path }),
  exec_command: (path) => ({ cmd: `cat '${path}'` }),
  shell_command: (path) => ({ command: `cat '${path}'` }),
  shell: (path) => ({ command: ['cat', path] }),
};
const WRITE = {
  Write: (path, content) => ({ file_path: path, content }),
  write_file: (path, content) => ({ file_path: path, content }),
  write: (path, content) => ({ filePath: path, content }),
  apply_patch: (path, content) => ({ input: `*** Begin Patch\n*** Add File: ${path}\n${content.replace(/^(?=.)/gm, '+')}*** End Patch\n` }),
  exec_command: (path, content) => ({ cmd: `cat > '${path}' <<'END'\n${content}END` }),
  shell_command: (path, content) => ({ command: `cat > '${path}' <<'END'\n${content}END` }),
  shell: (path, content) => ({ command: ['sh', '-c', `cat > '${path}' <<'END'\n${content}END`] }),
};
const NOTE = /note-[\p{L}-]+-[0-9a-f]{8}/gu;

/** What the task is to leave behind. Quotes, a backslash and letters of two to four bytes get through everything. */
export const written = (notes) => `“${notes.join('” “')}” \\ "naïve" 世界 🌍\n`;
/** The words that the task ends with. */
export const said = (notes) => `All done — 完成: ${notes.join(' and ')}.`;
export const THOUGHT = 'First, I think.';

/** call is of the first of these tools that is on offer, by itself or in a namespace. */
function call(among, tools, ...params) {
  for (const [name, args] of Object.entries(among)) {
    const offered = tools.map((t) => t.name).find((t) => t === name || t.endsWith(`__${name}`));
    if (offered) return { name: offered, args: args(...params) };
  }
  return null;
}

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** seen is what the model says of images: Buffers. */
export const seen = (images) => `I see — 看: ${images.map(digest).join(' and ')}.`;

/**
 * place is the model's answer in the form of a schema, {city, digest}. The digest is of what the schema means: libraries
 * say it in several ways.
 */
export const place = (schema) => ({ city: 'Zürich — 苏黎世', digest: digest(JSON.stringify(meaning(schema))) });

function meaning(v) {
  if (Array.isArray(v)) return v.map(meaning);
  if (typeof v !== 'object' || v === null) return v;
  const said = Object.keys(v).filter((k) => k !== '$schema' && !(k === 'additionalProperties' && v[k] === false)).sort();
  return Object.fromEntries(said.map((k) => [k, k === 'type' && typeof v[k] === 'string' ? v[k].toLowerCase() : meaning(v[k])]));
}

/**
 * turn returns {text, calls} for a conversation: {text (all of it), tools ({name, schema}), results (texts), images (base64),
 * schema, parallel}.
 */
export function turn({ text, tools, results, images, schema, parallel }) {
  if (images.length > 0) return { text: seen(images.map((i) => Buffer.from(i, 'base64'))), calls: [] };
  if (schema) return { text: JSON.stringify(place(schema)), calls: [] };
  const json = tools.find((t) => t.name === 'json'); // how some libraries ask for a schema
  if (json) return { text: '', calls: [{ name: json.name, args: place(json.schema) }] };
  const folder = /FOLDER=<([^>]+)>/.exec(text)?.[1];
  const reads = ['first.txt', 'second.txt'].map((f) => call(READ, tools, `${folder}/${f}`));
  if (!folder || !reads[0]) return { text: 'Fine — 好.', calls: [] };
  const notes = [...new Set(results.join('\n').match(NOTE) ?? [])].sort(); // Claude Code sends results as they come
  if (results.length < 2) return { text: 'I read — 读.', calls: parallel ? reads : reads.slice(results.length, results.length + 1) };
  if (results.length === 2) return { text: '', calls: [call(WRITE, tools, `${folder}/third.txt`, written(notes))] };
  return { text: said(notes), calls: [] };
}
