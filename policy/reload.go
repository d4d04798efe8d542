package policy

import "fmt"

// Reload loads a policy anew and returns it, or the current one together with the
// error where loading fails: a bad file never takes down what a good one runs.
func Reload(current Policy, load func() (Policy, error)) (Policy, error) {
	next, err := load()
	if err != nil {
		return current, fmt.Errorf("reload policy, keeping %q: %w", current.Name, err)
	}
	return next, nil
}
