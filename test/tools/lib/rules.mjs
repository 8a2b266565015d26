// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What the AI services refuse in a request, as far as a translation could get it wrong. Each function returns the
// broken rules of one protocol, in words; none means that the service would have answered.

const FIELDS = {
  openai: 'model messages stream stream_options tools tool_choice parallel_tool_calls max_tokens max_completion_tokens temperature top_p stop n seed user response_format reasoning_effort presence_penalty frequency_penalty logprobs top_logprobs logit_bias metadata store service_tier verbosity prompt_cache_key safety_identifier modalities prediction web_search_options prompt_cache_retention',
  responses: 'model input instructions stream stream_options tools tool_choice parallel_tool_calls max_output_tokens temperature top_p reasoning text include store metadata truncation user prompt_cache_key safety_identifier service_tier previous_response_id',
  claude: 'model messages max_tokens system stream tools tool_choice temperature top_p top_k stop_sequences metadata thinking output_config service_tier container context_management mcp_servers cache_control inference_geo output_format',
  gemini: 'contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent',
  ollama: 'model messages stream tools tool_choice format options keep_alive think logprobs top_logprobs',
};
const unknown = (protocol, body) => Object.keys(body).filter((k) => !FIELDS[protocol].split(' ').includes(k)).map((k) => `unknown field ${k}`);
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);
const same = (a, b) => a.length === b.length && [...a].sort().every((v, i) => v === [...b].sort()[i]);

/** schema refuses a schema of a tool's parameters that is not an object's. */
const schema = (where, s) => (isObject(s) && s.type === 'object' ? [] : [`${where}: its schema is not an object's: ${JSON.stringify(s)?.slice(0, 80)}`]);
const name = (where, n, pattern) => (pattern.test(n) ? [] : [`${where}: name ${JSON.stringify(n)}`]);
/** png refuses what is not a PNG image in plain base64: its first bytes, and an encoding that is the only one for them. */
function png(where, mediaType, data) {
  const bytes = Buffer.from(String(data), 'base64');
  if (mediaType !== undefined && mediaType !== 'image/png') return [`${where}: image of type ${mediaType}`];
  return bytes.subarray(1, 4).toString() === 'PNG' && bytes.toString('base64') === data ? [] : [`${where}: image data ${String(data).slice(0, 40)}`];
}
/** dataURI is the media type and the base64 of one. */
const dataURI = (url) => /^data:([^;,]*);base64,(.*)$/s.exec(url)?.slice(1) ?? [null, url];
/** format refuses a form of answers that has no name or no schema of an object. */
const format = (f) => [...name('format', f?.name, /^[a-zA-Z0-9_-]{1,64}$/), ...schema('format', f?.schema)];
const twice = (names) => names.filter((n, i) => names.indexOf(n) !== i).map((n) => `two tools named ${n}`);

