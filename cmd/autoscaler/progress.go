package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar shows how far a long run is, on terminals only.
type bar struct{ bar *progressbar.ProgressBar }

const barSteps = 1000

func newBar(out io.Writer, title string) bar {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return bar{}
	}
	return bar{progressbar.NewOptions(barSteps,
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetDescription(title),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionEnableColorCodes(os.Getenv("NO_COLOR") == ""),
	)}
}

// set moves the bar; a terminal that cannot be written to shows none.
func (b bar) set(share float64) {
	if b.bar != nil {
		_ = b.bar.Set(int(share * barSteps)) // a broken terminal is no reason to stop the run
	}
}

func (b bar) close() {
	if b.bar != nil {
		_ = b.bar.Finish() // as above
	}
}
