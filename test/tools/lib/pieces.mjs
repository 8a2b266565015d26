// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What the scripted backend's protocols have in common.

export const textOf = (content) => (typeof content === 'string' ? content : (content ?? []).map((p) => p.text ?? '').join('\n'));

let made = 0;
/** unique makes an id: tools put answers together that have the same one. */
export const unique = (prefix) => `${prefix}${String(++made).padStart(8, '0')}`;

/** beginIds has them begin anew, so that two runs can be compared. */
export const beginIds = () => { made = 0; };

/** pieces cuts a text in short ones, also within what belongs together, but not within a letter. */
export function pieces(text) {
  const letters = [...text];
  const cut = [];
  for (let i = 0; i < letters.length; i += 7) cut.push(letters.slice(i, i + 7).join(''));
  return cut;
}

export const sse = (data, event) => `${event ? `event: ${event}\n` : ''}data: ${JSON.stringify(data)}\n\n`;

/** parts are those of all messages whose content is a list. */
export const parts = (messages) => messages.flatMap((m) => (Array.isArray(m.content) ? m.content : []));

/** dataOf is the base64 of a data URI. Other URLs stay what they are. */
export const dataOf = (url) => url.replace(/^data:[a-z]+\/[a-z]+;base64,/, '');
