// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/tokengo/tokengo/service"
)

// textOf is a text, or all texts of a list of blocks.
func textOf(v gjson.Result) string {
	if !v.IsArray() {
		return v.String()
	}
	var b strings.Builder
	for _, text := range v.Get("#.text").Array() {
		b.WriteString(text.String())
	}
	return b.String()
}

// TestImage sends an image. The backend must get its exact bytes.
func TestImage(t *testing.T) {
	t.Parallel()
	n := startScripts(t)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 3, 5))); err != nil {
		t.Fatal(err)
	}
	everyPair(t, func(t *testing.T, p pair) {
		got := p.answer(t, p.sdk.start(n.site(), question{model: p.model("text"), prompt: "What is this?", image: picture.Bytes()}))
		if got.Text != "Hello, world" {
			t.Errorf("the answer is %q", got.Text)
		}
		asked := n.scripts[p.protocol].last()
		images := asked.values(n.scripts[p.protocol].dialect(asked).image)
		if len(images) != 1 {
			t.Fatalf("%d images at the backend: %s", len(images), asked.body)
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(images[0].String(), "data:image/png;base64,"))
		if err != nil || !bytes.Equal(raw, picture.Bytes()) {
			t.Errorf("the backend got another image, %v: %s", err, asked.body)
		}
	})
}

// TestSchema asks for an answer in the form of a schema. The backend must get that one.
func TestSchema(t *testing.T) {
	t.Parallel()
	n := startScripts(t)
	const place = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}`
	var want any
	if err := json.Unmarshal([]byte(place), &want); err != nil {
		t.Fatal(err)
	}
	everyPair(t, func(t *testing.T, p pair) {
		got := p.answer(t, p.sdk.start(n.site(), question{model: p.model("schema"), prompt: "Where?", schema: json.RawMessage(place)}))
		if got.Text != `{"city":"Oslo"}` || got.Reason != ended {
			t.Errorf("the answer is %+v", got)
		}
		asked := n.scripts[p.protocol].last()
		schema := gjson.GetBytes(asked.body, n.scripts[p.protocol].dialect(asked).schema)
		if diff := cmp.Diff(want, schema.Value()); diff != "" {
			t.Errorf("schema at the backend (-want +got):\n%s\n%s", diff, asked.body)
		}
	})
}

// signature is what the golden files' backends sign their reasoning with.
const signature = "c2lnbmVk+/=="

// respelled is the signature as Google's SDK sends it back to the service that made it: it decodes and encodes it.
const respelled = "c2lnbmVk+w=="

// TestThinking asks for reasoning, and goes on with the conversation. A backend that signed its reasoning must get the
// signature back to the byte, if the SDK keeps such things at all.
func TestThinking(t *testing.T) {
	t.Parallel()
	n := startScripts(t)
	everyPair(t, func(t *testing.T, p pair) {
		c := p.sdk.start(n.site(), question{model: p.model("thinking"), prompt: "Is it so?", think: true})
		got := p.answer(t, c)
		if got.Text != "Yes." || got.Thought != "Hm, so." || got.Reason != ended {
			t.Errorf("the answer is %+v", got)
		}
		c.say("Are you sure?")
		if got = p.answer(t, c); got.Text != "Yes." {
			t.Errorf("the second answer is %+v", got)
		}
		asked := n.scripts[p.protocol].last()
		if !asked.contains("Are you sure?") || !asked.contains(`"Yes."`) {
			t.Errorf("the backend got %s", asked.body)
		}
		signs := p.protocol == service.Claude || p.protocol == service.Gemini
		keeps := p.sdk.name == "responses" || p.sdk.name == "claude" || p.sdk.name == "gemini"
		back := asked.contains(signature) || p.sdk.name == "gemini" && p.protocol == service.Gemini && asked.contains(respelled)
		if want := signs && keeps; back != want {
			t.Errorf("the signature came back: %v, want %v: %s", back, want, asked.body)
		}
	})
}
