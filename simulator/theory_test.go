package simulator

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// TestWaitsDependOnTheSecondMomentOfWork: one server waits lambda E[S^2] / (2 (1 -
// rho)), whatever the distribution of its service times (Pollaczek and Khinchine):
// M/G/1 with log-normal work.
func TestWaitsDependOnTheSecondMomentOfWork(t *testing.T) {
	const mean = 0.1
	for _, cv := range []float64{0.5, 1.5} {
		for _, rho := range []float64{0.4, 0.7} {
			t.Run(fmt.Sprintf("cv %.1f at %.1f", cv, rho), func(t *testing.T) {
				lambda := rho / mean
				want := mean + lambda*mean*mean*(1+cv*cv)/(2*(1-rho))
				checkMeanTime(t, want, func(duration time.Duration, seed uint64) *World {
					w := build(t, Config{
						Models: []fleet.Model{testModel("m", fleet.CentralQueue, mean)},
						Sources: feed("m", generated(t, traffic.Generated{
							Model: "m", Shape: traffic.ShapeConstant, Peak: lambda,
							Work: traffic.WorkSpread{Kind: traffic.WorkLognormal, CV: cv},
						}, duration, seed)),
					})
					serveWith(t, w, "m", 1)
					return w
				}, lambda)
			})
		}
	}
}

// TestBatchesTakeAsLongAsTheirChainSays: a server that takes all that waits, in
// alpha b + tau0 seconds for a batch of b, is a Markov chain of batch sizes: the next
// batch is what came during the last, or the one who ends the silence. Its mean time
// in the system follows exactly, and stays below the closed form of Inoue (2021,
// arXiv 1912.06322).
func TestBatchesTakeAsLongAsTheirChainSays(t *testing.T) {
	const alpha, tau0 = 0.01, 0.05
	const most = 400 // never reached below
	var seconds []float64
	for b := 1; b <= most; b++ {
		seconds = append(seconds, alpha*float64(b)+tau0)
	}
	for _, rho := range []float64{0.2, 0.5, 0.8} {
		t.Run(fmt.Sprintf("lambda alpha %.1f", rho), func(t *testing.T) {
			lambda := rho / alpha
			want := batchChain(lambda, seconds)
			bound := math.Min(
				(alpha+tau0)/(2*(1-rho))*(1+2*lambda*tau0+(1-lambda*tau0)/(1+rho)),
				1.5*tau0/(1-rho)+alpha/2*(rho+2)/(1-rho*rho))
			if want > bound || want < 0.8*bound {
				t.Errorf("the chain gives %.5f s, the closed form bounds it by %.5f", want, bound)
			}
			checkMeanTime(t, want, func(duration time.Duration, seed uint64) *World {
				w := build(t, Config{
					Models:  []fleet.Model{testModel("m", fleet.CentralQueue, seconds...)},
					Sources: feed("m", plain(t, "m", lambda, duration, seed)),
				})
				serveWith(t, w, "m", 1)
				return w
			}, lambda)
		})
	}
}

// batchChain is the mean time in the system of a server that takes all that waits:
// the stationary distribution of the batch sizes by iteration, and per batch of b what
// its b requests spend in service and those that come meanwhile wait, lambda s^2/2.
func batchChain(lambda float64, seconds []float64) float64 {
	n := len(seconds)
	row := make([][]float64, n) // row[b-1][k] is the probability of k arrivals in a batch of b
	for b := range row {
		a := lambda * seconds[b]
		row[b] = make([]float64, n+1)
		for k := range row[b] {
			lg, _ := math.Lgamma(float64(k) + 1)
			row[b][k] = math.Exp(float64(k)*math.Log(a) - a - lg)
		}
	}
	size := make([]float64, n)
	size[0] = 1
	for range 300 {
		next := make([]float64, n)
		for b, p := range size {
			if p < 1e-15 {
				continue
			}
			next[0] += p * row[b][0]
			for k := 1; k <= n; k++ {
				next[k-1] += p * row[b][k]
			}
		}
		size = next
	}
	var spent, requests float64
	for b, p := range size {
		s := seconds[b]
		spent += p * (float64(b+1)*s + lambda*s*s/2)
		requests += p * float64(b+1)
	}
	return spent / requests
}
