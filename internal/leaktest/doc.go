// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Leaktest measures what a relay can tell about answers it cannot open, in each mode of package shape.
//
// It runs a whole network with a scripted backend that streams answers on two topics, token by token with gaps as a
// model makes them, records at the relay when how many sealed bytes of each answer pass, trains classifiers to tell
// the topics apart from that, and prints how well they do: the area under the ROC curve (AUROC), 0.5
// for guessing and 1 for knowing. The same is measured for control where there is nothing to tell: with answers that are
// all the same, and with labels dealt at random. It also measures the mutual information of the length of a
// token and the size of what passes, and what each mode costs.
//
//	go run ./internal/leaktest                        all of it, about ten minutes with 60 users at once
//	go run ./internal/leaktest --quick                fewer answers, under a minute; fails when a mode leaks what it should not
//	go run ./internal/leaktest --plots docs/privacy   and draw the plots of docs/privacy.md
//	go run ./internal/leaktest --traces FILE          and keep the traces, one JSON object a line
//
// Times are real: nothing is scaled. The recorder is in this command alone; a relay has none.
//
// In the order in which things happen: corpus.go makes texts, tokens.go what a model's stream of them is, backend.go plays
// it, user.go asks, recorder.go watches, trial.go runs a set of answers, features.go, boost.go, logistic.go and
// evaluate.go classify, information.go measures, report.go and plot.go tell.
package main
