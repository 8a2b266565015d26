// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend

import (
	"cmp"
	"net/http"
	"strings"
)

// geminiAPI speaks Google's Generative Language API, version v1beta.
// https://ai.google.dev/api
type geminiAPI struct {
	*engine
	protocol
	methods map[string]http.HandlerFunc // by the word after the colon
}

// The service ends its events with CRLF, and without alt=sse it streams the
// elements of one JSON array.
var (
	geminiSSE   = framing{contentType: "text/event-stream", prefix: "data: ", suffix: "\r\n\r\n"}
	geminiArray = framing{contentType: "application/json; charset=utf-8", begin: "[", between: ",\r\n", suffix: "\n", end: "]\n"}
)

func newGemini(e *engine, models []string) *geminiAPI {
	g := &geminiAPI{engine: e, protocol: protocol{models: models, errorBody: geminiError}}
	g.methods = map[string]http.HandlerFunc{
		"generateContent":       post(&g.protocol, g.generate),
		"streamGenerateContent": post(&g.protocol, g.stream),
		"countTokens":           post(&g.protocol, g.countTokens),
		"embedContent":          post(&g.protocol, g.embed),
		"batchEmbedContents":    post(&g.protocol, g.batchEmbed),
	}
	return g
}

func (g *geminiAPI) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1beta/models", g.get(g.list))
	mux.HandleFunc("GET /v1beta/models/{id...}", g.get(g.model))
	mux.HandleFunc("POST /v1beta/models/{call...}", g.get(g.call))
}

func geminiError(e *apiError) any {
	type detail struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  string `json:"status"`
	}
	d := detail{e.status(), e.Error(), "INVALID_ARGUMENT"}
	switch e.reason {
	case unknownModel:
		d.Status = "NOT_FOUND"
		d.Message = "models/" + e.subject + " is not found for API version v1beta, or is not supported for this method. " +
			"Call ListModels to see the list of available models and their supported methods."
	case unknownMethod:
		d.Status = "NOT_FOUND"
	case notJSON:
		d.Message = "Invalid JSON payload received."
	}
	return struct {
		Error detail `json:"error"`
	}{d}
}

type geminiModel struct {
	Name                       string   `json:"name"`
	Version                    string   `json:"version"`
	DisplayName                string   `json:"displayName"`
	Description                string   `json:"description"`
	InputTokenLimit            int      `json:"inputTokenLimit"`
	OutputTokenLimit           int      `json:"outputTokenLimit"`
	SupportedGenerationMethods []string `json:"supportedGenerationMethods"`
}

func (g *geminiAPI) describe(id string) geminiModel {
	return geminiModel{
		Name: "models/" + id, Version: "demo", DisplayName: Label + " " + id,
		Description:     "A small text generator for demonstrations. Not an AI model.",
		InputTokenLimit: contextTokens, OutputTokenLimit: outputTokens,
		SupportedGenerationMethods: []string{"generateContent", "countTokens", "embedContent", "batchEmbedContents"},
	}
}

func (g *geminiAPI) list(w http.ResponseWriter, _ *http.Request) error {
	var page struct {
		Models []geminiModel `json:"models"`
	}
	for _, id := range g.models {
		page.Models = append(page.Models, g.describe(id))
	}
	return writeJSON(w, http.StatusOK, page)
}

func (g *geminiAPI) model(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := g.check(id); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, g.describe(id))
}

// call serves POST /v1beta/models/{model}:{method}.
func (g *geminiAPI) call(w http.ResponseWriter, r *http.Request) error {
	model, method := r.PathValue("call"), ""
	if at := strings.LastIndexByte(model, ':'); at >= 0 { // a model id may contain colons itself
		model, method = model[:at], model[at+1:]
	}
	if err := g.check(model); err != nil {
		return err
	}
	serve, ok := g.methods[method]
	if !ok {
		return &apiError{reason: unknownMethod, subject: method}
	}
	r.SetPathValue("model", model)
	serve(w, r)
	return nil
}

type geminiContent struct {
	Role  string       `json:"role,omitempty"`
	Parts []geminiPart `json:"parts"`
}

type geminiPart struct {
	Text string `json:"text"`
}

func (c geminiContent) text() string {
	texts := make([]string, len(c.Parts))
	for i, p := range c.Parts {
		texts[i] = p.Text
	}
	return joinPrompt(texts...)
}

type geminiRequest struct {
	Contents          []geminiContent `json:"contents"`
	SystemInstruction geminiContent   `json:"systemInstruction"`
	SystemAlias       geminiContent   `json:"system_instruction"` // the service's own examples write it so
	GenerationConfig  struct {
		MaxOutputTokens int `json:"maxOutputTokens"`
	} `json:"generationConfig"`
}

func (r *geminiRequest) prompt() string {
	texts := []string{cmp.Or(r.SystemInstruction.text(), r.SystemAlias.text())}
	for _, c := range r.Contents {
		texts = append(texts, c.text())
	}
	return joinPrompt(texts...)
}

