package outlook

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/tessera-autoscaler/tessera/observe/internal/door"
)

// Config says where the server is and how it is asked.
type Config struct {
	URL             string        // http or https; asked with POST
	BearerTokenFile string        // read anew for each request; empty: no token
	CAFile          string        // PEM certificates that the server's must descend from; empty: those of the system
	Timeout         time.Duration // of a request with its answer; 2 s where zero
	History         time.Duration // how much of the past each request holds; 48 h where zero
	Log             *slog.Logger
}

// The defaults of a Config.
const (
	DefaultTimeout = 2 * time.Second
	DefaultHistory = 48 * time.Hour
)

// Client asks one server.
type Client struct {
	config Config
	http   *http.Client
}

// New makes a client. Nothing is asked yet.
func New(c Config) (*Client, error) {
	c.Timeout, c.History = cmp.Or(c.Timeout, DefaultTimeout), cmp.Or(c.History, DefaultHistory)
	if err := door.CheckURL("forecaster", c.URL); err != nil {
		return nil, err
	}
	if c.Timeout < 0 || c.History < step {
		return nil, fmt.Errorf("forecaster timeout %v, history %v: give a timeout above zero and a minute of history at least", c.Timeout, c.History)
	}
	client, err := door.Open(door.Options{
		Name: "forecaster", CAFile: c.CAFile, BearerTokenFile: c.BearerTokenFile, Timeout: c.Timeout, Connections: 1,
	})
	if err != nil {
		return nil, err
	}
	return &Client{config: c, http: client}, nil
}

// ask sends one request and reads its answer.
func (c *Client) ask(r Request) (Reply, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return Reply{}, fmt.Errorf("write the request: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.config.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL, bytes.NewReader(body))
	if err != nil {
		return Reply{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return Reply{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return Reply{}, fmt.Errorf("%s answers %s: %q", c.config.URL, resp.Status, said)
	}
	var reply Reply
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		return Reply{}, fmt.Errorf("%s answers with what is no forecast: %w", c.config.URL, err)
	}
	return reply, nil
}
