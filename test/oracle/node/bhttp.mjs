// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The client's half of Binary HTTP, from the text of RFC 9292. The package bhttp-js, which decodes whole messages only, is
// held against it in the tests.

import { ByteReader, varint } from './reader.mjs';

const text = (s) => {
  const bytes = Buffer.from(s);
  return Buffer.concat([varint(bytes.length), bytes]);
};
const lines = (fields) => Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [text(name), text(value)]));
const prefixed = (bytes) => Buffer.concat([varint(bytes.length), bytes]);
const control = ({ method = 'POST', authority = '', path }) => Buffer.concat([method, 'https', authority, path].map(text));

/** A request of known length (section 3.1). */
export function knownRequest(request) {
  const { fields = {}, body = Buffer.alloc(0) } = request;
  return Buffer.concat([varint(0), control(request), prefixed(lines(fields)), prefixed(body), varint(0)]);
}

/** A request of indeterminate length (section 3.2), its content in pieces. */
export function indeterminateRequest(request) {
  const { fields = {}, body = Buffer.alloc(0), piece = 1000 } = request;
  const parts = [varint(2), control(request), lines(fields), varint(0)];
  for (let at = 0; at < body.length; at += piece) parts.push(prefixed(body.subarray(at, at + piece)));
  return Buffer.concat([...parts, varint(0), varint(0)]);
}

/**
 * Reads a response from an async iterable of bytes: its head at once, its content as it arrives through body, whose end
 * is checked like everything else.
 */
export async function readResponse(source) {
  const reader = new ByteReader(source);
  const framing = await reader.varint();
  if (framing !== 1 && framing !== 3) throw new Error(`framing indicator ${framing} in a response`);
  const section = framing === 1 ? knownFields : indeterminateFields;
  let status = await reader.varint();
  for (; status >= 100 && status < 200; status = await reader.varint()) await section(reader);
  if (status < 200 || status > 599) throw new Error(`status ${status}`);
  const fields = await section(reader);
  return { framing, status, fields, body: content(reader, framing, section) };
}

async function* content(reader, framing, section) {
  if (framing === 1) {
    const length = (await reader.atEnd()) ? 0 : await reader.varint();
    if (length > 0) yield await reader.bytes(length);
  } else {
    while (!(await reader.atEnd())) {
      const length = await reader.varint();
      if (length === 0) break;
      yield await reader.bytes(length);
    }
  }
  await section(reader);
  if ((await reader.rest()).some((b) => b !== 0)) throw new Error('padding that is not zero');
}

async function field(reader, nameLength, fields) {
  const name = (await reader.bytes(nameLength)).toString('latin1');
  const value = (await reader.bytes(await reader.varint())).toString('latin1');
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || /[\0\r\n]|^[ \t]|[ \t]$/.test(value)) throw new Error(`field ${JSON.stringify(name)}`);
  fields.set(name, fields.has(name) ? `${fields.get(name)}, ${value}` : value);
}

async function knownFields(reader) {
  const fields = new Map();
  if (await reader.atEnd()) return fields; // sections that are empty up to the end may be left out (section 3.8)
  const section = await reader.bytes(await reader.varint());
  const inner = new ByteReader(
    (async function* () {
      yield section;
    })(),
  );
  while (!(await inner.atEnd())) await field(inner, await inner.varint(), fields);
  return fields;
}

async function indeterminateFields(reader) {
  const fields = new Map();
  if (await reader.atEnd()) return fields;
  for (let length; (length = await reader.varint()) !== 0; ) await field(reader, length, fields);
  return fields;
}
