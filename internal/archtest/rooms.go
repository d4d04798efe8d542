package archtest

// Tessera is the plan of this module. Arrows run down only:
//
//	cmd > console, observe, actuator, simulator > control > forecast, policy, packing > fleet
var Tessera = Table{
	Module: "github.com/tessera-autoscaler/tessera",
	Fences: []Fence{{
		Path:   "go.uber.org/fx",
		Inside: "cmd/autoscaler",
		Why:    "constructors must work without a container; only cmd/autoscaler wires them with one",
	}},
	Rooms: []Room{
		{
			Path: "fleet",
			Why:  "fleet holds the nouns everything else is said in, so it knows nothing of who uses them",
			Bans: pure, Uses: timeless,
			WhyMod: "the nouns use the standard library only, so that any program can share them",
		},
		{
			Path: "forecast",
			May:  []string{"fleet"},
			Why:  "forecast answers what will be asked from past and time alone; whoever needs it comes to it",
			Not:  peers("policy", "packing"),
			Bans: pure, Uses: timeless,
			Modules: []string{"gonum.org/v1/gonum", "github.com/rickar/cal"},
			WhyMod:  "a forecast is arithmetic on series and calendars; formats, clusters and pages are read at the edge",
		},
		{
			Path:    "forecast/evaluate",
			May:     []string{"forecast"},
			Why:     "forecasts are judged from outside, by their answers alone; nothing that ships as a decision rests on the judge",
			Bans:    pure,
			Uses:    timeless,
			Modules: []string{"gonum.org/v1/gonum", "gonum.org/v1/plot"},
			WhyMod:  "scores are arithmetic and a picture; what is drawn goes to the writer that is given",
		},
		{
			Path: "policy",
			May:  []string{"fleet", "internal/strictyaml"},
			Why:  "policy says what is wanted and what may be spent; it is asked and never asks upward",
			Not:  peers("forecast", "packing"),
			Bans: pure, Uses: timeless,
			Modules: []string{"gonum.org/v1/gonum"},
			WhyMod:  "policy is arithmetic and one file format, which internal/strictyaml reads for it",
		},
		{
			Path: "packing",
			May:  []string{"fleet"},
			Why:  "packing solves a problem stated in nouns and numbers; whoever states it stands above",
			Not: append(
				peers("forecast", "policy"),
				Ban{"packing/check", "the solver does not judge itself; its caller takes the answer to the checker"},
				Ban{"internal/strictyaml", "a packing problem is a value; its file is decoded by the command that reads it"},
			),
			Bans: pure, Uses: timeless,
			Modules: []string{"gonum.org/v1/gonum"},
			WhyMod:  "the solver is our own and its certificate is checked by us; gonum is its only algebra",
		},
		{
			Path: "packing/check",
			May:  []string{"fleet", "packing"},
			Why:  "the checker needs the problem and the answer and nothing else, or one mistake would pass both",
			Bans: pure,
			Uses: append([]Use{{
				Package: "github.com/tessera-autoscaler/tessera/packing",
				Names:   []string{"Solve"},
				Why:     "a checker that asks the solver checks nothing",
			}}, timeless...),
			WhyMod: "the checker computes in exact arithmetic with the standard library's math/big",
		},
		{
			Path: "control",
			May:  []string{"fleet", "forecast", "policy", "packing", "packing/check"},
			Why:  "control declares the ports and others implement them; naming an implementation would turn the arrow round",
			Not: []Ban{
				{"simulator", "one loop serves two worlds only if it cannot tell which one it is in"},
				{"internal/strictyaml", "files are decoded before the loop starts; the loop sees typed values"},
			},
			Bans: []Ban{
				{"net", "the loop reaches the world through its ports, so that a simulated one can take its place"},
				{"os", "the loop reads no file, environment or process state: what it decides on is in the record"},
				{"log$", "the loop logs structured lines with log/slog"},
				{"math/rand$", "randomness is a *rand.Rand of math/rand/v2 that is passed in, so that a run can be repeated"},
				{"crypto/rand", "randomness that cannot be repeated cannot be replayed"},
			},
			Uses:   except(timeless, "control/runner.go"),
			WhyMod: "Kubernetes, Prometheus and HTTP belong to the adapters behind the ports",
		},
		{
			Path: "control/explain",
			May:  []string{"fleet", "forecast", "policy", "control"},
			Why:  "explain asks the pure decision again with one thing changed; whoever decides must not know that somebody will ask",
			Not:  []Ban{{"simulator", "a record is told the same whichever world it is of"}},
			Bans: pure, Uses: timeless,
			WhyMod: "what is told comes from the lines of a record alone; files are opened by the command",
		},
		{
			Path: "simulator",
			May:  []string{"fleet", "forecast", "policy", "packing", "control", "internal/strictyaml"},
			Why:  "the simulator supplies another world to the same loop; it knows the loop and nothing of the real adapters",
			Not:  []Ban{{"simulator/report", "a world runs the same whoever tells of it afterwards"}},
			Bans: []Ban{
				{"net", "the simulated world is inside the process, or its runs could not be repeated"},
				{"log$", "what a run has to say is in its result"},
				{"math/rand$", "randomness is a *rand.Rand of math/rand/v2 that is passed in, so that a run can be repeated"},
				{"crypto/rand", "randomness that cannot be repeated cannot be replayed"},
			},
			Uses:    timeless,
			Modules: []string{"gonum.org/v1/gonum", "github.com/parquet-go/parquet-go"},
			WhyMod:  "the simulated world needs no cluster, no server and no page; recordings may be columns of Parquet",
		},
		{
			Path: "simulator/report",
			May:  []string{"fleet", "control", "simulator"},
			Why:  "a report tells a result with the settings it was made under; it reads no file, decides nothing and shares no code with the live page",
			Bans: []Ban{
				{"net", "a report is a file that needs nothing from elsewhere"},
				{"os", "where the file goes is the command's business; the report is written to what it is given"},
				{"log", "what cannot be told is an error"},
				{"math/rand", "the same result gives the same bytes"},
				{"crypto/rand", "the same result gives the same bytes"},
			},
			Uses:   timeless,
			WhyMod: "a report is the standard library's templates and drawings of our own, so that it can be opened anywhere",
		},
		{
			Path:    "observe",
			May:     []string{"fleet", "forecast", "control", "internal/kube", "internal/strictyaml"},
			Why:     "observe turns what is seen into control's types, history into forecast's observations, and is told how to ask in files that strictyaml reads; what is wanted and what is done are not its business",
			Not:     []Ban{{"actuator", "seeing and doing share no code, so that neither can believe its own effect"}},
			Modules: []string{"github.com/prometheus", "k8s.io", "sigs.k8s.io", "github.com/NVIDIA"},
			WhyMod:  "observe speaks Prometheus, Kubernetes and NVML; a new technology is named here first",
		},
		{
			Path:    "actuator",
			May:     []string{"fleet", "control", "internal/kube"},
			Why:     "an actuator carries out the step it is given; it neither decides nor looks for itself",
			Not:     []Ban{{"observe", "seeing and doing share no code, so that neither can believe its own effect"}},
			Modules: []string{"k8s.io", "sigs.k8s.io"},
			WhyMod:  "an actuator speaks Kubernetes; a new technology is named here first",
		},
		{
			Path: "console",
			May:  []string{"fleet", "forecast", "policy", "packing", "control", "internal/strictyaml"},
			Why:  "the page shows what control recorded and must look the same whichever world made it",
			Not: []Ban{
				{"observe", "the page reads what was observed from the record, never from the source a second time"},
				{"actuator", "a person's wish goes through the loop and its guards, never past them"},
			},
			Modules: []string{"github.com/prometheus/client_golang"},
			WhyMod:  "the page is the standard library's HTTP server; a new technology is named here first",
		},
		{
			Path: "cmd/autoscaler",
			May: []string{
				"fleet", "forecast", "forecast/evaluate", "policy", "packing", "packing/check", "control", "control/explain", "simulator", "simulator/report",
				"observe", "actuator", "console", "configs", "internal/strictyaml", "internal/kube",
			},
			Why:     "the command wires what ships; helpers of tests do not ship",
			Modules: []string{"*"},
			WhyMod:  "the command wires everything",
		},
		{
			Path:   "bench/forecasts",
			May:    []string{"forecast", "forecast/evaluate"},
			Why:    "the tables are made from what the commands print and from the scores of the judge; it decides nothing",
			Uses:   timeless,
			WhyMod: "recordings are CSV and results are JSON, which the standard library reads",
		},
		{
			Path:   "configs",
			Why:    "configs only embeds the files beside it; the packages that read them are handed the bytes",
			WhyMod: "embedding needs the standard library only",
		},
		{
			Path: "internal/strictyaml",
			Why:  "a reader of files knows no noun of ours; each package says what its own file means",
			Bans: pure, Uses: timeless,
			Modules: []string{"github.com/goccy/go-yaml", "github.com/rivo/uniseg"},
			WhyMod:  "one library parses our YAML and one measures its characters for the caret, behind one door, so that all files complain alike",
		},
		{
			Path: "internal/kube",
			May:  []string{"fleet", "packing"},
			Why:  "the words of a cluster know no loop: what they are used for is for observe and actuator to say",
			Bans: []Ban{
				{"context", "words do not wait: observe reads the cluster and actuator writes to it"},
				{"net", "words call nothing"},
				{"k8s.io/client-go", "words call nothing: a client belongs to observe or actuator"},
			},
			Uses:    timeless,
			Modules: []string{"k8s.io", "sigs.k8s.io"},
			WhyMod:  "the words are those of Kubernetes",
		},
		{
			Path:   "internal/archtest",
			Why:    "the judge of the arrows draws none",
			WhyMod: "the judge needs the standard library only",
		},
		{
			Path:   "internal/fleettest",
			May:    []string{"fleet"},
			Why:    "builders for tests build nouns and nothing above them",
			WhyMod: "builders for tests need the standard library only",
		},
	},
}