func (r *geminiRequest) answer() (answer, error) {
	if len(r.Contents) == 0 {
		return answer{}, &apiError{reason: missingField, subject: "contents"}
	}
	return newAnswer(r.prompt(), r.GenerationConfig.MaxOutputTokens), nil
}

// geminiResponse is an answer, or one chunk of a streamed answer.
type geminiResponse struct {
	Candidates    []geminiCandidate `json:"candidates"`
	UsageMetadata geminiUsage       `json:"usageMetadata"`
	ModelVersion  string            `json:"modelVersion"`
	ResponseID    string            `json:"responseId"`
}

type geminiCandidate struct {
	Content      geminiContent `json:"content"`
	FinishReason string        `json:"finishReason,omitempty"`
	Index        int           `json:"index"`
}

type geminiUsage struct {
	PromptTokenCount     int                  `json:"promptTokenCount"`
	CandidatesTokenCount int                  `json:"candidatesTokenCount"`
	TotalTokenCount      int                  `json:"totalTokenCount"`
	PromptTokensDetails  []geminiTokensDetail `json:"promptTokensDetails"`
}

type geminiTokensDetail struct {
	Modality   string `json:"modality"`
	TokenCount int    `json:"tokenCount"`
}

func textTokens(n int) []geminiTokensDetail { return []geminiTokensDetail{{"TEXT", n}} }

// geminiResponse returns the response that brings text when said tokens have been said.
func (a answer) geminiResponse(text string, said int) geminiResponse {
	c := geminiCandidate{Content: geminiContent{Role: "model", Parts: []geminiPart{{text}}}}
	if said == a.outputTokens() {
		c.FinishReason = a.finish("STOP", "MAX_TOKENS")
	}
	return geminiResponse{
		Candidates: []geminiCandidate{c},
		UsageMetadata: geminiUsage{
			PromptTokenCount: a.promptTokens, CandidatesTokenCount: said, TotalTokenCount: a.promptTokens + said,
			PromptTokensDetails: textTokens(a.promptTokens),
		},
	}
}

func (g *geminiAPI) generate(w http.ResponseWriter, r *http.Request, req *geminiRequest) error {
	a, err := req.answer()
	if err != nil {
		return err
	}
	if err := g.ponder(r.Context(), a); err != nil {
		return err
	}
	resp := a.geminiResponse(a.text(), a.outputTokens())
	resp.ModelVersion, resp.ResponseID = r.PathValue("model"), g.newID("")
	return writeJSON(w, http.StatusOK, resp)
}

func (g *geminiAPI) stream(w http.ResponseWriter, r *http.Request, req *geminiRequest) error {
	a, err := req.answer()
	if err != nil {
		return err
	}
	f := geminiArray
	if r.URL.Query().Get("alt") == "sse" {
		f = geminiSSE
	}
	s := newStream(w, f)
	model, id := r.PathValue("model"), g.newID("")
	if err := g.speak(r.Context(), a, func(i int, piece string) error {
		chunk := a.geminiResponse(piece, i+1)
		chunk.ModelVersion, chunk.ResponseID = model, id
		return s.send(chunk)
	}); err != nil {
		return err
	}
	return s.close()
}

func (g *geminiAPI) countTokens(w http.ResponseWriter, _ *http.Request, req *struct {
	geminiRequest
	GenerateContentRequest *geminiRequest `json:"generateContentRequest"`
},
) error {
	counted := &req.geminiRequest
	if req.GenerateContentRequest != nil {
		counted = req.GenerateContentRequest
	}
	words := countWords(counted.prompt())
	return writeJSON(w, http.StatusOK, struct {
		TotalTokens         int                  `json:"totalTokens"`
		PromptTokensDetails []geminiTokensDetail `json:"promptTokensDetails"`
	}{words, textTokens(words)})
}

type geminiEmbedRequest struct {
	Content              geminiContent `json:"content"`
	OutputDimensionality int           `json:"outputDimensionality"`
}

type geminiEmbedding struct {
	Values []float32 `json:"values"`
}

func (g *geminiAPI) embed(w http.ResponseWriter, _ *http.Request, req *geminiEmbedRequest) error {
	vector, err := embedding(req.Content.text(), req.OutputDimensionality)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, struct {
		Embedding geminiEmbedding `json:"embedding"`
	}{geminiEmbedding{vector}})
}

func (g *geminiAPI) batchEmbed(w http.ResponseWriter, _ *http.Request, req *struct {
	Requests []geminiEmbedRequest `json:"requests"`
},
) error {
	var page struct {
		Embeddings []geminiEmbedding `json:"embeddings"`
	}
	for _, q := range req.Requests {
		vector, err := embedding(q.Content.text(), q.OutputDimensionality)
		if err != nil {
			return err
		}
		page.Embeddings = append(page.Embeddings, geminiEmbedding{vector})
	}
	return writeJSON(w, http.StatusOK, page)
}
