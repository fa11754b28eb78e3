package report

import "github.com/rehearse-dev/rehearse/harness"

// The shape of causes and of lineage in the JSON report.
type (
	jsonCause struct {
		Family     string            `json:"family"`
		Says       string            `json:"says,omitempty"`
		Params     map[string]string `json:"params,omitempty"`
		Table      []jsonCode        `json:"table,omitempty"`
		When       string            `json:"when,omitempty"`
		Scope      []jsonScope       `json:"scope"`
		Explained  int               `json:"explained"`
		Exceptions int               `json:"exceptions"`
		Untouched  int               `json:"untouched"`
		Proven     bool              `json:"proven"`
		Digest     string            `json:"digest"`
	}
	jsonCode struct {
		Was     string `json:"was,omitempty"`
		Is      string `json:"is,omitempty"`
		WasType string `json:"was_type,omitempty"`
		IsType  string `json:"is_type,omitempty"`
	}
	jsonScope struct {
		Operation string `json:"operation,omitempty"`
		At        string `json:"at"`
	}
	jsonFlow struct {
		From     jsonFieldPlace `json:"from"`
		By       string         `json:"by,omitempty"`
		To       jsonFieldPlace `json:"to"`
		Evidence string         `json:"evidence,omitempty"`
	}
	jsonFieldPlace struct {
		System    string `json:"system,omitempty"`
		Operation string `json:"operation"`
		Field     string `json:"field"`
		At        string `json:"at"`
	}
)

func jsonCauseOf(c *harness.Cause) *jsonCause {
	if c == nil {
		return nil
	}
	return &jsonCause{
		Family: c.Rule.Family, Says: c.Rule.Says, Params: c.Rule.Params, When: c.Rule.When,
		Table:     each(c.Rule.Table, func(p harness.CodePair) jsonCode { return jsonCode(p) }),
		Scope:     each(c.Scope, func(s harness.Scope) jsonScope { return jsonScope{s.Operation, s.At.String()} }),
		Explained: c.Proof.Explained, Exceptions: c.Proof.Exceptions, Untouched: c.Proof.Untouched, Proven: c.Proof.Proven,
		Digest: c.Rule.Digest(c.Scope),
	}
}

func (c *jsonCause) cause() (*harness.Cause, error) {
	if c == nil {
		return nil, nil
	}
	out := &harness.Cause{
		Rule:  harness.CauseRule{Family: c.Family, Says: c.Says, Params: c.Params, When: c.When},
		Proof: harness.CauseProof{Explained: c.Explained, Exceptions: c.Exceptions, Untouched: c.Untouched, Proven: c.Proven},
	}
	for _, p := range c.Table {
		out.Rule.Table = append(out.Rule.Table, harness.CodePair(p))
	}
	for _, s := range c.Scope {
		at, err := harness.ParsePath(s.At)
		if err != nil {
			return nil, err
		}
		out.Scope = append(out.Scope, harness.Scope{Operation: s.Operation, At: at})
	}
	return out, nil
}

func jsonFlowOf(f harness.Flow) jsonFlow {
	place := func(p harness.FieldPlace) jsonFieldPlace {
		return jsonFieldPlace{p.System, p.Operation, p.Field, p.At.String()}
	}
	return jsonFlow{place(f.From), f.By, place(f.To), f.Evidence}
}
