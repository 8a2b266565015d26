// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseInfoGolden(t *testing.T) {
	got, err := ParseInfo(readFile(t, "testdata/info.json"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullInfo(), got); diff != "" {
		t.Errorf("ParseInfo (-want +got):\n%s", diff)
	}
}

// TestGoldenIsFull makes sure that the golden file shows every field there is.
func TestGoldenIsFull(t *testing.T) {
	raw := readFile(t, "testdata/info.json")
	var visit func(s shape)
	visit = func(s shape) {
		for name, inner := range s {
			if !bytes.Contains(raw, []byte(`"`+name+`":`)) {
				t.Errorf("testdata/info.json lacks %s", name)
			}
			visit(inner)
		}
	}
	visit(infoShape)
	for i, v := 0, reflect.ValueOf(*fullInfo()); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("fullInfo lacks %s", v.Type().Field(i).Name)
		}
	}
}

// object is a JSON object as encoding/json gives it.
type object = map[string]any

func TestParseInfoBounds(t *testing.T) {
	set := func(name string, v any) func(object) { return func(m object) { m[name] = v } }
	model := func(name string, v any) func(object) {
		return func(m object) { m["models"].([]any)[0].(object)[name] = v }
	}
	pricing := func(name string, v any) func(object) {
		return func(m object) { m["models"].([]any)[0].(object)["pricing"].(object)[name] = v }
	}
	inner := func(outer, name string, v any) func(object) {
		return func(m object) { m[outer].(object)[name] = v }
	}
	text := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name string
		edit func(object)
		want string // "" is accepted, otherwise a part of the error
	}{
		{"nothing changed", func(object) {}, ""},
		{"version missing", func(m object) { delete(m, "version") }, "version"},
		{"version 1", set("version", 1), "version"},
		{"version 3", set("version", 3), "version"},
		{"version text", set("version", "2"), "version"},
		{"identity missing", func(m object) { delete(m, "identity") }, "identity"},
		{"identity short", set("identity", "AAAA"), "identity"},
		{"operator empty", set("operator", ""), ""},
		{"operator missing", func(m object) { delete(m, "operator") }, ""},
		{"operator longest", set("operator", text(256)), ""},
		{"operator too long", set("operator", text(257)), "operator"},
		{"operator with escape", set("operator", "a\x1b[31m"), "operator"},
		{"operator with C1 control", set("operator", "a\u009b31m"), "operator"},
		{"operator with line break", set("operator", "a\nb"), "operator"},
		{"operator replaced", set("operator", "a\ufffd"), "operator"},
		{"sequence 0", set("sequence", 0), ""},
		{"sequence largest", set("sequence", int64(1)<<53-1), ""},
		{"sequence too large", set("sequence", int64(1)<<53), "sequence"},
		{"sequence negative", set("sequence", -1), "sequence"},
		{"sequence fraction", set("sequence", 1.5), "sequence"},
		{"sequence enormous", set("sequence", 1e300), "sequence"},
		{"no start", func(m object) { delete(m, "not_before") }, "not_before"},
		{"no end", func(m object) { delete(m, "expires") }, "expires"},
		{"time with a space", set("expires", "2026-03-02 12:00:00Z"), "time"},
		{"time with an offset", set("expires", "2026-03-02T12:00:00+08:00"), ""},
		{"time as number", set("expires", 1772366400), "time"},
		{"end at start", set("expires", testStart), "expires"},
		{"end before start", set("expires", testStart.Add(-time.Second)), "expires"},
		{"longest lifetime", set("expires", testStart.Add(MaxLifetime)), ""},
		{"too long a lifetime", set("expires", testStart.Add(MaxLifetime+time.Second)), "expires"},
		{"endless", set("expires", "9999-12-31T23:59:59Z"), "expires"},
		{"no protocols", set("protocols", []string{}), "protocols"},
		{"protocols missing", func(m object) { delete(m, "protocols") }, "protocols"},
		{"protocols null", set("protocols", nil), "protocols"},
		{"protocol empty", set("protocols", []string{""}), "protocols[0]"},
		{"protocol twice", set("protocols", []string{"openai", "openai"}), "protocols[1]"},
		{"protocol with control", set("protocols", []string{"open\u0007ai"}), "protocols[0]"},
		{"too many protocols", set("protocols", words(17)), "protocols"},
		{"protocol of a model missing", set("protocols", []string{"openai", "claude", "gemini"}), "models[3]"},
		{"protocols as text", set("protocols", "openai"), "protocols"},
		{"no models", set("models", []any{}), ""},
		{"models null", set("models", nil), ""},
		{"most models", set("models", models(1000)), ""},
		{"too many models", set("models", models(1001)), "models"},
		{"model twice", model("id", "qwen3:8b"), "models[4]"},
		{"model id empty", model("id", ""), "models[0]: id"},
		{"model id longest", model("id", text(256)), ""},
		{"model id too long", model("id", text(257)), "models[0]: id"},
		{"model id with control", model("id", "a\x00"), "models[0]: id"},
		{"model id as number", model("id", 5), "models.id"},
		{"model without protocol", model("protocol", ""), "models[0]: protocol"},
		{"model of an unlisted protocol", model("protocol", "openai2"), "models[0]: protocol"},
		{"max_ctx negative", model("max_ctx", -1), "max_ctx"},
		{"max_ctx largest", model("max_ctx", 1<<31-1), ""},
		{"max_ctx too large", model("max_ctx", 1<<31), "max_ctx"},
		{"max_output negative", model("max_output", -1), "max_output"},
		{"most features", model("features", words(32)), ""},
		{"too many features", model("features", words(33)), "features"},
		{"feature empty", model("features", []string{""}), "features"},
		{"too many aliases", model("aliases", words(33)), "aliases"},
		{"alias empty", model("aliases", []string{""}), "aliases"},
		{"too many betas", set("betas", words(65)), "betas"},
		{"beta twice", set("betas", []string{"a", "a"}), "betas[1]"},
		{"beta with control", set("betas", []string{"a\x00"}), "betas[0]"},
		{"price of a request as number", pricing("per_request", 1), "per_request"},
		{"price of an image negative", pricing("per_image", "-1"), "pricing"},
		{"no price of a request", pricing("per_request", ""), ""},
		{"too many modalities", model("modalities", words(33)), "modalities"},
		{"modality too long", model("modalities", []string{text(257)}), "modalities"},
		{"quantization too long", model("quantization", text(257)), "quantization"},
		{"pricing null", model("pricing", nil), ""},
		{"price as number", pricing("input_per_1m", 1.75), "input_per_1m"},
		{"price negative", pricing("input_per_1m", "-1"), "pricing"},
		{"price missing", pricing("output_per_1m", ""), "pricing"},
		{"price exponent", pricing("cached_input_per_1m", "1e-3"), "pricing"},
		{"no cached price", pricing("cached_input_per_1m", ""), ""},
		{"currency missing", pricing("currency", ""), "currency"},
		{"currency lower case", pricing("currency", "usd"), "currency"},
		{"currency longest", pricing("currency", "ABCDEFGH12"), ""},
		{"tier missing", set("tier", ""), "tier"},
		{"tier unknown", set("tier", "gold"), "tier"},
		{"no sla", set("sla", nil), ""},
		{"sla empty", set("sla", object{}), ""},
		{"ttft negative", inner("sla", "max_ttft_ms", -1), "max_ttft_ms"},
		{"ttft over a day", inner("sla", "max_ttft_ms", 86400001), "max_ttft_ms"},
		{"rate negative", inner("sla", "min_tokens_per_s", -0.1), "min_tokens_per_s"},
		{"uptime 1", inner("sla", "uptime", 1), ""},
		{"uptime in percent", inner("sla", "uptime", 99.9), "uptime"},
		{"uptime negative", inner("sla", "uptime", -0.1), "uptime"},
		{"concurrency negative", inner("sla", "max_concurrency", -1), "max_concurrency"},
		{"no capacity", set("capacity", nil), ""},
		{"gpu with control", inner("capacity", "gpu", "\u202e\r"), "gpu"},
		{"region too long", inner("capacity", "region", text(257)), "region"},
		{"count negative", inner("capacity", "count", -1), "count"},
		{"most tags", set("tags", tags(64)), ""},
		{"too many tags", set("tags", tags(65)), "tags"},
		{"tag key empty", set("tags", object{"": "x"}), "tags"},
		{"tag key too long", set("tags", object{text(257): "x"}), "tags"},
		{"tag value too long", set("tags", object{"x": text(257)}), "tags"},
		{"tag value with control", set("tags", object{"x": "\x7f"}), "tags"},
		{"tag value as number", set("tags", object{"planted-key": 1}), "tags"},
		{"tags that differ in case", set("tags", object{"A": "x", "a": "y"}), ""},
		{"unknown fields", func(m object) {
			m["future"] = object{"ID": []any{1, nil, "x"}, "id": true}
			m["sla"].(object)["p99"] = 3
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseInfo(edited(t, tt.edit))
			checkInvalid(t, err, tt.want)
		})
	}
}

