// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Geometry of the plots, in SVG's units.
const (
	panelWidth  = 300
	panelHeight = 180
	margin      = 48
)

var colours = []string{"#c0392b", "#2471a3"} // of topics

// svg is a picture that is being drawn.
type svg struct {
	strings.Builder
	width, height int
}

func newSVG(width, height int) *svg {
	p := &svg{width: width, height: height}
	fmt.Fprintf(p, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", width, height)
	fmt.Fprintf(p, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	return p
}

func (p *svg) text(x, y float64, anchor, s string) {
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, s)
}

func (p *svg) line(x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(p, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, colour)
}

func (p *svg) save(dir, name string) error {
	p.WriteString("</svg>\n")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("draw plots: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(p.String()), 0o644); err != nil {
		return fmt.Errorf("draw plots: %w", err)
	}
	return nil
}

// plotTraces draws, a panel a mode, the sealed bytes of three answers on each topic as they pass the relay.
func plotTraces(dir string, trials []*trial) error {
	p := newSVG(len(trials)*(panelWidth+margin)+margin/2, panelHeight+2*margin)
	for k, tr := range trials {
		left := float64(margin + k*(panelWidth+margin))
		chosen := shown(tr)
		seconds, kilobytes := 1.0, 1.0
		for _, s := range chosen {
			x, y := s.curve()
			seconds, kilobytes = max(seconds, x[len(x)-1]), max(kilobytes, y[len(y)-1])
		}
		p.line(left, margin+panelHeight, left+panelWidth, margin+panelHeight, "black")
		p.line(left, margin, left, margin+panelHeight, "black")
		p.text(left+panelWidth/2, margin-16, "middle", string(tr.mode))
		p.text(left+panelWidth, margin+panelHeight+16, "end", fmt.Sprintf("%.0f s", seconds))
		p.text(left-4, margin+8, "end", fmt.Sprintf("%.0f", kilobytes))
		p.text(left-4, margin+20, "end", "KiB")
		for _, s := range chosen {
			p.curve(s, left, panelWidth/seconds, panelHeight/kilobytes)
		}
	}
	for i, t := range topics {
		fmt.Fprintf(p, `<rect x="%d" y="%d" width="10" height="10" fill="%s"/>`, margin+i*120, panelHeight+2*margin-20, colours[i])
		p.text(float64(margin+i*120+16), panelHeight+2*margin-11, "start", t.name)
	}
	return p.save(dir, "traces.svg")
}

// shown are three answers on each topic.
func shown(tr *trial) []*script {
	var chosen []*script
	count := make(map[string]int)
	for _, s := range tr.scripts {
		if count[s.label]++; count[s.label] <= 3 && len(s.trace) > 0 {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// curve is seconds and KiB so far.
func (s *script) curve() (x, y []float64) {
	total := 0.0
	for _, e := range s.trace {
		total += float64(e.size) / 1024
		x, y = append(x, e.at.Seconds()), append(y, total)
	}
	return x, y
}

func (p *svg) curve(s *script, left, perSecond, perKilobyte float64) {
	colour := colours[0]
	if s.label != topics[0].name {
		colour = colours[1]
	}
	x, y := s.curve()
	var points strings.Builder
	for i := range x {
		fmt.Fprintf(&points, "%.1f,%.1f ", left+x[i]*perSecond, margin+panelHeight-y[i]*perKilobyte)
	}
	fmt.Fprintf(p, `<polyline points="%s" fill="none" stroke="%s" stroke-opacity="0.7"/>`+"\n", strings.TrimSpace(points.String()), colour)
}

// plotAreas draws the AUROC in each mode, with one standard deviation, beside that of the controls.
func plotAreas(dir string, found []finding) error {
	p := newSVG(len(found)*160+2*margin, panelHeight+2*margin)
	y := func(area float64) float64 { return margin + panelHeight*(1-(area-0.4)/0.6) }
	for _, area := range []float64{0.4, 0.5, 0.65, 0.8, 1} {
		p.line(margin, y(area), float64(p.width-margin/2), y(area), "#cccccc")
		p.text(margin-6, y(area)+4, "end", fmt.Sprint(area))
	}
	for k, f := range found {
		left := float64(margin + 20 + k*160)
		bars := []struct {
			what   string
			area   spread
			colour string
		}{{"topics", worst(f.areas), "#c0392b"}, {"same answers", worst(f.control), "#7f8c8d"}, {"random labels", worst(f.shuffled), "#bdc3c7"}}
		for i, b := range bars {
			x := left + float64(i)*36
			fmt.Fprintf(p, `<rect x="%.1f" y="%.1f" width="28" height="%.1f" fill="%s"><title>%s: %v</title></rect>`+"\n",
				x, min(y(b.area.mean), y(0.5)), max(1, y(0.5)-y(b.area.mean)), b.colour, b.what, b.area)
			p.line(x+14, y(b.area.mean-b.area.deviation), x+14, y(b.area.mean+b.area.deviation), "black")
		}
		p.text(left+50, panelHeight+margin+18, "middle", string(f.mode))
	}
	p.text(margin, margin-16, "start", "AUROC: topics (red), the same answers (dark), random labels (light)")
	return p.save(dir, "auroc.svg")
}
