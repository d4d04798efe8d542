package strictyaml

import (
	"os"
	"testing"
	"time"
)

func readTestFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDurations(t *testing.T) {
	good := map[string]time.Duration{
		"300ms": 300 * time.Millisecond, "30s": 30 * time.Second, "5m": 5 * time.Minute, "2h": 2 * time.Hour,
		"14d": 14 * 24 * time.Hour, "3d4h": 76 * time.Hour, "1.5h": 90 * time.Minute, "0.25s": 250 * time.Millisecond,
		"1m0.5s": 60500 * time.Millisecond, "0s": 0, "100s": 100 * time.Second, "1s5ms": 1005 * time.Millisecond,
		"106751d": 106751 * 24 * time.Hour,
	}
	for text, want := range good {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "5", "s", "5 s", "5s ", "-5s", "+5s", "4h3d", "1h1h", "1.5h3m", "1.s", ".5s", "1..5s", "5S", "1w", "1e3s", "5us",
		"106752d", "106751d24h", "99999999999999999999s", "9223372036854775807d", "0.0000001ms", "Never", "٣s",
	} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
	for want, d := range map[string]time.Duration{"1m40s": 100 * time.Second, "3d4h": 76 * time.Hour, "0.5ms": 500 * time.Microsecond, "-5s": -5 * time.Second} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%d is written %s, want %s", d, got, want)
		}
	}
}

func TestDurationOrNever(t *testing.T) {
	for text, want := range map[string]DurationOrNever{"Never": {Never: true}, "90s": {Duration: 90 * time.Second}} {
		var got DurationOrNever
		if err := got.UnmarshalScalar(text, false); err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	if s := (DurationOrNever{Never: true}).String() + (DurationOrNever{Duration: time.Hour}).String(); s != "Never1h" {
		t.Error(s)
	}
	var d DurationOrNever
	if err := d.UnmarshalScalar("never", false); hintOf(err) != `did you mean "Never"?` {
		t.Errorf("hint %q", hintOf(err))
	}
}

func TestMemory(t *testing.T) {
	for text, want := range map[string]Mebibytes{"9000Mi": 9000, "16Gi": 16384, "1.5Ti": 1572864, "0Mi": 0, "0.5Gi": 512} {
		var got Mebibytes
		if err := got.UnmarshalScalar(text, false); err != nil || got != want {
			t.Errorf("%s is %d, %v", text, got, err)
		}
	}
	for text, hint := range map[string]string{
		"9000": `did you mean "9000Mi"?`, "16GB": `did you mean "16Gi"?`, "16 GiB": `did you mean "16Gi"?`, "16g": `did you mean "16Gi"?`,
		"80M": `did you mean "80Mi"?`, "1.3Mi": "write it in Mi", "-5Mi": "write 9000Mi, 16Gi or 1Ti", "5Pi": "write 9000Mi, 16Gi or 1Ti",
		"": "write 9000Mi, 16Gi or 1Ti", "Gi": "write 9000Mi, 16Gi or 1Ti", "999999999999999999Ti": "write 9000Mi, 16Gi or 1Ti",
	} {
		var got Mebibytes
		if err := got.UnmarshalScalar(text, false); err == nil || hintOf(err) != hint {
			t.Errorf("%q is %d, %v with hint %q, want %q", text, got, err, hintOf(err), hint)
		}
	}
	if s := Mebibytes(9000).String(); s != "9000Mi" {
		t.Error(s)
	}
}

func TestRatios(t *testing.T) {
	for text, want := range map[string]Ratio{"0": 0, "1": 1, "0.995": 0.995, "1e-3": 0.001, "-0": 0} {
		var got Ratio
		if err := got.UnmarshalScalar(text, false); err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"1.0001", "-0.1", ".nan", ".inf", "95", "95%", "", "half", ".5", "1e400"} {
		var got Ratio
		if err := got.UnmarshalScalar(text, false); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func TestDecimals(t *testing.T) {
	for _, text := range []string{"5.07", "0", "-1.50", "60000"} {
		var got Decimal
		if err := got.UnmarshalScalar(text, true); err != nil || string(got) != text {
			t.Errorf("%s is %q, %v", text, got, err)
		}
		if err := got.UnmarshalScalar(text, false); err == nil {
			t.Errorf("%s was accepted without quotes", text)
		}
	}
	for _, text := range []string{"", "5,07", "$5", "1e3", ".5", "5.", "+5", "0x1", "NaN", "--5", "5 "} {
		var got Decimal
		if err := got.UnmarshalScalar(text, true); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"class", "pricePerHour", "name", "streams", "scaleUp", "scaleDown", "p50", "p95"}
	for got, want := range map[string]string{
		"clss": "class", "klass": "class", "price_per_hour": "pricePerHour", "PRICEPERHOUR": "pricePerHour", "naem": "name",
		"stream": "streams", "scaleDwon": "scaleDown", "p59": "p50", "zzz": "", "": "", "_": "", "n": "",
	} {
		if s := Suggest(got, known); s != want {
			t.Errorf("for %q %q is suggested, want %q", got, s, want)
		}
	}
}
