package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Result is what a run says. A field that was not computed is absent.
type Result struct {
	Scenario          string                 `json:"scenario"`
	Controller        string                 `json:"controller"`
	Seed              uint64                 `json:"seed"`
	SimulatedSeconds  float64                `json:"simulated_seconds"`
	WallSeconds       float64                `json:"wall_seconds,omitempty"`  // 0 where it was not taken
	TrafficScale      map[string]float64     `json:"traffic_scale,omitempty"` // by trace, where the recording was multiplied
	IgnoredRows       map[string]int         `json:"ignored_rows,omitempty"`  // by trace name, rows of models that the scenario does not map
	Notes             []string               `json:"notes,omitempty"`         // what a reader must know besides
	Requests          int64                  `json:"requests"`
	Served            int64                  `json:"served"` // late ones included
	Dropped           int64                  `json:"dropped"`
	Waiting           int64                  `json:"waiting"` // at the end, in service included
	Attainment        *float64               `json:"attainment,omitempty"`
	AttainmentByModel map[string]float64     `json:"attainment_by_model"`
	ByModel           map[string]ModelResult `json:"by_model"`
	DeadlineMissed    int64                  `json:"deadline_missed"`
	CostUSD           *float64               `json:"cost_usd,omitempty"` // absent when the catalog is in another currency
	Cost              fleet.Money            `json:"cost"`               // exact, in the catalog's currency
	CostByGroup       map[string]float64     `json:"cost_by_group"`      // in units of the currency; "" is of models without a group
	CostByModel       map[string]float64     `json:"cost_by_model"`      // its part by memory slices, idle and starting time in proportion
	CostByLanguage    map[string]float64     `json:"cost_by_language"`   // "" is of models without a language
	UnitCostByModel   map[string]UnitCost    `json:"unit_cost_by_model"`
	GPUHours          float64                `json:"gpu_hours"`
	IdleGPUHours      float64                `json:"idle_gpu_hours"`
	LateWhileStarting int64                  `json:"late_while_starting"`
	NodesLost         int                    `json:"nodes_lost"` // that died or that their seller took back
	ScaleActions      int                    `json:"scale_actions"`
	Reconfigurations  int                    `json:"reconfigurations"`
	BudgetViolations  int                    `json:"budget_violations"`
	Events            int64                  `json:"events"`
	Truncated         bool                   `json:"truncated"`
	Hash              string                 `json:"hash"`
	Timeline          []Sample               `json:"timeline"`
	Purchases         []Purchase             `json:"purchases"`
	BudgetsHeld       int                    `json:"budgets_held"`           // purchases that a cap held back, counted at each plan
	CostOfCaps        []CapCost              `json:"cost_of_caps,omitempty"` // an estimate, the dearest first

	// What the run is judged against; the hash does not cover it.
	CostLowerBoundUSD *float64 `json:"cost_lower_bound_usd,omitempty"` // nobody could have served as much within the SLO for less
	Regret            *float64 `json:"regret,omitempty"`               // cost over the bound, less 1
	RegretClairvoyant *float64 `json:"regret_clairvoyant,omitempty"`   // cost over that of the clairvoyant in the same world, less 1
	// The same world again, each time without one of the caps.
	WithoutCap []WithoutCap `json:"without_cap,omitempty"`
}

// ModelResult is what a run says of one model, where a session counts as a request
// that waits until it ends. Latencies are in seconds; that of a session is the time
// until it began.
type ModelResult struct {
	Requests int64 `json:"requests"`
	Served   int64 `json:"served"`
	Dropped  int64 `json:"dropped"`
	Waiting  int64 `json:"waiting"`
	Cut      int64 `json:"cut"` // in service, as their server was lost; of streaming models, dropped too
	InSLO    int64 `json:"in_slo"`
	// Of sessions: the seconds of media that came, and those of them that ran in real
	// time up to the end. Attainment is their share, without what is still to run. In
	// InSLO are the sessions that began in time and ended.
	SessionSeconds  *float64 `json:"session_seconds,omitempty"`
	RealTimeSeconds *float64 `json:"real_time_seconds,omitempty"`
	Attainment      *float64 `json:"attainment,omitempty"`
	Mean            *float64 `json:"mean,omitempty"`
	P50             *float64 `json:"p50,omitempty"`
	P95             *float64 `json:"p95,omitempty"`
	P99             *float64 `json:"p99,omitempty"`
}

// Sample is the fleet at an instant.
type Sample struct {
	At       time.Time  `json:"at"`
	Nodes    int        `json:"nodes"`
	GPUs     int        `json:"gpus"`
	Starting int        `json:"starting"` // GPUs of nodes that are not ready
	Replicas int        `json:"replicas"` // ready
	Rate     fleet.Rate `json:"rate"`     // of spending
	Arrivals float64    `json:"arrivals"` // requests a second, all models, last minute
}

// Purchase is a decision to buy: mixed or dedicated, and why.
type Purchase struct {
	At         time.Time         `json:"at"`
	Node       fleet.NodeID      `json:"node"`
	Reason     fleet.Reason      `json:"reason"`
	Candidates []fleet.Candidate `json:"candidates,omitempty"` // of the whole plan, with the first node it bought
}

// Seal computes the hash over everything that the run said of itself: not over
// wall-clock figures, nor over what it is judged against afterwards.
func (r *Result) Seal() error {
	bare := *r
	bare.Hash, bare.WallSeconds = "", 0
	bare.CostLowerBoundUSD, bare.Regret, bare.RegretClairvoyant, bare.WithoutCap = nil, nil, nil, nil
	text, err := json.Marshal(bare)
	if err != nil {
		return fmt.Errorf("hash the result: %w", err)
	}
	sum := sha256.Sum256(text)
	r.Hash = hex.EncodeToString(sum[:])
	return nil
}
