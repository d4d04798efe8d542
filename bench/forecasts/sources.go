package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func crane(data string, files map[string]converted) error {
	for i := range 8 {
		to := into(files, "services-1m", fmt.Sprintf("crane%d", i))
		err := records(filepath.Join(data, "crane_dsp", fmt.Sprintf("input%d.csv.gz", i)), func(f []string) error {
			v, err := numbers(f...)
			if err == nil {
				to[int64(v[0])] = v[1]
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// internet has one value a line.
func internet(data string, files map[string]converted) error {
	to := into(files, "services-5m", "internet_A")
	at := time.Date(2005, 6, 7, 6, 57, 0, 0, time.UTC).Unix()
	return records(filepath.Join(data, "internet_traffic", "A5M.txt.gz"), func(f []string) error {
		v, err := numbers(f[0])
		if err == nil {
			to[at] = v[0]
			at += 300
		}
		return err
	})
}

func servegen(data string, files map[string]converted) error {
	return records(filepath.Join(data, "servegen", "fleet_rate_10min.csv"), func(f []string) error {
		v, err := numbers(f[1:]...)
		if err == nil {
			into(files, "services-10m", f[0])[monday+int64(v[0])] = v[1]
		}
		return err
	})
}

// office leaves empty what no vertex of the figure tells: a gap.
func office(data string, files map[string]converted) error {
	for column, name := range []string{"A_dev", "A_prod"} {
		to := into(files, "services-1m", "o365_"+name)
		err := records(filepath.Join(data, "sageserve_o365", "prompt_tokens_per_minute.csv.gz"), func(f []string) error {
			v, err := numbers(f[0], f[1+column])
			if err == nil {
				to[monday+60*int64(v[0])] = v[1]
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tweets were stored a few seconds off now and then; each belongs to the nearest bin.
func tweets(data string, files map[string]converted) error {
	for _, name := range []string{"AAPL", "AMZN", "CRM", "CVS", "FB"} {
		to := into(files, "services-5m", "tweets_"+name)
		if err := dated(filepath.Join(data, "nab", "Twitter_volume_"+name+".csv.gz"), 300, to); err != nil {
			return err
		}
	}
	return nil
}

func taxi(data string, files map[string]converted) error {
	return dated(filepath.Join(data, "nab", "nyc_taxi.csv.gz"), 1800, into(files, "services-30m", "taxi"))
}

// dated reads dates and values on a grid that begins at the first of them.
func dated(path string, step int64, to bins) error {
	first := int64(0)
	return records(path, func(f []string) error {
		at, err := time.Parse("2006-01-02 15:04:05", f[0])
		if err != nil {
			return err
		}
		v, err := numbers(f[1])
		if err != nil {
			return err
		}
		if first == 0 {
			first = at.Unix()
		}
		to[first+(at.Unix()-first+step/2)/step*step] = v[0]
		return nil
	})
}

// calls puts the opening days on the week days from 3 March 2003 on. Between them
// nothing is known.
func calls(data string, files map[string]converted) error {
	to := into(files, "services-5m", "bank_calls")
	return records(filepath.Join(data, "bank_calls", "calls_5min.csv.gz"), func(f []string) error {
		v, err := numbers(f...)
		if err == nil {
			day, slot := int(v[0]), int(v[1])
			to[time.Date(2003, 3, 3+day/5*7+day%5, 7, 5*slot, 0, 0, time.UTC).Unix()] = v[2]
		}
		return err
	})
}

// models are the requests a minute of the four busiest; a minute without a row had
// none.
func models(data string, files map[string]converted) error {
	names := []string{"M0000", "M0001", "M0002", "M0003"}
	err := records(filepath.Join(data, "alibaba_genai_2026", "requests_per_minute_by_model.csv"), func(f []string) error {
		if !slices.Contains(names, f[1]) {
			return errOther
		}
		at, err := time.Parse("2006-01-02T15:04", f[0])
		if err != nil {
			return err
		}
		v, err := numbers(f[2])
		if err == nil {
			into(files, "services-1m", "genai_"+f[1])[at.Unix()] = v[0]
		}
		return err
	})
	for _, name := range names {
		to := into(files, "services-1m", "genai_"+name)
		known := slices.Sorted(maps.Keys(to))
		if len(known) == 0 {
			continue
		}
		for at := known[0]; at < known[len(known)-1]; at += 60 {
			to[at] += 0
		}
	}
	return err
}

func gateway(data string, files map[string]converted) error {
	to := into(files, "services-1m", "genai_gateway")
	return records(filepath.Join(data, "alibaba_genai_2026", "qps_per_minute.csv"), func(f []string) error {
		if f[1] != "API Requests" {
			return errOther
		}
		v, err := numbers(f[0], f[2])
		if err == nil {
			to[int64(v[0])] += v[1]
		}
		return err
	})
}

// m4Hourly holds back the last 48 points of every training series; the official
// test is not used.
func m4Hourly(data string, files map[string]converted) error {
	return records(filepath.Join(data, "m4_hourly", "Hourly-train.csv.gz"), func(f []string) error {
		name := strings.TrimSpace(f[0])
		if _, err := strconv.Atoi(strings.TrimPrefix(name, "H")); err != nil {
			return err
		}
		end := len(f)
		for end > 1 && strings.TrimSpace(f[end-1]) == "" {
			end--
		}
		v, err := numbers(f[1:end]...)
		if err != nil {
			return err
		}
		for i, x := range v {
			file := "m4-history"
			if i >= len(v)-m4Horizon {
				file = "m4-actual"
			}
			into(files, file, name)[monday+3600*int64(i)] = x
		}
		return nil
	})
}
