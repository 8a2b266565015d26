// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// ByteReader reads what an async iterable of byte arrays yields, without asking it for more than is needed.
export class ByteReader {
  #source;
  #have = Buffer.alloc(0);

  constructor(source) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Whether nothing is left. Waits for a byte or the end. */
  async atEnd() {
    while (this.#have.length === 0) {
      const { value, done } = await this.#source.next();
      if (done) return true;
      this.#have = Buffer.from(value);
    }
    return false;
  }

  /** The next n bytes; an error when there are fewer. */
  async bytes(n) {
    while (this.#have.length < n) {
      const { value, done } = await this.#source.next();
      if (done) throw new Error(`truncated: ${this.#have.length} of ${n} bytes`);
      this.#have = Buffer.concat([this.#have, value]);
    }
    const got = this.#have.subarray(0, n);
    this.#have = this.#have.subarray(n);
    return got;
  }

  /** All up to the end. */
  async rest() {
    const parts = [this.#have];
    this.#have = Buffer.alloc(0);
    for (;;) {
      const { value, done } = await this.#source.next();
      if (done) return Buffer.concat(parts);
      parts.push(value);
    }
  }

  /** A variable-length integer (RFC 9000 section 16) in any of its encodings. */
  async varint() {
    const first = (await this.bytes(1))[0];
    let v = BigInt(first & 0x3f);
    for (const b of await this.bytes((1 << (first >> 6)) - 1)) v = (v << 8n) | BigInt(b);
    if (v > Number.MAX_SAFE_INTEGER) throw new Error(`length ${v}`);
    return Number(v);
  }
}

/** The shortest encoding of a variable-length integer below 2^30. */
export function varint(v) {
  if (v < 0x40) return Buffer.from([v]);
  if (v < 0x4000) return Buffer.from([0x40 | (v >> 8), v & 0xff]);
  const b = Buffer.alloc(4);
  b.writeUInt32BE((0x80000000 + v) >>> 0);
  return b;
}