export const rules = {
  openai(b) {
    const bad = unknown('openai', b);
    if (b.stream_options && !b.stream) bad.push('stream_options without stream');
    if (b.tool_choice && !b.tools) bad.push('tool_choice without tools');
    if (b.parallel_tool_calls !== undefined && !b.tools) bad.push('parallel_tool_calls without tools');
    if (b.tools && b.tools.length === 0) bad.push('tools is empty');
    if (b.response_format?.type === 'json_schema') bad.push(...format(b.response_format.json_schema));
    for (const t of b.tools ?? []) {
      bad.push(...name('tool', t.function?.name, /^[a-zA-Z0-9_-]{1,64}$/));
      if (t.function?.parameters !== undefined) bad.push(...schema(t.function.name, t.function.parameters));
    }
    bad.push(...twice((b.tools ?? []).map((t) => t.function?.name)));
    for (let i = 0; i < b.messages.length; i++) {
      const m = b.messages[i];
      const where = `messages[${i}]`;
      if (!['system', 'developer', 'user', 'assistant', 'tool'].includes(m.role)) bad.push(`${where}: role ${m.role}`);
      if (m.content === '' && m.role === 'assistant' && !m.tool_calls) bad.push(`${where}: empty`);
      if ((m.content === null || m.content === undefined) && !m.tool_calls) bad.push(`${where}: no content`);
      if (Array.isArray(m.content) && (m.content.length === 0 || m.content.some((p) => p.type === 'text' && !p.text))) bad.push(`${where}: an empty part`);
      for (const p of Array.isArray(m.content) ? m.content : []) if (p.type === 'image_url') bad.push(...png(where, ...dataURI(p.image_url?.url)));
      if (!m.tool_calls) continue;
      for (const c of m.tool_calls) {
        try {
          if (!isObject(JSON.parse(c.function.arguments))) throw new Error();
        } catch {
          bad.push(`${where}: arguments ${JSON.stringify(c.function.arguments)}`);
        }
      }
      const answers = [];
      for (let j = i + 1; b.messages[j]?.role === 'tool'; j++) answers.push(b.messages[j].tool_call_id);
      if (!same(m.tool_calls.map((c) => c.id), answers)) bad.push(`${where}: calls ${m.tool_calls.map((c) => c.id)} are answered by ${answers}`);
    }
    return bad;
  },

  responses(b) {
    const bad = unknown('responses', b);
    const items = [].concat(b.input).filter((i) => typeof i === 'object');
    for (const k of ['previous_response_id', 'conversation', 'metadata', 'user', 'client_metadata']) if (k in b) bad.push(`${k} would be remembered`);
    if (b.store !== false) bad.push(`store ${b.store}`);
    if (b.text?.format?.type === 'json_schema') bad.push(...format(b.text.format));
    for (const t of (b.tools ?? []).filter((t) => t.type === 'function')) bad.push(...name('tool', t.name, /^[a-zA-Z0-9_-]{1,64}$/), ...schema(t.name, t.parameters));
    items.forEach((item, i) => {
      const where = `input[${i}]`;
      for (const p of Array.isArray(item.content) ? item.content : []) if (p.type === 'input_image') bad.push(...png(where, ...dataURI(p.image_url)));
    });
    const calls = items.filter((i) => i.type === 'function_call').map((i) => i.call_id);
    const answers = items.filter((i) => i.type === 'function_call_output').map((i) => i.call_id);
    if (!same(calls, answers)) bad.push(`calls ${calls} are answered by ${answers}`);
    return bad;
  },

  claude(b, headers) {
    const bad = unknown('claude', b);
    if (!headers['anthropic-version']) bad.push('no anthropic-version');
    if (!(Number.isInteger(b.max_tokens) && b.max_tokens > 0)) bad.push(`max_tokens ${b.max_tokens}`);
    if (b.messages[0]?.role !== 'user') bad.push(`begins with ${b.messages[0]?.role}`);
    if (b.thinking?.type === 'enabled') {
      if (b.thinking.budget_tokens < 1024 || b.thinking.budget_tokens >= b.max_tokens) bad.push(`budget ${b.thinking.budget_tokens} of ${b.max_tokens}`);
      if (b.temperature !== undefined && b.temperature !== 1) bad.push('temperature with thinking');
      if (['any', 'tool'].includes(b.tool_choice?.type)) bad.push('forced tool with thinking');
    }
    if (b.tool_choice && !b.tools) bad.push('tool_choice without tools');
    if (b.output_config?.format) bad.push(...(b.output_config.format.type === 'json_schema' ? schema('format', b.output_config.format.schema) : [`format of type ${b.output_config.format.type}`]));
    for (const t of b.tools ?? []) {
      bad.push(...name('tool', t.name, /^[a-zA-Z0-9_-]{1,128}$/));
      if (!t.type || t.type === 'custom') bad.push(...schema(t.name, t.input_schema));
    }
    bad.push(...twice((b.tools ?? []).map((t) => t.name)));
    if ((JSON.stringify(b).match(/"cache_control":\{/g) ?? []).length > 4) bad.push('more than 4 cache_control');
    for (const s of Array.isArray(b.system) ? b.system : []) if (!s.text) bad.push('an empty system block');
    let open = [];
    b.messages.forEach((m, i) => {
      const where = `messages[${i}]`;
      if (!['user', 'assistant', 'system'].includes(m.role)) bad.push(`${where}: role ${m.role}`);
      if (m.content.length === 0) bad.push(`${where}: empty`);
      const blocks = Array.isArray(m.content) ? m.content : [{ type: 'text', text: m.content }];
      if (blocks.some((p) => p.type === 'text' && !p.text.trim())) bad.push(`${where}: an empty text block`);
      for (const p of blocks) if (p.type === 'image') bad.push(...(p.source?.type === 'base64' ? png(where, p.source.media_type, p.source.data) : [`${where}: image from ${p.source?.type}`]));
      const results = blocks.filter((p) => p.type === 'tool_result').map((p) => p.tool_use_id);
      if (!same(open, results)) bad.push(`${where}: calls ${open} are answered by ${results}`);
      if (results.length > 0 && blocks.slice(0, results.length).some((p) => p.type !== 'tool_result')) bad.push(`${where}: something stands before a result`);
      const calls = blocks.filter((p) => p.type === 'tool_use');
      for (const c of calls) {
        if (!isObject(c.input)) bad.push(`${where}: input ${JSON.stringify(c.input)}`);
        bad.push(...name(`${where}: call`, c.id, /^[a-zA-Z0-9_-]+$/));
      }
      open = calls.map((c) => c.id);
    });
    if (open.length > 0) bad.push('calls without results at the end');
    return bad;
  },

  gemini(b) {
    const bad = unknown('gemini', b);
    const config = b.generationConfig ?? {};
    if (config.responseSchema && config.responseJsonSchema) bad.push('two schemas');
    if ((config.responseSchema || config.responseJsonSchema) && config.responseMimeType !== 'application/json') bad.push(`a schema with ${config.responseMimeType}`);
    if (config.responseJsonSchema) bad.push(...schema('format', config.responseJsonSchema));
    for (const t of b.tools ?? []) {
      for (const f of t.functionDeclarations ?? []) {
        bad.push(...name('tool', f.name, /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/));
        const extra = Object.keys(f).filter((k) => !['name', 'description', 'parameters', 'parametersJsonSchema', 'response', 'responseJsonSchema', 'behavior'].includes(k));
        if (extra.length > 0) bad.push(`${f.name}: unknown ${extra}`);
        if (f.parameters && /"(\$schema|additionalProperties|const|\$ref|oneOf|allOf)":/.test(JSON.stringify(f.parameters))) bad.push(`${f.name}: JSON schema in parameters`);
      }
    }
    let open = [];
    (b.contents ?? []).forEach((c, i) => {
      const where = `contents[${i}]`;
      if (!['user', 'model'].includes(c.role)) bad.push(`${where}: role ${c.role}`);
      if (!(c.parts?.length > 0)) bad.push(`${where}: no parts`);
      for (const p of c.parts ?? []) if (Object.keys(p).filter((k) => !['thought', 'thoughtSignature'].includes(k)).length !== 1) bad.push(`${where}: part ${JSON.stringify(p).slice(0, 80)}`);
      for (const p of c.parts) if (p.inlineData) bad.push(...png(where, p.inlineData.mimeType, p.inlineData.data));
      const results = c.parts.filter((p) => p.functionResponse).map((p) => p.functionResponse);
      if (!same(open, results.map((r) => r.name))) bad.push(`${where}: calls ${open} are answered by ${results.map((r) => r.name)}`);
      for (const r of results) if (!isObject(r.response)) bad.push(`${where}: response is no object`);
      open = c.parts.filter((p) => p.functionCall).map((p) => p.functionCall.name);
    });
    if (open.length > 0) bad.push('calls without responses at the end');
    return bad;
  },

  ollama(b) {
    const bad = unknown('ollama', b);
    if (![undefined, 'auto'].includes(b.tool_choice)) bad.push(`tool_choice ${b.tool_choice}`); // Ollama has none; a library sends this one
    if (b.format && b.format !== 'json') bad.push(...schema('format', b.format));
    for (const t of b.tools ?? []) if (t.type !== 'function') bad.push(`tool of type ${t.type}`);
    b.messages.forEach((m, i) => {
      const where = `messages[${i}]`;
      if (!['system', 'user', 'assistant', 'tool'].includes(m.role)) bad.push(`${where}: role ${m.role}`);
      if (typeof (m.content ?? '') !== 'string') bad.push(`${where}: content is no string`);
      for (const image of m.images ?? []) bad.push(...png(where, undefined, image));
      for (const c of m.tool_calls ?? []) if (!isObject(c.function?.arguments)) bad.push(`${where}: arguments are no object`);
      const extra = Object.keys(m).filter((k) => !['role', 'content', 'thinking', 'images', 'tool_calls', 'tool_name', 'tool_call_id'].includes(k));
      if (extra.length > 0) bad.push(`${where}: unknown ${extra}`);
    });
    return bad;
  },
};
