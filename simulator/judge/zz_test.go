package judge

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

func TestZZ(t *testing.T) {
	name := os.Getenv("ZZ")
	if name == "" {
		t.Skip()
	}
	for _, n := range strings.Split(name, ",") {
		s, err := scenario.Loader{Data: "/work/shared/data", Open: func(p string) (io.ReadCloser, error) { return os.Open(p) }}.Load("../../configs/scenarios/" + n + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		d := s.Duration
		if os.Getenv("DAYS") != "" {
			d, _ = time.ParseDuration(os.Getenv("DAYS"))
		}
		t0 := time.Now()
		_, err = NewTrial(s, 1).foresee(context.Background(), d)
		fmt.Println(n, err, time.Since(t0))
	}
}
