// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudflare/circl/hpke"
	"github.com/openpcc/ohttp"
	"github.com/openpcc/ohttp/encoding/bhttp"
)

// format is one of the two forms of a sealed message.
type format struct{ name, request, response string }

var (
	whole   = format{"unchunked", ohttp.RequestMediaType, ohttp.ResponseMediaType}
	chunked = format{"chunked", ohttp.ChunkedRequestMediaType, ohttp.ChunkedResponseMediaType}
)

// way is how a request is sealed.
type way struct {
	key    ohttp.KeyConfig
	format format
	chunk  int  // bytes of plaintext a chunk, 0 for the library's default
	padded bool // Binary HTTP padding fills the last chunk
}

// with is the key with one AEAD only.
func with(key ohttp.KeyConfig, aead hpke.AEAD) ohttp.KeyConfig {
	key.SymmetricAlgorithms = []ohttp.SymmetricAlgorithm{{KDFID: hpke.KDF_HKDF_SHA256, AEADID: aead}}
	return key
}

// post is a request to an AI service, as a program that knows nothing of this makes it.
func post(t *testing.T, path string, body any) *http.Request {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://ai.example"+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return req
}

// object is a JSON object.
type object = map[string]any

func messages(content string) []object {
	return []object{{"role": "user", "content": content}}
}

func chat(t *testing.T, model, content string, more object) *http.Request {
	t.Helper()
	body := object{"model": model, "messages": messages(content)}
	for name, value := range more {
		body[name] = value
	}
	return post(t, "/v1/chat/completions", body)
}

// seal has the library seal a request for the relay. It chunks requests whose length it cannot know.
func seal(t *testing.T, w way, req *http.Request) (*http.Request, *ohttp.ResponseDecapsulator) {
	t.Helper()
	if w.format == chunked {
		req.Body = io.NopCloser(io.MultiReader(req.Body))
		req.ContentLength = -1
	}
	var options []bhttp.Option
	if w.chunk > 0 {
		options = append(options, bhttp.MaxRequestChunkLen(w.chunk))
	}
	if w.padded {
		options = append(options, bhttp.FixedLengthRequestChunks())
	}
	encoder, err := bhttp.NewRequestEncoder(options...)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := ohttp.NewTransport(w.key, relayURL+"/ohttp/"+exitHash, ohttp.WithRequestEncoder(encoder))
	if err != nil {
		t.Fatal(err)
	}
	sealed, opener, err := transport.Encapsulate(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := sealed.Header.Get("Content-Type"); got != w.format.request {
		t.Fatalf("the library made a %s, want a %s", got, w.format.request)
	}
	return sealed, opener
}

// ask sends a request and returns the opened answer, whose body arrives while it is read.
func ask(t *testing.T, w way, req *http.Request) *http.Response {
	t.Helper()
	sealed, opener := seal(t, w, req)
	outer, err := relay.Do(sealed)
	if err != nil {
		t.Fatal(err)
	}
	if got := outer.Header.Get("Content-Type"); outer.StatusCode != http.StatusOK || got != w.format.response {
		t.Fatalf("outside the seal: status %d with %q, want 200 with %q", outer.StatusCode, got, w.format.response)
	}
	answer, err := opener.Decapsulate(t.Context(), outer)
	if err != nil {
		t.Fatalf("open the answer: %v", err)
	}
	return answer
}

// askJSON is ask for an answer in JSON.
func askJSON(t *testing.T, w way, req *http.Request) (status int, got object) {
	t.Helper()
	answer := ask(t, w, req)
	body := readAll(t, answer.Body)
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("the answer %q: %v", body, err)
	}
	return answer.StatusCode, got
}

// at is what lies at a path in JSON.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o, _ := v.(object)
			v = o[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// ways are all that an exit must accept.
func ways() map[string]way {
	all := map[string]way{}
	for _, key := range keys {
		for _, algorithm := range key.SymmetricAlgorithms {
			for _, f := range []format{whole, chunked} {
				name := fmt.Sprintf("KEM %#04x, AEAD %d, %s", uint16(key.KemID), algorithm.AEADID, f.name)
				all[name] = way{key: with(key, algorithm.AEADID), format: f}
			}
		}
	}
	return all
}

func TestAsk(t *testing.T) {
	for name, w := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the demo backend takes its time over each word
			text := testChat(t, w)
			testStream(t, w, text)
			testClaude(t, w)
			testUnknownModel(t, w)
		})
	}
}

