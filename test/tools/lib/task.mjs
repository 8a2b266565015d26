// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What SDKs ask of the scripted model (script.mjs).

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { said, written } from './script.mjs';

const FOLDER = '/nowhere';

/** copy is a new task: its prompt, its tools {name, description, schema, run}, which work in memory, and check. */
export function copy() {
  const notes = ['é', '世界'].map((word) => `note-${word}-${randomUUID().slice(0, 8)}`);
  const files = new Map(['first.txt', 'second.txt'].map((f, i) => [`${FOLDER}/${f}`, notes[i]]));
  const read = ({ file_path }) => files.get(file_path);
  const write = ({ file_path, content }) => {
    files.set(file_path, content);
    return 'written';
  };
  return {
    prompt: `Copy. FOLDER=<${FOLDER}>`,
    tools: [
      { name: 'read_file', description: 'Reads a file.', schema: strings('file_path'), run: read },
      { name: 'write_file', description: 'Writes a file.', schema: strings('file_path', 'content'), run: write },
    ],
    /** check fails unless the task was done, and these were the model's last words. */
    check(words) {
      assert.equal(files.get(`${FOLDER}/third.txt`), written(notes));
      assert.equal(words, said(notes));
    },
  };
}

/** strings is the schema of an object that has nothing but these, each with a description of its own. */
export const strings = (...names) => ({
  type: 'object', required: names, additionalProperties: false,
  properties: Object.fromEntries(names.map((n) => [n, { type: 'string', description: randomUUID() }])),
});

/** png is a new image. Only its first bytes are an image's. */
export const png = () => Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'), randomBytes(5000)]);
