package fleet

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ReasonCode names the rule that fired. The set is closed: it is a label of
// metrics and a key of the texts below.
type ReasonCode string

// The rules.
const (
	ReasonDemand       ReasonCode = "demand"
	ReasonMixed        ReasonCode = "mixed"
	ReasonDedicated    ReasonCode = "dedicated"
	ReasonWarmSlice    ReasonCode = "warm-slice"
	ReasonReshapeEmpty ReasonCode = "reshape-empty"
	ReasonSurplus      ReasonCode = "surplus"
	ReasonConsolidate  ReasonCode = "consolidate"
	ReasonExchange     ReasonCode = "exchange"
	ReasonEmptyNode    ReasonCode = "empty-node"
	ReasonNeededAgain  ReasonCode = "needed-again"
	ReasonSpread       ReasonCode = "spread"
	ReasonYield        ReasonCode = "yield"
	ReasonStuck        ReasonCode = "stuck"
	ReasonShed         ReasonCode = "shed"
	ReasonPaced        ReasonCode = "paced"
	ReasonHeldDelay    ReasonCode = "held-delay"
	ReasonHeldUnknown  ReasonCode = "held-unknown"
	ReasonHeldBudget   ReasonCode = "held-budget"
	ReasonHeldUnitCost ReasonCode = "held-unit-cost"
	ReasonNoUnitCost   ReasonCode = "unit-cost-unknown"
	ReasonHeldStep     ReasonCode = "held-step-limit"
	ReasonHeldStale    ReasonCode = "held-stale"
	ReasonHeldHuman    ReasonCode = "held-human"
	ReasonHeldDoubt    ReasonCode = "held-doubt"
	ReasonHeldStock    ReasonCode = "held-stock"
	ReasonHeldBusy     ReasonCode = "held-busy"
	ReasonOverBudget   ReasonCode = "over-budget"
	ReasonNoCapacity   ReasonCode = "no-capacity"
	ReasonNothingToDo  ReasonCode = "nothing-to-do"
)

// sentences are the texts of the rules; {name} is replaced by an operand.
var sentences = map[ReasonCode]string{
	ReasonDemand:       "{model} needs {need} by {at}, has {have}",
	ReasonMixed:        "mixed, {price}: {layout}; dedicated GPUs would cost {dedicated}",
	ReasonDedicated:    "dedicated to {model}, {price}: {layout}; {mixed}",
	ReasonWarmSlice:    "{model} needs {need}, has {have}; a free {slice} is warm",
	ReasonReshapeEmpty: "{gpu} is empty; as {geometry} it serves {layout} without buying",
	ReasonSurplus:      "{model} needs {need} until {at}, has {have}",
	ReasonConsolidate:  "without {node} the need until {at} still fits and {price} is saved",
	ReasonExchange:     "what {nodes} serve until {at} fits on less, and {price} is saved",
	ReasonEmptyNode:    "{node} is empty and not needed until {at}; {price} is saved",
	ReasonNeededAgain:  "{node} is needed again by {at} before it was given back",
	ReasonSpread:       "all servers of {model} stand on {node}; a free {slice} of {other} costs nothing more",
	ReasonYield:        "{replica} only spreads its model and gives way: {model} needs its slice on {node}",
	ReasonStuck:        "nothing ends on {gpu}: {servers} servers there have held {holding} requests since {since}, and are replaced",
	ReasonShed:         "spending {spend} is above the cap {cap}; {model} gives way, worth {value}",
	ReasonPaced:        "{cap} would be exceeded by {spend} at {until}; {model} gives way, worth {value}",
	ReasonHeldDelay:    "{subject} stays until {until}: scale-down delay",
	ReasonHeldUnknown:  "{subject} stays: {signal} is unknown ({cause})",
	ReasonHeldBudget:   "{subject} waits: {spend} would exceed the cap of {cap}",
	ReasonHeldUnitCost: "{subject} waits: work cost {spend} over the trailing day, above the cap of {cap}",
	ReasonNoUnitCost:   "the cap of {cap} holds nothing back: what work cost is unknown ({cause})",
	ReasonHeldStep:     "{subject} waits: at most {limit} at once",
	ReasonHeldStale:    "{subject} is dropped: {cause}",
	ReasonHeldHuman:    "{subject} waits: {by} set it at {since}; it is theirs until {until}",
	ReasonHeldDoubt:    "{subject} waits: what is spent is not known, because {cause}",
	ReasonHeldStock:    "{subject} is not asked for before {until}: {cause}",
	ReasonHeldBusy:     "{subject} stays as it is: its servers are busy for {busy} of their time, and what arrives explains no more than {explained}",
	ReasonOverBudget:   "spending {spend} is above the cap of {cap}",
	ReasonNoCapacity:   "{model} lacks {need}: {cause}",
	ReasonNothingToDo:  "every model has what it needs until {at}",
}

// ReasonCodes lists every code that has a sentence, sorted, for tests and
// metrics.
func ReasonCodes() []ReasonCode { return slices.Sorted(maps.Keys(sentences)) }

// Operand is a named quantity of a reason, already with its unit.
type Operand struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Reason says why: the rule that fired and the quantities it looked at. Prose
// is rendered only where people read it.
type Reason struct {
	Code     ReasonCode `json:"code"`
	Operands []Operand  `json:"operands,omitempty"`
}

// Because makes a reason from pairs of name and value.
func Because(code ReasonCode, pairs ...any) Reason {
	r := Reason{Code: code}
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Operands = append(r.Operands, Operand{Name: fmt.Sprint(pairs[i]), Value: fmt.Sprint(pairs[i+1])})
	}
	return r
}

// Operand finds an operand's value.
func (r Reason) Operand(name string) (string, bool) {
	for _, o := range r.Operands {
		if o.Name == name {
			return o.Value, true
		}
	}
	return "", false
}

// String renders the sentence. An operand that the sentence lacks is appended,
// so that nothing the rule looked at is hidden.
func (r Reason) String() string {
	text, known := sentences[r.Code]
	if !known {
		text = string(r.Code)
	}
	for _, o := range r.Operands {
		slot := "{" + o.Name + "}"
		if strings.Contains(text, slot) {
			text = strings.ReplaceAll(text, slot, o.Value)
		} else {
			text += fmt.Sprintf("; %s %s", o.Name, o.Value)
		}
	}
	return text
}

// MarshalJSON writes the operands and the rendered sentence.
func (r Reason) MarshalJSON() ([]byte, error) {
	type plain Reason
	return json.Marshal(struct {
		plain
		Text string `json:"text"`
	}{plain(r), r.String()})
}