// checkInvalid wants no error when want is "", otherwise an ErrInvalid that contains want and no peer's bytes.
func checkInvalid(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error %v, want none", err)
	case want != "" && !errors.Is(err, ErrInvalid):
		t.Errorf("error %v, want ErrInvalid", err)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("error %q does not contain %q", err, want)
	case want != "" && strings.Contains(err.Error(), "planted"):
		t.Errorf("error %q contains what the peer wrote", err)
	}
}

func words(n int) []string {
	var w []string
	for i := range n {
		w = append(w, fmt.Sprintf("w%d", i))
	}
	return w
}

func tags(n int) object {
	m := object{}
	for _, w := range words(n) {
		m[w] = w
	}
	return m
}

func models(n int) []any {
	var m []any
	for _, w := range words(n) {
		m = append(m, object{"id": w, "protocol": "openai"})
	}
	return m
}

func TestParseInfoStrict(t *testing.T) {
	good := string(readFile(t, "testdata/info.json"))
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the golden file has no %s", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	tests := []struct{ name, in, want string }{
		{"as it is", good, ""},
		{"space around it", " \t\r\n" + good + "\n", ""},
		{"empty", "", "JSON"},
		{"null", "null", "object"},
		{"array", "[" + good + "]", "object"},
		{"text", `"x"`, "object"},
		{"number", "1", "object"},
		{"cut short", good[:len(good)-1], "JSON"},
		{"trailing value", good + "{}", "JSON"},
		{"trailing garbage", good + "x", "JSON"},
		{"trailing NUL", good + "\x00", "JSON"},
		{"byte order mark", "\ufeff" + good, "JSON"},
		{"comment", good + "// planted", "JSON"},
		{"name twice", replace(`"version":2`, `"version":2,"version":2`), "twice"},
		{"name twice, once escaped", replace(`"version":2`, `"version":2,"versio\u006e":3`), "twice"},
		{"name twice in a model", replace(`"max_ctx":`, `"max_ctx":1,"max_ctx":`), "twice"},
		{"name twice in tags", replace(`"tags":{`, `"tags":{"planted":"1","planted":"2",`), "twice"},
		{"name twice in an unknown field", replace(`"version":2`, `"version":2,"new":[[{"a":1,"b":2,"a":3}]]`), "twice"},
		{"name in another case", replace(`"version":`, `"Version":`), "case"},
		{"name in both cases", replace(`"version":2`, `"version":2,"VERSION":3`), "case"},
		{"name that folds", replace(`"version":2`, `"version":2,"ver\u017fion":3`), "case"},
		{"name in another case in a model", replace(`"id":`, `"ID":`), "case"},
		{"name in another case in pricing", replace(`"currency":`, `"Currency":`), "case"},
		{"invalid UTF-8 in a value", replace(`"operator":"`, "\"operator\":\"\xff"), "UTF-8"},
		{"invalid UTF-8 in an unknown name", replace(`"version":2`, "\"version\":2,\"\xc0\xaf\":3"), "UTF-8"},
		{"surrogate alone", replace(`"operator":"`, `"operator":"\ud800`), "operator"},
		{"deep enough", replace(`"version":2`, `"version":2,"new":`+nested(31)), ""},
		{"too deep", replace(`"version":2`, `"version":2,"new":`+nested(33)), "deeper"},
		{"much too deep", replace(`"version":2`, `"version":2,"new":`+nested(9000)), "deeper"},
		{"largest", good + strings.Repeat(" ", MaxInfoBytes-len(good)), ""},
		{"too large", good + strings.Repeat(" ", MaxInfoBytes-len(good)+1), "limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseInfo([]byte(tt.in))
			checkInvalid(t, err, tt.want)
		})
	}
}

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestUnknownProtocol(t *testing.T) {
	raw := edited(t, func(m object) {
		m["protocols"] = []string{"telepathy", "openai"}
		m["models"] = []any{
			object{"id": "a", "protocol": "telepathy"},
			object{"id": "b", "protocol": "openai"},
		}
	})
	info, err := ParseInfo(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Protocol{OpenAI}, info.Protocols); diff != "" {
		t.Errorf("protocols (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Model{{ID: "b", Protocol: OpenAI}}, info.Models); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
	if info.Speaks("telepathy") || info.Offers("telepathy", "a") {
		t.Error("the unknown protocol is on offer")
	}

	raw = edited(t, func(m object) { m["protocols"], m["models"] = []string{"telepathy"}, nil })
	if info, err = ParseInfo(raw); err != nil || len(info.Protocols) != 0 {
		t.Errorf("only an unknown protocol: %v, %v, want a description that offers nothing", info, err)
	}
}

func TestOffers(t *testing.T) {
	info := fullInfo()
	tests := []struct {
		protocol Protocol
		model    string
		want     bool
	}{
		{Ollama, "qwen3:8b", true},
		{OpenAI, "qwen3:8b", true},
		{Claude, "qwen3:8b", false},
		{Claude, "claude-sonnet-4-5", true},
		{Claude, "Claude-Sonnet-4-5", false},
		{Claude, "", false},
		{"", "qwen3:8b", false},
	}
	for _, tt := range tests {
		if got := info.Offers(tt.protocol, tt.model); got != tt.want {
			t.Errorf("Offers(%s, %s) = %v, want %v", tt.protocol, tt.model, got, tt.want)
		}
	}
	if !info.Speaks(Gemini) || smallInfo().Speaks(Gemini) {
		t.Error("Speaks(gemini) is wrong")
	}
}

// FuzzParseInfo checks that what is accepted says the same after it was written and read again, and that errors do not
// repeat the input.
func FuzzParseInfo(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		info, err := ParseInfo(raw)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || info != nil {
				t.Fatalf("ParseInfo = %v, %v, want ErrInvalid alone", info, err)
			}
			if Printable(err.Error(), 200) != err.Error() {
				t.Fatalf("error is long or not printable: %q", err)
			}
			return
		}
		if len(info.Protocols) == 0 {
			return
		}
		again, err := json.Marshal(info)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseInfo(again)
		if len(again) > MaxInfoBytes { // escapes can make it longer
			return
		}
		if err != nil {
			t.Fatalf("ParseInfo of what was accepted before: %v", err)
		}
		// Comparing JSON, because nil and empty lists mean the same.
		if third, _ := json.Marshal(got); !bytes.Equal(again, third) {
			t.Errorf("read again:\n%s\nwant\n%s", third, again)
		}
	})
}
