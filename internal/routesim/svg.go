// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"math"
)

// chart is a plot of lines or dots. Its y axis begins at 0.
type chart struct {
	title string
	x, y  axis
}

// axis is what one direction means: the value at step i is from + i*step.
type axis struct {
	label      string
	from, step float64
}

// The picture, in pixels. Colours can be told apart by people who see few, and read on white and on black.
const (
	width, height             = 720, 360
	left, right, top, bottom  = 60, 20, 50, 50
	plotWidth, plotHeight     = width - left - right, height - top - bottom
	ticks                     = 5
	ink, paper, grid          = "#444444", "#ffffff", "#dddddd"
	fontSize, titleSize, stem = 12, 15, 14
)

var colours = []string{"#0072b2", "#d55e00", "#cc79a7", "#009e73"}

// lines draws each series as a line with its name.
func (c chart) lines(all []series) []byte {
	longest, highest := 0, 0.0
	for _, s := range all {
		longest = max(longest, len(s.values))
		for _, v := range s.values {
			highest = max(highest, v)
		}
	}
	p := c.begin(point{c.x.from + float64(longest)*c.x.step, highest})
	for i, s := range all {
		colour := colours[i%len(colours)]
		p.text(point{left + float64(i)*170, top - stem}, s.name, `fill="`+colour+`"`)
		fmt.Fprintf(&p.svg, `<polyline fill="none" stroke="%s" stroke-width="2" points="`, colour)
		for j, v := range s.values {
			at := p.place(point{c.x.from + (float64(j)+0.5)*c.x.step, v})
			fmt.Fprintf(&p.svg, "%.1f,%.1f ", at.x, at.y)
		}
		p.svg.WriteString("\"/>\n")
	}
	return p.end()
}

// dots draws each point as a dot.
func (c chart) dots(points []point) []byte {
	var most point
	for _, d := range points {
		most = point{max(most.x, d.x), max(most.y, d.y)}
	}
	p := c.begin(most)
	for _, d := range points {
		at := p.place(d)
		fmt.Fprintf(&p.svg, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", at.x, at.y, colours[0])
	}
	return p.end()
}

// picture is a plot that is being drawn.
type picture struct {
	svg  bytes.Buffer
	from float64 // x at the left edge
	most point   // at the right upper corner
}

// begin draws title, axes and grid for values up to most.
func (c chart) begin(most point) *picture {
	p := &picture{from: c.x.from, most: point{most.x, roundUp(most.y)}}
	fmt.Fprintf(&p.svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="%d" fill="%s">`+"\n",
		width, height, fontSize, ink)
	fmt.Fprintf(&p.svg, `<title>%s</title><rect width="%d" height="%d" fill="%s"/>`+"\n", c.title, width, height, paper)
	p.text(point{left, titleSize + 4}, c.title, fmt.Sprintf(`font-size="%d"`, titleSize))
	for i := range ticks + 1 {
		part := float64(i) / ticks
		x, y := p.from+part*(p.most.x-p.from), part*p.most.y
		at := p.place(point{p.from, y})
		fmt.Fprintf(&p.svg, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="%s"/>`+"\n", left, width-right, at.y, at.y, grid)
		p.text(point{left - 8, at.y + 4}, number(y), `text-anchor="end"`)
		p.text(point{p.place(point{x, 0}).x, height - bottom + 18}, number(x), `text-anchor="middle"`)
	}
	p.text(point{left + plotWidth/2, height - 10}, c.x.label, `text-anchor="middle"`)
	p.text(point{-(top + plotHeight/2), 16}, c.y.label, `text-anchor="middle" transform="rotate(-90)"`)
	return p
}

// place is where a value is in the picture.
func (p *picture) place(v point) point {
	return point{left + plotWidth*(v.x-p.from)/(p.most.x-p.from), top + plotHeight*(1-v.y/p.most.y)}
}

func (p *picture) text(at point, words, attributes string) {
	fmt.Fprintf(&p.svg, `<text x="%.1f" y="%.1f" %s>%s</text>`+"\n", at.x, at.y, attributes, words)
}

func (p *picture) end() []byte {
	p.svg.WriteString("</svg>\n")
	return p.svg.Bytes()
}

// roundUp is the next number that divides well.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.5, 2, 2.5, 3, 4, 5, 7.5} {
		if v <= m*unit {
			return m * unit
		}
	}
	return 10 * unit
}

func number(v float64) string { return fmt.Sprintf("%.4g", v) }
