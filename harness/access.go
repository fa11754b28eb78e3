package harness

// Access says how requests get credentials of the instance that they are fed to, in the place of those that were
// recorded. Secrets are references: env:NAME, fd:3, or a file that only its owner can read.
type Access struct {
	Recipe    string `yaml:"recipe"`              // name of a row in the table of package access
	Operation string `yaml:"operation,omitempty"` // glob over [Exchange.Operation]; empty covers all
	Head      string `yaml:"head,omitempty"`      // header field that holds the credentials, where the recipe leaves a choice; default Authorization
	Query     string `yaml:"query,omitempty"`     // parameter of the query that holds them instead
	Body      Path   `yaml:"body,omitempty"`      // place in the body, such as request.body.client_secret

	User     string `yaml:"user,omitempty"`     // name of a login
	Password string `yaml:"password,omitempty"` // reference
	ID       string `yaml:"id,omitempty"`       // of a client, or of a key
	Secret   string `yaml:"secret,omitempty"`   // reference: of a client, a key, a token or a webhook
	Token    string `yaml:"token,omitempty"`    // reference: of a session of AWS, or for refreshing

	TokenURL  string `yaml:"token-url,omitempty"` // where tokens are got: a URL, or a path of the target
	Scope     string `yaml:"scope,omitempty"`     // asked for with a token
	Audience  string `yaml:"audience,omitempty"`  // the same
	InBody    bool   `yaml:"in-body,omitempty"`   // id and secret of the client stand in the form, not in the head
	Algorithm string `yaml:"algorithm,omitempty"` // of a JSON web token, such as ES256; default that of the recorded one
}
