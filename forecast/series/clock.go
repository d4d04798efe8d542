package series

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Clock is how a file writes its times. The zero value is RFC 3339 in UTC.
type Clock struct {
	seconds bool
	zone    *time.Location // of RFC 3339; nil is UTC
}

// Format writes a time as the clock's file does.
func (c Clock) Format(t time.Time) string {
	if c.seconds {
		return strconv.FormatInt(t.Unix(), 10)
	}
	if c.zone == nil {
		return t.UTC().Format(time.RFC3339)
	}
	return t.In(c.zone).Format(time.RFC3339)
}

// The seconds that RFC 3339 can write: the years 1 to 9999.
const (
	firstSecond = -62135596800
	lastSecond  = 253402300799
)

// parseTime reads a time in either form.
func parseTime(text string) (time.Time, Clock, error) {
	if sec, err := strconv.ParseInt(text, 10, 64); err == nil {
		if sec < firstSecond || sec > lastSecond {
			return time.Time{}, Clock{}, fmt.Errorf("time %s is beyond the year 9999: give seconds, not milliseconds", text)
		}
		return time.Unix(sec, 0).UTC(), Clock{seconds: true}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	switch {
	case text == "":
		return t, Clock{}, errors.New("time is empty: give RFC 3339, such as 2026-09-14T09:00:00Z, or integer seconds")
	case err != nil:
		return t, Clock{}, fmt.Errorf("time %q is neither RFC 3339, such as 2026-09-14T09:00:00Z, nor integer seconds", text)
	case t.Nanosecond() != 0:
		return t, Clock{}, fmt.Errorf("time %s has a fraction of a second: bins begin at whole seconds", text)
	}
	_, offset := t.Zone()
	if offset == 0 {
		return t.UTC(), Clock{}, nil
	}
	return t, Clock{zone: t.Location()}, nil
}
