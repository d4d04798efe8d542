// Package report writes the result of a run as one HTML file that can be
// attached to a change request: no script, no font, no picture and no style
// from anywhere else, so that it looks the same in ten years and behind an air
// gap. Its content security policy allows its own style sheet and nothing more.
//
// The file says what the run said and is a function of it: the same result gives
// the same bytes. Wall-clock time is left out for that reason.
package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the template and the style sheet
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// Summary is a run and what is needed to tell it.
type Summary struct {
	Result   simulator.Result
	Start    time.Time
	Duration time.Duration
	Settings control.Settings // models with class, language and SLO; budgets; prices
	Command  string           // the exact command that makes this result again; empty when there is none
	Version  string           // of the program; may be empty
}

var (
	//go:embed report.html
	pageText string
	//go:embed report.css
	styleText string

	pageTemplate = template.Must(template.New("report").Parse(pageText))
)

// Write writes the report. Nothing is written when the summary cannot be told:
// a number that is not finite, a share outside 0 to 1, samples out of order.
func Write(w io.Writer, s Summary) error {
	if err := check(s); err != nil {
		return fmt.Errorf("report on %q: %w", s.Result.Scenario, err)
	}
	return render(w, pageTemplate, pageOf(s), strconv.Quote(s.Result.Scenario))
}

// render writes a page, whole or not at all.
func render(w io.Writer, t *template.Template, page any, of string) error {
	var out bytes.Buffer
	if err := t.Execute(&out, page); err != nil {
		return fmt.Errorf("report on %s: %w", of, err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// securityPolicy refuses whatever is not the style sheet of a page.
func securityPolicy(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}
