package simulator

import (
	"math"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestModelsPayByMemorySlices: the price of a shared node falls to the models on it by
// memory slices, and what it costs while nobody is on it to all in proportion.
func TestModelsPayByMemorySlices(t *testing.T) {
	models := paidModels()
	models[0].Language, models[1].Language = "fr", "fr"
	w := build(t, Config{Models: models})
	buy := buyNode("n")
	buy.GPUs[0].Geometry = append(fleet.Geometry{{Profile: "1g.10gb", Start: 0}}, halves()[1])
	do(t, w, buy) // $3.60 an hour, a tenth of a cent a second
	advance(w, 100*time.Second)
	do(t, w, startOn("n", 0, "a", "ra"), startOn("n", 4, "b", "rb"))
	advance(w, 200*time.Second)
	r := w.Result()
	if r.CostByModel["a"] != 0.04 || r.CostByModel["b"] != 0.16 {
		t.Errorf("a fifth and four fifths of twenty cents are %v", r.CostByModel)
	}
	if r.CostByLanguage["fr"] != 0.2 || r.CostByGroup["A"] != 0.04 || r.CostByGroup["B"] != 0.16 {
		t.Errorf("languages pay %v, groups %v", r.CostByLanguage, r.CostByGroup)
	}
	if err := w.conserved(r); err != nil {
		t.Error(err)
	}
}

// TestUnitCostsCountTheWorkInTime: each request with its own amount of work, late ones
// with none. Where nothing was served in time there is no cost of a unit, and not zero.
func TestUnitCostsCountTheWorkInTime(t *testing.T) {
	a, b := testModel("a", fleet.CentralQueue, 0.5), testModel("b", fleet.CentralQueue, 1)
	a.Profile.Unit, a.Profile.MeanWork = "token", 100
	w := build(t, Config{
		Models: []fleet.Model{a, b},
		Sources: feed("a", &list{
			{At: time.Hour, Work: 0.2}, {At: 2 * time.Hour, Work: 1.5}, // 20 and 150 tokens, in time
			{At: 3 * time.Hour, Work: 4}, // 400 tokens, two seconds: late
		}),
	})
	buy := buyNode("n")
	buy.GPUs[0].Geometry = sevenths()
	do(t, w, buy, startOn("n", 0, "a", "ra"), startOn("n", 1, "b", "rb"))
	advance(w, 4*time.Hour)
	r := w.Result()
	got := r.UnitCostByModel["a"]
	if got.Unit != "token" || math.Abs(got.UnitsInSLO-170) > 1e-9 || got.PerThousand == nil {
		t.Fatalf("the work is %+v, want 170 tokens", got)
	}
	if want := r.CostByModel["a"] / 170 * 1000; math.Abs(*got.PerThousand-want) > 1e-9 {
		t.Errorf("a thousand cost %v, want %v", *got.PerThousand, want)
	}
	if idle := r.UnitCostByModel["b"]; idle.PerThousand != nil || r.CostByModel["b"] == 0 {
		t.Errorf("of a model that served nothing and cost %v a thousand cost %v", r.CostByModel["b"], *idle.PerThousand)
	}
}
