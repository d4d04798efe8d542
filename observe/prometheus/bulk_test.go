package prometheus_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

// TestHistoryInBulk: the histories of a thousand models are read by the hundreds,
// within what a server answers; a part that is partial or foreign stays a gap, and
// no point is asked for twice.
func TestHistoryInBulk(t *testing.T) {
	var mu sync.Mutex
	requests, points := 0, 0
	until := time.Now().Truncate(time.Minute)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requests++
		mu.Unlock()
		if r.FormValue("query") == "time()" {
			_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"scalar","result":[1,"%d"]}}`, time.Now().Unix())
			return
		}
		start, _ := strconv.ParseFloat(r.FormValue("start"), 64)
		end, _ := strconv.ParseFloat(r.FormValue("end"), 64)
		n := int(end-start)/60 + 1
		if int64(start)%60 != 0 || int64(end)%60 != 0 || r.FormValue("step") != "60" || n > 11_000 {
			t.Errorf("from %v to %v by %s: not aligned, or too many points", start, end, r.FormValue("step"))
		}
		models := strings.Count(r.FormValue("query"), "model-")
		mu.Lock()
		points += n
		mu.Unlock()
		if models == 0 || n*models > 200_000*3 {
			t.Errorf("%d points of %d models in one answer", n, models)
		}
		last := until.Add(-time.Minute).Unix() // as if it had begun two minutes ago
		rows := ""
		if int64(end) == until.Unix() {
			rows = fmt.Sprintf(`{"metric":{"model":"model-0000"},"values":[[%d,"3"],[%d,"NaN"],[7,"1"]]},
				{"metric":{"model":"model-0001"},"values":[[%[1]d,"1"],[%[2]d,"-1"]]},
				{"metric":{"model":"model-0002","a":"1"},"values":[[%[1]d,"1"],[%[2]d,"5"]]},
				{"metric":{"model":"model-0002","a":"2"},"values":[[%[1]d,"2"]]},
				{"metric":{"model":"foreign"},"values":[[%[1]d,"1"]]}`, last, until.Unix())
		}
		warnings := ""
		if rows == "" {
			warnings, rows = `"warnings":["a store did not answer"],`, fmt.Sprintf(`{"metric":{"model":"model-0003"},"values":[[%d,"9"]]}`, int64(end))
		}
		_, _ = fmt.Fprintf(w, `{"status":"success",%s"data":{"resultType":"matrix","result":[%s]}}`, warnings, rows)
	}))
	t.Cleanup(s.Close)
	sources := tritonSource(names(1000)...)
	r, err := prometheus.New(prometheus.Config{URL: s.URL}, sources, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"model-0000": "3 gap", "model-0001": "1 gap", "model-0002": "5"}
	for round := range 2 { // a loop, and another that comes after it
		requests, points = 0, 0
		for name := range sources[0].Models {
			past, err := r.History(t.Context(), name, until.Add(59*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, o := range past {
				if at := until.Add(-time.Duration(len(past)-i) * time.Minute); !o.At.Equal(at) {
					t.Errorf("%s bin %d is at %v, want %v", name, i, o.At, at)
				}
				if !o.Known {
					got = append(got, "gap")
				} else {
					got = append(got, fmt.Sprint(o.Value))
				}
			}
			if line := strings.Join(got, " "); line != want[string(name)] {
				t.Errorf("%s: %q, want %q", name, line, want[string(name)])
			}
		}
		if most := 5 * 28; requests > most {
			t.Errorf("%d requests in round %d, at most %d", requests, round, most)
		}
		if points != 5*14*24*60 {
			t.Errorf("%d minutes were asked for, want those of 14 days five times: %d", points, 5*14*24*60)
		}
	}
}
