package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

// auditPolicy records every write with its body and answer, and of the reads those of
// service accounts, who are the programs under test. Bodies that hold tokens or secrets
// are left out.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: Metadata
  resources:
  - {group: "", resources: [secrets, serviceaccounts/token]}
  - {group: authentication.k8s.io, resources: [tokenreviews]}
- level: RequestResponse
  verbs: [create, update, patch, delete, deletecollection]
- level: Metadata
  userGroups: [system:serviceaccounts]
  verbs: [get, list, watch]
- level: None
`

// AuditEvent is one request that the API server has answered.
type AuditEvent struct {
	Time        time.Time // When the request arrived.
	Stage       string    // Always ResponseComplete.
	User        string    // As RBAC knows it; see ServiceAccountUser.
	UserAgent   string
	Verb        string // get, list, watch, create, update, patch, delete or deletecollection.
	Group       string // The API group, empty for the core.
	Resource    string // Plural: nodes, deployments.
	Subresource string // status, scale, eviction, or empty.
	Namespace   string // Empty for what has none.
	Name        string // Empty for a create with generateName, and for collections.
	Code        int    // The HTTP status of the answer; a refused write has one too.
	Request     json.RawMessage
	Response    json.RawMessage
}

// String is the event in one line, for messages of tests.
func (e AuditEvent) String() string {
	resource := e.Resource
	if e.Subresource != "" {
		resource += "/" + e.Subresource
	}
	return fmt.Sprintf("%s %s %s %s/%s by %s (%s): %d",
		e.Time.Format("15:04:05.000"), e.Verb, resource, e.Namespace, e.Name, e.User, e.UserAgent, e.Code)
}

// auditLine is an event as the API server writes it.
type auditLine struct {
	Stage     string
	Verb      string
	UserAgent string
	User      struct{ Username string }
	ObjectRef struct{ APIGroup, Resource, Subresource, Namespace, Name string }

	ResponseStatus struct{ Code int }
	RequestObject  json.RawMessage
	ResponseObject json.RawMessage

	RequestReceivedTimestamp time.Time
}

// Audit answers all requests in the audit log that are complete, in the order in which
// they were completed. An event is written when its request has been answered, so it
// may follow the answer by some milliseconds; a test that expects an event waits for it,
// and one that expects none lets its program end first.
func (c *Cluster) Audit() ([]AuditEvent, error) {
	log, err := os.ReadFile(c.AuditLog)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	return parseAudit(log)
}

func parseAudit(log []byte) ([]AuditEvent, error) {
	var events []AuditEvent
	for n := 1; ; n++ {
		line, rest, whole := bytes.Cut(log, []byte("\n"))
		if !whole { // The last line may just be being written.
			return events, nil
		}
		log = rest
		var l auditLine
		if err := json.Unmarshal(line, &l); err != nil {
			return nil, fmt.Errorf("audit log, line %d: %w", n, err)
		}
		if l.Stage != "ResponseComplete" {
			continue
		}
		events = append(events, AuditEvent{
			Time: l.RequestReceivedTimestamp, Stage: l.Stage, User: l.User.Username, UserAgent: l.UserAgent, Verb: l.Verb,
			Group: l.ObjectRef.APIGroup, Resource: l.ObjectRef.Resource, Subresource: l.ObjectRef.Subresource,
			Namespace: l.ObjectRef.Namespace, Name: l.ObjectRef.Name,
			Code: l.ResponseStatus.Code, Request: l.RequestObject, Response: l.ResponseObject,
		})
	}
}

// Writes answers what a user has tried to change, refused or not: all mutating verbs
// but the reviews, which are questions in the form of a write. It fails rather than
// answer none when the log cannot be read.
func (c *Cluster) Writes(user string) ([]AuditEvent, error) {
	events, err := c.Audit()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(events, func(e AuditEvent) bool { return e.User != user || !e.IsWrite() }), nil
}

// IsWrite says whether the request would change something if it were granted.
func (e AuditEvent) IsWrite() bool {
	switch e.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
	default:
		return false
	}
	switch e.Resource {
	case "selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews",
		"subjectaccessreviews", "localsubjectaccessreviews", "tokenreviews":
		return false
	}
	return true
}
