package fleet

import (
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMoneyReadsAndPrintsExactDecimals(t *testing.T) {
	for text, want := range map[string]string{
		"5.07": "5.07 USD", "0.000001": "0.000001 USD", "-3": "-3.00 USD", "120": "120.00 USD", "0.5": "0.50 USD", "1000000000": "1000000000.00 USD",
	} {
		m, err := ParseMoney(text, "USD")
		if err != nil || m.String() != want {
			t.Errorf("ParseMoney(%q) = %v, %v, want %s", text, m, err, want)
		}
	}
	for _, text := range []string{"", "5,07", "1e3", "+5", "5.", ".5", "5.0000001", "NaN", "1000000001", "0x10", "99999999999999999999", "--1"} {
		if m, err := ParseMoney(text, "USD"); err == nil {
			t.Errorf("ParseMoney(%q) = %v, want an error", text, m)
		}
	}
}

func TestMoneyOfTwoCurrenciesNeverMeets(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("adding dollars to euros did not panic")
		}
	}()
	Micros(1, "USD").Add(Micros(1, "EUR"))
}

// TestRateForIsTheExactProductRounded compares with rational arithmetic.
func TestRateForIsTheExactProductRounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.Int64Range(-1e15, 1e15).Draw(t, "micros")
		d := time.Duration(rapid.Int64Range(0, int64(400*24*time.Hour)).Draw(t, "d"))
		got := PerHour(Micros(micros, "USD")).For(d).Micros()
		exact := new(big.Rat).Mul(big.NewRat(micros, 1), big.NewRat(int64(d), int64(time.Hour)))
		off := new(big.Rat).Sub(exact, new(big.Rat).SetInt64(got))
		if off.Abs(off).Cmp(big.NewRat(1, 2)) > 0 {
			t.Fatalf("%d micros an hour for %v = %d, off by %s", micros, d, got, off)
		}
	})
}

func TestMoneySurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Micros(rapid.Int64Range(-1e15, 1e15).Draw(t, "micros"), "EUR")
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Money
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Fatalf("%s read back as %v, %v", text, got, err)
		}
	})
}
