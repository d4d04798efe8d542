// Command forecasts makes the tables of docs/forecasting.md from recorded data:
// scripts/forecast-tables calls it around the commands that it measures.
//
//	forecasts convert DATA WORK     recordings in DATA become Series CSV files in WORK
//	forecasts services WORK         scores of backtests, WORK/services-*.json, as tables
//	forecasts m4 WORK               scores of WORK/m4-forecast.csv against WORK/m4-actual.csv
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "forecasts:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	switch {
	case len(args) == 3 && args[0] == "convert":
		return convert(args[1], args[2])
	case len(args) == 2 && args[0] == "services":
		return writeServices(out, args[1])
	case len(args) == 2 && args[0] == "m4":
		return writeM4(out, args[1])
	}
	return errors.New("use convert DATA WORK, services WORK or m4 WORK")
}