// pure keeps a room a function of its arguments: same input, same bytes.
var pure = []Ban{
	{"context", "pure code does not wait, so it has nothing to cancel and no value to smuggle"},
	{"log", "a decider returns facts and reasons; the loop logs them"},
	{"net", "pure code decides on the snapshot it is given"},
	{"os", "files, environment and processes are read at the edge and handed in"},
	{"syscall", "pure code does not touch the machine it runs on"},
	{"math/rand$", "randomness is a *rand.Rand of math/rand/v2 that is passed in, so that a run can be repeated"},
	{"crypto/rand", "randomness that cannot be repeated cannot be replayed"},
}

// timeless keeps the wall clock and the shared random source out of code whose
// time and randomness are arguments.
var timeless = []Use{
	{
		Package: "time",
		Names: []string{
			"Now", "Since", "Until", "Sleep", "After", "AfterFunc",
			"Tick", "NewTicker", "NewTimer", "Local",
		},
		Why: "time is an argument, so that the simulated world can pass its own and a record can be replayed",
	},
	{
		Package: "math/rand/v2",
		Names: []string{
			"ExpFloat64", "Float32", "Float64", "Int", "Int32", "Int32N", "Int64", "Int64N", "IntN",
			"N", "NormFloat64", "Perm", "Shuffle", "Uint", "Uint32", "Uint32N", "Uint64", "Uint64N", "UintN",
		},
		Why: "the global source cannot be seeded; take a *rand.Rand and the run can be repeated",
	},
}

// peers refuses the rooms beside a room that control composes.
func peers(paths ...string) []Ban {
	var out []Ban
	for _, p := range paths {
		out = append(out, Ban{p, "forecast, policy and packing do not know each other; control composes them"})
	}
	return out
}

// except allows the one file that owns the clock.
func except(uses []Use, file string) []Use {
	var out []Use
	for _, u := range uses {
		if u.Package == "time" {
			u.Except = []string{file}
		}
		out = append(out, u)
	}
	return out
}