func testChat(t *testing.T, w way) string {
	t.Helper()
	status, got := askJSON(t, w, chat(t, "demo-gpt", "hello", nil))
	text, _ := at(got, "choices", 0, "message", "content").(string)
	if status != http.StatusOK || !strings.HasPrefix(text, "[demo] ") {
		t.Errorf("chat: status %d, %v", status, got)
	}
	return text
}

func testStream(t *testing.T, w way, want string) {
	t.Helper()
	answer := ask(t, w, chat(t, "demo-gpt", "hello", object{"stream": true}))
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || !strings.HasPrefix(got, "text/event-stream") {
		t.Fatalf("streamed chat: status %d with %q", answer.StatusCode, got)
	}
	stream, done := strings.CutSuffix(string(readAll(t, answer.Body)), "data: [DONE]\n\n")
	if !done {
		t.Errorf("streamed chat: it does not end with [DONE]")
	}
	var text strings.Builder
	for event := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		var chunk object
		if err := json.Unmarshal([]byte(strings.TrimPrefix(event, "data: ")), &chunk); err != nil {
			t.Fatalf("streamed chat: event %q: %v", event, err)
		}
		if delta, ok := at(chunk, "choices", 0, "delta", "content").(string); ok {
			text.WriteString(delta)
		}
	}
	if got := text.String(); got != want {
		t.Errorf("streamed chat: got %q, want %q", got, want)
	}
}

func testClaude(t *testing.T, w way) {
	t.Helper()
	req := post(t, "/v1/messages", object{"model": "demo-claude", "max_tokens": 50, "messages": messages("hello")})
	req.Header.Set("Anthropic-Version", "2023-06-01")
	status, got := askJSON(t, w, req)
	text, _ := at(got, "content", 0, "text").(string)
	if status != http.StatusOK || got["type"] != "message" || !strings.HasPrefix(text, "[demo] ") {
		t.Errorf("Claude message: status %d, %v", status, got)
	}
}

func testUnknownModel(t *testing.T, w way) {
	t.Helper()
	status, got := askJSON(t, w, chat(t, "no-such-model", "hello", nil))
	if status != http.StatusNotFound || at(got, "error", "code") != "model_not_found" {
		t.Errorf("unknown model: status %d, %v", status, got)
	}
}

// TestStreamArrives reads each event before the backend may send the next one: nothing between the two
// can be collecting them.
func TestStreamArrives(t *testing.T) {
	for _, key := range keys {
		user := rand.Text()
		answer := ask(t, way{key: key, format: chunked}, chat(t, "oracle", "hello", object{"user": user, "stream": true}))
		defer answer.Body.Close()
		for n := range 4 {
			want := fmt.Sprintf("data: {\"n\":%d}\n\n", n)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(answer.Body, got); err != nil || string(got) != want {
				t.Fatalf("event %d: got %q, %v", n, got, err)
			}
			release(t, user)
		}
		if got := string(readAll(t, answer.Body)); got != "data: [DONE]\n\n" {
			t.Errorf("the end: got %q", got)
		}
	}
}

func TestLargeMessages(t *testing.T) {
	raw := make([]byte, 150_000)
	rand.Read(raw)
	echo := hex.EncodeToString(raw)
	for _, w := range []way{
		{key: keys[0], format: whole},
		{key: keys[0], format: chunked},
		{key: keys[0], format: chunked, chunk: 16384},
		{key: keys[0], format: chunked, chunk: 16384, padded: true},
		{key: keys[1], format: chunked, chunk: 777},
	} {
		t.Run(fmt.Sprintf("%s, %d, padded %t", w.format.name, w.chunk, w.padded), func(t *testing.T) {
			req := chat(t, "oracle", echo, object{"user": rand.Text()})
			body := readAll(t, req.Body)
			req.Body = io.NopCloser(bytes.NewReader(body))
			want := sha256.Sum256(body)
			status, got := askJSON(t, w, req)
			if status != http.StatusOK || got["sha256"] != hex.EncodeToString(want[:]) || got["echo"] != echo {
				t.Errorf("status %d, body of %v bytes with SHA-256 %v", status, got["size"], got["sha256"])
			}
		})
	}
}
